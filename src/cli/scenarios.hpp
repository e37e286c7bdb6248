// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scenario/scenario.hpp>

namespace natgpu::cli {

/// Loads all files; mistakes of all of them come together. @throws ScenarioError
std::vector<scenario::Scenario> load_all(const std::vector<std::string>& files,
                                         scenario::LoadOptions options);

/// A name that is safe as a folder's: letters, digits, `.`, `_`, `-`, at most 80, no leading dot.
std::string slug(const std::string& name);

}  // namespace natgpu::cli
