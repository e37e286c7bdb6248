// SPDX-License-Identifier: Apache-2.0
// Laws of chance that intervals and tests are read from.
#pragma once

#include <cstddef>

#include <natgpu/experiment/interval.hpp>

namespace natgpu::experiment {

/// P(T > t) for Student's t law.
double student_t_above(double t, double degrees_of_freedom);

/// Ranks, counted from 1, of the values between which the p-quantile of the law lies with at least `level`.
struct QuantileRanks {
  std::size_t lower = 0, upper = 0;  ///< 0: the sample is too small for one
  double coverage = 0;               ///< of both together, where both are there
};
/// By order statistics: the number of values below the quantile is binomial, whatever the law.
QuantileRanks quantile_ranks(std::size_t n, double p, double level);

/// The least sample whose largest value bounds the p-quantile from above with `level` on one side.
std::size_t least_sample_for_bound(double p, double level);

}  // namespace natgpu::experiment
