// SPDX-License-Identifier: Apache-2.0
// Goodness of fit for samplers: moments and a chi-square test on 50 equally likely bins (ORACLES.md N4).
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>

namespace natgpu::testing {

/// Upper 1e-4 quantile of chi-square with 49 degrees of freedom.
inline constexpr double chi_square_49_limit = 94.9;

struct Fit {
  double mean = 0, standard_error = 0;
  double variance = 0;
  double chi_square = 0;  ///< 49 degrees of freedom
};

/// @param draw          the i-th value
/// @param distribution  its distribution function, written independently of the sampler
inline Fit fit(std::size_t count, const std::function<double(std::size_t)>& draw,
               const std::function<double(double)>& distribution) {
  constexpr std::size_t bins = 50;
  std::array<double, bins> hits{};
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = draw(i);
    sum += x;
    squares += x * x;
    const auto bin = static_cast<std::size_t>(distribution(x) * static_cast<double>(bins));
    hits[bin < bins ? bin : bins - 1] += 1;
  }
  const auto n = static_cast<double>(count);
  Fit f;
  f.mean = sum / n;
  f.variance = (squares - sum * f.mean) / (n - 1);
  f.standard_error = std::sqrt(f.variance / n);
  const double expected = n / static_cast<double>(bins);
  for (const double h : hits) f.chi_square += (h - expected) * (h - expected) / expected;
  return f;
}

}  // namespace natgpu::testing
