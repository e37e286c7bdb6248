// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// The exact rules that these options stand for, in one line.
std::string in_words(const ReplayOptions& options);

}  // namespace natgpu::simulation
