// SPDX-License-Identifier: Apache-2.0
// Where the statistics meet the simulation.
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "replicate_with.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {

Replications replicate(const scenario::Scenario& scenario, const ReplicateOptions& options) {
  return replicate_with(
      [&scenario](const simulation::SimulateOptions& one) { return simulation::simulate(scenario, one); },
      options);
}

std::vector<Replications> replicate_all(const std::vector<const scenario::Scenario*>& scenarios,
                                        const ReplicateOptions& options) {
  return replicate_all_with(
      [&scenarios](std::size_t i, const simulation::SimulateOptions& one) {
        return simulation::simulate(*scenarios[i], one);
      },
      scenarios.size(), options);
}

Summary summarise(const scenario::Scenario& scenario, const std::vector<simulation::RunRecord>& records) {
  Summary summary = summarise(scenario.targets, records, simulation::metric_rows());
  if (scenario.quick_scale < 1) withhold_verdicts(summary, scenario.quick_scale);
  return summary;
}

std::vector<Finding> check_targets(const scenario::Scenario& scenario) {
  std::vector<Finding> found;
  for (const scenario::Target& target : scenario.targets)
    check_target(target, simulation::metric_rows(), found);
  return found;
}

}  // namespace natgpu::experiment
