// SPDX-License-Identifier: Apache-2.0
// The dispatch process under a script: what comes when is written down, so that every start and end can be
// worked out by hand. Times are in hours.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/demand/population.hpp>
#include <natgpu/demand/profile.hpp>
#include <natgpu/engine/run_loop.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>

#include "../../../src/simulation/machine_mix.hpp"
#include "../../../src/simulation/national.hpp"
#include "catch.hpp"
#include "job_watcher.hpp"
#include "scenario_text.hpp"

namespace natgpu::testing {

inline std::int64_t hour_ticks(double hours) {
  return std::llround(hours * 3600 * static_cast<double>(ticks_per_second));
}

inline double in_hours(std::int64_t minutes) {
  return static_cast<double>(minutes) / 60;
}

/// A job by hand.
struct Wish {
  std::int32_t gpus = 1;
  double run_time = 1;
  double requested = -1;  ///< -1: as long as it runs
  double patience = -1;   ///< -1: for ever
  std::string job_class = "plain";
};

/// A block by hand.
struct Asked {
  std::int32_t gpus = 1;
  double duration = 1;
  double patience = -1;  ///< -1: for ever
  std::uint32_t project_class = 0;
};

inline constexpr const char* one_service = "[{name: web, floor: 1, peak: 3, duration: 1 d}]";

/// A pool of so many GPUs on 1 January 2026, a Thursday, under a dispatcher; classes without checkpoints,
/// with one every two hours, and with one every two hours and an hour to restart; and a service of one GPU a
/// replica: three from 9 to 12 h, two until 17 h, one by night.
template <class Dispatcher>
class ScriptUnder {
 public:
  using Payload = simulation::Payload;
  using Dispatch = typename simulation::ProcessesUnder<Dispatcher>::Dispatch;

  /// @param scheduling  the block of the scenario, in YAML's flow style
  /// @param make        make(scheduling, groups): the dispatcher; on machines make(scenario, fleet, groups)
  /// @param quick       GPUs of a second pool, twice as fast; then there is no service
  /// @param projects    `  project: [...]`, whose jobs come by hand
  /// @param per_node    GPUs of a machine, by which all of them can be divided
  /// @param services    `service`, in YAML's flow style
  template <class Make>
  ScriptUnder(std::int64_t gpus, const std::string& scheduling, Make&& make, std::int64_t quick = 0,
              const std::string& projects = "", std::int64_t per_node = 1,
              const std::string& services = one_service)
      : scenario_(scenario_of(fmt::format(
            "schema: natgpu/1\nname: script\nhorizon: {{start: 2026-01-01, end: 2026-01-11}}\n"
            "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: {}}}{}]\n"
            "supply:\n  sites: [{{name: room}}]\n"
            "  tranches: [{{name: all, site: room, device: gpu, units: {} GPU, in_service: 2026-01-01}}{}]\n"
            "demand:\n  sectors: [{{name: users, organisations: 1, adoption: {{initial: 1}}}}]\n"
            "  batch:\n    - {{name: plain}}\n    - {{name: saved, checkpoint_every: 2 h}}\n"
            "    - {{name: slow, checkpoint_every: 2 h, restart_cost: 1 h}}\n"
            "{}{}"
            "  calendar: {{hours: [0,0,0,0,0,0,0,0,0,2,2,2,1,1,1,1,1,0,0,0,0,0,0,0]}}\n"
            "scheduling: {}\n",
            per_node, quick > 0 ? ", {name: quick, bf16: 1 TFLOP/s, per_node: 1, speed: 2}" : "", gpus,
            quick > 0 ? fmt::format(", {{name: more, site: room, device: quick, units: {} GPU, in_service: "
                                    "2026-01-01}}",
                                    quick)
                      : "",
            quick > 0 ? "" : "  service: " + services + "\n", projects, scheduling))),
        world_(scenario_),
        streams_(1, 0),
        fleet_(scenario_.hardware, scenario_.supply),
        groups_(simulation::make_job_groups(scenario_, fleet_, nullptr)),
        population_(demand::draw_population(scenario_.demand, streams_)),
        accounts_(simulation::make_national_accounts(scenario_, population_, groups_)),
        streams_of_projects_(scenario_.demand, population_, streams_),
        profile_(scenario_.demand.calendar, world_.calendar, world_.end),
        dispatch_({world_, fleet_, groups_, accounts_, 1}, made(make), streams_),
        capacity_(world_, dispatch_, fleet_),
        services_(world_, dispatch_, population_, profile_) {
    dispatch_.listen(&services_);
    if constexpr (!Dispatch::shares) {
      projects_.emplace(world_, dispatch_, groups_, population_, profile_, streams_of_projects_);
      if (!projects.empty()) dispatch_.listen_to_blocks(&*projects_);
    }
    if constexpr (on_machines)
      for (std::uint32_t i = 0; i < gpus / per_node; ++i) come_machine(0, i);
    else
      come(0, gpus);
    if (quick > 0) come(0, quick, 1);
  }

