// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <set>

#include <natgpu/demand/population.hpp>

#include "catch.hpp"
#include "example.hpp"

namespace {

using natgpu::in_seconds;
using natgpu::Law;
using natgpu::Streams;
using natgpu::demand::Demand;
using natgpu::demand::draw_population;
using natgpu::demand::Organisation;
using natgpu::demand::Population;

Population draw(const Demand& demand, std::uint64_t seed = 11) {
  Streams streams(seed, 0);
  return draw_population(demand, streams);
}

/// Mean over the organisations of one sector.
double mean(const Population& p, std::size_t sector,
            const std::function<double(const Organisation&)>& value) {
  double sum = 0;
  for (std::uint32_t i = p.first_of_sector[sector]; i < p.first_of_sector[sector + 1]; ++i)
    sum += value(p.organisations[i]);
  return sum / (p.first_of_sector[sector + 1] - p.first_of_sector[sector]);
}

bool same_draws(const Organisation& a, const Organisation& b) {
  return a.ordinal == b.ordinal && a.group == b.group && a.represents == b.represents &&
         a.demander == b.demander && a.any_ai_at_start == b.any_ai_at_start &&
         a.gpu_user_at_start == b.gpu_user_at_start && a.activity == b.activity &&
         a.threshold == b.threshold && a.onboards == b.onboards && a.onboarding == b.onboarding &&
         a.stays == b.stays && a.disposition == b.disposition;
}

}  // namespace

TEST_CASE("a sector has its shares of demanders, users, regions and activity") {
  Demand demand = natgpu::demand::testing::demand();
  demand.sectors = {natgpu::demand::testing::sector("sme", 100'000)};
  demand.sectors[0].onboarding.share = 0.25;
  const Population p = draw(demand);
  REQUIRE(p.organisations.size() == 100'000);
  // Binomial shares of 1e5 have a standard error of 0.0016 at most; 4.5 of them.
  constexpr double tolerance = 0.0072;
  CHECK(mean(p, 0, [](const Organisation& o) { return o.demander; }) == Approx(0.6).margin(tolerance));
  CHECK(mean(p, 0, [](const Organisation& o) { return o.onboards; }) == Approx(0.15).margin(tolerance));
  CHECK(mean(p, 0, [](const Organisation& o) { return o.region == 1; }) == Approx(0.75).margin(tolerance));
  CHECK(mean(p, 0, [](const Organisation& o) { return o.vertical == 0; }) == 1);
  CHECK(mean(p, 0, [](const Organisation& o) { return o.any_ai_at_start; }) == Approx(0.3).margin(1e-9));
  CHECK(mean(p, 0, [](const Organisation& o) { return o.gpu_user_at_start; }) == Approx(0.1).margin(1e-9));
  CHECK(mean(p, 0, [](const Organisation& o) { return o.threshold; }) == Approx(1).margin(0.0143));
  CHECK(p.regions == std::vector<std::string>{"", "seoul", "jeonnam"});
  // Mean onboarding of two stages: standard error mean / sqrt(2 n).
  const double month = 30 * 86400.0;
  CHECK(mean(p, 0, [](const Organisation& o) { return in_seconds(o.onboarding); }) ==
        Approx(month).margin(4.5 * month / std::sqrt(2e5)));
  for (const Organisation& o : p.organisations)
    if (o.gpu_user_at_start) REQUIRE((o.any_ai_at_start && o.demander));
}

TEST_CASE("activity has mean one, with a heavy tail") {
  Demand demand;
  demand.sectors = {natgpu::demand::testing::sector("sme", 200'000)};
  const Population p = draw(demand);
  const double m = mean(p, 0, [](const Organisation& o) { return o.activity; });
  const double square = mean(p, 0, [](const Organisation& o) { return o.activity * o.activity; });
  CHECK(std::fabs(m - 1) < 4.5 * std::sqrt((square - m * m) / 200'000));
  CHECK(square > 10);
}

TEST_CASE("adding, moving or resizing a sector changes no draw of another") {
  const Demand demand = natgpu::demand::testing::demand();
  const Population before = draw(demand);
  Demand more = demand;
  more.sectors.insert(more.sectors.begin(), natgpu::demand::testing::sector("chaebol", 30));
  more.sectors[1].organisations = 2500;
  const Population after = draw(more);
  REQUIRE(after.first_of_sector == std::vector<std::uint32_t>{0, 30, 2530, 2830});
  for (std::uint32_t i = 0; i < 300; ++i)
    REQUIRE(same_draws(before.organisations[2000 + i], after.organisations[2530 + i]));
  for (std::uint32_t i = 0; i < 2000; ++i)  // who is any_ai is a rank, the draws behind it stay
    REQUIRE(before.organisations[i].disposition == after.organisations[30 + i].disposition);
}

TEST_CASE("another seed draws other people") {
  const Demand demand = natgpu::demand::testing::demand();
  CHECK(draw(demand, 1).organisations[0].threshold != draw(demand, 2).organisations[0].threshold);
  CHECK(draw(demand, 1).organisations[0].threshold == draw(demand, 1).organisations[0].threshold);
}

TEST_CASE("simulated organisations stand for all real ones, the last for the rest") {
  Demand demand;
  demand.sectors = {natgpu::demand::testing::sector("sme", 1050)};
  demand.sectors[0].represents = 100;
  const Population p = draw(demand);
  REQUIRE(p.organisations.size() == 11);
  CHECK(p.organisations.front().represents == 100);
  CHECK(p.organisations.back().represents == 50);
}

TEST_CASE("affiliates are dealt to owner groups in turn, others own themselves") {
  Demand demand;
  demand.sectors = {natgpu::demand::testing::sector("chaebol", 10),
                    natgpu::demand::testing::sector("sme", 3)};
  demand.sectors[0].owner_groups = 4;
  const Population p = draw(demand);
  CHECK(p.organisations[5].group == 1);
  CHECK(p.organisations[9].group == 1);
  std::set<std::uint32_t> groups;
  for (std::size_t i = 10; i < 13; ++i) groups.insert(p.organisations[i].group);
  CHECK(groups.size() == 3);
}

TEST_CASE("a sector of nobody is empty") {
  Demand demand;
  demand.sectors = {natgpu::demand::testing::sector("none", 0), natgpu::demand::testing::sector("one", 1)};
  CHECK(draw(demand).first_of_sector == std::vector<std::uint32_t>{0, 0, 1});
}
