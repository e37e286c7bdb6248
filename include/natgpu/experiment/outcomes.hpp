// SPDX-License-Identifier: Apache-2.0
// What single replications come to, beside their mean: the range of futures, and in how many something holds.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include <natgpu/experiment/interval.hpp>

namespace natgpu::experiment {

/// Where 90 % of the outcomes lie, one outcome a replication. NaN where the sample is too small to tell
/// (SEMANTICS: never the extremes in their place).
struct OutcomeRange {
  double p5 = std::numeric_limits<double>::quiet_NaN();  ///< nearest rank
  double p95 = std::numeric_limits<double>::quiet_NaN();
  Interval p5_ci, p95_ci;  ///< 95 % by ranks, whatever the law
};

/// Of the finite values.
OutcomeRange outcome_range(const std::vector<double>& values);
/// Outcomes from which p5 and p95 can be told.
std::size_t least_outcomes();

/// In how many of them something holds.
struct Share {
  std::size_t hits = 0, of = 0;
  Interval ci;  ///< Clopper-Pearson 95 %; without values for of = 0
};
Share share_of(std::size_t hits, std::size_t of);

}  // namespace natgpu::experiment
