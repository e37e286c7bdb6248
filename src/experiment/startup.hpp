// SPDX-License-Identifier: Apache-2.0
// Runs of a steady state: where they settle.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::experiment {

/// Days at the start that MSER-5 leaves out of the GPUs that jobs hold or wait for, seen once a day and
/// averaged over the replications. @pre records of a whole horizon, at least one
/// @throws RunError where that is more than half of them
std::uint32_t days_of_startup(const scenario::Scenario& scenario,
                              const std::vector<simulation::RunRecord>& records);

}  // namespace natgpu::experiment
