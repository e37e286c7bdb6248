// SPDX-License-Identifier: Apache-2.0
// Reality checks, targets over futures, and the range of outcomes.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/experiment/outcomes.hpp>

#include "../../../src/experiment/statistics.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;

namespace {

const std::vector<measures::MetricRow>& rows() {
  static const std::vector<measures::MetricRow> table{
      {"energy.mwh", "MWh", "period", "At the meter."},
      {"gpu.busy.share", "share", "period", "Busy over in service."},
  };
  return table;
}

std::vector<simulation::RunRecord> records(const std::vector<double>& energy) {
  std::vector<simulation::RunRecord> all;
  for (const double v : energy) {
    all.emplace_back();
    all.back().replication = static_cast<std::uint32_t>(all.size() - 1);
    all.back().measurements.push_back({"gpu.busy.share", {{"period", "2030"}}, 0.5});
    if (std::isfinite(v)) all.back().measurements.push_back({"energy.mwh", {{"period", "2030"}}, v});
  }
  return all;
}

scenario::RealityCheck check(const std::string& published, const std::string& low, const std::string& high) {
  scenario::RealityCheck c;
  c.name = "meter";
  c.metric = "energy.mwh";
  c.where = "period=2030";
  c.published = published;
  c.low = low;
  c.high = high;
  c.source = "KPX";
  c.as_of = "2031-02";
  return c;
}

Summary summary_of(const scenario::RealityCheck& c, const std::vector<double>& energy) {
  return summarise({}, records(energy), rows(), {c});
}

std::string codes(const scenario::RealityCheck& c) {
  std::vector<Finding> found;
  check_reality(c, rows(), found);
  std::string all;
  for (const Finding& f : found) all += (all.empty() ? "" : " ") + f.code;
  return all;
}

}  // namespace

TEST_CASE("a reality check passes within its bounds, fails outside and is open across either of them") {
  const auto c = check("100 MWh", "90 MWh", "120 MWh");
  const auto verdict = [&](const std::vector<double>& energy) {
    const Summary s = summary_of(c, energy);
    REQUIRE(s.reality.size() == 1);
    CHECK(s.mistakes.empty());
    return s.reality[0].verdict;
  };
  CHECK(verdict({99, 100, 101, 100}) == Verdict::pass);
  CHECK(verdict({79, 80, 81, 80}) == Verdict::fail);
  CHECK(verdict({129, 130, 131, 130}) == Verdict::fail);
  CHECK(verdict({85, 90, 95, 90}) == Verdict::inconclusive);
  CHECK(verdict({110, 120, 130, 120}) == Verdict::inconclusive);
  CHECK(verdict({50, 150, 50, 150}) == Verdict::inconclusive);  // wider than the bounds
  CHECK(verdict({100}) == Verdict::inconclusive);
}

TEST_CASE("a reality check says what was published, by whom and when") {
  const Summary s = summary_of(check("100 MWh", "90 MWh", "120 MWh"), {79, 80, 81, 80});
  CHECK(s.reality.at(0).explanation.find(
            "lies outside 90 MWh to 120 MWh; published 100 MWh (KPX, 2031-02)") != std::string::npos);
}

TEST_CASE(
    "a reality check of nothing measured, in another unit or with bounds that do not hold it is refused") {
  CHECK(codes(check("100 MWh", "90 MWh", "120 MWh")).empty());
  CHECK(codes(check("many", "90 MWh", "120 MWh")) == "E0501");
  CHECK(codes(check("100 GWh", "90 MWh", "120 MWh")) == "E0503");
  CHECK(codes(check("100", "90 MWh", "120 MWh")) == "E0503");
  CHECK(codes(check("130 MWh", "90 MWh", "120 MWh")) == "E0501");
  CHECK(codes(check("100 MWh", "120 MWh", "90 MWh")) == "E0501");
  auto other = check("100 MWh", "90 MWh", "120 MWh");
  other.metric = "energy.mhw";
  CHECK(codes(other) == "E0502");
  other = check("100 MWh", "90 MWh", "120 MWh");
  other.where = "year=2030";
  CHECK(codes(other) == "E0504");
  other.where = "period=2029";
  const Summary s = summary_of(other, {99, 101});
  CHECK(s.reality.empty());
  REQUIRE(s.mistakes.size() == 1);
  CHECK(s.mistakes[0].code == "E0504");
  CHECK(s.mistakes[0].message.find("reality_checks[meter].where") != std::string::npos);
}

TEST_CASE("over futures a target and a reality check count in how many they hold, of those with a value") {
  scenario::Target target;
  target.name = "thrifty";
  target.metric = "energy.mwh";
  target.where = "period=2030";
  target.expect = "<= 110 MWh";
  const double none = std::numeric_limits<double>::quiet_NaN();
  Summary s = summarise({target}, records({80, 100, 105, 110, 130, none}), rows(),
                        {check("100 MWh", "90 MWh", "120 MWh")});
  CHECK_FALSE(s.targets.at(0).futures);
  count_futures(s);
  REQUIRE(s.targets.at(0).futures);
  CHECK(s.targets[0].futures->hits == 4);
  CHECK(s.targets[0].futures->of == 5);
  // Clopper and Pearson, 4 of 5: 0.2836 to 0.9949.
  CHECK(s.targets[0].futures->ci.low == Approx(0.2836).margin(1e-4));
  CHECK(s.targets[0].futures->ci.high == Approx(0.9949).margin(1e-4));
  CHECK(s.reality.at(0).futures->hits == 3);
  withhold_verdicts(s, 0.05);
  CHECK_FALSE(s.targets[0].futures);
  CHECK_FALSE(s.reality[0].futures);
  CHECK(s.reality[0].verdict == Verdict::inconclusive);
}

TEST_CASE("p5 and p95 need 59 outcomes and are values by rank, never the extremes of fewer") {
  CHECK(least_outcomes() == 59);
  std::vector<double> values;
  for (int i = 1; i <= 58; ++i) values.push_back(i);
  CHECK(std::isnan(outcome_range(values).p5));
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  CHECK(std::isnan(outcome_range(values).p95));
  while (values.size() < 101) values.push_back(static_cast<double>(values.size()));
  const OutcomeRange range = outcome_range(values);  // 1 to 100 but for one gap
  CHECK(range.p5 == 5);
  CHECK(range.p95 == 95);
}

TEST_CASE("the share of futures is covered by its interval at least as often as it says") {
  Stream dice = Streams(20260101, 0).open("test", "futures");
  constexpr int experiments = 1000;
  constexpr std::uint32_t futures = 60;
  for (const double truth : {0.02, 0.3, 0.9}) {
    int covered = 0;
    for (std::uint64_t e = 0; e < experiments; ++e) {
      std::size_t hits = 0;
      for (std::uint32_t f = 0; f < futures; ++f) hits += dice.unit(e, f) < truth;
      const Share share = share_of(hits, futures);
      covered += share.ci.low <= truth && truth <= share.ci.high;
    }
    INFO(truth);
    CHECK(covered >= 950 - 23);  // 99.9 % of binomial(1000, 0.95) lie above
  }
}
