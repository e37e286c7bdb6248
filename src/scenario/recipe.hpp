// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>

#include "document.hpp"
#include "mistakes.hpp"
#include "settings.hpp"

namespace natgpu::scenario {

/// A file as it was parsed, before policy and settings: what is needed to resolve it again.
struct Recipe {
  std::string file;
  LoadOptions options;
  Mistakes mistakes;  ///< none; holds the text that places point to
  Node root;
  std::vector<PolicyChanges> policies;
};

/// Resolves the file again with further settings, "path=value", which come last.
/// @param called  what the settings are called where one is wrong
Scenario resolve_again(const Recipe& recipe, const std::vector<std::string>& settings,
                       const std::string& called);

}  // namespace natgpu::scenario
