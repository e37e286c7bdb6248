// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/simulate.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

/// A file of national runs, and what it is for.
struct Way {
  bool (*takes)(const scheduling::Scheduling& s);
  RunRecord (*run)(const RunParts& parts);
};

bool on_machines(const scheduling::Scheduling& s) {
  return s.view == scheduling::View::node;
}
bool shortest_first(const scheduling::Scheduling& s) {
  return s.backfill == scheduling::Backfill::easy_sjbf;
}

/// The first that takes the scheduling has its dispatcher.
constexpr Way ways[] = {
    {[](const auto& s) { return shares(s); }, run_with_sharing},
    {[](const auto& s) { return on_machines(s) && by_target(s.order); }, run_on_machines_by_target},
    {[](const auto& s) { return on_machines(s) && preempts(s); }, run_on_machines_with_preemption},
    {[](const auto& s) { return on_machines(s) && by_holding(s.order); }, run_on_machines_by_holding},
    {[](const auto& s) { return on_machines(s) && shortest_first(s); }, run_on_machines_shortest_first},
    {[](const auto& s) { return on_machines(s) && keeps_reservations(s.backfill); },
     run_on_machines_with_reservations},
    {[](const auto& s) { return on_machines(s) && moves(s.order); }, run_on_machines_in_moving_order},
    {[](const auto& s) { return on_machines(s); }, run_on_machines},
    {[](const auto& s) { return by_target(s.order); }, run_by_target},
    {[](const auto& s) { return preempts(s); }, run_with_preemption},
    {[](const auto& s) { return by_holding(s.order); }, run_by_holding},
    {[](const auto& s) { return shortest_first(s); }, run_shortest_first},
    {[](const auto& s) { return moves(s.order); }, run_in_moving_order},
    {[](const auto&) { return true; }, run_in_settled_order},
};

RunRecord run(const RunParts& parts) {
  const scheduling::PluggedPolicy& plugged = parts.scenario.plugged_order;
  if (plugged && plugged.decides())
    return on_machines(parts.scenario.scheduling) ? run_plugged_on_machines(parts) : run_plugged(parts);
  return std::find_if(std::begin(ways), std::end(ways),
                      [&](const Way& w) { return w.takes(parts.scenario.scheduling); })
      ->run(parts);
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
  const Date measured_from = days_after(scenario.horizon.start, options.unmeasured_days);
  RunRecord record = run({scenario, options, log ? &*log : nullptr, measured_from});
  drop_unmeasured_end(record.series, scenario.horizon.end);
  return record;
}

}  // namespace natgpu::simulation
