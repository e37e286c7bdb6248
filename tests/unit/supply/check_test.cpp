// SPDX-License-Identifier: Apache-2.0
#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;

namespace {

const std::vector<Device> hardware = {device("h100", 1000)};

/// The paths of what is wrong with a buildout at site "a".
std::vector<std::string> wrong(const Tranche& t) {
  Supply supply;
  supply.sites = {site("a")};
  supply.tranches = {t};
  std::vector<std::string> paths;
  for (const Finding& f : check(hardware, supply)) paths.push_back(f.path);
  return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound buildout has no findings") {
  CHECK(wrong(pinned("t", "a", "h100", 80, Date::of(2026, 1, 1))).empty());
  CHECK(wrong(tranche("t", "a", "h100", 80)).empty());  // never comes, which a policy may want
}

TEST_CASE("a tranche has units or a budget, and the budget buys at least a node") {
  CHECK(wrong(tranche("t", "a", "h100", 0)) == Paths{"supply.tranches[t]"});
  Tranche both = tranche("t", "a", "h100", 8);
  both.budget_krw = 1e12;
  CHECK(wrong(both) == Paths{"supply.tranches[t].budget"});
  Tranche unpriced = tranche("t", "a", "h100", 0);
  unpriced.budget_krw = 1e12;
  CHECK(wrong(unpriced) == Paths{"supply.tranches[t].budget"});

  Supply supply;
  supply.sites = {site("a")};
  supply.tranches = {unpriced};
  std::vector<Device> priced = hardware;
  priced[0].price_krw = 2e11;  // a node costs 1.6 tn
  REQUIRE(check(priced, supply).size() == 1);
  CHECK(check(priced, supply)[0].message.find("one node of 8 h100") != std::string::npos);
}

TEST_CASE("the dates of a tranche follow each other") {
  Tranche t = pinned("t", "a", "h100", 8, Date::of(2026, 1, 1));
  t.delivered = Date::of(2026, 2, 1);
  CHECK(wrong(t) == Paths{"supply.tranches[t].in_service"});
  t.delivered = Date::never();
  t.until = Date::of(2026, 1, 1);
  CHECK(wrong(t) == Paths{"supply.tranches[t].until"});
}

TEST_CASE("a lease needs its first day and its end") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.origin = TrancheOrigin::lease;
  t.ordered = Date::of(2025, 6, 1);
  CHECK(wrong(t) == Paths{"supply.tranches[t].in_service", "supply.tranches[t].until"});
}

TEST_CASE("an unknown scope is named with its nearest") {
  Tranche t = tranche("t", "a", "h100", 8);
  t.scope = "gov_purchas";
  Supply supply;
  supply.sites = {site("a")};
  supply.tranches = {t};
  REQUIRE(check(hardware, supply).size() == 1);
  CHECK(check(hardware, supply)[0].path == "supply.tranches[t].scope");
  CHECK(check(hardware, supply)[0].help == "did you mean `gov_purchase`?");
}

TEST_CASE(
    "grid steps and prices stand in the order of their dates, windows do not overlap, idle is below full") {
  Supply supply;
  supply.sites = {site("a")};
  supply.sites[0].grid = {step(Date::of(2026, 1, 1), 1e6), step(Date::of(2025, 1, 1), 2e6)};
  supply.sites[0].power_price.resize(2);
  supply.maintenance = {windows("m", "a", hours(10), hours(11))};
  std::vector<Device> hot = hardware;
  hot[0].idle_power_w = 1001;
  Paths paths;
  for (const Finding& f : check(hot, supply)) paths.push_back(f.path);
  CHECK(paths == Paths{"hardware[h100].idle_power", "supply.sites[a].grid", "supply.sites[a].power_price",
                       "supply.maintenance[m].length"});
}
