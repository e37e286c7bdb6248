// SPDX-License-Identifier: Apache-2.0
// A national run that is watched from outside, job by job.
#pragma once

#include <cstdint>
#include <utility>

#include <natgpu/scenario/scenario.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>
#include <natgpu/workload/swf.hpp>

#include "../../src/simulation/machine_mix.hpp"
#include "../../src/simulation/measure.hpp"
#include "../../src/simulation/national.hpp"
#include "job_watcher.hpp"

namespace natgpu::testing {

struct WatchedRun {
  SeenJobs seen;
  simulation::DispatchBooks books;
  bool within_capacity = true;  ///< no pool ever had more GPUs allocated than were up
};

template <class Dispatcher>
class WatchedNational : public simulation::National<Dispatcher> {
 public:
  using simulation::National<Dispatcher>::National;

  bool keep_going(Instant now) {
    look(now.time_since_epoch().count());
    return simulation::National<Dispatcher>::keep_going(now);
  }
  void decide(Instant now) {
    simulation::National<Dispatcher>::decide(now);
    for (std::size_t p = 0; p < this->dispatch().pools(); ++p) {
      const simulation::PoolLevels& l = this->dispatch().levels(p);
      if (l.allocated.value() > l.in_service.value() - l.down.value()) within_capacity = false;
    }
  }
  void look(std::int64_t now) { watcher.look(this->dispatch(), now); }

  JobWatcher watcher;
  bool within_capacity = true;
};

/// Runs a model of one's own to the end. @param make  make(scenario, groups, fleet, accounts): its dispatcher
/// @returns look(model, the end in ticks)
template <template <class> class Model, class Make, class Look>
auto run_model(const scenario::Scenario& scenario, std::uint64_t seed, const workload::JobLog* log,
               Make&& make, Look&& look) {
  simulation::World world(scenario);
  Streams streams(seed, 0);
  supply::Fleet fleet(scenario.hardware, scenario.supply);
  const simulation::JobGroups groups = simulation::make_job_groups(scenario, fleet, log);
  const demand::Population population = demand::draw_population(scenario.demand, streams);
  const simulation::NationalAccounts accounts =
      simulation::make_national_accounts(scenario, population, groups);
  const simulation::SimulateOptions options;
  auto dispatcher = make(scenario, groups, fleet, accounts);
  using Run = Model<decltype(dispatcher)>;
  Run model({world, fleet, groups, accounts, population, log, streams, options}, std::move(dispatcher));
  engine::RunLoop<Run> loop(model, {});
  loop.run(world.end);
  return look(model, world.end.time_since_epoch().count());
}
/// Under a dispatcher of one's own.
template <class Make>
WatchedRun watch_under(const scenario::Scenario& scenario, std::uint64_t seed, const workload::JobLog* log,
                       Make&& make) {
  return run_model<WatchedNational>(scenario, seed, log, make, [](auto& model, std::int64_t end) {
    model.look(end);
    model.finish();
    return WatchedRun{model.watcher.take(), model.dispatch().books(), model.within_capacity};
  });
}

template <scheduling::Backfill B>
WatchedRun watch_with(const scenario::Scenario& scenario, std::uint64_t seed, const workload::JobLog* log) {
  return watch_under(scenario, seed, log,
                     [](const auto& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
                       return scheduling::make_dispatcher<B>(fleet.pools().size(), groups.specs, false,
                                                             s.scheduling.reservations);
                     });
}

/// The same in the node view.
template <scheduling::Backfill B>
WatchedRun watch_on_machines(const scenario::Scenario& scenario, std::uint64_t seed,
                             const workload::JobLog* log) {
  Streams streams(seed, 0);
  return watch_under(
      scenario, seed, log,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::MachineDispatcher<B>(simulation::machine_settings(s, fleet, groups),
                                                streams.open("nodes", "placement"));
      });
}
/// The same under an order that takes GPUs back, with the simulation's own rule of it.
inline WatchedRun watch_preemption(const scenario::Scenario& scenario, std::uint64_t seed,
                                   const workload::JobLog* log) {
  Streams streams(seed, 0);
  return watch_under(
      scenario, seed, log,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::PreemptiveMachines(simulation::machine_settings(s, fleet, groups),
                                              streams.open("nodes", "placement"),
                                              simulation::preemptive_rule(s.scheduling));
      });
}
/// The same with reservations, for all or the first of the queue.
inline WatchedRun watch_reservations(const scenario::Scenario& scenario, std::uint64_t seed,
                                     const workload::JobLog* log) {
  Streams streams(seed, 0);
  return watch_under(
      scenario, seed, log,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::ConservativeMachines(simulation::machine_settings(s, fleet, groups),
                                                streams.open("nodes", "placement"),
                                                s.scheduling.reservations);
      });
}
template <scheduling::Backfill B>
WatchedRun watch_in_view(const scenario::Scenario& scenario, std::uint64_t seed,
                         const workload::JobLog* log) {
  return scenario.scheduling.view == scheduling::View::node ? watch_on_machines<B>(scenario, seed, log)
                                                            : watch_with<B>(scenario, seed, log);
}

/// Runs replication 0 of a scenario, one pass per instant, with the jobs of a log if there is one.
/// @pre few jobs at a time: each instant looks at all
inline WatchedRun watch(const scenario::Scenario& scenario, std::uint64_t seed = 1,
                        const workload::JobLog* log = nullptr) {
  if (scenario.scheduling.view == scheduling::View::node && preempts(scenario.scheduling))
    return watch_preemption(scenario, seed, log);
  switch (scenario.scheduling.backfill) {
    case scheduling::Backfill::none:
      return watch_in_view<scheduling::Backfill::none>(scenario, seed, log);
    case scheduling::Backfill::fit:
      return watch_in_view<scheduling::Backfill::fit>(scenario, seed, log);
    case scheduling::Backfill::easy:
      return watch_in_view<scheduling::Backfill::easy>(scenario, seed, log);
    case scheduling::Backfill::easy_sjbf:
      return watch_in_view<scheduling::Backfill::easy_sjbf>(scenario, seed, log);
    default:
      if (scenario.scheduling.view == scheduling::View::node) return watch_reservations(scenario, seed, log);
      return watch_with<scheduling::Backfill::conservative>(scenario, seed, log);
  }
}

}  // namespace natgpu::testing
