// SPDX-License-Identifier: Apache-2.0
// The modes of preemption on the machines of a scenario: on machines of one GPU as in the pool view, and with
// several on a machine what must hold whatever the rule.
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::simulate;

namespace {

/// Two kinds of GPUs, three classes of jobs and a service, two sectors that ask for more than there is.
scenario::Scenario scenario_under(const std::string& scheduling, int per_node, const char* share = "") {
  return scenario_of(fmt::format(
      R"(schema: natgpu/1
name: contest
horizon: {{start: 2026-01-01, end: 2026-01-29}}
hardware:
  - {{name: fast, bf16: 200 TFLOP/s, per_node: {0}}}
  - {{name: slow, bf16: 100 TFLOP/s, per_node: {0}}}
supply:
  sites: [{{name: here}}]
  tranches:
    - {{name: a, site: here, device: fast, units: 16 GPU, in_service: 2026-01-01}}
    - {{name: b, site: here, device: slow, units: 16 GPU, in_service: 2026-01-01}}
    - {{name: c, site: here, device: fast, units: 8 GPU, in_service: 2026-01-15}}
demand:
  sectors:
    - name: many
      organisations: 8
      request_rate: 4 /d
      adoption: {{initial: 1}}
      onboarding: {{initial: 1}}
      mix: [{{name: small, share: 60 %}}, {{name: gang, share: 20 %}}, {{name: spot, share: 20 %}}]
    - name: few
      organisations: 3
      request_rate: 6 /d
      adoption: {{initial: 1}}
      onboarding: {{initial: 1}}
      mix: [{{name: small, share: 50 %}}, {{name: gang, share: 40 %}}, {{name: spot, share: 10 %}}]
  batch:
    - {{name: small, gpus: 1 GPU, run_time: {{dist: exponential, mean: 8 h}}, overestimate: 2, checkpoint_every: 1 h{1}}}
    - {{name: gang, gpus: 5 GPU, run_time: {{dist: exponential, mean: 4 h}}, overestimate: 2}}
    - {{name: spot, gpus: 2 GPU, run_time: {{dist: exponential, mean: 9 h}}, overestimate: 2, restart_cost: 5 min}}
scheduling: {2}
)",
      per_node, share, scheduling));
}

/// Every stretch in which each job ran, and where.
std::vector<std::vector<std::tuple<std::int64_t, std::int64_t, std::uint32_t>>> stretches(
    const WatchedRun& run) {
  CHECK(run.within_capacity);
  std::vector<std::vector<std::tuple<std::int64_t, std::int64_t, std::uint32_t>>> all;
  for (const SeenJob& j : run.seen.jobs) {
    all.emplace_back();
    for (const Stretch& s : j.ran) all.back().emplace_back(s.from, s.until, s.pool);
  }
  return all;
}
std::uint64_t preempted(const WatchedRun& run) {
  std::uint64_t n = 0;
  for (const simulation::JobCounts& c : run.books.cohorts) n += c.preemptions;
  return n;
}

template <class Dispatcher>
WatchedRun counted_by_class(const scenario::Scenario& scenario, std::uint64_t seed) {
  return watch_under(
      scenario, seed, nullptr,
      [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return Dispatcher(simulation::preemptive_rule(s.scheduling), fleet.pools().size(), groups.specs);
      });
}
WatchedRun counted_by_quota(const scenario::Scenario& scenario, std::uint64_t seed) {
  return watch_under(
      scenario, seed, nullptr,
      [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto& accounts) {
        return scheduling::QuotaReclaim(simulation::preemptive_rule(s.scheduling), fleet.pools().size(),
                                        groups.specs, scheduling::quotas_of(accounts.tree));
      });
}
WatchedRun on_machines(const scenario::Scenario& scenario, std::uint64_t seed) {
  Streams streams(seed, 0);
  return watch_under(
      scenario, seed, nullptr,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::ClassMachines(simulation::machine_settings(s, fleet, groups),
                                         streams.open("nodes", "placement"),
                                         simulation::preemptive_rule(s.scheduling));
      });
}
WatchedRun on_machines_by_quota(const scenario::Scenario& scenario, std::uint64_t seed) {
  Streams streams(seed, 0);
  return watch_under(
      scenario, seed, nullptr,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto& accounts) {
        return scheduling::QuotaMachines(
            simulation::machine_settings(s, fleet, groups), streams.open("nodes", "placement"),
            simulation::preemptive_rule(s.scheduling), scheduling::quotas_of(accounts.tree));
      });
}

