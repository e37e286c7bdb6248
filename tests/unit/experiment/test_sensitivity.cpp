// SPDX-License-Identifier: Apache-2.0
// Indices that are known in closed form: Ishigami's function (ORACLES.md C6) and a linear model.
#include <cmath>
#include <functional>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/experiment/sensitivity.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;

namespace {

using Model = std::function<double(const UnitPoint&)>;

/// The model with so much noise in each of 8 replications; `shared` of it is common to all points.
Evaluate noisy(const Model& model, double noise, double shared = 0) {
  return [=](const std::vector<UnitPoint>& points) {
    const Stream dice = Streams(11, 0).open("test", "noise");
    std::vector<Estimate> all;
    for (std::size_t i = 0; i < points.size(); ++i) {
      Estimate e;
      for (std::uint32_t r = 0; r < 8; ++r)
        e.values.push_back(model(points[i]) + noise * normal_quantile(dice.unit(1 + i, r)) +
                           shared * normal_quantile(dice.unit(0, r)));
      estimate_from_values(e);
      all.push_back(std::move(e));
    }
    return std::optional<std::vector<Estimate>>(std::move(all));
  };
}

double ishigami(const UnitPoint& u) {
  const double pi = 3.14159265358979323846;
  const auto x = [&](std::size_t i) { return -pi + 2 * pi * u[i]; };
  return std::sin(x(0)) + 7 * std::sin(x(1)) * std::sin(x(1)) + 0.1 * std::pow(x(2), 4) * std::sin(x(0));
}

double linear(const UnitPoint& u) {
  return 1000 + 4 * u[0] - 2 * u[1] + 1 * u[2] + 0 * u[3];
}

bool holds(const Interval& i, double value) {
  return i.low <= value && value <= i.high;
}

}  // namespace

TEST_CASE("Sobol's indices of Ishigami's function are those known, within their intervals") {
  const auto s = sobol_indices(3, 4096, 1, noisy(ishigami, 0));
  REQUIRE(s);
  REQUIRE(s->factors.size() == 3);
  CHECK(s->runs == 4096 * 5);
  const double first[] = {.313905, .442411, 0}, total[] = {.557589, .442411, .243684};
  for (std::size_t f = 0; f < 3; ++f) {
    INFO("factor " << f);
    CHECK(s->factors[f].effect == Approx(first[f]).margin(0.02));
    CHECK(s->factors[f].strength == Approx(total[f]).margin(0.02));
    CHECK(holds(s->factors[f].effect_ci, first[f]));
    CHECK(holds(s->factors[f].strength_ci, total[f]));
    CHECK(s->factors[f].ranked);
    CHECK(s->factors[f].noise == 0);
  }
  CHECK(s->mean == Approx(3.5).margin(0.02));
  CHECK(s->variance == Approx(13.844588).margin(0.2));
}

TEST_CASE("first and total indices of a linear model are equal: squared weights over their sum") {
  const auto s = sobol_indices(4, 1024, 1, noisy(linear, 0));
  REQUIRE(s);
  const double weights[] = {16.0 / 21, 4.0 / 21, 1.0 / 21, 0};
  for (std::size_t f = 0; f < 4; ++f) {
    CHECK(s->factors[f].effect == Approx(weights[f]).margin(0.01));
    CHECK(s->factors[f].strength == Approx(weights[f]).margin(0.01));
  }
  CHECK_FALSE(s->factors[3].ranked);
}

TEST_CASE("Morris's screening of a linear model gives its weights exactly, without spread") {
  const auto s = morris(4, 10, 1, noisy(linear, 0));
  REQUIRE(s);
  CHECK(s->runs == 50);
  const double weights[] = {4, -2, 1, 0};
  for (std::size_t f = 0; f < 4; ++f) {
    CHECK(s->factors[f].effect == Approx(weights[f]).margin(1e-9));
    CHECK(s->factors[f].strength == Approx(std::abs(weights[f])).margin(1e-9));
    CHECK(s->factors[f].spread == Approx(0).margin(1e-9));
    CHECK(s->factors[f].ranked == (f < 3));
  }
}

TEST_CASE("Morris's screening tells interaction from a plain effect") {
  const auto s = morris(3, 40, 1, noisy([](const UnitPoint& u) { return 5 * u[0] * u[1] + 2 * u[2]; }, 0));
  REQUIRE(s);
  CHECK(s->factors[0].spread > 1);
  CHECK(s->factors[1].spread > 1);
  CHECK(s->factors[2].spread == Approx(0).margin(1e-9));
  CHECK(s->factors[2].strength == Approx(2));
}

TEST_CASE("noise of replications ranks no factor, and shared noise takes no effect away") {
  const auto nothing = [](const UnitPoint&) { return 10.0; };
  for (const auto& s : {morris(4, 20, 1, noisy(nothing, 1)), sobol_indices(4, 64, 1, noisy(nothing, 1)),
                        tornado(4, noisy(nothing, 1))}) {
    REQUIRE(s);
    for (const Factor& f : s->factors) {
      CHECK_FALSE(f.ranked);
      CHECK(f.strength < 4 * f.noise);
      CHECK(f.noise > 0);
    }
  }
  for (const auto& s :
       {morris(4, 20, 1, noisy(linear, 0.1, 50)), sobol_indices(4, 256, 1, noisy(linear, 0.1, 50)),
        tornado(4, noisy(linear, 0.1, 50))}) {
    REQUIRE(s);
    for (std::size_t f = 0; f < 4; ++f) {
      INFO("factor " << f);
      CHECK(s->factors[f].ranked == (f < 3));
    }
  }
}

TEST_CASE("a tornado has each factor's ends, effect and interval") {
  const auto s = tornado(4, noisy(linear, 0, 3));
  REQUIRE(s);
  CHECK(s->runs == 9);
  CHECK(s->factors[1].effect == Approx(-2));
  CHECK(s->factors[1].strength == Approx(2));
  CHECK(s->factors[1].low - s->factors[1].high == Approx(2));
  const auto noise = tornado(4, noisy(linear, 1));
  CHECK(holds(noise->factors[0].effect_ci, 4));
}

TEST_CASE("points that could not be measured leave no result, and an interrupt none at all") {
  const auto holes = [](const std::vector<UnitPoint>& points) {
    std::vector<Estimate> all(points.size());
    for (Estimate& e : all) {
      e.values = {1, std::nan("")};
      estimate_from_values(e);
    }
    return std::optional<std::vector<Estimate>>(std::move(all));
  };
  const auto s = morris(2, 3, 1, holes);
  REQUIRE(s);
  CHECK(s->gaps == 9);
  CHECK(s->factors.empty());
  CHECK_FALSE(
      tornado(2, [](const std::vector<UnitPoint>&) { return std::optional<std::vector<Estimate>>(); }));
}
