// SPDX-License-Identifier: Apache-2.0
// Pools of machines and groups of jobs at random, and what becomes of both, told to plain loops and to a
// dispatcher at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "draws.hpp"
#include "plain_machines.hpp"

namespace natgpu::testing {

/// What is the same for both.
struct Setting {
  scheduling::MachineSettings settings;
  PlainMachines plain;
};

inline scheduling::MachinePool add_random_pool(Draws& draw, scheduling::MachineSettings& settings,
                                               PlainMachines& plain) {
  scheduling::MachinePool pool;
  pool.machines = static_cast<std::uint32_t>(1 + draw.below(5));
  pool.gpus = static_cast<std::int16_t>(1 + draw.below(4));
  settings.pools.push_back(pool);
  plain.pools.emplace_back(pool.machines);
  plain.full.push_back(pool.gpus);
  return pool;
}
/// For the pools that are there, and what it costs a gang to be spread.
inline void add_random_groups(Draws& draw, scheduling::MachineSettings& settings, PlainMachines& plain) {
  for (std::int64_t g = 1 + draw.below(3); g > 0; --g) {
    scheduling::GroupSpec spec;
    double speed = 4;
    for (std::uint32_t p = 0; p < settings.pools.size(); ++p)
      if (!draw.one_in(3)) spec.choices.push_back({p, speed /= draw.one_in(2) ? 2 : 1});
    if (spec.choices.empty()) spec.choices.push_back({0, 1.0});
    settings.groups.push_back(spec);
  }
  settings.placement = scheduling::Placement::first;
  settings.slowdown_milli = draw.one_in(2) ? 0 : 1000 + 250 * draw.below(5);
  plain.groups = settings.groups;
  plain.slowdown_milli = settings.slowdown_milli;
}
inline void add_random_machines(Draws& draw, scheduling::MachineSettings& settings, PlainMachines& plain) {
  for (std::int64_t p = 1 + draw.below(3); p > 0; --p) add_random_pool(draw, settings, plain);
  add_random_groups(draw, settings, plain);
}
inline Setting random_setting(Draws& draw, PlainMachines::Rule rule) {
  Setting s;
  add_random_machines(draw, s.settings, s.plain);
  s.plain.rule = rule;
  return s;
}

/// Where chance places jobs, if at all.
inline Stream placement_stream() {
  return Streams(1, 0).open("nodes", "placement");
}

/// Notes who starts, where and until when.
struct Starts {
  using Run = std::pair<std::uint32_t, std::int64_t>;  ///< pool, requested end
  std::int64_t now = 0;
  std::vector<std::uint32_t> slots;
  std::map<std::uint32_t, Run> runs;  ///< by slot
  void start(const scheduling::WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    slots.push_back(job.slot);
    runs[job.slot] = {pool, now + requested};
  }
};

/// What happens between passes: machines come, break and are known to leave, jobs come, end and give up.
/// @tparam Setting  with the machines of plain loops as `plain`
template <class Setting, class Dispatcher>
class MachineDuel {
 public:
  /// @param draw_setting     of a Setting, from Draws
  /// @param make_dispatcher  from that Setting
  template <class Draw, class Make>
  MachineDuel(std::uint64_t seed, Draw&& draw_setting, Make&& make_dispatcher)
      : draw_(seed),
        setting_(draw_setting(draw_)),
        plain_(setting_.plain),
        dispatcher_(make_dispatcher(setting_)) {}
  virtual ~MachineDuel() = default;

 protected:
  using Job = PlainMachines::Job;

  // --- what dispatchers are told in words of their own

  virtual void submit(const Job& job) = 0;
  virtual void withdraw(const Job& job) = 0;
  /// Draws what else there is to know of a new job.
  virtual void describe(const Job&) {}

  // --- what happens

