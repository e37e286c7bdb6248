// SPDX-License-Identifier: Apache-2.0
#include "paired.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <natgpu/core/ensure.hpp>

#include "laws.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr double rounding = 1e-12;  // relative; sums of a million terms in another order differ by less
constexpr std::size_t most_replications = 1'000'000;

bool varies(const Estimate& e) {
  return e.n > 1 && e.high > e.low;
}

}  // namespace

Estimate paired_difference(const Estimate& of, const Estimate& from) {
  NATGPU_ENSURE(of.values.size() == from.values.size(), "differences are of the same replications");
  Estimate d;
  d.metric = of.metric;
  d.labels = of.labels;
  d.unit = of.unit;
  for (std::size_t r = 0; r < of.values.size(); ++r) {
    const double a = of.values[r], b = from.values[r];
    const double size = std::max(std::abs(a), std::abs(b));
    d.values.push_back(std::abs(a - b) <= rounding * size ? 0.0 : a - b);
  }
  estimate_from_values(d);
  return d;
}

Sample paired_sample(const Estimate& of, const Estimate& from, const Estimate& difference) {
  Sample s;
  s.n = difference.n;
  s.mean = difference.mean;
  s.standard_error = std::sqrt(variance(difference) / static_cast<double>(difference.n));
  s.freedom = static_cast<double>(difference.n) - 1;
  s.certain = difference.n > 1 && !varies(of) && !varies(from);
  return s;
}

Sample welch_sample(const Estimate& of, const Estimate& from) {
  Sample s;
  s.n = std::min(of.n, from.n);
  s.mean = of.mean - from.mean;
  const double a = variance(of) / static_cast<double>(of.n);
  const double b = variance(from) / static_cast<double>(from.n);
  s.standard_error = std::sqrt(a + b);
  s.freedom =
      (a + b) * (a + b) / (a * a / static_cast<double>(of.n - 1) + b * b / static_cast<double>(from.n - 1));
  s.certain = s.n > 1 && !varies(of) && !varies(from);
  return s;
}

double p_above(const Sample& s, double bound) {
  if (s.n < 2 || !std::isfinite(s.mean)) return none;
  if (s.standard_error > 0) return student_t_above((s.mean - bound) / s.standard_error, s.freedom);
  if (s.mean <= bound) return 1;
  return s.certain ? 0 : std::ldexp(1.0, -static_cast<int>(std::min<std::size_t>(s.n, 1000)));
}

double p_below(const Sample& s, double bound) {
  Sample mirrored = s;
  mirrored.mean = -s.mean;
  return p_above(mirrored, -bound);
}

double p_outside(const Sample& s, double margin) {
  const double above = p_above(s, margin), below = p_below(s, -margin);
  return std::isnan(above) ? none : std::min(1.0, 2 * std::min(above, below));
}

double half_width(const Sample& s, double level) {
  if (s.n < 2) return none;
  if (!(s.standard_error > 0)) return 0;
  return student_t_quantile(0.5 + level / 2, s.freedom) * s.standard_error;
}

double correlation(const Estimate& a, const Estimate& b) {
  NATGPU_ENSURE(a.values.size() == b.values.size(), "correlated values are of the same replications");
  Estimate x, y;
  for (std::size_t r = 0; r < a.values.size(); ++r) {
    if (!std::isfinite(a.values[r]) || !std::isfinite(b.values[r])) continue;
    x.values.push_back(a.values[r]);
    y.values.push_back(b.values[r]);
  }
  estimate_from_values(x);
  estimate_from_values(y);
  if (!varies(x) || !varies(y)) return none;
  double products = 0;
  for (std::size_t r = 0; r < x.values.size(); ++r)
    products += (x.values[r] - x.mean) * (y.values[r] - y.mean);
  return products / static_cast<double>(x.n - 1) / std::sqrt(variance(x) * variance(y));
}

std::optional<std::size_t> replications_to_decide(double excess, double deviation, double alpha,
                                                  double power) {
  if (!(excess > 0) || !std::isfinite(deviation)) return {};
  const auto decides = [&](std::size_t n) {
    const double freedom = static_cast<double>(n - 1);
    const double wanted = student_t_quantile(1 - alpha, freedom) + student_t_quantile(power, freedom);
    return wanted * deviation <= excess * std::sqrt(static_cast<double>(n));
  };
  if (!decides(most_replications)) return {};
  std::size_t too_few = 1, enough = most_replications;
  while (enough - too_few > 1) {
    const std::size_t middle = too_few + (enough - too_few) / 2;
    (decides(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace natgpu::experiment
