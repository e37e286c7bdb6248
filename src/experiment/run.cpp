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

Summary summarise(const scenario::Scenario& scenario, const std::vector<simulation::RunRecord>& records) {
  return summarise(scenario.targets, records, simulation::metric_rows());
}

void check_targets(const scenario::Scenario& scenario) {
  std::vector<Diagnostic> found = check_targets(scenario.targets, simulation::metric_rows());
  if (found.empty()) return;
  for (Diagnostic& d : found) d.place.file = scenario.file;
  throw ScenarioError(std::move(found));
}

}  // namespace natgpu::experiment
