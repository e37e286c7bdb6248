// SPDX-License-Identifier: Apache-2.0
// Where the statistics meet the simulation.
#include <algorithm>

#include <natgpu/experiment/replicate.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/scenario/futures.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "replicate_with.hpp"
#include "startup.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {

namespace {

/// One replication: of the scenario, or where something is uncertain of its future with that number.
simulation::RunRecord simulate_one(const scenario::Scenario& s, const simulation::SimulateOptions& run) {
  if (!scenario::has_futures(s)) return simulation::simulate(s, run);
  return simulation::simulate(scenario::future_of(s, run.seed, run.replication), run);
}

/// Drawn values that contradict each other show before anything runs.
void check_futures(const scenario::Scenario& s, const ReplicateOptions& options) {
  if (!scenario::has_futures(s)) return;
  for (std::uint32_t r = 0; r < options.replications; ++r) scenario::future_of(s, options.seed, r);
}

using Scenarios = std::vector<const scenario::Scenario*>;

bool is_steady(const scenario::Scenario* s) {
  return s->report.warmup == scenario::Warmup::mser_5;
}

/// @param unmeasured  days at the start of each
std::vector<Replications> pass(const Scenarios& scenarios, const std::vector<std::uint32_t>& unmeasured,
                               const ReplicateOptions& options) {
  return replicate_all_with(
      [&](std::size_t i, const simulation::SimulateOptions& one) {
        simulation::SimulateOptions from = one;
        from.unmeasured_days = unmeasured[i];
        return simulate_one(*scenarios[i], from);
      },
      scenarios.size(), options);
}

/// The share of one of two passes as that of both.
ReplicateOptions half_of(const ReplicateOptions& options, double before) {
  ReplicateOptions half = options;
  if (options.on_progress)
    half.on_progress = [show = options.on_progress, before](double share, std::uint32_t finished) {
      show(before + share / 2, finished);
    };
  return half;
}

/// All replications of all are there.
bool is_whole(const std::vector<Replications>& all) {
  return std::none_of(all.begin(), all.end(), [](const Replications& r) { return r.interrupted; });
}

std::vector<Replications> nothing(std::size_t scenarios) {
  std::vector<Replications> none(scenarios);
  for (Replications& r : none) r.interrupted = true;
  return none;
}

/// Runs all once to see where the steady ones settle, and those that have a start-up again with their books
/// opened behind it. What an interrupt leaves would be neither, and is dropped.
std::vector<Replications> replicate_settled(const Scenarios& scenarios, const ReplicateOptions& options) {
  ReplicateOptions first = half_of(options, 0);
  first.trim = nullptr;  // the series are needed
  std::vector<Replications> all = pass(scenarios, std::vector<std::uint32_t>(scenarios.size(), 0), first);
  if (!is_whole(all)) return nothing(scenarios.size());
  std::vector<std::uint32_t> cuts(scenarios.size(), 0), cuts_again;
  std::vector<std::size_t> again;
  Scenarios scenarios_again;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (!is_steady(scenarios[i])) continue;
    cuts[i] = days_of_startup(*scenarios[i], all[i].records);
    if (cuts[i] == 0) continue;
    again.push_back(i);
    scenarios_again.push_back(scenarios[i]);
    cuts_again.push_back(cuts[i]);
  }
  ReplicateOptions second = half_of(options, 0.5);
  second.trim = nullptr;
  std::vector<Replications> settled = pass(scenarios_again, cuts_again, second);
  if (!is_whole(settled)) return nothing(scenarios.size());
  for (std::size_t k = 0; k < again.size(); ++k) all[again[k]] = std::move(settled[k]);
  for (std::size_t i = 0; i < scenarios.size(); ++i)
    for (simulation::RunRecord& record : all[i].records) {
      if (is_steady(scenarios[i]))
        record.measurements.push_back({"warmup.cut.days", {{"period", "all"}}, static_cast<double>(cuts[i])});
      if (options.trim) options.trim(record);
    }
  return all;
}

}  // namespace

Replications replicate(const scenario::Scenario& scenario, const ReplicateOptions& options) {
  check_futures(scenario, options);
  if (is_steady(&scenario)) return replicate_settled({&scenario}, options).front();
  return replicate_with(
      [&scenario](const simulation::SimulateOptions& one) { return simulate_one(scenario, one); }, options);
}

std::vector<Replications> replicate_all(const std::vector<const scenario::Scenario*>& scenarios,
                                        const ReplicateOptions& options) {
  for (const scenario::Scenario* s : scenarios) check_futures(*s, options);
  if (std::any_of(scenarios.begin(), scenarios.end(), is_steady))
    return replicate_settled(scenarios, options);
  return pass(scenarios, std::vector<std::uint32_t>(scenarios.size(), 0), options);
}

Summary summarise(const scenario::Scenario& scenario, const std::vector<simulation::RunRecord>& records) {
  Summary summary = summarise(scenario.targets, records, simulation::metric_rows(), scenario.reality_checks);
  if (scenario::has_futures(scenario)) count_futures(summary);
  if (scenario.quick_scale < 1) withhold_verdicts(summary, scenario.quick_scale);
  return summary;
}

std::vector<Finding> check_targets(const scenario::Scenario& scenario) {
  std::vector<Finding> found;
  for (const scenario::Target& target : scenario.targets)
    check_target(target, simulation::metric_rows(), found);
  for (const scenario::RealityCheck& check : scenario.reality_checks)
    check_reality(check, simulation::metric_rows(), found);
  return found;
}

}  // namespace natgpu::experiment
