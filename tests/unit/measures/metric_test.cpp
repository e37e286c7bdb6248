// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/ensure.hpp>
#include <natgpu/measures/metric.hpp>

#include "catch.hpp"

using namespace natgpu;
using measures::to_string;

TEST_CASE("labels print in their canonical order") {
  CHECK(to_string(measures::Labels{}).empty());
  CHECK(to_string({{"period", "2027"}, {"sector", "sme"}}) == "period=2027;sector=sme");
  CHECK(to_string({{"at", "2030-12-31"}, {"gpu", "B200"}, {"reading", "h100e"}}) ==
        "at=2030-12-31;gpu=B200;reading=h100e");
}

TEST_CASE("labels with an unknown, repeated or misplaced key are our own fault") {
  CHECK_THROWS_AS(to_string({{"colour", "red"}}), InvariantError);
  CHECK_THROWS_AS(to_string({{"site", "a"}, {"site", "b"}}), InvariantError);
  CHECK_THROWS_AS(to_string({{"sector", "sme"}, {"period", "2027"}}), InvariantError);
}
