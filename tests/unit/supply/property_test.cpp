// SPDX-License-Identifier: Apache-2.0
// Laws of the fleet over seeded random buildouts, checked against what the test works out for itself.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/supply/failures.hpp>
#include <natgpu/supply/foreseen.hpp>

#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;

namespace {

constexpr double day_s = 86400;
const std::vector<Device> hardware = {device("h100", 1275), device("b200", 1787.5), device("gh200", 1000, 4)};

/// Uniform choices of one seeded case.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : stream_(seed), draw_(stream_, 0, 0) {}
  std::int64_t roll(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(draw_.unit() * static_cast<double>(high - low + 1));
  }
  Date date() {
    const int year = static_cast<int>(roll(2022, 2030));  // one by one: arguments are evaluated in any order
    const auto month = static_cast<unsigned>(roll(1, 12));
    return Date::of(year, month, static_cast<unsigned>(roll(1, 28)));
  }

 private:
  Stream stream_;
  Draw draw_;
};

Tranche random_tranche(Dice& dice, int i) {
  const char* where = dice.roll(0, 2) == 0 ? "b" : "a";
  const Device& what = hardware[static_cast<std::size_t>(dice.roll(0, 2))];
  Tranche t = tranche(fmt::format("t{}", i), where, what.name, dice.roll(1, 900));
  if (dice.roll(0, 2) == 0) t.ordered = dice.date();
  if (dice.roll(0, 4) == 0) t.delivered = dice.date();
  if (dice.roll(0, 1) == 0) t.in_service = dice.date();
  if (dice.roll(0, 5) == 0) t.until = dice.date();
  if (dice.roll(0, 5) == 0) t.origin = TrancheOrigin::lease;
  t.tender.failure = static_cast<double>(dice.roll(0, 10)) / 10;
  t.tender.round = Law::exponential(60 * day_s);
  t.delivery = Law::lognormal_median_sigma(120 * day_s, 0.5);
  t.commissioning = Law::uniform(30 * day_s, 120 * day_s);
  t.slip = dice.roll(0, 1) == 0 ? Law::constant(0) : Law::triangular(0, 30 * day_s, 300 * day_s);
  t.operator_share = static_cast<double>(dice.roll(0, 10)) / 10;
  t.public_share = static_cast<double>(dice.roll(0, 10)) / 10;
  t.service_life = days(dice.roll(1, 1826));
  return t;
}

Supply random_supply(std::uint64_t seed) {
  Dice dice(seed);
  Supply supply;
  supply.sites = {site("a", 1.3), site("b", 1.15)};
  Date from = Date::of(2022, 1, 1);
  const std::int64_t steps = dice.roll(0, 6), tranches = dice.roll(1, 8);
  for (std::int64_t i = 0; i < steps; ++i) {
    from.day += std::chrono::days(dice.roll(1, 500));
    GridStep g = step(from, static_cast<double>(dice.roll(0, 4'000'000)));
    g.approval = dice.roll(0, 2) == 0 ? 0.5 : 1.0;
    if (dice.roll(0, 2) == 0) g.slip = Law::exponential(200 * day_s);
    supply.sites[0].grid.push_back(g);
  }
  for (int i = 0; i < tranches; ++i) supply.tranches.push_back(random_tranche(dice, i));
  return supply;
}

std::int64_t all_of(const TrancheState& s) {
  return s.ordered + s.dark + s.installing + s.operator_own + s.outside_public + s.public_in_service +
         s.retired;
}

/// Oldest first: commissioned ones by their day, then the others; ties (and the others) as the fleet may
/// order them.
void check_lighting(const Fleet& fleet, const Supply& supply) {
  for (std::uint32_t young = 0; young < fleet.tranches(); ++young) {
    if (fleet.state(young).powered() == 0) continue;
    for (std::uint32_t old = 0; old < fleet.tranches(); ++old) {
      const bool same_site =
          fleet.pools()[fleet.pool_of(old)].site == fleet.pools()[fleet.pool_of(young)].site;
      const bool older = fleet.commissioned(old) && fleet.commissioned_at(old) < fleet.commissioned_at(young);
      if (same_site && older) REQUIRE(fleet.state(old).dark == 0);
    }
  }
  for (std::uint32_t t = 0; t < fleet.tranches(); ++t) {
    const std::int64_t lit = fleet.state(t).powered();
    const std::int64_t per_node = hardware[fleet.pools()[fleet.pool_of(t)].device].per_node;
    REQUIRE((lit % per_node == 0 || lit == supply.tranches[t].units));
  }
}

}  // namespace

