// SPDX-License-Identifier: Apache-2.0
// Measures of a whole run whose answers are known beforehand: where capacity stands, what it draws, whose
// log.
#include <string>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// Ten days of nothing: 4 GPUs of one model in the east, 2 of it and 3 of another in the west.
const char* const two_sites =
    "schema: natgpu/1\nname: places\nhorizon: {start: 2026-01-01, end: 2026-01-11}\n"
    "hardware:\n"
    "  - {name: small, bf16: 989.4 TFLOP/s, fp8: 2000 TFLOP/s, per_node: 1, power: 1 kW, idle_power: 100 W}\n"
    "  - {name: large, bf16: 1978.8 TFLOP/s, per_node: 1, power: 2 kW, idle_power: 200 W}\n"
    "supply:\n  sites: [{name: east, pue: 1}, {name: west, pue: 1.5}]\n"
    "  tranches:\n"
    "    - {name: a, site: east, device: small, units: 4 GPU, in_service: 2026-01-01}\n"
    "    - {name: b, site: west, device: small, units: 2 GPU, in_service: 2026-01-01}\n"
    "    - {name: c, site: west, device: large, units: 3 GPU, in_service: 2026-01-01}\n"
    "demand:\n  sectors: [{name: users, organisations: 0}]\n";

}  // namespace

TEST_CASE("stocks are given for the nation, by site and by model") {
  const auto record = simulation::simulate(scenario_of(two_sites), {});
  const auto units = [&](const std::string& where) {
    return value_of(record, "capacity.units", "at=2026-01-10;" + where);
  };
  for (const char* state : {"state=public", "state=up"}) {
    INFO(state);
    CHECK(units(state) == 9);
    CHECK(units(std::string("site=east;") + state) == 4);
    CHECK(units(std::string("site=west;") + state) == 5);
    CHECK(units(std::string("gpu=small;") + state) == 6);
    CHECK(units(std::string("gpu=large;") + state) == 3);
  }
  CHECK(units("site=west;state=allocated") == 0);
  CHECK(value_of(record, "capacity.h100e", "at=2026-01-10;site=west;state=public") == Approx(2 + 2 * 3));
  CHECK(value_of(record, "capacity.eflops", "at=2026-01-10;state=public;reading=fp8") ==
        Approx(6 * 2000e12 / 1e18));
}

TEST_CASE("what idles draws its idle power, at each site with its PUE") {
  const auto record = simulation::simulate(scenario_of(two_sites), {});
  const double east = 240 * 4 * 100 / 1e6, west = 240 * (2 * 100 + 3 * 200) * 1.5 / 1e6;
  CHECK(value_of(record, "energy.mwh", "period=all;site=east") == Approx(east));
  CHECK(value_of(record, "energy.mwh", "period=2026;site=west") == Approx(west));
  CHECK(value_of(record, "energy.mwh", "period=all") == Approx(east + west));
}
