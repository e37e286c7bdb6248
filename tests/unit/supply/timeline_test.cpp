// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <tuple>

#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;
using Kind = SupplyEventKind;

namespace {

const std::vector<Device> hardware = {device("h100", 1000)};
constexpr double day_s = 86400;

Supply one(const Tranche& t) {
  Supply supply;
  supply.sites = {site("a")};
  supply.tranches = {t};
  return supply;
}

std::vector<SupplyEvent> events_of(const Tranche& t, std::uint32_t replication = 0) {
  return timeline(hardware, one(t), 1, replication);
}

}  // namespace

TEST_CASE("a call leads through award, delivery and commissioning to service, each by its law") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.ordered = Date::of(2025, 2, 1);
  t.tender.round = Law::constant(30 * day_s);
  t.delivery = Law::constant(120 * day_s);
  t.commissioning = Law::constant(60 * day_s);
  t.slip = Law::constant(7 * day_s);
  t.service_life = days(1000);
  const auto events = events_of(t);
  const Instant call = day(2025, 2, 1);
  CHECK(when(events, Kind::ordered) == call + days(30));
  CHECK(when(events, Kind::delivered) == call + days(150));
  CHECK(when(events, Kind::commissioned) == call + days(217));
  CHECK(when(events, Kind::retired) == call + days(1217));
  CHECK(events.size() == 4);
}

TEST_CASE("a stated day of service is pinned but for its slip, and the stages before it are set back") {
  Tranche t = pinned("t", "a", "h100", 8, Date::of(2026, 3, 1));
  t.delivery = Law::constant(120 * day_s);
  t.commissioning = Law::constant(90 * day_s);
  t.slip = Law::constant(10 * day_s);
  const auto events = events_of(t);
  CHECK(when(events, Kind::commissioned) == day(2026, 3, 11));
  CHECK(when(events, Kind::delivered) == day(2026, 3, 1) - days(90));
  CHECK(when(events, Kind::ordered) == day(2026, 3, 1) - days(210));
}

TEST_CASE("a stated delivery is pinned whatever the law of delivery says") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.ordered = Date::of(2025, 8, 1);
  t.delivered = Date::of(2025, 12, 1);
  t.delivery = Law::constant(10 * day_s);
  t.commissioning = Law::constant(90 * day_s);
  const auto events = events_of(t);
  CHECK(when(events, Kind::ordered) == day(2025, 8, 1));
  CHECK(when(events, Kind::delivered) == day(2025, 12, 1));
  CHECK(when(events, Kind::commissioned) == day(2025, 12, 1) + days(90));
}

TEST_CASE("a drawn stage never passes a later stated one") {
  Tranche t = pinned("t", "a", "h100", 8, Date::of(2026, 1, 1));
  t.ordered = Date::of(2025, 10, 1);
  t.delivery = Law::constant(400 * day_s);
  auto events = events_of(t);
  CHECK(when(events, Kind::ordered) == day(2025, 10, 1));
  CHECK(when(events, Kind::delivered) == day(2026, 1, 1));
  t.tender.failure = 1;  // all rounds fail, and yet it is known to have come
  events = events_of(t);
  CHECK(when(events, Kind::ordered) == day(2026, 1, 1));
  CHECK(when(events, Kind::commissioned) == day(2026, 1, 1));
}

TEST_CASE("a tranche without a date, or one whose every round fails, never comes") {
  Tranche t = tranche("t", "a", "h100", 8);
  CHECK(events_of(t).empty());
  t.ordered = Date::of(2025, 2, 1);
  t.tender.failure = 1;
  CHECK(events_of(t).empty());
}

TEST_CASE("the slip of a pinned day is drawn from its law") {
  Tranche t = pinned("t", "a", "h100", 8, Date::of(2026, 3, 1));
  t.slip = Law::triangular(0, 30 * day_s, 90 * day_s);
  double sum = 0;
  const std::uint32_t n = 4000;
  for (std::uint32_t r = 0; r < n; ++r) {
    const double slip = in_seconds(when(events_of(t, r), Kind::commissioned) - day(2026, 3, 1)) / day_s;
    REQUIRE(slip >= 0);
    REQUIRE(slip <= 90);
    sum += slip;
  }
  const double sd = std::sqrt((30. * 30 + 90. * 90 - 30. * 90) / 18);  // of the triangular law
  CHECK(std::abs(sum / n - 40) < 4 * sd / std::sqrt(static_cast<double>(n)));
}

TEST_CASE("tender rounds are geometric and end after max_rounds") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.ordered = Date::of(2025, 1, 1);
  t.tender.failure = 0.25;
  t.tender.round = Law::constant(day_s);
  t.tender.max_rounds = 3;
  const double n = 20000;
  double count[4] = {0, 0, 0, 0};  // 0: never
  for (std::uint32_t r = 0; r < n; ++r) {
    const Instant ordered = when(events_of(t, r), Kind::ordered);
    const auto rounds = ordered == never ? 0 : (ordered - Instant{}) / days(1);
    REQUIRE(rounds <= 3);
    ++count[rounds];
  }
  const double expected[4] = {0.25 * 0.25 * 0.25, 0.75, 0.25 * 0.75, 0.25 * 0.25 * 0.75};
  for (int i = 0; i < 4; ++i) {
    INFO("rounds " << i);
    CHECK(std::abs(count[i] / n - expected[i]) < 4 * std::sqrt(expected[i] * (1 - expected[i]) / n));
  }
}

