// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/experiment/regression.hpp>
#include <natgpu/simulation/simulate.hpp>

#include <fmt/format.h>
#include "../../../src/experiment/margin.hpp"
#include "../../../src/experiment/statistics.hpp"

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;
using scenario::Side;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const measures::Labels in_2030{{"period", "2030"}};

using Value = std::function<double(std::uint32_t)>;

std::vector<simulation::RunRecord> records_of(const std::string& metric, std::uint32_t n, const Value& value,
                                              std::uint64_t seed = 1) {
  std::vector<simulation::RunRecord> records(n);
  for (std::uint32_t r = 0; r < n; ++r) {
    records[r].seed = seed;
    records[r].replication = r;
    const double v = value(r);
    if (std::isfinite(v)) records[r].measurements = {{metric, in_2030, v}};
  }
  return records;
}

BaselineEntry baseline_of(const std::string& metric, std::uint32_t n, Side better, const std::string& margin,
                          const Value& value) {
  BaselineEntry e{"toy", "base", "", 1, {}, {}};
  BaselineRow row{metric, in_2030, "", better, margin, {}};
  for (std::uint32_t r = 0; r < n; ++r) {
    e.fingerprints.push_back(r);
    row.values.push_back(value(r));
  }
  e.rows = {row};
  return e;
}

/// One check of `now` against `then`, judged as a family of its own.
RegressionResult check(Side better, const std::string& margin, const Value& now, const Value& then,
                       std::uint32_t n = 20, std::uint64_t seed = 1) {
  const auto records = records_of("gpu.useful.share", n, now, seed);
  std::vector<Finding> mistakes;
  auto results = measure_regressions({}, summarise({}, records, simulation::metric_rows()), records,
                                     baseline_of("gpu.useful.share", 20, better, margin, then), mistakes);
  REQUIRE(results.size() == 1);
  REQUIRE(mistakes.empty());
  judge_regressions({&results[0]});
  return results[0];
}

double noise(const char* name, std::uint32_t r) {
  return normal_quantile(Streams(1, 0).open("test", name).unit(0, r));
}
double common(std::uint32_t r) {
  return 100 + 30 * noise("common", r);
}
Value shifted(double by) {
  return [by](std::uint32_t r) { return common(r) + by + noise("own", r); };
}

}  // namespace

TEST_CASE("a metric that moves to its worse side by more than the margin fails, and passes else") {
  // Differences of 5 +- 0.5 (95 %), whatever the common part.
  CHECK(check(Side::higher, "2", shifted(-5), common).verdict == Verdict::fail);
  CHECK(check(Side::higher, "10", shifted(-5), common).verdict == Verdict::pass);
  CHECK(check(Side::higher, "5", shifted(-5), common).verdict == Verdict::inconclusive);
  CHECK(check(Side::higher, "0", shifted(5), common).verdict == Verdict::pass);
  CHECK(check(Side::lower, "2", shifted(5), common).verdict == Verdict::fail);
  CHECK(check(Side::lower, "10", shifted(5), common).verdict == Verdict::pass);
  CHECK(check(Side::lower, "5", shifted(5), common).verdict == Verdict::inconclusive);
  CHECK(check(Side::lower, "0", shifted(-5), common).verdict == Verdict::pass);
  CHECK(check(Side::same, "2", shifted(5), common).verdict == Verdict::fail);
  CHECK(check(Side::same, "2", shifted(-5), common).verdict == Verdict::fail);
  CHECK(check(Side::same, "10", shifted(5), common).verdict == Verdict::pass);
  CHECK(check(Side::same, "10", shifted(-5), common).verdict == Verdict::pass);
  CHECK(check(Side::same, "5", shifted(5), common).verdict == Verdict::inconclusive);
}

TEST_CASE("a verdict is that of the 95 % interval against the margin") {
  const RegressionResult r = check(Side::higher, "4", shifted(-5), common);
  const double low = r.difference.mean - r.difference.half_width,
               high = r.difference.mean + r.difference.half_width;
  const auto at = [&](double margin) {
    return check(Side::higher, fmt::format("{}", margin), shifted(-5), common).verdict;
  };
  CHECK(at(-low + 1e-6) == Verdict::pass);
  CHECK(at(-low - 1e-6) == Verdict::inconclusive);
  CHECK(at(-high + 1e-6) == Verdict::inconclusive);
  CHECK(at(-high - 1e-6) == Verdict::fail);
}

TEST_CASE("no significant difference is no pass: a noisy metric is inconclusive") {
  const Value wild = [](std::uint32_t r) { return 100 + 30 * noise("wild", r); };
  CHECK(check(Side::higher, "2", wild, common).verdict == Verdict::inconclusive);
  CHECK(check(Side::same, "2", wild, common).verdict == Verdict::inconclusive);
}

