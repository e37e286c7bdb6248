// SPDX-License-Identifier: Apache-2.0
// Preemption by class as plain loops: victims are found one by one, and each is tried for being spared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::conformance {

/// For notice 0.
class PlainClassPreemption {
 public:
  explicit PlainClassPreemption(scheduling::PreemptiveRule rule)
      : PlainClassPreemption(std::move(rule), 1, {{{{0, 1.0}}}}) {}
  PlainClassPreemption(scheduling::PreemptiveRule rule, std::size_t pools,
                       std::vector<scheduling::GroupSpec> groups)
      : rule_(std::move(rule)), groups_(std::move(groups)), free_(pools) {}

  void submit(const scheduling::WaitingJob& job, const scheduling::Progress&, std::int64_t,
              std::uint32_t group = 0, bool firm = false) {
    waiting_.push_back({job, group, firm});
  }
  void withdraw_job(std::uint32_t slot) {
    waiting_.erase(
        std::find_if(waiting_.begin(), waiting_.end(), [=](const Waits& w) { return w.job.slot == slot; }));
  }
  void finish_job(std::uint32_t slot) {
    const auto it = running(slot);
    free_[it->where.pool] += it->asks.job.gpus;
    running_.erase(it);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) { free_[pool] += delta; }
  std::int64_t free(std::uint32_t pool) const { return free_[pool]; }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (rule_.round > 0 && now % rule_.round != 0) return;
    std::vector<Waits> queue;
    std::swap(queue, waiting_);  // who comes back waits for the next pass
    std::sort(queue.begin(), queue.end(),
              [](const Waits& a, const Waits& b) { return a.job.order < b.job.order; });
    std::vector<bool> closed(free_.size());
    for (const Waits& w : queue) {
      const scheduling::PoolChoice* where = place_for(w, now, closed, sink);
      if (where == nullptr) {
        if (!rule_.skips)
          for (const scheduling::PoolChoice& c : groups_[w.group].choices) closed[c.pool] = true;
        waiting_.push_back(w);
        continue;
      }
      free_[where->pool] -= w.job.gpus;
      running_.push_back({w, *where, now});
      sink.start(w.job, where->pool, scheduling::time_at_speed(w.job.requested, where->speed));
    }
  }

 private:
  struct Waits {
    scheduling::WaitingJob job;
    std::uint32_t group;
    bool firm;
  };
  struct Run {
    Waits asks;
    scheduling::PoolChoice where;
    std::int64_t since;
  };

  std::vector<Run>::iterator running(std::uint32_t slot) {
    return std::find_if(running_.begin(), running_.end(),
                        [=](const Run& r) { return r.asks.job.slot == slot; });
  }
  /// Where the job starts, after others have been stopped for it; null: nowhere.
  template <class Sink>
  const scheduling::PoolChoice* place_for(const Waits& w, std::int64_t now, const std::vector<bool>& closed,
                                          Sink& sink) {
    for (const scheduling::PoolChoice& c : groups_[w.group].choices)
      if (!closed[c.pool] && w.job.gpus <= free_[c.pool]) return &c;
    for (const scheduling::PoolChoice& c : groups_[w.group].choices) {
      if (closed[c.pool]) continue;
      const std::vector<std::uint32_t> victims = victims_for(w.job, c.pool, now);
      for (const std::uint32_t slot : victims) {
        const auto it = running(slot);
        const scheduling::WaitingJob victim = it->asks.job;
        free_[c.pool] += victim.gpus;
        running_.erase(it);
        sink.preempt(victim);
      }
      if (!victims.empty()) return &c;
    }
    return nullptr;
  }
  /// Slots; none where the job fits, or cannot.
  std::vector<std::uint32_t> victims_for(const scheduling::WaitingJob& job, std::uint32_t pool,
                                         std::int64_t now) const {
    std::vector<Run> lower;
    for (const Run& r : running_)
      if (r.where.pool == pool && !r.asks.firm && r.asks.job.order.key > job.order.key && r.since < now &&
          now - r.since >= rule_.shield)
        lower.push_back(r);
    std::sort(lower.begin(), lower.end(), [](const Run& a, const Run& b) {
      return std::tie(a.asks.job.order.key, a.since, a.asks.job.order.id) >
             std::tie(b.asks.job.order.key, b.since, b.asks.job.order.id);
    });
    std::int64_t got = free_[pool];
    std::vector<Run> chosen;
    for (const Run& r : lower)
      if (got < job.gpus) {
        got += r.asks.job.gpus;
        chosen.push_back(r);
      }
    std::vector<std::uint32_t> slots;
    if (got < job.gpus) return slots;
    std::reverse(chosen.begin(), chosen.end());
    for (const Run& r : chosen)
      if (got - r.asks.job.gpus >= job.gpus)
        got -= r.asks.job.gpus;
      else
        slots.push_back(r.asks.job.slot);
    return slots;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<scheduling::GroupSpec> groups_;
  std::vector<Waits> waiting_;
  std::vector<Run> running_;
  std::vector<std::int64_t> free_;  ///< by pool
};

}  // namespace natgpu::conformance
