// SPDX-License-Identifier: Apache-2.0
// Preemptive orders as plain loops: at each pass all that wait or run stand in one list, which is sorted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::conformance {

class PlainPreemptive {
 public:
  explicit PlainPreemptive(scheduling::PreemptiveRule rule)
      : PlainPreemptive(std::move(rule), 1, {{{{0, 1.0}}}}) {}
  PlainPreemptive(scheduling::PreemptiveRule rule, std::size_t pools,
                  std::vector<scheduling::GroupSpec> groups)
      : rule_(std::move(rule)), groups_(std::move(groups)), free_(pools) {}

  void submit(const scheduling::WaitingJob& job, const scheduling::Progress& progress, std::int64_t now,
              std::uint32_t group = 0, bool firm = false) {
    Claim* c = find(job.slot);
    if (c == nullptr) c = &claims_.emplace_back();
    c->job = job;
    c->group = group;
    c->firm = firm;
    c->progress = progress;
    c->state = State::waits;
    c->since = now;
  }
  void finish_job(std::uint32_t slot) {
    Claim& c = *find(slot);
    free_[c.where.pool] += c.job.gpus;
    c.state = State::gone;
  }
  void withdraw_job(std::uint32_t slot) { find(slot)->state = State::gone; }
  void change_capacity(std::uint32_t pool, std::int64_t delta) { free_[pool] += delta; }
  std::int64_t free(std::uint32_t pool) const { return free_[pool]; }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (rule_.round > 0 && now % rule_.round != 0) return;
    promote(now);
    if (std::none_of(claims_.begin(), claims_.end(), [](const Claim& c) { return c.state == State::waits; }))
      return;
    const std::vector<Chosen> chosen = choose(now);
    const auto is_chosen = [&](const Claim& c) {
      return std::any_of(chosen.begin(), chosen.end(), [&](const Chosen& x) { return x.slot == c.job.slot; });
    };
    std::vector<scheduling::WaitingJob> preempted;
    for (Claim& c : claims_) {
      if (c.state != State::runs || is_chosen(c)) continue;
      c.state = rule_.notice > 0 ? State::stops : State::gone;
      if (rule_.notice == 0) free_[c.where.pool] += c.job.gpus;
      preempted.push_back(c.job);
    }
    for (const scheduling::WaitingJob& job : preempted) sink.preempt(job);
    for (const Chosen& x : chosen) {
      Claim& c = *find(x.slot);
      if (c.state != State::waits || c.job.gpus > free_[x.where.pool]) continue;
      c.state = State::runs;
      c.since = now;
      c.where = x.where;
      free_[c.where.pool] -= c.job.gpus;
      sink.start(scheduling::WaitingJob(c.job), c.where.pool,
                 scheduling::time_at_speed(c.job.requested, c.where.speed));
    }
  }

 private:
  enum class State : std::uint8_t { waits, runs, stops, gone };
  struct Claim {
    scheduling::WaitingJob job;
    scheduling::Progress progress;
    std::uint32_t group = 0;
    bool firm = false;
    scheduling::PoolChoice where;  ///< it runs there
    State state = State::waits;
    std::int64_t since = 0;     ///< instant of the present wait or run
    std::int64_t forgiven = 0;  ///< attained before the last promotion
  };

  struct Chosen {
    std::uint32_t slot;
    scheduling::PoolChoice where;
  };

  Claim* find(std::uint32_t slot) {
    for (Claim& c : claims_)
      if (c.job.slot == slot) return &c;
    return nullptr;
  }
  bool shielded(const Claim& c, std::int64_t now) const {
    return c.state == State::runs && (c.firm || now < c.since + rule_.shield);
  }
  Area area(const Claim& c, std::int64_t attained) const {
    return static_cast<Area>(attained - c.forgiven) * c.job.gpus;
  }
  /// What is compared, the smaller first.
  Area rank(const Claim& c, std::int64_t now) const {
    const std::int64_t ran = c.state == State::runs ? now - c.since : 0;
    const std::int64_t worked = scheduling::work_in(ran > c.progress.restart ? ran - c.progress.restart : 0,
                                                    c.state == State::runs ? c.where.speed : 1.0);
    const std::int64_t attained = c.progress.attained + ran;
    if (rule_.order == scheduling::Order::srsf)
      return static_cast<Area>(c.progress.remaining - worked) * c.job.gpus;
    if (rule_.order == scheduling::Order::las) return (attained - c.forgiven) / rule_.quantum;
    if (rule_.order == scheduling::Order::las2d)
      return std::count_if(rule_.limits.begin(), rule_.limits.end(),
                           [&](Area limit) { return limit <= area(c, attained); });
    return c.progress.remaining - worked;
  }
  void promote(std::int64_t now) {
    if (rule_.promote == 0) return;
    for (Claim& c : claims_) {
      const std::int64_t served = c.progress.attained - c.forgiven;
      if (c.state == State::waits && rank(c, now) > 0 && now - c.since >= rule_.promote * served)
        c.forgiven = c.progress.attained;
    }
  }
  /// In order of rank.
  std::vector<Chosen> choose(std::int64_t now) const {
    std::vector<std::pair<Area, const Claim*>> all;
    std::vector<Chosen> chosen;
    std::vector<std::int64_t> left = free_;
    std::vector<bool> closed(free_.size());
    for (const Claim& c : claims_) {
      if (c.state == State::gone) continue;
      if (c.state != State::waits && !shielded(c, now)) left[c.where.pool] += c.job.gpus;
      if (shielded(c, now))
        chosen.push_back({c.job.slot, c.where});
      else if (c.state != State::stops)
        all.emplace_back(rank(c, now), &c);
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second->job.order.id < b.second->job.order.id;
    });
    for (const auto& entry : all) {
      const Claim* c = entry.second;
      std::vector<scheduling::PoolChoice> pools{c->where};
      if (c->state == State::waits) pools = groups_[c->group].choices;
      const auto room = std::find_if(pools.begin(), pools.end(), [&](const scheduling::PoolChoice& p) {
        return !closed[p.pool] && c->job.gpus <= left[p.pool];
      });
      if (room != pools.end()) {
        left[room->pool] -= c->job.gpus;
        chosen.push_back({c->job.slot, *room});
      } else if (!rule_.skips) {
        for (const scheduling::PoolChoice& p : pools) closed[p.pool] = true;
      }
    }
    return chosen;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<scheduling::GroupSpec> groups_;
  std::vector<Claim> claims_;
  std::vector<std::int64_t> free_;  ///< by pool
};

}  // namespace natgpu::conformance