TEST_CASE("equal values pass at any margin, but not in fewer than ten replications") {
  for (const Side side : {Side::higher, Side::lower, Side::same}) {
    const RegressionResult r = check(side, "0", common, common);
    CHECK(r.identical);
    CHECK(r.verdict == Verdict::pass);
    CHECK(check(side, "0", common, common, 10).verdict == Verdict::pass);
    const RegressionResult few = check(side, "1000", common, common, 9);
    CHECK(few.verdict == Verdict::inconclusive);
    CHECK(few.explanation == "9 replications, verdicts need 10");
  }
  const Value gap = [](std::uint32_t r) { return r == 4 ? not_a_number : common(r); };
  CHECK(check(Side::higher, "0", gap, gap).verdict == Verdict::pass);
  CHECK(check(Side::higher, "1000", gap, common).verdict == Verdict::inconclusive);
  CHECK(check(Side::higher, "1000", common, gap).verdict == Verdict::inconclusive);
}

TEST_CASE("another seed is compared without pairs") {
  const RegressionResult r = check(Side::higher, "2", shifted(-5), common, 20, 2);
  CHECK_FALSE(r.paired);
  CHECK(r.verdict == Verdict::inconclusive);  // 5 is little against an unpaired spread of 30
  CHECK(r.difference.half_width > 10);
  CHECK(check(Side::higher, "2", shifted(-60), common, 20, 2).verdict == Verdict::fail);
}

TEST_CASE("a margin is a number in the metric's unit or a share of the baseline's mean") {
  Margin m;
  CHECK(parse_margin("0.01", m).empty());
  CHECK(m.value == 0.01);
  CHECK_FALSE(m.relative);
  CHECK(parse_margin(" 600 s ", m).empty());
  CHECK(m.unit == "s");
  CHECK(parse_margin("2 % of baseline", m).empty());
  CHECK(m.value == Approx(0.02));
  CHECK(m.relative);
  for (const char* wrong : {"", "much", "-1", "-2 % of baseline", "1e999"}) {
    INFO(wrong);
    CHECK_FALSE(parse_margin(wrong, m).empty());
  }
  const RegressionResult r = check(Side::higher, "2 % of baseline", shifted(-5), common);
  CHECK(r.margin == Approx(0.02 * r.then.mean));
}

TEST_CASE("Holm holds back one failure among many that pass narrowly") {
  // Alone it fails; as the only one of forty it may be chance.
  const Value slightly = [](std::uint32_t r) { return common(r) - 0.6 + noise("own", r); };
  RegressionResult one = check(Side::higher, "0", slightly, common);
  REQUIRE(one.verdict == Verdict::fail);
  REQUIRE(one.p_fail > 0.025 / 40);
  std::vector<RegressionResult> others(39, check(Side::higher, "0", shifted(1), common));
  std::vector<RegressionResult*> family{&one};
  for (RegressionResult& r : others) family.push_back(&r);
  judge_regressions(family);
  CHECK(one.verdict == Verdict::inconclusive);
  CHECK(one.explanation.find("not after Holm") != std::string::npos);
}

TEST_CASE("an A/A check raises a false alarm in at most 2.5 % of 2000 suites, paired or not") {
  // Eight metrics that did not change, seen through other dice, at the hardest margin: none.
  const auto value = [](std::uint32_t suite, std::uint32_t metric, bool now) {
    return [=](std::uint32_t r) {
      const Stream own = Streams(7, suite).open(now ? "now" : "then", "x");
      const Stream shared = Streams(7, suite).open("shared", "x");
      return 5 * normal_quantile(shared.unit(metric, r)) + normal_quantile(own.unit(metric, r));
    };
  };
  for (const std::uint64_t seed : {1U, 2U}) {  // the baseline's seed, and another
    int alarms = 0, passes = 0;
    for (std::uint32_t suite = 0; suite < 2000; ++suite) {
      std::vector<RegressionResult> results;
      for (std::uint32_t metric = 0; metric < 8; ++metric)
        results.push_back(check(metric % 2 == 0 ? Side::higher : Side::lower, "0", value(suite, metric, true),
                                value(suite, metric, false), 10, seed));
      std::vector<RegressionResult*> family;
      for (RegressionResult& r : results) family.push_back(&r);
      judge_regressions(family);
      bool alarm = false;
      for (const RegressionResult& r : results) {
        alarm = alarm || r.verdict == Verdict::fail;
        passes += r.verdict == Verdict::pass;
      }
      alarms += alarm;
    }
    INFO("seed " << seed);
    CHECK(alarms <= 73);             // 99.9 % of all binomial(2000, 2.5 %)
    CHECK(passes <= 0.035 * 16000);  // at no margin an unchanged metric rarely clears the bar either
  }
}

