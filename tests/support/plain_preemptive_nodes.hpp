// SPDX-License-Identifier: Apache-2.0
// Orders that take GPUs back on machines, by plain loops: every pass ranks all, and counts what each machine
// has from nothing for each job that it looks at (docs/decisions/0021).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>

#include "plain_nodes.hpp"
#include "plain_targets.hpp"

namespace natgpu::testing {

class PlainPreemptiveNodes : public PlainNodes {
 public:
  /// What became of a job; ticks.
  struct Fate {
    std::int64_t first = -1, end = -1, lost = 0;
    int preemptions = 0;
  };
  std::vector<Fate> fates;
  int displaced_gangs = 0;  ///< passes in which a job found a place only where others were

  PlainPreemptiveNodes(const workload::JobLog& log, const simulation::ReplayOptions& options,
                       const simulation::NodeView& view)
      : PlainNodes(log, options, view),
        fates(log.jobs.size()),
        states_(log.jobs.size()),
        targets_(options.order == scheduling::Order::gavel_ftf, options.preemption.round) {}
  virtual ~PlainPreemptiveNodes() = default;

  void run() {
    for (std::int64_t t = next(-1); t != never_; t = next(t)) {
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (jobs[i].running && states_[i].ends == t) {
          release(jobs[i], now_);
          jobs[i].running = false;
          fates[i].end = t;
        }
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (states_[i].leaves == t) hand_back(i, t);
      for (const workload::NodeOutage& o : view_.outages)
        if (sec(o.from_s) == t) fail(o.node, t);
      for (std::size_t m = 0; m < now_.size(); ++m)
        now_[m].up = std::none_of(view_.outages.begin(), view_.outages.end(), [&](const auto& o) {
          return o.node == m && sec(o.from_s) <= t && t < sec(o.until_s);
        });
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (sec(log_.jobs[i].submit_s) == t && jobs[i].fits) wait(i, t);
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (jobs[i].waiting && states_[i].promotion <= t && round_comes(t)) {
          states_[i].forgiven = states_[i].attained;
          states_[i].promotion = never_;
        }
      if (round_comes(t)) preempting_pass(t);
      timers_ = timers(t);
    }
  }

 protected:
  static constexpr std::int64_t never_ = std::numeric_limits<std::int64_t>::max();
  struct State {
    std::int64_t kept = 0, attained = 0, forgiven = 0, restart = 0;
    std::int64_t started = 0, ends = 0, promotion = never_;
    std::int64_t leaves = never_;  ///< when its notice is over
  };
  static std::int64_t sec(std::int64_t s) { return s * ticks_per_second; }
  const scheduling::PreemptiveRule& rule() const { return options_.preemption; }
  bool round_comes(std::int64_t t) const { return rule().round == 0 || t % rule().round == 0; }

  // --- time and work

