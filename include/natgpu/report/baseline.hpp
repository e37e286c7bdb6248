// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/experiment/regression.hpp>

namespace natgpu::report {

/// @throws ScenarioError E0506, if the file cannot be read or is no baseline
std::vector<experiment::BaselineEntry> read_baseline(const std::string& path);

/// One number or one check a line, so that a change is a readable diff.
std::string baseline_json(const std::vector<experiment::BaselineEntry>& entries);

/// What an update changes, for a reviewer: metric, old, new, difference with its interval.
/// @param before  may be null
std::string baseline_diff(const experiment::BaselineEntry* before, const experiment::BaselineEntry& after);

}  // namespace natgpu::report
