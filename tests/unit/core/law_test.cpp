// SPDX-License-Identifier: Apache-2.0
// ORACLES.md N4: each law's draws against a distribution function written from its textbook form.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/law.hpp>

#include "catch.hpp"
#include "goodness.hpp"

namespace {

using natgpu::Draw;
using natgpu::Law;
using natgpu::testing::chi_square_49_limit;
using natgpu::testing::fit;

constexpr std::size_t draws = 1'000'000;

double normal_distribution(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

struct Case {
  Law law;
  std::function<double(double)> distribution;
};

std::vector<Case> continuous_laws() {
  const auto exponential = [](double mean) { return [mean](double x) { return 1 - std::exp(-x / mean); }; };
  return {
      {Law::uniform(2, 6), [](double x) { return (x - 2) / 4; }},
      {Law::loguniform(2, 50), [](double x) { return std::log(x / 2) / std::log(25.0); }},
      {Law::triangular(1, 2, 5),
       [](double x) { return x < 2 ? (x - 1) * (x - 1) / 4 : 1 - (5 - x) * (5 - x) / 12; }},
      {Law::exponential(3), exponential(3)},
      {Law::lognormal_mean_cv(4, 2),
       [](double x) { return normal_distribution((std::log(x) - 0.581575405) / 1.268636241); }},
      {Law::lognormal_median_sigma(7, 0.5),
       [](double x) { return normal_distribution((std::log(x / 7)) / 0.5); }},
      {Law::weibull(1.5, 2), [](double x) { return 1 - std::exp(-std::pow(x / 2, 1.5)); }},
      {Law::bounded_pareto(1, 1000, 1.5),
       [](double x) { return (1 - std::pow(x, -1.5)) / (1 - std::pow(1000.0, -1.5)); }},
      {Law::bounded_pareto(2, 50, 1.0), [](double x) { return (1 - 2 / x) / (1 - 2.0 / 50); }},
      {Law::erlang(3, 6), [](double x) { return 1 - std::exp(-x / 2) * (1 + x / 2 + x * x / 8); }},
      {Law::hyperexponential(0.3, 1, 10),
       [](double x) { return 1 - 0.3 * std::exp(-x) - 0.7 * std::exp(-x / 10); }},
  };
}

}  // namespace

TEST_CASE("a million draws of each law have its mean and its distribution") {
  natgpu::Streams streams(20260101, 0);
  for (const Case& c : continuous_laws()) {
    INFO(to_string(c.law));
    const natgpu::Stream stream = streams.open("law", to_string(c.law));
    const auto f = fit(
        draws,
        [&](std::size_t i) {
          Draw draw(stream, i, 0);
          return c.law.sample(draw);
        },
        c.distribution);
    CHECK(f.chi_square < chi_square_49_limit);
    CHECK(std::fabs(f.mean - c.law.mean()) < 4.5 * f.standard_error);
  }
}

TEST_CASE("the fit test has the power to see a spread that is two per cent off") {
  natgpu::Streams streams(20260101, 0);
  const natgpu::Stream stream = streams.open("law", "planted fault");
  const Law wrong = Law::lognormal(0, 1.02);
  const auto f = fit(
      draws, [&](std::size_t i) { return wrong.quantile(stream.unit(i, 0)); },
      [](double x) { return normal_distribution(std::log(x)); });
  CHECK(f.chi_square > chi_square_49_limit);
}

TEST_CASE("quantiles run through each law's own distribution") {
  for (const Case& c : continuous_laws()) {
    INFO(to_string(c.law));
    if (!c.law.has_quantile()) continue;
    double last = c.law.lowest();
    for (int k = 1; k < 1000; ++k) {
      const double u = k / 1000.0;
      const double x = c.law.quantile(u);
      REQUIRE(c.distribution(x) == Approx(u).epsilon(1e-8));  // the oracle's mu and sigma have nine digits
      REQUIRE(x >= last);
      last = x;
    }
    CHECK(last <= c.law.highest());
  }
}

TEST_CASE("means and parameters of laws are those of the textbook") {
  CHECK(Law::lognormal_mean_cv(4, 2).a == Approx(0.581575405).epsilon(1e-9));
  CHECK(Law::lognormal_mean_cv(4, 2).b == Approx(1.268636241).epsilon(1e-9));
  CHECK(Law::lognormal_mean_cv(4, 2).quantile(0.9) == Approx(9.092029639).epsilon(1e-9));
  CHECK(Law::lognormal_mean_cv(10, 0.5).a == Approx(2.191013317).epsilon(1e-9));
  CHECK(Law::lognormal_mean_cv(10, 0.5).b == Approx(0.472380727).epsilon(1e-9));
  CHECK(Law::lognormal_mean_cv(10, 0.5).mean() == Approx(10).epsilon(1e-12));
  CHECK(Law::weibull(0.5, 1).mean() == Approx(2).epsilon(1e-12));
  CHECK(Law::bounded_pareto(1, 1000, 1.5).mean() == Approx(2.905223541).epsilon(1e-9));
  CHECK(Law::bounded_pareto(1, 100, 1.1).mean() == Approx(4.085245366).epsilon(1e-9));
  CHECK(Law::bounded_pareto(2, 50, 1).mean() == Approx(2 * std::log(25.0) / (1 - 1.0 / 25)).epsilon(1e-12));
  CHECK(Law::triangular(1, 2, 6).mean() == 3);
  CHECK(Law::hyperexponential_mean_cv2(3, 4).mean() == Approx(3).epsilon(1e-12));
  const Law h = Law::hyperexponential_mean_cv2(1, 4);
  const double second_moment = 2 * (h.a * h.b * h.b + (1 - h.a) * h.c * h.c);
  CHECK(second_moment - 1 == Approx(4).epsilon(1e-12));
  CHECK(h.a * h.b == Approx((1 - h.a) * h.c).epsilon(1e-12));
}

TEST_CASE("a discrete law gives its values with its weights, ascending in u") {
  const Law law = Law::discrete({8, 1, 4}, {1, 2, 1});
  CHECK(law.mean() == Approx(3.5));
  CHECK(law.lowest() == 1);
  CHECK(law.highest() == 8);
  CHECK(law.quantile(0.49) == 1);
  CHECK(law.quantile(0.51) == 4);
  CHECK(law.quantile(0.76) == 8);
  CHECK(law.quantile(1 - 0x1p-53) == 8);
  CHECK(Law::discrete({5, 6}, {0, 3}).lowest() == 6);
}

TEST_CASE("degenerate laws are constants") {
  CHECK(Law::constant(-1).quantile(0.3) == -1);
  CHECK(Law::uniform(3, 3).quantile(0.3) == 3);
  CHECK(Law::loguniform(3, 3).quantile(0.3) == 3);
  CHECK(Law::loguniform(3, 3).mean() == 3);
  CHECK(Law::triangular(3, 3, 3).quantile(0.3) == 3);
  CHECK(Law::triangular(0, 0, 4).quantile(0.75) == Approx(2));
  CHECK(Law::triangular(0, 4, 4).quantile(0.25) == Approx(2));
  CHECK(Law::bounded_pareto(3, 3, 2).quantile(0.3) == 3);
  CHECK(Law::lognormal(0, 0).quantile(0.3) == 1);
  CHECK(Law::hyperexponential(1, 2, 5).quantile(0.5) == Approx(2 * std::log(2.0)));
  CHECK(Law::hyperexponential(0, 2, 5).quantile(0.5) == Approx(5 * std::log(2.0)));
}

TEST_CASE("extreme uniforms stay inside the support") {
  for (const Case& c : continuous_laws()) {
    if (!c.law.has_quantile()) continue;
    INFO(to_string(c.law));
    for (const double u : {natgpu::unit_from_bits(0), natgpu::unit_from_bits(~0ULL)}) {
      CHECK(c.law.quantile(u) >= c.law.lowest());
      CHECK(c.law.quantile(u) <= c.law.highest());
      CHECK(std::isfinite(c.law.quantile(u)));
    }
  }
}

TEST_CASE("a law that cannot be is refused where it is made") {
  CHECK_THROWS_AS(Law::uniform(2, 1), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::loguniform(0, 1), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::triangular(0, 5, 4), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::exponential(0), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::bounded_pareto(0, 5, 1), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::hyperexponential_mean_cv2(1, 0.5), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::discrete({1, 2}, {0, 0}), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::discrete({1, 2}, {1}), natgpu::InvariantError);
  CHECK_THROWS_AS(Law::erlang(2, 1).quantile(0.5), natgpu::InvariantError);
}

TEST_CASE("laws print as a scenario states them") {
  CHECK(to_string(Law::triangular(0, 3, 6)) == "triangular(0, 3, 6)");
  CHECK(to_string(Law::constant(0.5)) == "constant(0.5)");
  CHECK(to_string(Law::erlang(3, 2.5)) == "erlang(3, 2.5)");
  CHECK(to_string(Law::discrete({1, 8}, {3, 1})) == "discrete(1: 0.75, 8: 0.25)");
}
