// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/time.hpp>

#include "catch.hpp"

using natgpu::Duration;
using natgpu::ticks_from_seconds;

TEST_CASE("sampled seconds are rounded once, to at least one tick") {
  CHECK(ticks_from_seconds(1.0) == natgpu::seconds(1));
  CHECK(ticks_from_seconds(2.4e-6) == Duration{2});
  CHECK(ticks_from_seconds(2.6e-6) == Duration{3});
  CHECK(ticks_from_seconds(1e-9) == natgpu::one_tick);
  CHECK(ticks_from_seconds(0.0) == natgpu::one_tick);
  CHECK(ticks_from_seconds(-5.0) == natgpu::one_tick);
  CHECK(ticks_from_seconds(9.1e12) == Duration{9'100'000'000'000'000'000});
}

TEST_CASE("a time that no tick count can hold is our mistake") {
  CHECK_THROWS_AS(ticks_from_seconds(9.3e12), natgpu::InvariantError);
  CHECK_THROWS_AS(ticks_from_seconds(std::nan("")), natgpu::InvariantError);
  CHECK_THROWS_AS(ticks_from_seconds(std::numeric_limits<double>::infinity()), natgpu::InvariantError);
}

TEST_CASE("a broken invariant names itself and its place") {
  try {
    NATGPU_ENSURE(1 + 1 == 3, "sums are right");
    FAIL("no error");
  } catch (const natgpu::InvariantError& error) {
    CHECK(std::string(error.what()).find("sums are right") != std::string::npos);
    CHECK(std::string(error.what()).find("time_test.cpp:") != std::string::npos);
  }
}
