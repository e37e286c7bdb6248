// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/ensure.hpp>

#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;
using Kind = SupplyEventKind;

namespace {

const std::vector<Device> hardware = {device("h100", 1000), device("b200", 2000, 4)};

SupplyEvent event(Kind kind, std::uint32_t subject, Instant at = Instant{}, double amount = 0) {
  SupplyEvent e;
  e.at = at;
  e.kind = kind;
  e.subject = subject;
  e.amount = amount;
  return e;
}

void commission(Fleet& fleet, std::uint32_t tranche, Instant at) {
  fleet.apply(event(Kind::ordered, tranche, at));
  fleet.apply(event(Kind::delivered, tranche, at));
  fleet.apply(event(Kind::commissioned, tranche, at));
}

Supply at_one_site(std::vector<Tranche> tranches, bool limited = true) {
  Supply supply;
  supply.sites = {site("a", 1.25)};
  if (limited)
    supply.sites[0].grid = {step(Date::of(2020, 1, 1), 0)};  // the tests apply the power themselves
  supply.tranches = std::move(tranches);
  return supply;
}

}  // namespace

TEST_CASE("a tranche passes through ordered, dark or installing, in service and retired") {
  const Supply supply = at_one_site({tranche("t", "a", "h100", 16)}, false);
  Fleet fleet(hardware, supply);
  CHECK(fleet.apply(event(Kind::ordered, 0)).empty());
  CHECK(fleet.state(0).ordered == 16);
  CHECK(fleet.apply(event(Kind::delivered, 0)).empty());
  CHECK(fleet.state(0).installing == 16);
  CHECK(fleet.state(0).ordered == 0);
  const auto gained = fleet.apply(event(Kind::commissioned, 0, Instant{} + days(3)));
  REQUIRE(gained.size() == 1);
  CHECK(gained[0].delta == 16);
  CHECK(fleet.state(0).public_in_service == 16);
  CHECK(fleet.commissioned(0));
  CHECK(fleet.commissioned_at(0) == Instant{} + days(3));
  const auto lost = fleet.apply(event(Kind::retired, 0));
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].delta == -16);
  CHECK(fleet.state(0).retired == 16);
  CHECK(fleet.state(0).delivered() == 0);
  CHECK_FALSE(fleet.commissioned(0));
}

TEST_CASE("a stage that is skipped or repeated is our own fault") {
  const Supply supply = at_one_site({tranche("t", "a", "h100", 16)}, false);
  Fleet fleet(hardware, supply);
  CHECK_THROWS_AS(fleet.apply(event(Kind::delivered, 0)), InvariantError);
  fleet.apply(event(Kind::ordered, 0));
  CHECK_THROWS_AS(fleet.apply(event(Kind::ordered, 0)), InvariantError);
  CHECK_THROWS_AS(fleet.apply(event(Kind::retired, 0)), InvariantError);
  CHECK_THROWS_AS(fleet.apply(event(Kind::ordered, 1)), InvariantError);
}

