// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <natgpu/measures/metric.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/interrupted.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::simulation {

/// How far a replication has come, written by its thread and read by a progress bar.
struct Progress {
  std::atomic<double> share{0};
};

struct SimulateOptions {
  std::uint64_t seed = 1;
  std::uint32_t replication = 0;
  const std::atomic<bool>* stop = nullptr;  ///< set from outside: the run is dropped within a second
  Progress* progress = nullptr;
  std::uint32_t unmeasured_days =
      0;  ///< at the start of the horizon: simulated, in no measure but the daily series
};

/// One replication of a scenario, job by job. A start-up that `report.warmup` wants left out is for
/// experiment::replicate to find, over all replications. Ends by checking that GPU-time and jobs are
/// conserved, exactly.
/// @throws Interrupted, RunError (a runaway at one instant), InvariantError (our fault)
RunRecord simulate(const scenario::Scenario& scenario, const SimulateOptions& options);

/// The rows of every metric a run can produce, each room's own in turn.
const std::vector<measures::MetricRow>& metric_rows();

}  // namespace natgpu::simulation