  void end_some(std::int64_t now) {
    const std::vector<PlainMachines::Running> running = plain_.running;
    for (const PlainMachines::Running& r : running)
      if (r.end <= now || draw_.one_in(20)) finish(r.job.slot);
  }
  virtual void finish(std::uint32_t slot) {
    plain_.finish(slot);
    dispatcher_.finish_job(slot);
  }
  /// A machine comes, or goes with all that runs on it, which waits again in its old place.
  void change_machines() {
    for (std::uint32_t p = 0; p < plain_.pools.size(); ++p)
      for (std::uint32_t i = 0; i < plain_.pools[p].size(); ++i) {
        PlainMachines::Machine& m = plain_.pools[p][i];
        if (m.gpus == 0 && draw_.one_in(4)) {
          m.fill(draw_.one_in(4) ? 1 + draw_.below(plain_.full[p]) : plain_.full[p]);
          come({p, i}, m.gpus);
        } else if (m.gpus > 0 && breaks()) {
          go({p, i});
        }
      }
  }
  virtual bool breaks() { return draw_.one_in(40); }
  virtual void come(const scheduling::Machine& machine, std::int64_t gpus) {
    dispatcher_.come(machine, gpus);
  }
  virtual void go(const scheduling::Machine& machine) {
    for (const std::uint32_t slot : dispatcher_.jobs_on(machine)) {
      finish(slot);
      wait(jobs_[slot]);
    }
    PlainMachines::Machine& m = plain_.pools[machine.pool][machine.node];
    dispatcher_.go(machine, m.gpus);
    m.fill(0);
  }
  /// Machines of a pool leave at up to three instants, told apart.
  virtual void plan_departures(std::int64_t now) { plan_departures_within(now, 60); }
  /// @returns the pool
  std::uint32_t plan_departures_within(std::int64_t now, std::int64_t span) {
    const auto p = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.pools.size())));
    scheduling::Departures at = scheduling::no_departures;
    const std::int64_t known = draw_.below(4);
    for (std::int64_t k = 0; k < known; ++k)
      at[static_cast<std::size_t>(2 - k)] = now + 1 + draw_.below(span);
    std::sort(at.begin(), at.end(), std::greater<>());
    std::vector<std::uint8_t> level;
    for (PlainMachines::Machine& m : plain_.pools[p]) {
      level.push_back(static_cast<std::uint8_t>(draw_.below(4)));
      m.leaves = level.back() == 0 ? PlainMachines::forever : at[level.back() - std::size_t{1}];
    }
    dispatcher_.plan_departures(p, at, level);
    return p;
  }
  /// @param most  jobs, and one less
  void submit_some(std::int64_t most = 3) {
    for (std::int64_t n = draw_.below(most); n > 0; --n) {
      Job job;
      job.slot = static_cast<std::uint32_t>(jobs_.size());
      job.group = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.groups.size())));
      job.gpus = 1 + draw_.below(draw_.one_in(3) ? 9 : 4);
      job.requested = 1 + draw_.below(60);
      jobs_.push_back(job);
      describe(job);
      wait(job);
    }
  }
  /// In the order of slots.
  virtual void wait(const Job& job) {
    const auto place = std::find_if(plain_.waiting.begin(), plain_.waiting.end(),
                                    [&](const Job& w) { return w.slot > job.slot; });
    plain_.waiting.insert(place, job);
    submit(job);
  }
  void withdraw_one() {
    if (plain_.waiting.empty()) return;
    const auto it = plain_.waiting.begin() + draw_.below(static_cast<std::int64_t>(plain_.waiting.size()));
    withdraw(*it);
    plain_.waiting.erase(it);
  }
  /// @param departures  planned before one pass in so many
  /// @param most        jobs, and one less, that come before a pass
  void happen(std::int64_t now, std::int64_t departures, std::int64_t most = 3) {
    end_some(now);
    change_machines();
    if (draw_.one_in(departures)) plan_departures(now);
    submit_some(most);
    if (draw_.one_in(8)) withdraw_one();
  }

  // --- what must be the same behind a pass

  void check_where(const std::map<std::uint32_t, Starts::Run>& runs) const {
    for (const PlainMachines::Running& r : plain_.running)
      REQUIRE(runs.at(r.job.slot) == std::pair(static_cast<std::uint32_t>(r.place.pool), r.end));
  }
  void check_free() const {
    for (std::uint32_t p = 0; p < plain_.pools.size(); ++p) {
      std::int64_t free = 0;
      for (const PlainMachines::Machine& m : plain_.pools[p]) free += m.gpus > 0 ? m.idle() : 0;
      REQUIRE(dispatcher_.free(p) == free);
    }
  }

  Draws draw_;
  Setting setting_;
  decltype(Setting::plain) plain_;
  Dispatcher dispatcher_;
  std::vector<Job> jobs_;  ///< by slot
};

}  // namespace natgpu::testing
