// SPDX-License-Identifier: Apache-2.0
// Bass adoption against its closed form (ORACLES.md N5): the mean over replications of the stochastic model
// tends to the deterministic curve as the market grows. Time unit: one year.
#include <cmath>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/demand/adoption.hpp>

#include "catch.hpp"

namespace {

using natgpu::in_seconds;
using natgpu::Instant;
using natgpu::never;
using natgpu::demand::Adoption;
using natgpu::demand::BassAdoption;
using natgpu::demand::Demand;
using natgpu::demand::draw_population;
using natgpu::demand::Population;
using natgpu::demand::Sector;

constexpr double year_s = 31557600;

Instant years(double y) {
  return Instant{natgpu::ticks_from_seconds(y * year_s)};
}

struct Case {
  Adoption spec;
  std::int64_t organisations;
  std::int64_t represents = 1;
};

Population population_of(const Case& c, std::uint32_t replication) {
  Demand demand;
  Sector s;
  s.name = "sme";
  s.organisations = c.organisations;
  s.represents = c.represents;
  s.adoption = c.spec;
  demand.sectors = {s};
  natgpu::Streams streams(5, replication);
  return draw_population(demand, streams);
}

BassAdoption adoption_of(const Case& c, const Population& p) {
  return {c.spec, p.organisations.data(), static_cast<std::uint32_t>(p.organisations.size())};
}

/// Share of any_ai at each of the instants, and when `crossing` was passed.
struct Path {
  std::vector<double> shares;
  double crossing_years = 0;
};

Path walk(BassAdoption& bass, const std::vector<double>& at_years, double crossing = 2) {
  Path path;
  for (const double y : at_years) {
    while (bass.next_time() <= years(y)) {
      const Instant now = bass.next_time();
      bass.adopt();
      if (path.crossing_years == 0 && bass.share() >= crossing)
        path.crossing_years = in_seconds(now.time_since_epoch()) / year_s;
    }
    path.shares.push_back(bass.share());
  }
  return path;
}

struct Estimate {
  double mean, standard_error;
};

Estimate estimate(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  for (const double v : values) squares += (v - sum / n) * (v - sum / n);
  return {sum / n, std::sqrt(squares / (n - 1) / n)};
}

constexpr int replications = 30;
constexpr double t_limit = 4.5055;  // ORACLES.md R-STAT at 30 replications

/// @param factor  planted fault: multiplies q
std::vector<Estimate> simulate(double p, double q, const std::vector<double>& at_years, double crossing,
                               double factor = 1) {
  std::vector<std::vector<double>> values(at_years.size() + 1);
  const Case c{{0, 1, p / year_s, factor * q / year_s}, 15'000};
  for (std::uint32_t r = 0; r < replications; ++r) {
    const Population population = population_of(c, r);
    BassAdoption bass = adoption_of(c, population);
    const Path path = walk(bass, at_years, crossing);
    for (std::size_t i = 0; i < at_years.size(); ++i) values[i].push_back(path.shares[i]);
    values.back().push_back(path.crossing_years);
  }
  std::vector<Estimate> all;
  for (const auto& v : values) all.push_back(estimate(v));
  return all;
}

void check_close(const Estimate& e, double truth) {
  CHECK(std::fabs(e.mean - truth) <= t_limit * e.standard_error);
  CHECK(e.standard_error <= 0.01 * truth);
}

}  // namespace

TEST_CASE("mean adoption follows Bass's curve and peaks when it does") {
  // At the peak N / m = 1/2 - p / (2 q).
  const auto slow = simulate(0.03, 0.38, {1, 5, 10}, 0.5 - 0.03 / 0.76);
  check_close(slow[0], 0.035758164256);
  check_close(slow[1], 0.331198642491);
  check_close(slow[2], 0.812803221221);
  check_close(slow[3], 6.192619198);
  const auto fast = simulate(0.01, 0.5, {5, 10}, 0.5 - 0.01);
  check_close(fast[0], 37597.988353 / 2e5);
  check_close(fast[1], 152341.327443 / 2e5);
  check_close(fast[2], 7.670633344);
}

TEST_CASE("the test of Bass's curve sees an imitation that is five per cent off") {
  const Estimate e = simulate(0.03, 0.38, {5}, 2, 1.05)[0];
  CHECK(std::fabs(e.mean - 0.331198642491) > t_limit * e.standard_error);
}

TEST_CASE("a market below one scales Bass's curve and stops adoption at its ceiling") {
  const Case c{{0, 0.4, 0.03 / year_s, 0.38 / year_s}, 20'000};
  std::vector<double> after_five;
  for (std::uint32_t r = 0; r < replications; ++r) {
    const Population population = population_of(c, r);
    BassAdoption bass = adoption_of(c, population);
    after_five.push_back(walk(bass, {5}).shares[0]);
    CHECK(walk(bass, {200}).shares[0] == Approx(0.4));
    CHECK(bass.next_time() == never);
  }
  check_close(estimate(after_five), 0.4 * 0.331198642491);
}

TEST_CASE("a ceiling holds exactly, with weights and with adopters at the start") {
  for (const Case& c :
       {Case{{0.1, 0.29, 1 / year_s, 1 / year_s}, 100}, Case{{0, 0.55, 1 / year_s, 0}, 1050, 100},
        Case{{0.5, 0.5, 1 / year_s, 0}, 10}, Case{{0, 0, 1 / year_s, 0}, 10}}) {
    const Population population = population_of(c, 0);
    BassAdoption bass = adoption_of(c, population);
    while (bass.next_time() != never) bass.adopt();
    CHECK(bass.share() <= c.spec.market + 1e-9);
    CHECK(bass.share() >
          c.spec.market - static_cast<double>(c.represents) / static_cast<double>(c.organisations));
  }
}

TEST_CASE("each organisation adopts once, those who have adopted never again, each at a later tick") {
  const Case c{{0.3, 1, 50.0, 0}, 1000};  // 50 a second: many within a tick
  const Population population = population_of(c, 0);
  BassAdoption bass = adoption_of(c, population);
  std::vector<int> adopted(1000, 0);
  Instant last{};
  while (bass.next_time() != never) {
    CHECK(bass.next_time() > last);
    last = bass.next_time();
    adopted[bass.adopt()] += 1;
  }
  for (std::size_t i = 0; i < 1000; ++i)
    REQUIRE(adopted[i] == (population.organisations[i].any_ai_at_start ? 0 : 1));
  CHECK_THROWS_AS(bass.adopt(), natgpu::InvariantError);
}

TEST_CASE("a shut gate stops adoption and what follows is delayed by just as long") {
  const Case c{{0, 1, 0.1 / year_s, 0.5 / year_s}, 50};
  const Population population = population_of(c, 0);
  BassAdoption free = adoption_of(c, population);
  BassAdoption gated = adoption_of(c, population);
  walk(free, {2});
  walk(gated, {2});
  gated.set_factor(0, years(2));
  CHECK(gated.next_time() == never);
  gated.set_factor(1, years(3));
  while (free.next_time() != never) {
    const double expected = in_seconds(free.next_time().time_since_epoch()) + year_s;
    CHECK(in_seconds(gated.next_time().time_since_epoch()) == Approx(expected).margin(1e-3));
    CHECK(free.adopt() == gated.adopt());
  }
  CHECK(gated.next_time() == never);
}

TEST_CASE("a doubled hazard halves the remaining wait") {
  const Case c{{0, 1, 0.1 / year_s, 0}, 1};
  const Population population = population_of(c, 0);
  BassAdoption bass = adoption_of(c, population);
  const auto wait = bass.next_time().time_since_epoch();
  const Instant quarter{wait / 4};
  bass.set_factor(2, quarter);
  CHECK(in_seconds(bass.next_time().time_since_epoch()) == Approx(in_seconds(wait) * (0.25 + 0.375)));
}

TEST_CASE("imitation without anybody to imitate never starts, and a sector of nobody has share 0") {
  const Case c{{0, 1, 0, 1 / year_s}, 10};
  const Population population = population_of(c, 0);
  CHECK(adoption_of(c, population).next_time() == never);
  CHECK(BassAdoption(c.spec, nullptr, 0).share() == 0);
  CHECK(BassAdoption(c.spec, nullptr, 0).next_time() == never);
}
