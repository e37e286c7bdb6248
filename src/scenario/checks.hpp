// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {

/// What concerns the scenario as a whole: horizon, expected jobs, trace file. Codes are those of
/// error_codes().
std::vector<Finding> check_whole(const Scenario& scenario);

/// The trace file's path, checked to be a regular file inside the scenario's folder; empty where there is
/// none.
std::string trace_path(const Scenario& scenario);

}  // namespace natgpu::scenario
