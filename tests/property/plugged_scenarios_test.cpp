// SPDX-License-Identifier: Apache-2.0
// Policies of level 2 in random scenarios: natgpu's own rules written as a policy's author would, and one
// that does whatever comes to its mind.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <natgpu/policy.h>
#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "policy_table.hpp"
#include "random_scenario.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr std::uint64_t scenarios = 150;

bool start_anywhere(const natgpu_host* host, std::int64_t job, const std::set<std::int64_t>& shut) {
  std::int64_t pool = 0;
  for (std::int64_t rank = 0; (pool = host->choice(host, job, rank)) >= 0; ++rank)
    if (shut.count(pool) == 0 && host->start(host, job, pool) == NATGPU_OK) return true;
  return false;
}
std::int64_t behind(const natgpu_host* host, std::int64_t job) {
  return host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, NATGPU_NONE);
}

void start_what_fits(void*, const natgpu_host* host, std::int64_t) {
  for (std::int64_t job = behind(host, -1); job >= 0; job = behind(host, job)) start_anywhere(host, job, {});
}
/// A job that finds no room shuts the pools that can ever hold it.
void start_heads(void*, const natgpu_host* host, std::int64_t) {
  std::set<std::int64_t> shut;
  for (std::int64_t job = behind(host, -1); job >= 0; job = behind(host, job)) {
    if (start_anywhere(host, job, shut)) continue;
    std::int64_t pool = 0;
    for (std::int64_t rank = 0; (pool = host->choice(host, job, rank)) >= 0; ++rank)
      if (host->shadow(host, job, pool) != NATGPU_NEVER) shut.insert(pool);
  }
}

/// Starts, preempts and sends away whoever its dice say, wherever they say, and counts what it was told.
struct Wild {
  std::vector<std::int64_t> known;
  std::uint64_t drawn = 0;
  std::int64_t waiting = 0, running = 0;

  static inline std::map<std::string, std::uint64_t> seen;  ///< in all runs

  std::int64_t below(const natgpu_host* host, std::int64_t n) {
    return host->uniform(host, 1, static_cast<std::int64_t>(drawn++)) % n;
  }
  static Wild& of(void* state) { return *static_cast<Wild*>(state); }
  static natgpu_policy table() {
    natgpu_policy p = policy_with(pass);
    p.create = [](const natgpu_host*) -> void* { return new Wild; };
    p.destroy = [](void* state) { delete static_cast<Wild*>(state); };
    p.on_submit = [](void* state, const natgpu_host*, const natgpu_job* job) {
      of(state).known.push_back(job->id);
      ++of(state).waiting;
    };
    p.on_start = [](void* state, const natgpu_host*, const natgpu_job*) {
      --of(state).waiting, ++of(state).running;
      ++seen["started"];
    };
    p.on_end = [](void* state, const natgpu_host*, const natgpu_job*) { --of(state).running; };
    p.on_withdraw = [](void* state, const natgpu_host*, const natgpu_job* job) {
      --of(state).waiting;
      if (job->started != -1) ++seen["withdrawn while running"];
      ++seen["withdrawn"];
    };
    return p;
  }
  static void pass(void* state, const natgpu_host* host, std::int64_t now) {
    Wild& w = of(state);
    if (w.known.empty()) return;
    for (int i = 0; i < 4; ++i) w.act(host);
    start_what_fits(nullptr, host, now);
    w.count(host);
    if (w.below(host, 20) == 0 && w.waiting > 0) host->wake_at(host, now + 1 + w.below(host, 7'200'000'000));
  }
  void act(const natgpu_host* host) {
    const auto recent = std::min<std::int64_t>(static_cast<std::int64_t>(known.size()), 64);
    const std::int64_t job = known[known.size() - 1 - static_cast<std::size_t>(below(host, recent))];
    const std::int64_t pool = below(host, host->pools(host) + 1);  // one too many
    switch (below(host, 6)) {
      case 0:
        if (host->preempt(host, job) == NATGPU_OK) ++seen["preempted"];
        return;
      case 1:
        if (below(host, 4) == 0 && host->reject(host, job) == NATGPU_OK) --waiting, ++seen["sent away"];
        return;
      default:
        if (host->start(host, job, pool) == NATGPU_NO_POOL) ++seen["no such pool"];
    }
  }
  /// Whoever waits is found in the queue, whatever pools it accepts.
  void count(const natgpu_host* host) const {
    std::int64_t n = 0;
    for (std::int64_t job = behind(host, -1); job >= 0; job = behind(host, job)) ++n;
    if (n > waiting) ++seen["in the queue and unknown"];
  }
};

/// All numbers of a record, but those that a run has only where jobs may be preempted.
std::string numbers_of(const simulation::RunRecord& r) {
  std::string text = fmt::format("{:x} {} {}\n", r.fingerprint, r.events, r.jobs);
  for (const auto& m : r.measurements) {
    const std::string line = fmt::format("{} {} {:a}\n", m.metric, measures::to_string(m.labels), m.value);
    if (line.find("preempt") == std::string::npos) text += line;
  }
  return text;
}

simulation::RunRecord run_under(scenario::Scenario s, const natgpu_policy& table) {
  s.plugged_order = {&table, "./mine.so", "mine.so", "0123"};
  return simulation::simulate(s, {});
}

/// Policies of level 2 refuse projects.
Recipe without_blocks(std::uint64_t seed) {
  return recipe_of(seed).without(static_cast<unsigned>(Feature::projects));
}
/// Under a named policy, on counted GPUs or on machines.
scenario::Scenario random_scenario(const Recipe& recipe, const char* policy, scheduling::View view) {
  scenario::LoadOptions options;
  options.policy = policy;
  if (view == scheduling::View::pool) {
    scenario::Scenario s = scenario_of(yaml_of(recipe), options);
    s.scheduling.view = view;
    return s;
  }
  const auto rules = scheduling::placement_rules();
  const char* localities[] = {"0", "1", "1.3"};
  options.set = {"scheduling.view=node", "scheduling.semantics.ties=release-first",
                 "scheduling.placement=" + std::string(rules[recipe.seed % rules.size()].name),
                 std::string("scheduling.locality=") + localities[recipe.seed % 3]};
  // An order that takes GPUs back may have a notice, which does not go with machines.
  return scenario_of(yaml_of(recipe.without(static_cast<unsigned>(Feature::ranks_anew))), options);
}
void runs_alike(const Recipe& recipe, scheduling::View view, const char* name, const natgpu_policy& table) {
  const scenario::Scenario s = random_scenario(recipe, name, view);
  INFO("seed " << recipe.seed << " " << name << "\n" << yaml_of(recipe));
  REQUIRE(numbers_of(run_under(s, table)) == numbers_of(simulation::simulate(s, {})));
}

}  // namespace

TEST_CASE("fcfs and fit written as policies of level 2 run random scenarios as natgpu does") {
  const natgpu_policy fit = policy_with(start_what_fits), fcfs = policy_with(start_heads);
  for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
    Recipe recipe = without_blocks(seed);
    runs_alike(recipe, scheduling::View::pool, "fit", fit);
    // natgpu sets a job that no profile can hold aside until capacity is gained; this fcfs looks at it again
    // in each pass. It is the same where nothing is known to leave.
    for (const Feature f : {Feature::retirement, Feature::maintenance, Feature::grid})
      recipe = recipe.without(static_cast<unsigned>(f));
    runs_alike(recipe, scheduling::View::pool, "fcfs", fcfs);
  }
}