TEST_CASE("a longer delivery law or another tranche moves no other draw") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.ordered = Date::of(2025, 1, 1);
  t.tender.failure = 0.5;
  t.tender.round = Law::exponential(30 * day_s);
  t.commissioning = Law::exponential(30 * day_s);
  const auto plain = events_of(t, 3);
  Tranche slower = t;
  slower.delivery = Law::exponential(100 * day_s);
  const auto changed = events_of(slower, 3);
  CHECK(when(changed, Kind::ordered) == when(plain, Kind::ordered));
  CHECK(when(changed, Kind::commissioned) - when(changed, Kind::delivered) ==
        when(plain, Kind::commissioned) - when(plain, Kind::delivered));
  Supply two = one(t);
  Tranche other = slower;
  other.name = "other";
  two.tranches.insert(two.tranches.begin(), other);
  CHECK(when(timeline(hardware, two, 1, 3), Kind::commissioned, 1) == when(plain, Kind::commissioned));
}

TEST_CASE("a lease is there between two days without order or delivery") {
  Tranche t = pinned("t", "a", "h100", 8, Date::of(2025, 6, 1));
  t.origin = TrancheOrigin::lease;
  t.until = Date::of(2026, 6, 1);
  t.delivery = Law::constant(400 * day_s);
  const auto events = events_of(t);
  CHECK(when(events, Kind::ordered) == day(2025, 6, 1));
  CHECK(when(events, Kind::delivered) == day(2025, 6, 1));
  CHECK(when(events, Kind::commissioned) == day(2025, 6, 1));
  CHECK(when(events, Kind::retired) == day(2026, 6, 1));
  t.slip = Law::constant(400 * day_s);  // would begin after its end
  CHECK(events_of(t).empty());
}

TEST_CASE("history is applied at the start in the order in which it happened") {
  Supply supply;
  supply.sites = {site("a")};
  supply.sites[0].grid = {step(Date::of(2020, 1, 1), 1e6), step(Date::of(2022, 1, 1), 2e6),
                          step(Date::of(2026, 1, 1), 3e6)};
  supply.tranches = {pinned("young", "a", "h100", 8, Date::of(2024, 1, 1)),
                     pinned("old", "a", "h100", 8, Date::of(2023, 1, 1))};
  const auto events = timeline(hardware, supply);
  REQUIRE(events.size() == 10);
  CHECK(events[0].kind == Kind::grid);
  CHECK(events[0].amount == 2e6);  // the earlier step is of no consequence any more
  CHECK(events[1].subject == 1);
  CHECK(events[3].kind == Kind::commissioned);
  CHECK(events[3].since == day(2023, 1, 1));
  CHECK(events[4].subject == 0);
  for (int i = 0; i < 7; ++i) CHECK(events[static_cast<std::size_t>(i)].at == Instant{});
  CHECK(events[7].kind == Kind::grid);
  CHECK(events[7].at == day(2026, 1, 1));
  CHECK(when(events, Kind::retired, 1) == day(2023, 1, 1) + days(1826));
}

TEST_CASE("what was retired before the start leaves only its trace at the start") {
  Supply supply = one(pinned("t", "a", "h100", 8, Date::of(2015, 1, 1)));
  const Fleet fleet = fleet_at(hardware, supply, timeline(hardware, supply), Instant{});
  CHECK(fleet.state(0).retired == 8);
  CHECK(fleet.state(0).delivered() == 0);
}

TEST_CASE("a refused grid step never comes and a late one does not undo its successor") {
  Supply supply;
  supply.sites = {site("a")};
  auto& grid = supply.sites[0].grid;
  grid = {step(Date::of(2025, 2, 1), 1e6), step(Date::of(2025, 6, 1), 2e6), step(Date::of(2026, 1, 1), 3e6)};
  grid[1].approval = 0;
  auto events = timeline(hardware, supply);
  REQUIRE(events.size() == 2);
  CHECK(events[1].amount == 3e6);
  grid[1].approval = 1;
  grid[1].slip = Law::constant(400 * day_s);  // after the third
  events = timeline(hardware, supply);
  REQUIRE(events.size() == 2);
  CHECK(events[1].amount == 3e6);
  CHECK(events[1].foreseen);
  grid[2].slip = Law::constant(day_s);
  CHECK_FALSE(timeline(hardware, supply).back().foreseen);
}

TEST_CASE("half of the grid steps with an approval chance of one half come") {
  Supply supply;
  supply.sites = {site("a")};
  supply.sites[0].grid = {step(Date::of(2025, 2, 1), 1e6)};
  supply.sites[0].grid[0].approval = 0.5;
  const double n = 4000;
  double come = 0;
  for (std::uint32_t r = 0; r < n; ++r) come += static_cast<double>(timeline(hardware, supply, 1, r).size());
  CHECK(std::abs(come / n - 0.5) < 4 * 0.5 / std::sqrt(n));
}