TEST_CASE("power is nameplate times PUE, in whole nodes") {
  const Supply supply = at_one_site({tranche("t", "a", "h100", 24)});
  Fleet fleet(hardware, supply);
  commission(fleet, 0, Instant{});
  CHECK(fleet.state(0).dark == 24);
  fleet.apply(event(Kind::grid, 0, Instant{}, 9'999));  // a node takes 8 x 1,000 x 1.25 = 10,000 W
  CHECK(fleet.state(0).dark == 24);
  fleet.apply(event(Kind::grid, 0, Instant{}, 10'000));
  CHECK(fleet.state(0).public_in_service == 8);
  CHECK(fleet.state(0).dark == 16);
  fleet.apply(event(Kind::grid, 0, Instant{}, 29'999));
  CHECK(fleet.state(0).public_in_service == 16);
  CHECK(fleet.power_drawn_w(0) == 20'000);
  fleet.apply(event(Kind::grid, 0, Instant{}, 1e9));
  CHECK(fleet.state(0).public_in_service == 24);
}

TEST_CASE("a grid step stated as the product of nodes, power and PUE lights them all") {
  const std::vector<Device> odd = {device("odd", 1787.5)};
  for (int pue_percent = 101; pue_percent <= 160; ++pue_percent) {
    Supply supply = at_one_site({tranche("t", "a", "odd", 8 * 31), tranche("u", "a", "odd", 8 * 637)});
    supply.sites[0].pue = pue_percent / 100.0;
    Fleet fleet(odd, supply);
    commission(fleet, 0, Instant{});
    commission(fleet, 1, Instant{} + days(1));
    for (int nodes = 32; nodes <= 668; nodes += 7) {
      const double watts = (8.0 * 17'875 * pue_percent * nodes) / 1000;  // whole numbers until the last step
      fleet.apply(event(Kind::grid, 0, Instant{}, watts));
      INFO("PUE " << pue_percent << " %, nodes " << nodes);
      REQUIRE(fleet.state(0).public_in_service + fleet.state(1).public_in_service == 8 * nodes);
    }
  }
}

TEST_CASE("the last node of a tranche may be smaller than the others") {
  const Supply supply = at_one_site({tranche("t", "a", "h100", 12)});
  Fleet fleet(hardware, supply);
  commission(fleet, 0, Instant{});
  fleet.apply(event(Kind::grid, 0, Instant{}, 14'999));
  CHECK(fleet.state(0).public_in_service == 8);
  fleet.apply(event(Kind::grid, 0, Instant{}, 15'000));
  CHECK(fleet.state(0).public_in_service == 12);
}

TEST_CASE("the oldest tranche is lit first and the newest goes dark first") {
  const Supply supply = at_one_site({tranche("new", "a", "h100", 16), tranche("old", "a", "h100", 16)});
  Fleet fleet(hardware, supply);
  commission(fleet, 1, Instant{});
  commission(fleet, 0, Instant{} + days(1));
  fleet.apply(event(Kind::grid, 0, Instant{}, 30'000));
  CHECK(fleet.state(1).public_in_service == 16);
  CHECK(fleet.state(0).public_in_service == 8);
  const auto lost = fleet.apply(event(Kind::grid, 0, Instant{}, 10'000));
  REQUIRE(lost.size() == 2);  // in the order of the file
  CHECK(lost[0].tranche == 0);
  CHECK(lost[0].delta == -8);
  CHECK(lost[1].tranche == 1);
  CHECK(lost[1].delta == -8);
}

TEST_CASE("tranches of one age are lit in the order of the file, history by its own days") {
  const Supply supply = at_one_site({tranche("first", "a", "h100", 8), tranche("second", "a", "h100", 8)});
  Fleet even(hardware, supply);
  commission(even, 1, Instant{});
  commission(even, 0, Instant{});
  even.apply(event(Kind::grid, 0, Instant{}, 10'000));
  CHECK(even.state(0).public_in_service == 8);
  CHECK(even.state(1).dark == 8);

  Fleet historic(hardware, supply);
  commission(historic, 0, Instant{});
  historic.apply(event(Kind::ordered, 1));
  historic.apply(event(Kind::delivered, 1));
  SupplyEvent long_ago = event(Kind::commissioned, 1);
  long_ago.since = Instant{} - days(100);
  historic.apply(long_ago);
  historic.apply(event(Kind::grid, 0, Instant{}, 10'000));
  CHECK(historic.state(0).dark == 8);
  CHECK(historic.state(1).public_in_service == 8);
  CHECK(historic.commissioned_at(1) == Instant{} - days(100));
}

TEST_CASE("what is in service is lit before what is being installed") {
  const Supply supply = at_one_site({tranche("early", "a", "h100", 8), tranche("quick", "a", "h100", 8)});
  Fleet fleet(hardware, supply);
  fleet.apply(event(Kind::grid, 0, Instant{}, 10'000));
  fleet.apply(event(Kind::ordered, 0));
  fleet.apply(event(Kind::delivered, 0));
  CHECK(fleet.state(0).installing == 8);
  commission(fleet, 1, Instant{} + days(10));
  CHECK(fleet.state(0).dark == 8);
  CHECK(fleet.state(1).public_in_service == 8);
}

TEST_CASE("while an older tranche waits for power no younger one is lit") {
  const Supply supply = at_one_site({tranche("big", "a", "b200", 8), tranche("small", "a", "h100", 8)});
  Fleet fleet(hardware, supply);
  commission(fleet, 0, Instant{});
  commission(fleet, 1, Instant{} + days(1));
  fleet.apply(
      event(Kind::grid, 0, Instant{}, 19'000));  // one node of the older, and 9,000 W that would not do
  CHECK(fleet.state(0).public_in_service == 4);
  CHECK(fleet.state(1).dark == 8);
}

TEST_CASE("retirement hands its power to the next tranche") {
  const Supply supply = at_one_site({tranche("old", "a", "h100", 8), tranche("new", "a", "b200", 4)});
  Fleet fleet(hardware, supply);
  fleet.apply(event(Kind::grid, 0, Instant{}, 10'000));
  commission(fleet, 0, Instant{});
  commission(fleet, 1, Instant{} + days(1));
  CHECK(fleet.state(1).dark == 4);
  const auto changes = fleet.apply(event(Kind::retired, 0, Instant{} + days(2)));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].delta == -8);
  CHECK(changes[1].delta == 4);
  CHECK(changes[0].pool != changes[1].pool);
}

TEST_CASE("sites do not share power, and a site without a grid has no limit") {
  Supply supply = at_one_site({tranche("t", "a", "h100", 8), tranche("u", "b", "h100", 8000)});
  supply.sites.push_back(site("b", 2));
  Fleet fleet(hardware, supply);
  commission(fleet, 0, Instant{});
  commission(fleet, 1, Instant{});
  CHECK(fleet.state(0).dark == 8);
  CHECK(fleet.state(1).public_in_service == 8000);
  CHECK(fleet.pools().size() == 2);
}

TEST_CASE("pools are sites by devices, and tranches of the same kind share one") {
  Supply supply = at_one_site(
      {tranche("b", "a", "b200", 4), tranche("h1", "a", "h100", 8), tranche("h2", "a", "h100", 8)});
  const Fleet fleet(hardware, supply);
  REQUIRE(fleet.pools().size() == 2);
  CHECK(fleet.pool_of(1) == 0);
  CHECK(fleet.pool_of(2) == 0);
  CHECK(fleet.pool_of(0) == 1);
  CHECK(fleet.pools()[1].device == 1);
}

TEST_CASE("the operator and the public have their shares in whole nodes") {
  Tranche t = tranche("t", "a", "h100", 80);
  t.operator_share = 0.2;
  t.public_share = 0.25;
  const Supply supply = at_one_site({t});
  Fleet fleet(hardware, supply);
  CHECK(fleet.public_units_of(0) == 16);  // 10 nodes: 2 of the operator; of the other 8 a quarter
  commission(fleet, 0, Instant{});
  fleet.apply(event(Kind::grid, 0, Instant{}, 1e6));
  CHECK(fleet.state(0).operator_own == 16);
  CHECK(fleet.state(0).outside_public == 48);
  CHECK(fleet.state(0).public_in_service == 16);
  fleet.apply(event(Kind::grid, 0, Instant{}, 50'000));  // 5 nodes: 1, and a quarter of 4
  CHECK(fleet.state(0).operator_own == 8);
  CHECK(fleet.state(0).outside_public == 24);
  CHECK(fleet.state(0).public_in_service == 8);
  CHECK(fleet.state(0).dark == 40);
}

TEST_CASE("another node lit takes none from anybody, whatever the shares") {
  for (int a = 0; a <= 20; ++a) {
    for (int b = 0; b <= 20; ++b) {
      Tranche t = tranche("t", "a", "h100", 8 * 60);
      t.operator_share = a / 20.0;
      t.public_share = b / 20.0;
      const Supply supply = at_one_site({t});
      Fleet fleet(hardware, supply);
      commission(fleet, 0, Instant{});
      TrancheState before;
      for (int nodes = 1; nodes <= 60; ++nodes) {
        fleet.apply(event(Kind::grid, 0, Instant{}, 10'000.0 * nodes));
        const TrancheState& now = fleet.state(0);
        REQUIRE(now.operator_own >= before.operator_own);
        REQUIRE(now.outside_public >= before.outside_public);
        REQUIRE(now.public_in_service >= before.public_in_service);
        before = now;
      }
    }
  }
}

TEST_CASE("a budget buys whole nodes") {
  Device d = device("h100", 1000);
  d.price_krw = 111e6;
  Tranche t = tranche("t", "a", "h100", 0);
  t.budget_krw = 1.46e12;           // 2025: the plan's money at the price paid, FACTS section 5
  CHECK(units_of(t, d) == 13'152);  // 1,644 nodes of 888 m; 13,136 were bought
  t.budget_krw = 888e6;
  CHECK(units_of(t, d) == 8);
  t.budget_krw = 887e6;
  CHECK(units_of(t, d) == 0);
  d.price_krw = 0;
  CHECK(units_of(t, d) == 0);
  t.units = 12;
  CHECK(units_of(t, d) == 12);
}
