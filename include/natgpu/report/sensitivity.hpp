// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/experiment/sensitivity.hpp>

namespace natgpu::report {

enum class SensitivityMethod : std::uint8_t { tornado, morris, sobol };

/// Everything that the answer of `natgpu sensitivity` is written from.
struct SensitivityResult {
  std::string scenario, policy, metric, labels, unit;
  SensitivityMethod method = SensitivityMethod::tornado;
  /// Of each factor: its name (the path again, where it has none), "supply.sites[a].pue", "1.1 to 1.4".
  std::vector<std::string> names, paths, ranges;
  std::uint64_t seed = 0;
  std::size_t replications = 0;
  experiment::Sensitivity found;
};

/// Strongest first; factors that replications alone may have made are told apart.
std::string sensitivity_text(const SensitivityResult& result);
std::string sensitivity_json(const SensitivityResult& result);

}  // namespace natgpu::report
