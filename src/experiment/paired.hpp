// SPDX-License-Identifier: Apache-2.0
// Tests of one difference against a bound, on plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

/// What a sample tells of its mean.
struct Sample {
  std::size_t n = 0;          ///< values
  double mean = 0;            ///< NaN for n = 0
  double standard_error = 0;  ///< of the mean; NaN for n < 2
  double freedom = 0;         ///< degrees of Student's t
  bool certain = false;       ///< no chance reaches it: neither side of the difference varies
};

/// Differences `of` - `from`, replication by replication, where both have a value. Differences below 1e-12 of
/// the values are rounding and count as none.
Estimate paired_difference(const Estimate& of, const Estimate& from);

/// @param difference  as paired_difference() gives it
Sample paired_sample(const Estimate& of, const Estimate& from, const Estimate& difference);

/// Difference of two means whose replications have nothing in common (Welch 1947, Satterthwaite's degrees of
/// freedom).
Sample welch_sample(const Estimate& of, const Estimate& from);

/// One-sided p of "the true mean lies above the bound"; NaN for n < 2. Without spread Student's t has no
/// scale: then the sign test's p, 2^-n, or 0 where the sample is certain.
double p_above(const Sample& sample, double bound);
double p_below(const Sample& sample, double bound);

/// Two-sided p of "the true mean lies outside +-margin". @pre margin >= 0
double p_outside(const Sample& sample, double margin);

/// Half-width of the two-sided interval of the mean; NaN for n < 2.
double half_width(const Sample& sample, double level);

/// Pearson's, over replications where both have a value; NaN where either has no spread.
double correlation(const Estimate& a, const Estimate& b);

/// Replications after which a difference that exceeds the margin by `excess`, with this spread, would be told
/// from the margin in `power` of all experiments, at `alpha` on one side. None where a million do not
/// suffice.
std::optional<std::size_t> replications_to_decide(double excess, double deviation, double alpha,
                                                  double power);

}  // namespace natgpu::experiment