  void at(double hours, engine::Phase phase, std::function<void(Dispatch&)> act,
          std::uint8_t what = scripted) {
    world_.schedule(simulation::instant(hour_ticks(hours)), phase, what, acts_.size(),
                    {static_cast<std::uint32_t>(acts_.size()), scripted});
    acts_.push_back(std::move(act));
  }
  void job(double hours, const Wish& wish) {
    at(hours, engine::Phase::arrive, [this, wish](Dispatch& d) {
      typename Dispatch::Submission s;
      for (std::size_t c = 0; c < groups_.classes.size(); ++c)
        if (groups_.classes[c].name == wish.job_class) s.job_class = static_cast<std::uint16_t>(c);
      s.organisation = 0;
      s.gpus = wish.gpus;
      s.run_time = hour_ticks(wish.run_time);
      s.requested = wish.requested < 0 ? s.run_time : hour_ticks(wish.requested);
      s.patience = wish.patience < 0 ? std::numeric_limits<std::int64_t>::max() : hour_ticks(wish.patience);
      d.submit(s);
    });
  }
  void service(double hours, double duration, double patience = 1e6) {
    at(hours, engine::Phase::arrive, [this, duration, patience](Dispatch&) {
      services_.open(0, {0, Duration{hour_ticks(duration)}, Duration{hour_ticks(patience)}});
    });
  }
  /// @returns by what jobs of the project are submitted
  std::size_t project(double hours, const Asked& asked) {
    const std::size_t which = asked_.size();
    asked_.push_back(0);
    at(hours, engine::Phase::arrive, [this, which, asked](Dispatch&) {
      const double patience = asked.patience < 0 ? 1e6 : asked.patience;
      asked_[which] = projects_->ask(0, 0,
                                     {asked.project_class, asked.gpus, Duration{hour_ticks(asked.duration)},
                                      asked.patience < 0 ? endless : Duration{hour_ticks(patience)}});
    });
    return which;
  }
  /// A job that the project's owner submits to its block, if that is granted and not over.
  void inside(double hours, std::size_t project, const Wish& wish) {
    at(hours, engine::Phase::arrive, [this, project, wish](Dispatch&) {
      if (!is_held(asked_[project])) return;
      demand::Request r;
      for (std::size_t c = 0; c < groups_.classes.size(); ++c)
        if (groups_.classes[c].name == wish.job_class) r.batch_class = static_cast<std::uint32_t>(c);
      r.gpus = wish.gpus;
      r.run_time = Duration{hour_ticks(wish.run_time)};
      r.requested = wish.requested < 0 ? r.run_time : Duration{hour_ticks(wish.requested)};
      r.patience = wish.patience < 0 ? endless : Duration{hour_ticks(wish.patience)};
      projects_->submit(asked_[project], r);
    });
  }
  /// Units that break at `from` and are repaired at `until`. Last in its phase: completions come first.
  void broken(double from, double until, std::int64_t units, double fraction, supply::Victim victim) {
    breaks(from, units, fraction, victim);
    at(until, engine::Phase::capacity, [=, this](Dispatch&) {
      capacity_.node_repaired({0, 0, 0, units}, units);
    });
  }
  void breaks(double hours, std::int64_t units, double fraction, supply::Victim victim,
              std::uint32_t pool = 0) {
    at(hours, engine::Phase::release, [=, this](Dispatch&) {
      CHECK(capacity_.node_breaks({pool, 0, pool, units}, fraction, victim) == units);
    });
  }
  /// Units that come into service, and such as leave it.
  void come(double hours, std::int64_t units, std::uint32_t pool = 0) {
    at(hours, engine::Phase::capacity, [=, this](Dispatch&) {
      capacity_.node_comes({pool, 0, pool, units});
    });
  }
  void leave(double hours, std::int64_t units, std::uint32_t pool = 0) {
    at(hours, engine::Phase::capacity, [=, this](Dispatch&) {
      capacity_.node_leaves({pool, 0, pool, units}, 0);
    });
  }

