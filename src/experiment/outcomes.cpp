// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/outcomes.hpp>

#include <algorithm>
#include <cmath>

#include "laws.hpp"

namespace natgpu::experiment {
namespace {

constexpr double level = 0.95;

}  // namespace

std::size_t least_outcomes() {
  static const std::size_t n = least_sample_for_bound(0.95, level);
  return n;
}

OutcomeRange outcome_range(const std::vector<double>& all) {
  OutcomeRange range;
  std::vector<double> values;
  for (const double v : all)
    if (std::isfinite(v)) values.push_back(v);
  if (values.size() < least_outcomes()) return range;
  std::sort(values.begin(), values.end());
  const auto nearest = [&](double p) {
    return values[static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()))) - 1];
  };
  const auto interval = [&](double p) {
    const QuantileRanks ranks = quantile_ranks(values.size(), p, level);
    if (ranks.lower == 0 || ranks.upper == 0) return Interval{};
    return Interval{values[ranks.lower - 1], values[ranks.upper - 1]};
  };
  range.p5 = nearest(0.05);
  range.p95 = nearest(0.95);
  range.p5_ci = interval(0.05);
  range.p95_ci = interval(0.95);
  return range;
}

Share share_of(std::size_t hits, std::size_t of) {
  Share share{hits, of, {}};
  if (of > 0) share.ci = clopper_pearson(hits, of, level);
  return share;
}

}  // namespace natgpu::experiment
