// SPDX-License-Identifier: Apache-2.0
// What replays of counted GPUs and of machines refuse alike.
#pragma once

#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// @throws RunError where a preemptive order stands beside what it does not go with, or lacks its numbers
void check_preemption(const ReplayOptions& options);

}  // namespace natgpu::simulation
