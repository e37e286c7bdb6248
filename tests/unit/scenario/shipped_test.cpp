// SPDX-License-Identifier: Apache-2.0
// The scenarios that are shipped: each loads, with each of its policies, and the national one asks for as
// much as its notes say.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "catch.hpp"

namespace fs = std::filesystem;
using namespace natgpu;

namespace {

std::vector<std::string> shipped() {
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(fs::path(NATGPU_SOURCE_DIR) / "scenarios"))
    if (entry.path().extension() == ".yaml") all.push_back(entry.path().string());
  std::sort(all.begin(), all.end());
  return all;
}

std::string named(const std::string& name) {
  return (fs::path(NATGPU_SOURCE_DIR) / "scenarios" / (name + ".yaml")).string();
}

/// Why the file does not load; empty if it does.
std::string mistakes_of(const std::string& file, const scenario::LoadOptions& options) {
  try {
    scenario::load_scenario(file, options);
    return {};
  } catch (const ScenarioError& e) {
    return format_diagnostics(e.diagnostics());
  }
}

/// Share of any_ai after `years`, by Bass's differential equation in daily steps.
double adopted(const demand::Adoption& a, double days) {
  double share = a.initial;
  for (double day = 0; day < days && a.market > 0; ++day)
    share += std::max(a.market - share, 0.0) * (a.innovation + a.imitation * share / a.market) * 86400;
  return share;
}

/// Least number of batch jobs: those who are any_ai at the start and come on board, from the mean day on
/// which they do.
double least_jobs(const scenario::Scenario& s) {
  const double horizon_s = 86400.0 * static_cast<double>((s.horizon.end.day - s.horizon.start.day).count());
  double jobs = 0;
  for (const demand::Sector& x : s.demand.sectors) {
    const double able = (1 - x.non_demanders) * x.onboarding.share * x.adoption.initial;
    const double on_board_s = std::max(horizon_s - x.onboarding.duration.mean(), 0.0);
    const double kept = x.onboarding.lapse_rate > 0 ? (1 - std::exp(-x.onboarding.lapse_rate * on_board_s)) /
                                                          (x.onboarding.lapse_rate * on_board_s)
                                                    : 1;
    jobs += static_cast<double>(x.organisations) * able * x.request_rate * on_board_s * kept;
  }
  return jobs;
}

}  // namespace

TEST_CASE("every shipped scenario loads without a mistake, whole and quick") {
  REQUIRE(shipped().size() >= 4);
  for (const std::string& file : shipped()) {
    CHECK(mistakes_of(file, {}) == "");
    scenario::LoadOptions quick;
    quick.quick = true;
    CHECK(mistakes_of(file, quick) == "");
  }
}

TEST_CASE("every policy of a shipped scenario loads and changes something") {
  for (const std::string& file : shipped()) {
    const auto base = scenario::load_scenario(file);
    for (const scenario::PolicyBlock& policy : base.policies) {
      scenario::LoadOptions options;
      options.policy = policy.name;
      INFO(file << " " << policy.name);
      REQUIRE(mistakes_of(file, options) == "");
      CHECK(scenario::load_scenario(file, options).hash != base.hash);
    }
  }
}

TEST_CASE("every shipped scenario says in both languages what it is") {
  for (const std::string& file : shipped()) {
    const auto s = scenario::load_scenario(file);
    INFO(file);
    CHECK(s.name == fs::path(file).stem().string());
    for (const std::string* text : {&s.title.en, &s.title.ko, &s.about.summary.en, &s.about.summary.ko})
      CHECK_FALSE(text->empty());
    CHECK_FALSE(s.about.includes.empty());
    CHECK_FALSE(s.about.excludes.empty());
  }
}

TEST_CASE("korea-2030 asks for at least ten million jobs a replication, and not for absurdly many") {
  const auto s = scenario::load_scenario(named("korea-2030"));
  const double jobs = least_jobs(s);
  CHECK(jobs > 10e6);
  CHECK(jobs < 30e6);
}

TEST_CASE("korea-2030 simulates at most 150,000 organisations and weights no owner group") {
  const auto s = scenario::load_scenario(named("korea-2030"));
  std::int64_t simulated = 0;
  for (const demand::Sector& x : s.demand.sectors) {
    simulated += (x.organisations + x.represents - 1) / x.represents;
    if (x.owner_groups > 0) CHECK(x.represents == 1);
  }
  CHECK(simulated >= 20'000);
  CHECK(simulated <= 150'000);
}

TEST_CASE("korea-2030 buys what the purchases of 2025 and 2026 bought") {
  const auto s = scenario::load_scenario(named("korea-2030"));
  std::int64_t first = 0, second = 0;
  for (const supply::Tranche& t : s.supply.tranches) {
    if (t.name.rfind("purchase-2025", 0) == 0) first += t.units;
    if (t.name.rfind("purchase-2026", 0) == 0) second += t.units;
  }
  CHECK(first == 13'136);
  CHECK(second == 9'704);
}

TEST_CASE("small firms in korea-2030 fall short of the goal of 70 % by diffusion alone") {
  const auto s = scenario::load_scenario(named("korea-2030"));
  const double days = static_cast<double>((s.horizon.end.day - s.horizon.start.day).count());
  const double share = adopted(s.demand.sectors.front().adoption, days);
  CHECK(s.demand.sectors.front().name == "sme");
  CHECK(share > 0.5);
  CHECK(share < 0.7);
}

TEST_CASE("every number judged by us in korea-2030 says so, and every assumption has a status") {
  const auto s = scenario::load_scenario(named("korea-2030"));
  CHECK(s.assumptions.size() > 300);
  for (const scenario::Assumption& a : s.assumptions) {
    INFO(a.path);
    CHECK_FALSE(a.status.empty());
    if (a.status != "assumed") CHECK_FALSE(a.source.empty());
  }
}
