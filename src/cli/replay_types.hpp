// SPDX-License-Identifier: Apache-2.0
// The options of replays on GPUs of several types.
#pragma once

#include <string>
#include <vector>

#include <natgpu/simulation/replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

std::vector<Option> type_options();

/// Reads the types and the speeds on them. @pre the order and the sharing are chosen
/// @throws UsageError on types beside what has none, or that cannot be read; ScenarioError on a list of
/// speeds
void choose_types(const Arguments& arguments, simulation::ReplayOptions& options);

}  // namespace natgpu::cli
