// SPDX-License-Identifier: Apache-2.0
// What replays of counted GPUs and of machines refuse alike.
#pragma once

#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// @throws RunError where a preemptive order stands beside what it does not go with, or lacks its numbers,
/// and where a plugged policy stands beside parts of which it takes the place
void check_preemption(const ReplayOptions& options);
/// @throws RunError where reservations lack their number, or an order that lasts
void check_reservations(const ReplayOptions& options);

}  // namespace natgpu::simulation
