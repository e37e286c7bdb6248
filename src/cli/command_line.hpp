// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace natgpu::cli {

/// Kept for manifest.json; the user's home folder is written as `~`, for results name nobody.
void keep_command_line(const std::vector<std::string>& words);
const std::string& command_line();

}  // namespace natgpu::cli
