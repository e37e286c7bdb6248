// SPDX-License-Identifier: Apache-2.0
// Where the statistics meet the simulation.
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/scenario/futures.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "replicate_with.hpp"
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

}  // namespace

Replications replicate(const scenario::Scenario& scenario, const ReplicateOptions& options) {
  check_futures(scenario, options);
  return replicate_with(
      [&scenario](const simulation::SimulateOptions& one) { return simulate_one(scenario, one); }, options);
}

std::vector<Replications> replicate_all(const std::vector<const scenario::Scenario*>& scenarios,
                                        const ReplicateOptions& options) {
  for (const scenario::Scenario* s : scenarios) check_futures(*s, options);
  return replicate_all_with(
      [&scenarios](std::size_t i, const simulation::SimulateOptions& one) {
        return simulate_one(*scenarios[i], one);
      },
      scenarios.size(), options);
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