  std::int64_t factor(std::size_t i) const {
    return jobs[i].spread ? std::max<std::int64_t>(view_.slowdown_milli, 1000) : 1000;
  }
  std::int64_t requested(std::size_t i) const {
    const workload::LogJob& j = log_.jobs[i];
    return sec(options_.exact_estimates ? std::min(j.run_s, j.requested_s) : j.requested_s);
  }
  std::int64_t next(std::int64_t after) const {
    std::int64_t t = timers_ > after ? timers_ : never_;
    const auto see = [&](std::int64_t at) {
      if (at > after) t = std::min(t, at);
    };
    for (const workload::LogJob& j : log_.jobs) see(sec(j.submit_s));
    for (const workload::NodeOutage& o : view_.outages) see(sec(o.from_s)), see(sec(o.until_s));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].running) see(states_[i].ends);
      if (states_[i].leaves != never_) see(states_[i].leaves);
    }
    return t;
  }
  std::int64_t milli(std::size_t i) const {
    const workload::LogJob& j = log_.jobs[i];
    if (j.gpus == 0) return 1000;
    return j.gpus * (j.gpus > 1 && j.nodes <= 0 ? 1000 : static_cast<std::int64_t>(j.gpu_milli));
  }
  std::int64_t served(std::size_t i, std::int64_t t) const {
    const State& s = states_[i];
    return s.attained - s.forgiven + (jobs[i].running ? t - s.started : 0);
  }
  std::int64_t left_at(std::size_t i, std::int64_t t) const {
    const State& s = states_[i];
    std::int64_t left = requested(i) - s.kept;
    if (jobs[i].running) left -= std::max<std::int64_t>(t - s.started - s.restart, 0) * 1000 / factor(i);
    return left;
  }
  /// When the rounds of all that wait or run are due.
  void set_dues(std::int64_t t) {
    std::vector<PlainTargets::Job> present(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      PlainTargets::Job& p = present[i];
      p.present = jobs[i].waiting || jobs[i].running;
      if (!p.present) continue;
      p.may = holdable(i);
      p.gpus = static_cast<double>(milli(i)) / 1000;
      p.weight = simulation::weight_of(log_.jobs[i], options_);
      p.submitted = sec(log_.jobs[i].submit_s);
      p.received = served(i, t);
      p.left = left_at(i, t);
    }
    std::size_t gpus = 0;
    for (const Machine& m : now_) gpus += m.up ? m.free.size() : 0;
    dues_ = targets_.dues(present, static_cast<double>(gpus), t);
  }
  std::int64_t rank_at(std::size_t i, std::int64_t t) const {
    const std::int64_t left = left_at(i, t);
    switch (options_.order) {
      case scheduling::Order::gavel_las:
      case scheduling::Order::gavel_ftf:
        return dues_[i];
      case scheduling::Order::srtf:
        return left;
      case scheduling::Order::srsf:
        return left * milli(i) / 1000;
      case scheduling::Order::las:
        return served(i, t) / rule().quantum;
      default: {
        std::int64_t queue = 0;
        for (const Area limit : rule().limits)
          queue += static_cast<Area>(served(i, t)) * milli(i) >= limit * 1000;
        return queue;
      }
    }
  }
  bool safe(std::size_t i, std::int64_t t) const { return t - states_[i].started < rule().shield; }
  /// The next instant at which ranks change by themselves.
  std::int64_t timers(std::int64_t t) const {
    if (std::none_of(jobs.begin(), jobs.end(), [](const Job& j) { return j.waiting; })) return never_;
    if (rule().round > 0) return (t / rule().round + 1) * rule().round;
    std::int64_t first = never_;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const State& s = states_[i];
      if (jobs[i].waiting) first = std::min(first, s.promotion);
      if (!jobs[i].running) continue;
      if (safe(i, t)) first = std::min(first, s.started + rule().shield);
      const std::int64_t so_far = served(i, t), m = milli(i);
      if (options_.order == scheduling::Order::las)
        first = std::min(first, t + rule().quantum - so_far % rule().quantum);
      if (options_.order == scheduling::Order::las2d)
        for (const Area limit : rule().limits) {
          const auto at = static_cast<std::int64_t>((limit * 1000 + m - 1) / m);  // of service
          if (at > so_far) first = std::min(first, t + at - so_far);
        }
    }
    return first;
  }

  void wait(std::size_t i, std::int64_t t) {
    jobs[i].waiting = true;
    jobs[i].running = false;
    const std::int64_t since = states_[i].attained - states_[i].forgiven;
    states_[i].promotion = rule().promote > 0 && rank_at(i, t) > 0 ? t + rule().promote * since : never_;
  }
  void leave(std::size_t i, std::int64_t t) {
    release(jobs[i], now_);
    stop(i, t);
    wait(i, t);
  }
  /// A notice is over.
  void hand_back(std::size_t i, std::int64_t t) {
    states_[i].leaves = never_;
    release(jobs[i], now_);
    wait(i, t);
  }
  void stop(std::size_t i, std::int64_t t) {
    State& s = states_[i];
    const std::int64_t ran = t - s.started;
    const std::int64_t done = s.kept + std::max<std::int64_t>(ran - s.restart, 0) * 1000 / factor(i);
    const std::int64_t every = options_.segments.checkpoint;
    const std::int64_t kept = std::max(s.kept, every == 0 ? done : done / every * every);
    fates[i].lost += done - kept;
    s.kept = kept;
    s.attained += ran;
    s.restart = options_.segments.restart;
  }
  void fail(std::size_t machine, std::int64_t t) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (std::none_of(jobs[i].held.begin(), jobs[i].held.end(),
                       [&](const Held& h) { return h.machine == machine; }))
        continue;
      if (jobs[i].running) leave(i, t);
      if (states_[i].leaves != never_) hand_back(i, t);
    }
  }
  void begin(std::size_t i, std::int64_t t, const std::vector<Held>& held) {
    Job& j = jobs[i];
    State& s = states_[i];
    j.held = held;
    j.spread = is_spread(j, held);
    for (const Held& h : held) take(now_[h.machine], h);
    j.waiting = false;
    j.running = true;
    ++j.starts;
    s.started = t;
    const std::int64_t work = sec(std::min(log_.jobs[i].run_s, log_.jobs[i].requested_s)) - s.kept;
    s.ends = t + (work * factor(i) + 999) / 1000 + s.restart;
    if (fates[i].first < 0) fates[i].first = t;
    std::set<std::uint32_t> machines;
    for (const Held& h : held) machines.insert(static_cast<std::uint32_t>(h.machine));
    j.machines.assign(machines.begin(), machines.end());
  }

  // --- one pass

  using Places = std::vector<std::pair<std::size_t, std::vector<Held>>>;  // of waiting jobs

  /// Machines with nobody but those running jobs, and chosen ones.
  Machines with(const std::vector<std::size_t>& running, const Places& chosen) const {
    Machines machines = all_;
    for (std::size_t m = 0; m < machines.size(); ++m) machines[m].up = now_[m].up;
    for (const std::size_t i : running)
      for (const Held& h : jobs[i].held) take(machines[h.machine], h);
    for (const auto& [i, held] : chosen)
      for (const Held& h : held) take(machines[h.machine], h);
    return machines;
  }
  static bool has(const Machines& machines, const std::vector<Held>& held) {
    Machines after = machines;
    for (const Held& h : held) {
      take(after[h.machine], h);
      const Machine& m = after[h.machine];
      if (m.cpu < 0 || m.memory < 0) return false;
      for (const int g : h.gpus) {
        const auto at = static_cast<std::size_t>(g);
        if (m.free[at] < 0) return false;
        if ((machines[h.machine].taken[at] & h.slices) != 0) return false;
      }
    }
    return true;
  }
  bool place_all(const std::vector<std::size_t>& beside, Places& chosen) const {
    Machines machines = with(beside, {});
    Places anew = chosen;
    for (auto& [i, held] : anew)
      if (!place(machines, i, held)) return false;
    chosen = anew;
    return true;
  }

  virtual void preempting_pass(std::int64_t t) {
    if (std::none_of(jobs.begin(), jobs.end(), [](const Job& j) { return j.waiting; })) return;
    if (by_target(options_.order)) set_dues(t);
    std::vector<std::size_t> ranked, stay, lost;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].running && safe(i, t)) stay.push_back(i);
      if (jobs[i].waiting || (jobs[i].running && !safe(i, t))) ranked.push_back(i);
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [&](std::size_t a, std::size_t b) { return rank_at(a, t) < rank_at(b, t); });
    Places chosen;
    bool displaced = false, stopped = false;
    for (std::size_t k = 0; k < ranked.size(); ++k) {
      const std::size_t i = ranked[k];
      if (jobs[i].waiting) {
        if (stopped) continue;
        std::vector<std::size_t> there = stay;
        for (std::size_t b = k; b < ranked.size(); ++b)
          if (jobs[ranked[b]].running) there.push_back(ranked[b]);
        std::vector<Held> held;
        bool found = false;
        if (!displaced) {
          Machines machines = with(there, chosen);
          found = place(machines, i, held);
        }
        if (!found) {
          Machines machines = with(stay, chosen);
          found = place(machines, i, held);
          if (found) displaced = true;
        }
        if (found) chosen.emplace_back(i, held);
        const bool counts = by_target(options_.order) ? dues_[i] != never_ : holdable(i);
        if (!found && options_.backfill != scheduling::Backfill::fit && counts) stopped = true;
        continue;
      }
      bool stays = !stopped;
      if (stays && displaced && !has(with(stay, chosen), jobs[i].held)) {
        std::vector<std::size_t> beside = stay;
        beside.push_back(i);
        stays = place_all(beside, chosen);
        const bool counts = !by_target(options_.order) || dues_[i] != never_;
        if (!stays && options_.backfill != scheduling::Backfill::fit && counts) stopped = true;
      }
      (stays ? stay : lost).push_back(i);
    }
    if (displaced || !lost.empty()) place_all(stay, chosen);
    displaced_gangs += displaced;
    for (const std::size_t i : lost) {
      ++fates[i].preemptions;
      leave(i, t);
    }
    for (const auto& [i, held] : chosen) begin(i, t, held);
  }

  std::vector<State> states_;
  PlainTargets targets_;
  std::vector<std::int64_t> dues_;
  std::int64_t timers_ = never_;
};

}  // namespace natgpu::testing