TEST_CASE("checks of the scenario rule over those of the baseline, and what is missing is an error") {
  scenario::Scenario s;
  s.regressions.checks = {{"gpu.useful.share", "", Side::same, "0.5"},
                          {"gpu.busy.share", "", Side::higher, "0"}};
  auto records = records_of("gpu.useful.share", 20, common);
  for (auto& r : records) r.measurements.push_back({"gpu.busy.share", in_2030, 1});
  const Summary summary = summarise({}, records, simulation::metric_rows());
  const BaselineEntry baseline = baseline_of("gpu.useful.share", 20, Side::higher, "0.1", common);
  std::vector<Finding> mistakes;
  const auto results = measure_regressions(s, summary, records, baseline, mistakes);
  REQUIRE(results.size() == 1);
  CHECK(results[0].row.better == Side::same);
  CHECK(results[0].margin == 0.5);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].code == "E0507");
  mistakes.clear();
  s.regressions.checks = {{"gpu.useful.share", "period=2029", Side::same, "0.5"}};
  CHECK(measure_regressions(s, summary, records, baseline, mistakes).empty());
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].code == "E0504");
  mistakes.clear();
  s.regressions.checks.clear();
  CHECK(measure_regressions(s, summary, records, baseline_of("gpu.busy.shar", 20, Side::higher, "0", common),
                            mistakes)
            .empty());
  CHECK(mistakes.size() == 1);
}

TEST_CASE("what is recorded are the scenario's checks, else those of before, else the headlines") {
  auto records = records_of("gpu.useful.share", 10, common);
  for (auto& r : records) r.measurements.push_back({"jobs.wait.mean", in_2030, 60});
  const Summary summary = summarise({}, records, simulation::metric_rows());
  std::vector<Finding> mistakes;
  scenario::Scenario s;
  auto rows = baseline_rows(s, summary, nullptr, mistakes);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].metric == "gpu.useful.share");
  CHECK(rows[0].margin == "2 % of baseline");
  CHECK(rows[1].better == Side::lower);
  CHECK(rows[0].values.size() == 10);
  const BaselineEntry before = baseline_of("gpu.useful.share", 10, Side::same, "7", common);
  rows = baseline_rows(s, summary, &before, mistakes);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].margin == "7");
  s.regressions.checks = {{"jobs.wait.mean", "", Side::lower, "5 s"},
                          {"jobs.wait.p95", "", Side::lower, "5 s"}};
  rows = baseline_rows(s, summary, &before, mistakes);
  CHECK(rows.size() == 1);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].code == "E0504");
}

TEST_CASE("mistakes in regressions are found before anything runs") {
  scenario::Scenario s;
  s.regressions.checks = {{"gpu.usefull.share", "", Side::higher, "0"},
                          {"gpu.useful.share", "sector=x", Side::higher, "0"},
                          {"gpu.useful.share", "", Side::higher, "lots"},
                          {"jobs.wait.mean", "", Side::lower, "5"},
                          {"jobs.wait.mean", "", Side::lower, "5 s"}};
  const std::vector<Finding> found = check_regressions(s);
  REQUIRE(found.size() == 4);
  CHECK(found[0].code == "E0502");
  CHECK(found[0].path == "regressions.checks[1].metric");
  CHECK(found[1].code == "E0504");
  CHECK(found[2].code == "E0505");
  CHECK(found[3].code == "E0503");
  CHECK(found[3].path == "regressions.checks[4].margin");
}

TEST_CASE("changed replications are told by their fingerprints") {
  auto records = records_of("gpu.useful.share", 4, common);
  const BaselineEntry baseline = baseline_of("gpu.useful.share", 3, Side::higher, "0", common);
  for (std::uint32_t r = 0; r < 4; ++r) records[r].fingerprint = r;
  CHECK(changed_replications(records, baseline).empty());
  records[2].fingerprint = 9;
  CHECK(changed_replications(records, baseline) == std::vector<std::uint32_t>{2});
}

TEST_CASE("the model's hash leaves out how long and on which dice it is run") {
  scenario::Scenario a, b;
  a.resolved = "schema = x\nseed = 1\nreplications = 5\ntargets[x].metric = m\nsupply.sites[a].pue = 1\n";
  b.resolved = "schema = x\nseed = 2\nreplications = 9\nregressions.baseline = f\nsupply.sites[a].pue = 1\n";
  CHECK(model_hash(a) == model_hash(b));
  b.resolved += "demand.seed = 3\n";
  CHECK(model_hash(a) != model_hash(b));
}