TEST_CASE(
    "units are conserved, power is respected and changes add up after every event of random buildouts") {
  std::size_t events_seen = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    const Supply supply = random_supply(seed);
    Fleet fleet(hardware, supply);
    std::vector<TrancheState> before(fleet.tranches());
    double granted = supply.sites[0].grid.empty() ? 1e18 : 0;
    Instant last{};
    for (const SupplyEvent& event : timeline(hardware, supply, seed)) {
      ++events_seen;
      REQUIRE(event.at >= last);
      last = event.at;
      std::vector<std::int64_t> delta(fleet.tranches(), 0);
      for (const CapacityChange& c : fleet.apply(event)) {
        REQUIRE(c.pool == fleet.pool_of(c.tranche));
        delta[c.tranche] += c.delta;
      }
      if (event.kind == SupplyEventKind::grid) granted = event.amount;
      for (std::uint32_t t = 0; t < fleet.tranches(); ++t) {
        const TrancheState& s = fleet.state(t);
        REQUIRE((all_of(s) == 0 || all_of(s) == supply.tranches[t].units));
        REQUIRE(s.public_in_service - before[t].public_in_service == delta[t]);
        REQUIRE(s.public_in_service <=
                fleet.public_units_of(t) + 8);  // a smaller last node may fall to the operator
        before[t] = s;
      }
      REQUIRE(fleet.power_drawn_w(0) <= granted + 1);
      check_lighting(fleet, supply);
    }
  }
  CHECK(events_seen > 2000);
}

TEST_CASE("a timeline is the same when drawn again and its stages follow each other") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    const Supply supply = random_supply(seed);
    const auto events = timeline(hardware, supply, seed);
    const auto again = timeline(hardware, supply, seed);
    REQUIRE(events.size() == again.size());
    for (std::size_t i = 0; i < events.size(); ++i) REQUIRE(events[i].at == again[i].at);
    for (std::uint32_t t = 0; t < supply.tranches.size(); ++t) {
      const Instant commissioned = when(events, SupplyEventKind::commissioned, t);
      REQUIRE(when(events, SupplyEventKind::ordered, t) <= when(events, SupplyEventKind::delivered, t));
      REQUIRE(when(events, SupplyEventKind::delivered, t) <= commissioned);
      REQUIRE((commissioned == never || commissioned < when(events, SupplyEventKind::retired, t)));
    }
  }
}

TEST_CASE(
    "what is announced never leaves a pool with fewer than no units, and comes true where all is foreseen") {
  std::size_t announcements = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    const Supply supply = random_supply(seed);
    const auto events = timeline(hardware, supply, seed);
    const auto announced = announced_changes(hardware, supply, events);
    announcements += announced.size();
    Fleet fleet(hardware, supply);
    for (std::size_t i = 0; i < events.size(); ++i) {
      fleet.apply(events[i]);
      const Instant now = events[i].at;
      if (i + 1 < events.size() && events[i + 1].at == now) continue;
      std::map<std::uint32_t, std::int64_t> units;
      for (std::uint32_t t = 0; t < fleet.tranches(); ++t)
        units[fleet.pool_of(t)] += fleet.state(t).public_in_service;
      std::map<std::pair<Instant, std::uint32_t>, std::int64_t> to_come;
      for (const AnnouncedChange& a : announced) {
        REQUIRE(a.announced < a.at);
        if (a.announced <= now && a.at > now) to_come[{a.at, a.pool}] += a.delta;
      }
      for (const auto& [key, delta] : to_come) {
        units[key.second] += delta;
        REQUIRE(units[key.second] >= 0);
      }
      // Nothing unforeseen before the next instant: then the next instant brings what was announced.
      if (i + 1 == events.size() || !events[i + 1].foreseen) continue;
      Fleet next = fleet;
      bool all_foreseen = true;
      std::map<std::uint32_t, std::int64_t> real;
      for (std::size_t j = i + 1; j < events.size() && events[j].at == events[i + 1].at; ++j) {
        all_foreseen = all_foreseen && events[j].foreseen;
        for (const CapacityChange& c : next.apply(events[j])) real[c.pool] += c.delta;
      }
      if (!all_foreseen) continue;
      for (const auto& [pool, delta] : real) REQUIRE(to_come[{events[i + 1].at, pool}] == delta);
    }
  }
  CHECK(announcements > 300);
}

TEST_CASE("timelines and strikes have the same bytes under every compiler and optimisation") {
  Failures failures;
  failures.causes.resize(2);
  failures.causes[1].mtbf = days(30);
  failures.causes[1].repair = Law::lognormal_median_sigma(2 * 3600, 1);
  failures.early_life_factor = 2.5;
  Digest64 digest;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const SupplyEvent& e : timeline(hardware, random_supply(seed), seed)) {
      digest.add(static_cast<std::uint64_t>(e.at.time_since_epoch().count()));
      digest.add(static_cast<std::uint64_t>(e.kind) << 32 | e.subject);
    }
    Streams streams(seed, 0);
    const FailureModel model(failures, {streams.open("failures", "t")});
    for (std::uint32_t k = 0; k < 20; ++k) {
      const auto strike = model.next_strike(0, 3, k, Instant{} + days(10), Instant{});
      digest.add(static_cast<std::uint64_t>(strike.at.time_since_epoch().count()));
      digest.add(static_cast<std::uint64_t>(model.repair_time(0, 3, k, strike.cause).count()));
    }
  }
  CHECK(hex64(digest.value()) == "e9d10ab9c35ee135");
}
