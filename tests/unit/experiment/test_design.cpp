// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <natgpu/experiment/design.hpp>

#include "catch.hpp"

using namespace natgpu::experiment;

namespace {

/// Points in each of `parts` equal strata of one dimension.
std::vector<std::size_t> counts(const std::vector<UnitPoint>& points, std::size_t dimension,
                                std::size_t parts) {
  std::vector<std::size_t> all(parts);
  for (const UnitPoint& p : points) {
    REQUIRE(p[dimension] >= 0);
    REQUIRE(p[dimension] < 1);
    ++all[static_cast<std::size_t>(p[dimension] * static_cast<double>(parts))];
  }
  return all;
}

bool all_equal(const std::vector<std::size_t>& values, std::size_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](std::size_t v) { return v == wanted; });
}

}  // namespace

TEST_CASE("a Latin hypercube has one point in each stratum of each dimension, at another place each time") {
  for (const std::size_t n : {1U, 2U, 7U, 100U}) {
    const auto points = latin_hypercube(n, 5, 3);
    REQUIRE(points.size() == n);
    for (std::size_t d = 0; d < 5; ++d) CHECK(all_equal(counts(points, d, n), 1));
  }
  CHECK(latin_hypercube(10, 3, 1) != latin_hypercube(10, 3, 2));
  CHECK(latin_hypercube(10, 3, 1) == latin_hypercube(10, 3, 1));
  const auto few = latin_hypercube(10, 2, 1), many = latin_hypercube(10, 3, 1);
  for (std::size_t i = 0; i < 10; ++i) CHECK(many[i][1] == few[i][1]);
  // Dimensions are not in step: the rank correlation of two is small.
  const auto points = latin_hypercube(1000, 2, 1);
  double products = 0;
  for (const UnitPoint& p : points) products += (p[0] - 0.5) * (p[1] - 0.5);
  CHECK(std::abs(products / 1000 * 12) < 0.1);
}

TEST_CASE("Sobol's points fill every binary stratum evenly, one dimension or two at a time") {
  const auto points = sobol_points(64, 10);
  CHECK(points[0] == UnitPoint(10, 0.0));
  CHECK(points[1] == UnitPoint(10, 0.5));
  for (std::size_t d = 0; d < 10; ++d) CHECK(all_equal(counts(points, d, 64), 1));
  // The first two dimensions are a (0, m, 2)-net: one point in each of 8 x 8 squares.
  std::set<std::pair<int, int>> squares;
  for (const UnitPoint& p : points) squares.emplace(static_cast<int>(p[0] * 8), static_cast<int>(p[1] * 8));
  CHECK(squares.size() == 64);
  const auto prefix = sobol_points(10, 10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(prefix[i] == points[i]);
}

TEST_CASE("Sobol's points integrate a smooth function far better than chance would") {
  // Mean of the product of 1 + (x - 1/2): exactly 1. Chance would err by about 0.02 at 1024 points.
  double sum = 0;
  for (const UnitPoint& p : sobol_points(1024, 6)) {
    double product = 1;
    for (const double x : p) product *= 0.5 + x;
    sum += product;
  }
  CHECK(std::abs(sum / 1024 - 1) < 0.01);
}
