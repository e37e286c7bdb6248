// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <natgpu/experiment/replicate.hpp>
#include <natgpu/simulation/simulate.hpp>

namespace natgpu::experiment {

/// replicate() with any function in the place of the simulation.
Replications replicate_with(
    const std::function<simulation::RunRecord(const simulation::SimulateOptions&)>& simulate,
    const ReplicateOptions& options);

/// replicate_all() with any function in the place of the simulation. @param simulate  of the i-th scenario
std::vector<Replications> replicate_all_with(
    const std::function<simulation::RunRecord(std::size_t i, const simulation::SimulateOptions&)>& simulate,
    std::size_t scenarios, const ReplicateOptions& options);

}  // namespace natgpu::experiment
