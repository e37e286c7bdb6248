// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <natgpu/core/random.hpp>
#include <natgpu/measures/warmup.hpp>

#include "catch.hpp"

using natgpu::measures::mser5;

namespace {

/// Each value five times, as a batch.
std::vector<double> batches(const std::vector<double>& means) {
  std::vector<double> series;
  for (const double mean : means) series.insert(series.end(), 5, mean);
  return series;
}

}  // namespace

TEST_CASE("MSER-5 cuts where a sum of squares worked out by hand is least") {
  // k batches left, sum of squares about their mean / k^2:
  //   10: 56 / 100 = 0.56; 9: 16 / 81 = 0.198; 8: 8 / 64 = 0.125; 7: 48/7 / 49 = 0.140; 6: 6 / 36 = 0.167;
  //   5: 4.8 / 25 = 0.192. Least at 8: two batches, ten observations go.
  CHECK(mser5(batches({9, 5, 1, 3, 1, 3, 1, 3, 1, 3})) == std::size_t{10});
  // Only means of batches count, and what fills no batch at the end does not.
  std::vector<double> series = batches({9, 5, 1, 3, 1, 3, 1, 3, 1, 3});
  series[0] += 4;
  series[4] -= 4;
  series.insert(series.end(), 4, 1e9);
  CHECK(mser5(series) == std::size_t{10});
}

TEST_CASE("MSER-5 cuts three batches of two series given by formulas") {
  std::vector<double> step, ramp;
  for (int i = 0; i < 100; ++i) {
    step.push_back((i < 12 ? 40 : 20) + (7 * i) % 5);
    ramp.push_back(std::max(0, 30 - 2 * i) + 10 + i % 4);
  }
  CHECK(mser5(step) == std::size_t{15});
  CHECK(mser5(ramp) == std::size_t{15});
}

TEST_CASE("MSER-5 refuses none of a thousand series of noise") {
  const natgpu::Stream dice = natgpu::Streams(5, 0).open("test", "noise");
  for (std::uint32_t r = 0; r < 1000; ++r) {
    std::vector<double> series;
    for (std::uint32_t i = 0; i < 365; ++i) series.push_back(dice.unit(r, i));
    CHECK(mser5(series).has_value());
  }
}

TEST_CASE("MSER-5 cuts nothing from a series that begins as it goes on") {
  CHECK(mser5(batches(std::vector<double>(10, 7))) == std::size_t{0});
  CHECK(mser5(batches({1, 3, 1, 3, 1, 3, 1, 3, 1, 3})) == std::size_t{0});
}

TEST_CASE("MSER-5 refuses a series that settles in its second half, rises throughout or is short") {
  CHECK_FALSE(mser5(batches({9, 8, 9, 8, 9, 8, 1, 1, 1, 1, 1})).has_value());
  CHECK(mser5(batches({9, 8, 9, 8, 9, 1, 1, 1, 1, 1})) == std::size_t{25});  // half is not beyond half
  std::vector<double> rising;
  for (int i = 0; i < 200; ++i) rising.push_back(i);
  CHECK_FALSE(mser5(rising).has_value());
  CHECK_FALSE(mser5(std::vector<double>(49, 1.0)).has_value());
  CHECK(mser5(std::vector<double>(50, 1.0)).has_value());
}

TEST_CASE("MSER-5 finds the end of a start-up of known length in noise") {
  const natgpu::Stream dice = natgpu::Streams(3, 0).open("test", "warmup");
  for (std::uint32_t r = 0; r < 20; ++r) {
    std::vector<double> series;
    for (std::uint32_t i = 0; i < 1000; ++i) series.push_back((i < 150 ? 0 : 50) + 10 * dice.unit(r, i));
    const auto cut = mser5(series);
    REQUIRE(cut.has_value());
    CHECK(*cut >= 150);
    CHECK(*cut <= 200);
  }
}
