// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <limits>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>

#include "catch.hpp"

namespace {

using natgpu::mix64;
using natgpu::portable_exp;
using natgpu::portable_gamma;
using natgpu::portable_log;
using natgpu::portable_pow;

/// Error of `got` in units of the last place of the true value.
double ulps(double got, long double truth) {
  const double rounded = std::fabs(static_cast<double>(truth));
  const double ulp = std::nextafter(rounded, std::numeric_limits<double>::infinity()) - rounded;
  return static_cast<double>(std::fabs(static_cast<long double>(got) - truth) /
                             static_cast<long double>(ulp));
}

/// The k-th of many doubles spread over [low, high), the same everywhere.
double spread(std::uint64_t k, double low, double high) {
  return low + (high - low) * natgpu::unit_from_bits(mix64(k + 0x9e3779b97f4a7c15ULL));
}

constexpr std::uint64_t points = 400'000;

}  // namespace

TEST_CASE("the logarithm is within one unit of the last place") {
  double worst = 0;
  for (std::uint64_t k = 0; k < points; ++k) {
    const double near_one = spread(k, 0.5, 2.0);
    const double uniform = spread(k, 0.0, 1.0);
    const double wide = std::ldexp(spread(k, 1.0, 2.0), static_cast<int>(k % 2040) - 1020);
    for (const double x : {near_one, uniform, wide})
      worst = std::max(worst, ulps(portable_log(x), std::log(static_cast<long double>(x))));
  }
  CHECK(worst < 1.0);
  constexpr double smallest = std::numeric_limits<double>::denorm_min();
  CHECK(portable_log(1.0) == 0.0);
  CHECK(ulps(portable_log(smallest), std::log(static_cast<long double>(smallest))) < 1.0);
  CHECK(ulps(portable_log(std::numeric_limits<double>::max()),
             std::log(static_cast<long double>(std::numeric_limits<double>::max()))) < 1.0);
}

TEST_CASE("the exponential is within one unit of the last place") {
  double worst = 0;
  for (std::uint64_t k = 0; k < points; ++k)
    for (const double x : {spread(k, -1.0, 1.0), spread(k, -50.0, 50.0), spread(k, -744.0, 709.7)})
      worst = std::max(worst, ulps(portable_exp(x), std::exp(static_cast<long double>(x))));
  CHECK(worst < 1.0);
  CHECK(portable_exp(0.0) == 1.0);
  CHECK(portable_exp(-746.0) == 0.0);
  CHECK(portable_exp(-std::numeric_limits<double>::infinity()) == 0.0);
  CHECK(std::isfinite(portable_exp(709.782712893384)));  // the last double below the overflow
  CHECK(std::isinf(portable_exp(709.7827128933841)));
  CHECK(portable_exp(-745.1) == std::numeric_limits<double>::denorm_min());
}

TEST_CASE("the logarithm of what is not positive is our mistake") {
  CHECK_THROWS_AS(portable_log(0.0), natgpu::InvariantError);
  CHECK_THROWS_AS(portable_log(-1.0), natgpu::InvariantError);
  CHECK_THROWS_AS(portable_log(std::nan("")), natgpu::InvariantError);
  CHECK_THROWS_AS(portable_log(std::numeric_limits<double>::infinity()), natgpu::InvariantError);
  CHECK_THROWS_AS(portable_exp(std::nan("")), natgpu::InvariantError);
}

TEST_CASE("powers and the gamma function agree with the C library") {
  for (std::uint64_t k = 0; k < 10'000; ++k) {
    const double base = spread(k, 0.01, 100.0);
    const double exponent = spread(k + points, -8.0, 8.0);
    CHECK(portable_pow(base, exponent) == Approx(std::pow(base, exponent)).epsilon(1e-14));
    CHECK(portable_gamma(base) == Approx(std::tgamma(base)).epsilon(1e-12));
  }
}

TEST_CASE("the normal quantile undoes the normal distribution function") {
  const auto distribution = [](long double x) { return 0.5L * std::erfc(-x / std::sqrt(2.0L)); };
  CHECK(natgpu::normal_quantile(0.5) == 0.0);
  CHECK(natgpu::normal_quantile(0.25) ==
        Approx(-0.6744897501960817432).epsilon(1e-15));  // AS 241's own check
  CHECK(natgpu::normal_quantile(0.001) == Approx(-3.090232306167813542).epsilon(1e-15));
  CHECK(natgpu::normal_quantile(1e-20) == Approx(-9.262340089798407574).epsilon(1e-15));
  for (std::uint64_t k = 1; k < 20'000; ++k) {
    // Uniform points, and points far in both tails; 1e-13 of p is what 1e-15 of a quantile of 10 amounts to.
    for (const double p : {spread(k, 0.0, 1.0), std::exp(spread(k, -700.0, -1.0))}) {
      const auto back = static_cast<double>(distribution(natgpu::normal_quantile(p)));
      if (p > 1e-30) REQUIRE(back == Approx(p).epsilon(2e-13));
      if (p <= 1e-30) REQUIRE(back == Approx(p).epsilon(1e-11));
    }
  }
}

TEST_CASE("logarithm, exponential and quantile have the same bits on every compiler and processor") {
  natgpu::Digest64 digest;
  for (std::uint64_t k = 0; k < points; ++k) {
    digest.add(std::bit_cast<std::uint64_t>(portable_log(spread(k, 0.0, 1.0))));
    digest.add(std::bit_cast<std::uint64_t>(portable_exp(spread(k, -740.0, 700.0))));
    digest.add(std::bit_cast<std::uint64_t>(natgpu::normal_quantile(spread(k, 0.0, 1.0))));
  }
  CHECK(natgpu::hex64(digest.value()) == "ee086a95c814806c");
}
