// SPDX-License-Identifier: Apache-2.0
// Estimates from given values, one of each replication.
#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "../../../src/experiment/statistics.hpp"

namespace natgpu::experiment::testing {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline Estimate estimate(std::vector<double> values) {
  Estimate e;
  e.values = std::move(values);
  estimate_from_values(e);
  return e;
}

}  // namespace natgpu::experiment::testing
