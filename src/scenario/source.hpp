// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "document.hpp"

namespace natgpu::scenario {

/// Reads a scenario file, laid over the one that it `extends`, if any.
/// @param extended  gets the files that it extends, the nearest first
/// @throws ScenarioError where a file cannot be read or is no map of YAML; other mistakes are kept
Node read_tree(const std::string& file, Mistakes& mistakes, std::vector<std::string>& extended);

}  // namespace natgpu::scenario
