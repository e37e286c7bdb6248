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
    std::vector<Run>& held_by = running(slot) != running_.end() ? running_ : stopping_;
    const auto it = in(held_by, slot);
    free_[it->where.pool] += it->asks.job.gpus;
    held_by.erase(it);
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
    idle_ = free_;
    coming_.assign(free_.size(), 0);
    for (const Run& r : stopping_) coming_[r.where.pool] += r.asks.job.gpus;
    for (const Waits& w : queue) {
      const scheduling::PoolChoice* where = place_for(w, now, closed, sink);
      if (where == nullptr) {
        if (!rule_.skips)
          for (const scheduling::PoolChoice& c : groups_[w.group].choices) closed[c.pool] = true;
        waiting_.push_back(w);
        continue;
      }
      free_[where->pool] -= w.job.gpus;
      idle_[where->pool] -= w.job.gpus;
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

  static std::vector<Run>::iterator in(std::vector<Run>& runs, std::uint32_t slot) {
    return std::find_if(runs.begin(), runs.end(), [=](const Run& r) { return r.asks.job.slot == slot; });
  }
  std::vector<Run>::iterator running(std::uint32_t slot) { return in(running_, slot); }
  /// Where the job starts, after others have been stopped for it; null: nowhere, or not before GPUs that it
  /// keeps from those behind it come free.
  template <class Sink>
  const scheduling::PoolChoice* place_for(const Waits& w, std::int64_t now, const std::vector<bool>& closed,
                                          Sink& sink) {
    for (const scheduling::PoolChoice& c : groups_[w.group].choices)
      if (!closed[c.pool] && w.job.gpus <= idle_[c.pool]) return &c;
    for (const scheduling::PoolChoice& c : groups_[w.group].choices) {
      if (closed[c.pool]) continue;
      if (w.job.gpus > idle_[c.pool] + coming_[c.pool]) {
        const std::vector<std::uint32_t> victims = victims_for(w.job, c.pool, now);
        if (victims.empty()) continue;
        for (const std::uint32_t slot : victims) stop(slot, sink);
      }
      if (w.job.gpus <= idle_[c.pool]) return &c;
      coming_[c.pool] -= w.job.gpus - idle_[c.pool];
      idle_[c.pool] = 0;
      return nullptr;
    }
    return nullptr;
  }
  template <class Sink>
  void stop(std::uint32_t slot, Sink& sink) {
    const auto it = running(slot);
    const Run victim = *it;
    running_.erase(it);
    const std::int64_t gpus = victim.asks.job.gpus;
    if (rule_.notice > 0) {
      stopping_.push_back(victim);
      coming_[victim.where.pool] += gpus;
    } else {
      free_[victim.where.pool] += gpus;
      idle_[victim.where.pool] += gpus;
    }
    sink.preempt(victim.asks.job);
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
    std::int64_t got = idle_[pool] + coming_[pool];
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
  std::vector<Run> running_, stopping_;
  std::vector<std::int64_t> free_;           ///< by pool
  std::vector<std::int64_t> idle_, coming_;  ///< by pool, in a pass: not given to anybody yet
};

}  // namespace natgpu::conformance