  /// The same of one machine. It comes empty.
  void come_machine(double hours, std::uint32_t machine) {
    at(hours, engine::Phase::capacity, [=, this](Dispatch&) {
      capacity_.node_comes({0, machine, 0, per_node()});
    });
  }
  void machine_broken(double from, double until, std::uint32_t machine) {
    at(from, engine::Phase::release, [=, this](Dispatch&) {
      if (before_break_) before_break_(machine);
      capacity_.node_breaks({0, machine, 0, per_node()}, 0, supply::Victim::uniform);
    });
    at(until, engine::Phase::capacity, [=, this](Dispatch&) {
      capacity_.node_repaired({0, machine, 0, per_node()}, per_node());
    });
  }
  /// Calls what(machine) before a machine breaks.
  void before_break(std::function<void(std::uint32_t)> what) { before_break_ = std::move(what); }

  /// Runs until `hours`, at most the first quarter, and closes the books.
  void run(double hours) {
    engine::RunLoop<ScriptUnder> loop(*this, {});
    loop.run(simulation::instant(hour_ticks(hours)));
    world_.now = hour_ticks(hours);
    watcher_.look(dispatch_, world_.now);
    seen_ = watcher_.take();
    dispatch_.close_run();
    dispatch_.close_quarter(0, world_.now);
  }

  // --- what the engine asks of a model

  simulation::Events& events() { return world_.events; }
  Instant next_arrival() const { return never; }
  engine::Rank arrive(Instant) { return {}; }
  void decide(Instant) { dispatch_.decide(); }
  bool keep_going(Instant now) {
    watcher_.look(dispatch_, now.time_since_epoch().count());
    world_.now = now.time_since_epoch().count();
    return true;
  }
  void handle(const engine::Event<Payload>& e) {
    if (e.payload.detail == scripted && e.kind() == scripted) return acts_[e.payload.subject](dispatch_);
    if (e.phase() == engine::Phase::decide) {
      if (e.kind() == simulation::kind::patience) dispatch_.patience_over(e.payload.subject);
      return;
    }
    if (e.kind() == simulation::kind::completion) return dispatch_.complete(e.payload.subject);
    if (e.kind() == simulation::kind::notice_over) return dispatch_.notice_over(e.payload.subject);
    if (e.kind() == simulation::kind::reclaim) return projects_->reclaim(e.payload.subject);
    if (e.kind() == simulation::kind::contract_end) return dispatch_.contract_over(e.payload.subject);
    services_.follow_curve(e.payload.subject, e.payload.detail);
  }

  // --- what became of it

