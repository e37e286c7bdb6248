// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/simulate.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/workload/trace.hpp>

#include "measure.hpp"
#include "national.hpp"

namespace natgpu::simulation {
namespace {

template <scheduling::Backfill B>
RunRecord run(const scenario::Scenario& scenario, const SimulateOptions& options, const workload::JobLog* log,
              const Date& measured_from) {
  World world(scenario, measured_from);
  Streams streams(options.seed, options.replication);
  supply::Fleet fleet(scenario.hardware, scenario.supply);
  const JobGroups groups = make_job_groups(scenario, fleet.pools());
  const demand::Population population = demand::draw_population(scenario.demand, streams);
  National<B> model(world, fleet, groups, population, log, streams, options);

  const bool per_event = scenario.scheduling.semantics.pass == scheduling::PassRule::event;
  engine::RunLoop<National<B>> loop(
      model, {per_event, scenario.scheduling.semantics.ties == scheduling::Ties::arrival_first});
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
  record.seed = options.seed;
  record.replication = options.replication;
  record.fingerprint = loop.fingerprint().value();
  record.events = loop.fingerprint().events();
  record.demand_hash = books.demand.hash;
  record.failure_hash = books.supply.hash;
  record.jobs = model.dispatch().submitted();
  record.measurements = measure(books);
  record.series = std::move(model.series());
  return record;
}

/// Logs are nearly always in order of submission; the file's order settles ties.
workload::JobLog in_order(workload::JobLog log) {
  std::stable_sort(
      log.jobs.begin(), log.jobs.end(),
      [](const workload::LogJob& a, const workload::LogJob& b) { return a.submit_s < b.submit_s; });
  return log;
}

Date days_after(Date day, std::uint32_t count) {
  day.day += std::chrono::days(count);
  return day;
}

/// The daily series of a run-off are no part of the results.
void drop_unmeasured_end(std::vector<SeriesPoint>& series, const Date& end) {
  const auto is_measured = [&](const SeriesPoint& p) { return p.at < end; };
  series.erase(std::find_if_not(series.begin(), series.end(), is_measured), series.end());
}

}  // namespace

RunRecord simulate(const scenario::Scenario& scenario, const SimulateOptions& options) {
  std::optional<workload::JobLog> log;
  if (!scenario.demand.trace.file.empty())
    log = in_order(
        workload::read_log((std::filesystem::path(scenario.folder) / scenario.demand.trace.file).string()));
  using Runner =
      RunRecord (*)(const scenario::Scenario&, const SimulateOptions&, const workload::JobLog*, const Date&);
  static constexpr Runner runners[] = {
      run<scheduling::Backfill::none>,         run<scheduling::Backfill::fit>,
      run<scheduling::Backfill::easy>,         nullptr,  // easy-sjbf is for replays: check() refuses it
      run<scheduling::Backfill::conservative>,           // and with a limit:
      run<scheduling::Backfill::conservative>};
  const Runner runner = runners[static_cast<std::size_t>(scenario.scheduling.backfill)];
  NATGPU_ENSURE(runner != nullptr, "a backfill of replays only is refused before a run");
  RunRecord record = runner(scenario, options, log ? &*log : nullptr,
                            days_after(scenario.horizon.start, options.unmeasured_days));
  drop_unmeasured_end(record.series, scenario.horizon.end);
  return record;
}

}  // namespace natgpu::simulation
