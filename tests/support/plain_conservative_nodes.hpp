// SPDX-License-Identifier: Apache-2.0
// Reservations on machines by plain loops: what each machine has free at an instant is counted from all that
// runs and all that is promised, for each instant that could matter (docs/decisions/0022).
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <natgpu/scheduling/moving_order.hpp>

#include "plain_nodes.hpp"
#include "plain_promises.hpp"

namespace natgpu::testing {

struct PlainPlace {
  std::size_t pool = 0;
  std::int64_t start = 0, end = 0;
  std::vector<PlainNodes::Held> held;
};

class PlainConservativeNodes : public PlainNodes, public PlainPromises<PlainPlace> {
 public:
  PlainConservativeNodes(const workload::JobLog& log, const simulation::ReplayOptions& options,
                         const simulation::NodeView& view)
      : PlainNodes(log, options, view) {
    if (options.reservations > 0) holders = static_cast<std::size_t>(options.reservations);
  }

  std::uint64_t late = 0;  ///< starts behind the first promise

  void run() {
    for (t_ = next(-1); t_ != no_time; t_ = next(t_)) {
      for (Job& j : jobs)
        if (j.running && j.ends == t_) {
          release(j, now_);
          j.running = false;
          j.end = t_;
          freed = true;
        }
      for (const workload::NodeOutage& o : view_.outages)
        if (o.from_s == t_) stop_on(o.node);
      for (std::size_t m = 0; m < now_.size(); ++m) {
        const bool up = std::none_of(view_.outages.begin(), view_.outages.end(), [&](const auto& o) {
          return o.node == m && o.from_s <= t_ && t_ < o.until_s;
        });
        if (up && !now_[m].up) gain();
        now_[m].up = up;
      }
      look_for_overflows();
      for (std::uint32_t i = 0; i < jobs.size(); ++i)
        if (log_.jobs[i].submit_s == t_ && jobs[i].fits) wait(i);
      pass_at(t_);
      for (const auto& [job, place] : reserved) first_promise_.insert({job, place.start});
    }
  }

 private:
  void wait(std::uint32_t i) {
    jobs[i].waiting = true;
    fresh.insert(i);
  }
  void stop_on(std::size_t machine) {
    std::vector<bool> ran;
    for (const Job& j : jobs) ran.push_back(j.running);
    lose(machine, t_);
    for (std::uint32_t i = 0; i < jobs.size(); ++i)
      if (ran[i] && !jobs[i].running) {
        wait(i);
        freed = true;
      }
  }
  std::int64_t next(std::int64_t after) const {
    std::int64_t t = no_time;
    const auto see = [&](std::int64_t at) {
      if (at > after) t = std::min(t, at);
    };
    for (const workload::LogJob& j : log_.jobs) see(j.submit_s);
    for (const workload::NodeOutage& o : view_.outages) see(o.from_s), see(o.until_s);
    for (const Job& j : jobs)
      if (j.running) see(j.ends);
    for (const auto& [job, place] : reserved) see(place.start);
    return t;
  }

  std::vector<std::uint32_t> in_order() const override {
    std::vector<std::uint32_t> q;
    for (const std::size_t i : PlainNodes::queue()) q.push_back(static_cast<std::uint32_t>(i));
    if (!moves(options_.order)) return q;
    const auto key = [this](std::uint32_t i) {
      return scheduling::moving_key(options_.order, t_ - log_.jobs[i].submit_s, limit(i),
                                    std::max(log_.jobs[i].gpus, 1));
    };
    std::stable_sort(q.begin(), q.end(), [&](auto a, auto b) { return key(a) < key(b); });
    return q;
  }
  /// What each machine has free at that instant.
  Machines at(std::int64_t t) const {
    Machines machines = all_;
    for (std::size_t m = 0; m < machines.size(); ++m) machines[m].up = now_[m].up;
    for (const Job& j : jobs)
      if (j.running && t < j.limit_end)
        for (const Held& h : j.held) take(machines[h.machine], h);
    for (const auto& [job, place] : reserved)
      if (place.start <= t && t < place.end)
        for (const Held& h : place.held) take(machines[h.machine], h);
    return machines;
  }
  std::set<std::int64_t> changes() const {
    std::set<std::int64_t> all;
    for (const Job& j : jobs)
      if (j.running) all.insert(j.limit_end);
    for (const auto& [job, place] : reserved) all.insert({place.start, place.end});
    return all;
  }
  /// What each has free throughout.
  Machines throughout(std::int64_t from, std::int64_t until) const {
    Machines least = at(from);
    for (const std::int64_t t : changes()) {
      if (t <= from || t >= until) continue;
      const Machines then = at(t);
      for (std::size_t m = 0; m < least.size(); ++m) {
        least[m].cpu = std::min(least[m].cpu, then[m].cpu);
        least[m].memory = std::min(least[m].memory, then[m].memory);
        for (std::size_t g = 0; g < least[m].free.size(); ++g) {
          least[m].free[g] = std::min(least[m].free[g], then[m].free[g]);
          least[m].taken[g] |= then[m].taken[g];
          if (least[m].mig >= 0) least[m].free[g] = 1000 - PlainMig(least[m].mig).milli(least[m].taken[g]);
        }
      }
    }
    return least;
  }
  std::optional<PlainPlace> place_at(std::uint32_t i, std::int64_t t) const {
    PlainPlace p{0, t, t + limit(i), {}};
    Machines machines = throughout(t, p.end);
    if (!place(machines, i, p.held)) return std::nullopt;
    if (is_spread(jobs[i], p.held) && slowed(limit(i), true) > limit(i)) {
      machines = throughout(t, t + slowed(limit(i), true));
      if (!place(machines, i, p.held)) return std::nullopt;
      p.end = t + slowed(limit(i), is_spread(jobs[i], p.held));
    }
    return p;
  }
  std::optional<PlainPlace> best_place(std::uint32_t i, std::int64_t latest) const override {
    std::set<std::int64_t> ends{t_};
    for (const Job& j : jobs)
      if (j.running && j.limit_end > t_) ends.insert(j.limit_end);
    for (const auto& [job, place] : reserved)
      if (place.end > t_) ends.insert(place.end);
    for (const std::int64_t t : ends)
      if (t <= latest)
        if (auto p = place_at(i, t)) return p;
    return std::nullopt;
  }
  std::optional<PlainPlace> place_now(std::uint32_t i) const override { return place_at(i, t_); }
  bool overflows(const PlainPlace& p) const override {
    return std::any_of(p.held.begin(), p.held.end(), [this](const Held& h) { return !now_[h.machine].up; });
  }
  void begin(std::uint32_t i, const PlainPlace& p) override {
    for (const Held& h : p.held) take(now_[h.machine], h);
    start(i, t_, p.held);
    const auto promise = first_promise_.find(i);
    late += promise != first_promise_.end() && promise->second < t_ ? 1 : 0;
  }

  std::int64_t t_ = 0;
  std::map<std::uint32_t, std::int64_t> first_promise_;
};

}  // namespace natgpu::testing
