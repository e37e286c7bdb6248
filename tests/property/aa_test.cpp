// SPDX-License-Identifier: Apache-2.0
// The gate on real simulations: an unchanged tree never fails whatever the seed, a changed one that is as
// good fails no more often than alpha allows, and a sabotaged policy fails.
#include <string>
#include <vector>

#include <natgpu/experiment/regression.hpp>
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "catch.hpp"
#include "crowded.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::experiment;

namespace {

constexpr std::uint64_t seeds = 60;

/// A week of a crowded pool.
scenario::Scenario load(const std::string& policy) {
  testing::Crowd week;
  week.start = "2025-01-06";
  week.end = "2025-01-13";
  scenario::LoadOptions options;
  options.policy = policy;
  return testing::scenario_of(testing::crowded(week), options);
}

struct Runs {
  std::vector<simulation::RunRecord> records;
  Summary summary;
};

Runs run(const scenario::Scenario& s, std::uint64_t seed) {
  ReplicateOptions options;
  options.seed = seed;
  options.replications = least_replications;
  Runs runs;
  runs.records = replicate(s, options).records;
  runs.summary = summarise(s, runs.records);
  return runs;
}

BaselineEntry recorded(const scenario::Scenario& s, const Runs& runs, const std::string& margin) {
  BaselineEntry entry{s.name, s.policy, "", runs.records.front().seed, {}, {}};
  for (const simulation::RunRecord& r : runs.records) entry.fingerprints.push_back(r.fingerprint);
  std::vector<Finding> mistakes;
  entry.rows = baseline_rows(s, runs.summary, nullptr, mistakes);
  for (BaselineRow& row : entry.rows) row.margin = margin;
  return entry;
}

/// Verdicts of the headlines against the baseline.
std::vector<Verdict> verdicts(const scenario::Scenario& s, const Runs& now, const BaselineEntry& then) {
  std::vector<Finding> mistakes;
  std::vector<RegressionResult> results = measure_regressions(s, now.summary, now.records, then, mistakes);
  REQUIRE(mistakes.empty());
  std::vector<RegressionResult*> family;
  for (RegressionResult& r : results) family.push_back(&r);
  judge_regressions(family);
  std::vector<Verdict> all;
  for (const RegressionResult& r : results) all.push_back(r.verdict);
  return all;
}

bool has(const std::vector<Verdict>& all, Verdict wanted) {
  for (const Verdict v : all)
    if (v == wanted) return true;
  return false;
}

}  // namespace

TEST_CASE("over many seeds an unchanged tree passes every check, other dice rarely fail, and sabotage does") {
  const scenario::Scenario easy = load("easy"), fcfs = load("fcfs");
  int alarms = 0, caught = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Runs then = run(easy, seed);
    const BaselineEntry baseline = recorded(easy, then, "0");
    CHECK(baseline.rows.size() >= 5);
    // The same tree again: never anything but PASS, at no margin at all.
    for (const Verdict v : verdicts(easy, run(easy, seed), baseline)) CHECK(v == Verdict::pass);
    // Equally good, on other dice.
    alarms += has(verdicts(easy, run(easy, 1000 + seed), baseline), Verdict::fail);
    // Without backfill, on the same dice.
    caught += has(verdicts(fcfs, run(fcfs, seed), baseline), Verdict::fail);
  }
  CHECK(alarms <= 6);  // 99.9 % of all binomial(60, 2.5 %)
  CHECK(caught >= 55);
}
