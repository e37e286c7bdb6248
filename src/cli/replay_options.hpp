// SPDX-License-Identifier: Apache-2.0
// What a command line says of a replay.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <natgpu/plugin/library.hpp>
#include <natgpu/simulation/replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

inline constexpr std::int64_t most_gpus = 1'000'000'000;

/// The options that `replay_options_of` reads, in the order of the help.
std::vector<Option> replay_policy_options();

/// The library that stands in the place of a policy's name, or of an order's.
/// @throws UsageError, or ScenarioError on a file that is no policy
std::optional<plugin::Library> library_of(const Arguments& arguments);

/// @param library  as above; it must outlive the options
/// @throws UsageError on options that contradict each other
simulation::ReplayOptions replay_options_of(const Arguments& arguments,
                                            const std::optional<plugin::Library>& library);

}  // namespace natgpu::cli