TEST_CASE("the same fcfs and fit run random scenarios on machines as natgpu does") {
  const natgpu_policy fit = policy_with(start_what_fits), fcfs = policy_with(start_heads);
  for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
    const Recipe recipe = without_blocks(seed);
    runs_alike(recipe, scheduling::View::node, "fit", fit);
    runs_alike(recipe, scheduling::View::node, "fcfs", fcfs);
  }
}

TEST_CASE("whatever a policy of level 2 does, nothing is lost or counted twice") {
  const natgpu_policy wild = Wild::table();
  Wild::seen.clear();
  double rejected = 0, preempted = 0;
  for (std::uint64_t seed = 1; seed <= 2 * scenarios; ++seed) {
    const bool on_machines = seed > scenarios;
    const Recipe recipe = without_blocks(seed);
    const std::string yaml = yaml_of(recipe);
    scenario::Scenario s =
        random_scenario(recipe, "fcfs", on_machines ? scheduling::View::node : scheduling::View::pool);
    if (seed % 3 == 0 && !on_machines) s.scheduling.preemption.notice = seconds(600);
    if (seed % 4 == 0) s.scheduling.preemption.shield = seconds(3600);
    INFO("seed " << seed << "\n" << yaml);
    const simulation::RunRecord record = run_under(s, wild);  // its books are checked
    rejected += value_of(record, "jobs.rejected.count", "period=all");
    preempted += value_of(record, "jobs.preempted.count", "period=all");
  }
  CHECK(Wild::seen["started"] > 10'000);
  CHECK(Wild::seen["withdrawn"] > 100);
  CHECK(Wild::seen["no such pool"] > 1'000);
  CHECK(Wild::seen["sent away"] > 100);
  CHECK(rejected >= static_cast<double>(Wild::seen["sent away"]));
  CHECK(preempted == static_cast<double>(Wild::seen["preempted"]));
  CHECK(preempted > 100);
  CHECK(Wild::seen["withdrawn while running"] == 0);
  CHECK(Wild::seen["in the queue and unknown"] == 0);
}
