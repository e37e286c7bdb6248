// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// The exact rules that these options stand for, in one line.
std::string in_words(const ReplayOptions& options);
/// The same with another word for the view.
std::string in_words(const ReplayOptions& options, std::string_view view);

}  // namespace natgpu::simulation
