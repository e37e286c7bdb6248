// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {

/// What concerns the scenario as a whole: horizon, expected jobs, trace file. Codes are those of
/// error_codes().
std::vector<Finding> check_whole(const Scenario& scenario);

/// Whether `scheduling` names classes of jobs that there are, each once.
std::vector<Finding> check_classes(const Scenario& scenario);

/// What is wrong with the path of a file that a scenario names, or nothing. Names that lead out of the folder
/// are refused unseen.
std::string path_flaw(const std::string& folder, const std::string& file);

/// The trace file's path, checked to be a regular file inside the scenario's folder; empty where there is
/// none.
std::string trace_path(const Scenario& scenario);

}  // namespace natgpu::scenario
