// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include <natgpu/experiment/solve.hpp>

namespace natgpu::report {

/// Everything that the answer of `natgpu solve` is written from.
struct SolutionResult {
  std::string scenario, policy, path, target;
  double confidence = 0.95;
  std::uint64_t seed = 0;
  std::size_t replications = 0;
  std::function<std::string(std::size_t)> value;  ///< of the lever at a point, as a setting states it
  std::size_t last = 0;                           ///< point
  experiment::Solution solution;
};

std::string solution_text(const SolutionResult& result);
std::string solution_json(const SolutionResult& result);

}  // namespace natgpu::report
