// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/foreseen.hpp>

#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;

namespace {

const std::vector<Device> hardware = {device("h100", 1000)};

}  // namespace

TEST_CASE("a retirement is announced when the tranche enters service") {
  Supply supply;
  supply.sites = {site("a")};
  supply.tranches = {pinned("t", "a", "h100", 16, Date::of(2026, 1, 1))};
  supply.tranches[0].operator_share = 0.5;
  supply.tranches[0].service_life = days(365);
  const auto announced = announced_changes(hardware, supply, timeline(hardware, supply));
  REQUIRE(announced.size() == 1);
  CHECK(announced[0].announced == day(2026, 1, 1));
  CHECK(announced[0].at == day(2027, 1, 1));
  CHECK(announced[0].delta == -8);
}

TEST_CASE("a loss of power corrects what the retirement will take") {
  Supply supply;
  supply.sites = {site("a")};
  supply.sites[0].grid = {step(Date::of(2020, 1, 1), 16'000), step(Date::of(2026, 3, 1), 8'000)};
  supply.sites[0].grid[1].slip = Law::constant(86400);  // so nobody foresees it
  supply.tranches = {pinned("t", "a", "h100", 16, Date::of(2026, 1, 1))};
  supply.tranches[0].service_life = days(365);
  const auto announced = announced_changes(hardware, supply, timeline(hardware, supply));
  REQUIRE(announced.size() == 2);
  CHECK(announced[0].delta == -16);
  CHECK(announced[1].announced == day(2026, 3, 2));
  CHECK(announced[1].at == day(2027, 1, 1));
  CHECK(announced[1].delta == 8);
}

TEST_CASE("a certain grid step is announced from the start, with what it will light or put out") {
  Supply supply;
  supply.sites = {site("a")};
  supply.sites[0].grid = {step(Date::of(2020, 1, 1), 16'000), step(Date::of(2026, 3, 1), 8'000)};
  supply.tranches = {pinned("t", "a", "h100", 24, Date::of(2024, 1, 1))};
  const auto announced = announced_changes(hardware, supply, timeline(hardware, supply));
  REQUIRE(announced.size() == 2);
  CHECK(announced[0].announced == Instant{});
  CHECK(announced[0].at == day(2026, 3, 1));
  CHECK(announced[0].delta == -8);
  CHECK(announced[1].at == day(2024, 1, 1) + days(1826));
  CHECK(announced[1].delta == -8);
}

TEST_CASE("maintenance windows cover the horizon, one under way at the start included") {
  Supply supply;
  supply.sites = {site("a"), site("b")};
  supply.maintenance = {windows("m", "b", days(10), days(2))};
  supply.maintenance[0].first = Date::of(2024, 12, 31);
  supply.maintenance[0].share = 0.1;
  const auto first = maintenance_windows(supply, calendar, day(2025, 1, 30));
  REQUIRE(first.size() == 3);
  CHECK(first[0].site == 1);
  CHECK(first[0].from == Instant{});
  CHECK(first[0].until == day(2025, 1, 2));
  CHECK(first[1].from == day(2025, 1, 10));
  CHECK(first[2].from == day(2025, 1, 20));
  CHECK(first[2].share == 0.1);

  supply.maintenance[0].first = Date::of(2020, 1, 1);  // 1,827 days before: windows open on days 3, 13, 23
  const auto later = maintenance_windows(supply, calendar, day(2025, 1, 14));
  REQUIRE(later.size() == 1);
  CHECK(later[0].from == day(2025, 1, 4));
  supply.maintenance[0].first = Date::never();
  CHECK(maintenance_windows(supply, calendar, day(2025, 1, 30)).empty());
}

TEST_CASE("a window takes whole nodes") {
  CHECK(maintenance_units(800, 8, 0.05) == 40);
  CHECK(maintenance_units(80, 8, 0.05) == 8);
  CHECK(maintenance_units(72, 8, 0.05) == 0);
  CHECK(maintenance_units(12, 8, 1) == 12);
  CHECK(maintenance_units(0, 8, 1) == 0);
}
