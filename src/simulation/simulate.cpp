// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/simulate.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

/// Which of the files of national runs has the dispatcher.
RunRecord run(const RunParts& parts) {
  const scheduling::Scheduling& s = parts.scenario.scheduling;
  if (parts.scenario.plugged_order && parts.scenario.plugged_order.decides()) return run_plugged(parts);
  if (shares(s)) return run_with_sharing(parts);
  const bool shortest_first = s.backfill == scheduling::Backfill::easy_sjbf;
  if (s.view == scheduling::View::node) {
    if (preempts(s)) return run_on_machines_with_preemption(parts);
    if (shortest_first) return run_on_machines_shortest_first(parts);
    return moves(s.order) ? run_on_machines_in_moving_order(parts) : run_on_machines(parts);
  }
  if (by_target(s.order)) return run_by_target(parts);
  if (preempts(s)) return run_with_preemption(parts);
  if (by_holding(s.order)) return run_by_holding(parts);
  if (shortest_first) return run_shortest_first(parts);
  if (moves(s.order)) return run_in_moving_order(parts);
  return run_in_settled_order(parts);
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
