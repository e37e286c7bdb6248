// SPDX-License-Identifier: Apache-2.0
// The one user of Boost.Math, whose headers cost seconds to compile.
#include "laws.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>

#include <natgpu/core/ensure.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

double student_t_quantile(double p, double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), p);
}

double student_t_above(double t, double degrees_of_freedom) {
  return boost::math::cdf(boost::math::complement(boost::math::students_t(degrees_of_freedom), t));
}

Interval clopper_pearson(std::size_t hits, std::size_t n, double level) {
  NATGPU_ENSURE(n > 0 && hits <= n, "a share has a whole and a part of it");
  const double tail = (1 - level) / 2;
  const auto k = static_cast<double>(hits);
  const auto others = static_cast<double>(n - hits);
  return {hits == 0 ? 0.0 : boost::math::ibeta_inv(k, others + 1, tail),
          hits == n ? 1.0 : boost::math::ibeta_inv(k + 1, others, 1 - tail)};
}

QuantileRanks quantile_ranks(std::size_t n, double p, double level) {
  const boost::math::binomial below(static_cast<double>(n), p);  // values below the quantile
  const double tail = (1 - level) / 2;
  const auto at_most = [&](std::size_t k) { return boost::math::cdf(below, static_cast<double>(k)); };
  QuantileRanks ranks;
  for (std::size_t r = 1; r <= n && at_most(r - 1) <= tail; ++r) ranks.lower = r;
  std::size_t upper = n + 1;
  while (upper > 1 && at_most(upper - 2) >= 1 - tail) --upper;
  if (upper <= n) ranks.upper = upper;
  if (ranks.lower > 0 && ranks.upper > 0)
    ranks.coverage = at_most(ranks.upper - 1) - at_most(ranks.lower - 1);
  return ranks;
}

std::size_t least_sample_for_bound(double p, double level) {
  // The largest of n values bounds the quantile unless all n lie below it.
  std::size_t n = 1;
  for (double all_below = p; all_below > 1 - level; all_below *= p) ++n;
  return n;
}

}  // namespace natgpu::experiment