const char* const modes[] = {
    "order: priority, classes: [gang, small], preemption: {mode: by-class}",
    "order: priority, classes: [small, gang], preemption: {mode: by-class, shield: 0 s}",
    "order: fcfs, preemption: {mode: spot-first, spot: [spot], shield: 1 h}",
    "order: fcfs, accounts: {level: sector}, preemption: {mode: quota-reclaim}",
    "order: saf, preemption: {mode: quota-reclaim, shield: 0 s, rounds: 1 h}",
};
bool is_by_quota(const std::string& mode) {
  return mode.find("quota-reclaim") != std::string::npos;
}

double sum_of(const simulation::RunRecord& r, const std::string& metric) {
  double sum = 0;
  for (const measures::Measurement& m : r.measurements)
    if (m.metric == metric) sum += m.value;
  return sum;
}

}  // namespace

TEST_CASE("on machines of one GPU every mode of preemption does what it does in the pool view") {
  std::uint64_t all = 0;
  for (const std::string mode : modes)
    for (const std::string backfill : {"none", "fit"})
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(mode, backfill, seed);
        const auto text = [&](const char* view) {
          return "{view: " + std::string(view) + ", backfill: " + backfill + ", " + mode + "}";
        };
        const scenario::Scenario pool = scenario_under(text("pool"), 1),
                                 node = scenario_under(text("node"), 1);
        const WatchedRun counted = is_by_quota(mode)
                                       ? counted_by_quota(pool, seed)
                                       : counted_by_class<scheduling::ClassPreemption>(pool, seed);
        const WatchedRun run = is_by_quota(mode) ? on_machines_by_quota(node, seed) : on_machines(node, seed);
        CHECK(stretches(run) == stretches(counted));
        CHECK(preempted(run) == preempted(counted));
        all += preempted(run);
      }
  CHECK(all > 2'000);
}

TEST_CASE("a run under each mode takes the dispatcher on machines, and shares GPUs within quotas") {
  for (const std::string mode : modes) {
    CAPTURE(mode);
    const simulation::RunRecord counted =
        simulate(scenario_under("{backfill: fit, " + mode + "}", 1), simulation::SimulateOptions{});
    const simulation::RunRecord one =
        simulate(scenario_under("{view: node, backfill: fit, " + mode + "}", 1), {});
    for (const char* metric : {"jobs.preempted.count", "jobs.wait.mean", "gpu.hours"}) {
      CAPTURE(metric);
      CHECK(sum_of(one, metric) == Approx(sum_of(counted, metric)));
    }
    CHECK(sum_of(one, "jobs.preempted.count") > 0);
    const simulation::RunRecord eight =
        simulate(scenario_under("{view: node, backfill: fit, " + mode + "}", 8, ", gpu_share: 0.4"), {});
    CHECK(sum_of(eight, "jobs.preempted.count") > 0);
    CHECK(eight.fingerprint != one.fingerprint);
  }
}

TEST_CASE("spot jobs keep their machines under notice, and what they lose waits for nobody else") {
  const auto under = [](const char* more) {
    return simulate(scenario_under(std::string("{view: node, backfill: fit, order: fcfs, preemption: {mode: "
                                               "spot-first, spot: [spot], shield: 0 s") +
                                       more + "}}",
                                   8),
                    {});
  };
  const simulation::RunRecord at_once = under(""), later = under(", notice: 30 min");
  CHECK(sum_of(later, "jobs.preempted.count") > 0);
  CHECK(later.fingerprint != at_once.fingerprint);
  const auto stalled = [](const simulation::RunRecord& r) {
    double hours = 0;
    for (const measures::Measurement& m : r.measurements)
      if (m.metric == "gpu.hours" && measures::to_string(m.labels).find("state=stalled") != std::string::npos)
        hours += m.value;
    return hours;
  };
  CHECK(stalled(later) > stalled(at_once));
}