  /// "3-6 8-10": when the job ran, in hours.
  std::string ran(std::size_t job) const {
    std::string text;
    for (const Stretch& s : seen_.jobs.at(job).ran)
      text += fmt::format("{}{:.6g}-{:.6g}", text.empty() ? "" : " ", in_hours(s.from), in_hours(s.until));
    return text;
  }
  const std::vector<SeenJob>& jobs() const { return seen_.jobs; }
  Dispatch& dispatch() { return dispatch_; }
  const simulation::ProjectProcess& projects() const { return *projects_; }
  /// GPU-hours.
  double time(simulation::Use use) const {
    Area all = 0;
    for (std::size_t p = 0; p < dispatch_.pools(); ++p) all += dispatch_.books().gpu_time.at(0, p, 0, use);
    return static_cast<double>(all) / static_cast<double>(hour_ticks(1));
  }
  double lost() const {
    return time(simulation::Use::lost_failure) + time(simulation::Use::lost_limit) +
           time(simulation::Use::lost_user_error) + time(simulation::Use::lost_cancel) +
           time(simulation::Use::lost_preemption);
  }
  double area(Area simulation::PoolAreas::*of) const {
    return static_cast<double>(dispatch_.books().area(0, 0).*of) / static_cast<double>(hour_ticks(1));
  }
  const simulation::JobCounts& counts() const { return dispatch_.books().cohort(0, 0); }
  simulation::ReplicaCounts replicas() const { return services_.counts_until(world_.now); }
  double unserved() const {
    return static_cast<double>(replicas().unserved) / static_cast<double>(hour_ticks(1));
  }

 private:
  static constexpr std::uint8_t scripted = 200;  // no kind of the simulation's own
  static constexpr bool on_machines = std::is_base_of_v<scheduling::NodeBooks, Dispatcher>;

  template <class Make>
  Dispatcher made(Make& make) {
    if constexpr (on_machines)
      return make(scenario_, fleet_, groups_);
    else
      return make(scenario_.scheduling, groups_);
  }
  std::int64_t per_node() const { return scenario_.hardware[0].per_node; }
  bool is_held(std::uint32_t project) const {
    for (std::uint32_t slot = 0; slot < dispatch_.job_slots(); ++slot) {
      const simulation::Job& j = dispatch_.job(slot);
      if (j.in_use && j.kind == simulation::JobKind::project && j.service == project)
        return j.state == simulation::JobState::running;
    }
    return false;
  }
  static double in_hours(std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(hour_ticks(1));
  }

  scenario::Scenario scenario_;
  simulation::World world_;
  Streams streams_;
  supply::Fleet fleet_;
  simulation::JobGroups groups_;
  demand::Population population_;
  simulation::NationalAccounts accounts_;
  demand::ProjectStreams streams_of_projects_;
  demand::ArrivalProfile profile_;
  Dispatch dispatch_;
  typename simulation::ProcessesUnder<Dispatcher>::Capacity capacity_;
  simulation::ServiceProcess<Dispatch> services_;
  std::optional<simulation::ProjectProcess> projects_;
  std::vector<std::uint32_t> asked_;
  std::vector<std::function<void(Dispatch&)>> acts_;
  std::function<void(std::uint32_t)> before_break_;
  JobWatcher watcher_;
  SeenJobs seen_;
};

/// The same under a backfill, first come first.
template <scheduling::Backfill B = scheduling::Backfill::none>
class Script : public ScriptUnder<scheduling::DispatcherFor<B>> {
 public:
  explicit Script(std::int64_t gpus, const std::string& projects = "")
      : ScriptUnder<scheduling::DispatcherFor<B>>(
            gpus, "{order: fcfs}",
            [](const scheduling::Scheduling&, const simulation::JobGroups& groups) {
              return scheduling::make_dispatcher<B>(1, groups.specs, false, 0);
            },
            0, projects) {}
};

/// The same on machines of so many GPUs.
template <scheduling::Backfill B = scheduling::Backfill::none>
class MachineScript : public ScriptUnder<scheduling::MachineDispatcher<B>> {
 public:
  MachineScript(std::int64_t machines, std::int64_t per_node, const std::string& projects,
                const std::string& placement = "placement: first", const std::string& services = one_service)
      : ScriptUnder<scheduling::MachineDispatcher<B>>(
            machines * per_node, fmt::format("{{order: fcfs, view: node, {}}}", placement),
            [](const scenario::Scenario& s, const supply::Fleet& fleet, const simulation::JobGroups& groups) {
              return scheduling::MachineDispatcher<B>(simulation::machine_settings(s, fleet, groups),
                                                      Streams(1, 0).open("nodes", "placement"));
            },
            0, projects, per_node, services) {}
};

}  // namespace natgpu::testing
