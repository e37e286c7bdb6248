// SPDX-License-Identifier: Apache-2.0
// One replication of a scenario, whatever dispatcher decides. Each kind of order has a file of its own, so
// that they compile side by side.
#pragma once

#include <cstdint>
#include <utility>

#include <natgpu/core/ensure.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "measure.hpp"
#include "national.hpp"

namespace natgpu::simulation {

struct RunParts {
  const scenario::Scenario& scenario;
  const SimulateOptions& options;
  const workload::JobLog* log;  ///< null: nobody replays one
  const Date& measured_from;
};

/// What a dispatcher is made from.
struct DispatcherParts {
  const scenario::Scenario& scenario;
  const scheduling::Scheduling& scheduling;
  const JobGroups& groups;
  const supply::Fleet& fleet;
  const NationalAccounts& accounts;
  Streams& streams;

  bool arrivals_first() const { return scheduling.semantics.ties == scheduling::Ties::arrival_first; }
  std::size_t pools() const { return fleet.pools().size(); }
};

/// @param make  make(DispatcherParts): the dispatcher
template <class Make>
RunRecord run_national(const RunParts& p, Make&& make) {
  World world(p.scenario, p.measured_from);
  Streams streams(p.options.seed, p.options.replication);
  supply::Fleet fleet(p.scenario.hardware, p.scenario.supply);
  const JobGroups groups = make_job_groups(p.scenario, fleet, p.log);
  const demand::Population population = demand::draw_population(p.scenario.demand, streams);
  const NationalAccounts accounts = make_national_accounts(p.scenario, population, groups);
  using Model = National<decltype(make(std::declval<const DispatcherParts&>()))>;
  Model model({world, fleet, groups, accounts, population, p.log, streams, p.options},
              make(DispatcherParts{p.scenario, p.scenario.scheduling, groups, fleet, accounts, streams}));

  const scheduling::Semantics& semantics = p.scenario.scheduling.semantics;
  engine::RunLoop<Model> loop(model, {semantics.pass == scheduling::PassRule::event,
                                      semantics.ties == scheduling::Ties::arrival_first});
  loop.run(world.end);
  model.finish();

  const Books books{world,
                    fleet,
                    population,
                    groups,
                    model.dispatch().books(),
                    model.supply().books(),
                    model.demand().books(),
                    model.replicas()};
  check_conservation(books);

  RunRecord record;
  record.seed = p.options.seed;
  record.replication = p.options.replication;
  record.fingerprint = loop.fingerprint().value();
  record.events = loop.fingerprint().events();
  record.demand_hash = books.demand.hash;
  record.failure_hash = books.supply.hash;
  record.jobs = model.dispatch().submitted();
  record.measurements = measure(books);
  record.series = std::move(model.series());
  return record;
}

/// One of the backfills that keep no reservations beside the head's.
/// @tparam Run  Run::with<B>(parts) runs under that backfill
template <class Run>
RunRecord run_under_backfill(const RunParts& parts) {
  using scheduling::Backfill;
  switch (parts.scenario.scheduling.backfill) {
    case Backfill::none:
      return Run::template with<Backfill::none>(parts);
    case Backfill::fit:
      return Run::template with<Backfill::fit>(parts);
    case Backfill::easy:
      return Run::template with<Backfill::easy>(parts);
    default:
      NATGPU_ENSURE(false, "reservations beside the head's have files of their own, or are refused");
  }
}

RunRecord run_in_settled_order(const RunParts& parts);
RunRecord run_in_moving_order(const RunParts& parts);
RunRecord run_shortest_first(const RunParts& parts);
RunRecord run_by_holding(const RunParts& parts);
RunRecord run_by_target(const RunParts& parts);
RunRecord run_with_preemption(const RunParts& parts);
RunRecord run_plugged(const RunParts& parts);
RunRecord run_plugged_on_machines(const RunParts& parts);
RunRecord run_with_sharing(const RunParts& parts);
RunRecord run_on_machines(const RunParts& parts);
RunRecord run_on_machines_in_moving_order(const RunParts& parts);
RunRecord run_on_machines_by_holding(const RunParts& parts);
RunRecord run_on_machines_shortest_first(const RunParts& parts);
RunRecord run_on_machines_with_preemption(const RunParts& parts);
RunRecord run_on_machines_with_reservations(const RunParts& parts);
RunRecord run_on_machines_by_target(const RunParts& parts);

}  // namespace natgpu::simulation
