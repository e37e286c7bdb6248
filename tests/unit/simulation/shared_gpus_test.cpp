// SPDX-License-Identifier: Apache-2.0
// GPUs shared in time in scenarios: the same as replays where both know the jobs, the same as without sharing
// where GPUs are enough, and the same as plain loops where pools of two speeds come, fail and go.
#include <cmath>
#include <random>

#include <fmt/format.h>

#include <natgpu/simulation/replay.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/simulation/national_sharing.hpp"
#include "catch.hpp"
#include "plain_shared.hpp"
#include "scenario_text.hpp"
#include "script.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr std::int64_t gpus = 16;

class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 random_;
};

workload::JobLog random_log(std::uint64_t seed) {
  Numbers n(seed);
  workload::JobLog log;
  log.max_procs = gpus;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 250; ++i) {
    const std::int64_t run = 60 + n.below(n.below(3) == 0 ? 40'000 : 4'000);
    log.jobs.push_back({i + 1, at, run,
                        n.below(5) == 0 ? std::max<std::int64_t>(run / 2, 1) : run + n.below(3 * run),
                        static_cast<std::int32_t>(1 + n.below(gpus))});
    at += n.below(6'000);
  }
  return log;
}

scenario::Scenario one_pool(const std::string& scheduling) {
  return scenario_of(
      fmt::format("schema: natgpu/1\nname: one-pool\nhorizon: {{start: 2026-01-01, end: 2026-03-01}}\n"
                  "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: 1}}]\n"
                  "supply:\n  sites: [{{name: room}}]\n"
                  "  tranches: [{{name: all, site: room, device: gpu, units: {} GPU, in_service: 2026-01-01, "
                  "service_life: endless}}]\n"
                  "demand:\n  sectors: [{{name: users, organisations: 0}}]\n  trace: {{sector: users}}\n"
                  "scheduling: {}\n",
                  gpus, scheduling));
}

/// Runs a log in a scenario and in a replay: first starts and ends, in seconds; ends are the nearest.
template <class Make>
void compare_with_replay(const workload::JobLog& log, const std::string& scheduling,
                         const simulation::ReplayOptions& options, Make&& make) {
  const WatchedRun run = watch_under(one_pool(scheduling), 1, &log,
                                     [&](const scenario::Scenario& s, const auto& groups, const auto&,
                                         const auto&) { return make(s.scheduling, groups); });
  const simulation::ReplayResult replayed = simulation::replay(log, options);
  CHECK(run.within_capacity);
  REQUIRE(run.seen.jobs.size() == log.jobs.size());
  std::uint64_t killed = 0;
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    const SeenJob& j = run.seen.jobs[i];
    CAPTURE(i);
    REQUIRE(j.ran.size() == 1);
    CHECK(j.ran.front().from / ticks_per_second == replayed.start_s[i]);
    CHECK((j.gone + ticks_per_second / 2) / ticks_per_second == replayed.end_s[i]);
    killed += replayed.killed[i] ? 1 : 0;
  }
  std::uint64_t booked = 0;
  for (const simulation::JobCounts& c : run.books.cohorts) booked += c.killed;
  CHECK(booked == killed);
  CHECK(killed > 10);
}

/// Several pools that grow and fail; some 30 of the GPUs are wanted on average, and all are so many.
std::string roomy(std::uint64_t seed, const std::string& scheduling) {
  return fmt::format(
      "schema: natgpu/1\nname: roomy\nseed: {}\nhorizon: {{start: 2026-01-01, end: 2026-08-01}}\n"
      "hardware:\n  - {{name: one, bf16: 1 TFLOP/s, per_node: 8}}\n  - {{name: two, bf16: 1 TFLOP/s, "
      "per_node: 4}}\n"
      "supply:\n  sites: [{{name: here}}, {{name: there}}]\n  tranches:\n"
      "    - {{name: a, site: here, device: one, units: 300 GPU, in_service: 2026-01-01}}\n"
      "    - {{name: b, site: there, device: two, units: 200 GPU, in_service: 2026-03-05}}\n"
      "  failures: {{causes: [{{name: node, mtbf: 9 d, repair: {{dist: exponential, mean: 6 h}}}}]}}\n"
      "demand:\n  sectors:\n    - {{name: users, organisations: 9, request_rate: 3 /d, mix: [{{name: job}}], "
      "onboarding: {{initial: 100 %}}, adoption: {{initial: 100 %}}, service_rate: 0.02 /d, services: "
      "[{{name: web}}]}}\n"
      "  batch: [{{name: job, gpus: {{dist: discrete, values: [1 GPU, 4 GPU, 9 GPU], weights: [2, 1, 1]}}, "
      "run_time: {{dist: exponential, mean: 12 h}}, overestimate: {{dist: uniform, low: 0.8, high: 3}}, "
      "checkpoint_every: 2 h, restart_cost: 20 min, failed_share: 10 %, cancelled_share: 10 %}}]\n"
      "  service: [{{name: web, floor: 1, peak: 4, gpus_per_replica: 2 GPU, duration: 30 d}}]\n"
      "  calendar: {{hours: [1,1,1,1,1,1,2,3,6,9,9,9,6,9,9,9,6,3,2,2,2,1,1,1]}}\n"
      "scheduling: {}\n",
      seed, scheduling);
}

}  // namespace

TEST_CASE("a log's jobs share the GPUs of a scenario as they share those of a replay") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const workload::JobLog log = random_log(seed);
    simulation::ReplayOptions options;
    options.backfill = scheduling::Backfill::none;
    options.sharing = scheduling::Sharing::ps;
    compare_with_replay(log, "{sharing: ps}", options, simulation::pools_shared_at_once);
    options.sharing = scheduling::Sharing::gang;
    options.quantum = hours(1).count();
    compare_with_replay(log, "{sharing: gang, quantum: 1 h}", options, simulation::pools_shared_in_turns);
  }
}

TEST_CASE("where GPUs are enough for all, sharing them changes no number of a run") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    simulation::SimulateOptions options;
    options.seed = seed;
    const auto alone = simulation::simulate(scenario_of(roomy(seed, "{backfill: fit}")), options);
    const auto shared = simulation::simulate(scenario_of(roomy(seed, "{sharing: ps}")), options);
    CHECK(value_of(alone, "jobs.wait.mean", "period=all") == 0);
    CHECK(value_of(alone, "jobs.restarts.count", "period=all") > 50);
    CHECK(value_of(alone, "gpu.hours", "period=all;state=lost;cause=failure") > 0);
    CHECK(value_of(alone, "services.entries.count", "period=all") > 100);
    REQUIRE(alone.measurements.size() == shared.measurements.size());
    for (std::size_t i = 0; i < alone.measurements.size(); ++i) {
      const measures::Measurement &a = alone.measurements[i], &b = shared.measurements[i];
      INFO(a.metric << " " << measures::to_string(a.labels));
      CHECK(a.metric == b.metric);
      CHECK(a.labels == b.labels);
      CHECK(a.value == Approx(b.value).epsilon(1e-12));
    }
    CHECK(alone.demand_hash == shared.demand_hash);
    CHECK(alone.failure_hash == shared.failure_hash);
  }
}

namespace {

/// Jobs, failures, and GPUs that come and go, in two pools of which one is twice as fast.
struct Case {
  std::vector<PlainSharedJob> jobs;
  std::vector<std::string> classes;
  std::vector<PlainCapacityEvent> events;
};
constexpr std::int64_t pool_gpus[] = {9, 6};

Case random_case(std::uint64_t seed, double saved_weight) {
  Numbers n(seed);
  Case c;
  const std::int64_t hour = hour_ticks(1);
  std::int64_t at = hour;
  for (int i = 0; i < 60; ++i) {
    PlainSharedJob j;
    j.arrives = at;
    j.run_time = hour / 10 + n.below(n.below(3) == 0 ? 20 * hour : 4 * hour);
    j.requested = n.below(5) == 0 ? j.run_time * 2 / 3 : j.run_time + n.below(j.run_time);
    j.gpus = static_cast<std::int32_t>(1 + n.below(n.below(3) == 0 ? 9 : 4));
    const std::int64_t kind = n.below(3);
    c.classes.emplace_back(kind == 0 ? "plain" : kind == 1 ? "saved" : "slow");
    if (kind > 0) j.checkpoint_every = 2 * hour;
    if (kind == 1) j.weight = saved_weight;
    if (kind == 2) j.restart_cost = hour;
    c.jobs.push_back(j);
    at += 1 + n.below(2 * hour);
  }
  for (std::size_t pool = 0; pool < 2; ++pool) {
    std::int64_t when = 2 * hour, up = pool_gpus[pool];
    c.events.push_back({0, pool, up, -1});
    while (when < at + 20 * hour) {  // what goes comes back before more goes
      const std::int64_t units = 1 + n.below(n.below(4) == 0 ? up : 3), back = when + 1 + n.below(6 * hour);
      c.events.push_back({when, pool, -units, n.below(3) > 0 ? n.uniform() : -1});
      c.events.push_back({back, pool, units, -1});
      when = back + 1 + n.below(8 * hour);
    }
  }
  std::stable_sort(c.events.begin(), c.events.end(),
                   [](const PlainCapacityEvent& a, const PlainCapacityEvent& b) { return a.at < b.at; });
  return c;
}

template <class Shared, class Make>
void compare_with_plain_loops(const std::string& scheduling, double saved_weight, std::int64_t quantum,
                              Make&& make) {
  std::size_t ended = 0, restarts = 0, killed = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Case c = random_case(seed, saved_weight);
    ScriptUnder<Shared> script(pool_gpus[0], scheduling, make, pool_gpus[1]);
    const auto in_hours = [](std::int64_t t) {
      return static_cast<double>(t) / static_cast<double>(hour_ticks(1));
    };
    for (std::size_t i = 0; i < c.jobs.size(); ++i) {
      const PlainSharedJob& j = c.jobs[i];
      script.job(in_hours(j.arrives),
                 {j.gpus, in_hours(j.run_time), in_hours(j.requested), -1, c.classes[i]});
    }
    for (const PlainCapacityEvent& e : c.events) {
      const auto pool = static_cast<std::uint32_t>(e.pool);
      if (e.at == 0) continue;
      if (e.fraction >= 0)
        script.breaks(in_hours(e.at), -e.units, e.fraction, supply::Victim::uniform, pool);
      else if (e.units < 0)
        script.leave(in_hours(e.at), -e.units, pool);
      else
        script.come(in_hours(e.at), e.units, pool);
    }
    script.run(240);
    PlainShared plain({1, 2}, quantum);
    plain.run(c.jobs, c.events);
    bool all_gone = true;
    std::size_t of_case = 0;
    REQUIRE(script.jobs().size() == c.jobs.size());
    for (std::size_t i = 0; i < c.jobs.size(); ++i) {
      const SeenJob& seen = script.jobs()[i];
      CAPTURE(i, seen.gone, c.jobs[i].end);
      if (seen.still_there) {
        all_gone = false;
        CHECK(c.jobs[i].end > hour_ticks(240) - 100);
        continue;
      }
      CHECK(seen.ran.front().from == c.jobs[i].first_start);
      REQUIRE(std::abs(seen.gone - c.jobs[i].end) <= 20);
      of_case += static_cast<std::size_t>(c.jobs[i].restarts);
      killed += c.jobs[i].killed ? 1 : 0;
      ++ended;
    }
    if (!all_gone) continue;
    restarts += of_case;
    CHECK(script.counts().restarts == of_case);
    const double hour = static_cast<double>(hour_ticks(1));
    CHECK(script.time(simulation::Use::useful) == Approx(plain.useful / hour).epsilon(1e-9));
    CHECK(script.time(simulation::Use::stalled) == Approx(plain.stalled / hour).epsilon(1e-9));
    CHECK(script.lost() == Approx(plain.lost / hour).epsilon(1e-9));
  }
  CHECK(ended > 7'000);
  CHECK(restarts > 1'000);
  CHECK(killed > 500);
}

}  // namespace

TEST_CASE("jobs that share pools of two speeds end, restart and lose work as plain loops say") {
  compare_with_plain_loops<simulation::SharedPools<scheduling::ProcessorSharing>>(
      "{sharing: ps, weights: [{name: saved, weight: 2.7}]}", 2.7, 0, simulation::pools_shared_at_once);
}

TEST_CASE("jobs that share pools of two speeds in turns end, restart and lose work as plain loops say") {
  compare_with_plain_loops<simulation::SharedPools<scheduling::GangSharing>>(
      "{sharing: gang, quantum: 1 h}", 1, hour_ticks(1), simulation::pools_shared_in_turns);
}

namespace {

ScriptUnder<simulation::SharedPools<scheduling::ProcessorSharing>> script_of(std::int64_t units) {
  return {units, "{sharing: ps}", simulation::pools_shared_at_once};
}

}  // namespace

TEST_CASE("a failure hits whoever holds a part of what fails, and the others have less") {
  for (const auto victim : {supply::Victim::uniform, supply::Victim::last_started}) {
    auto script = script_of(2);
    for (int i = 0; i < 3; ++i) script.job(0, {1, 4.0 / 3});  // to each two thirds of a GPU
    script.broken(1, 2, 1, 0, victim);
    script.run(10);
    const bool first_unit =
        victim == supply::Victim::uniform;  // that of the first job and a part of the second's
    CHECK(script.ran(first_unit ? 0 : 2) == "0-1 1-3.16667");
    CHECK(script.ran(1) == "0-1 1-3.16667");
    CHECK(script.ran(first_unit ? 2 : 0) == "0-2.5");
    CHECK(script.counts().restarts == 2);
    CHECK(script.time(simulation::Use::lost_failure) == Approx(4.0 / 3));
    CHECK(script.time(simulation::Use::useful) == Approx(4));
  }
}

TEST_CASE("a job larger than what is up waits, gives up in time, and starts when GPUs come") {
  auto script = script_of(4);
  script.leave(1, 2);
  script.job(2, {4, 1, -1, 3});
  script.job(2.5, {4, 1});
  script.job(3, {1, 1});
  script.come(8, 2);
  script.run(12);
  CHECK(script.ran(0).empty());
  CHECK(script.ran(1) == "8-9");
  CHECK(script.ran(2) == "3-4");
  CHECK(script.counts().gave_up == 1);
}

TEST_CASE("GPUs that go squeeze those who share them, and nobody loses work") {
  auto script = script_of(4);
  script.job(0, {2, 3});
  script.job(0, {2, 3});
  script.leave(1, 2);  // from then on half of the pace
  script.run(10);
  CHECK(script.ran(0) == "0-5");
  CHECK(script.ran(1) == "0-5");
  CHECK(script.counts().restarts == 0);
  CHECK(script.time(simulation::Use::useful) == Approx(12));
  CHECK(script.area(&simulation::PoolAreas::allocated) == Approx(12));
}

TEST_CASE("a service that shares GPUs has its part, and what its replicas lack is unserved") {
  auto script = script_of(2);
  script.service(0, 24);  // one GPU, three from 9 to 12 h, two until 17 h
  script.run(30);
  CHECK(script.unserved() == Approx(2));  // two replicas without a third of a GPU for three hours
  CHECK(script.time(simulation::Use::useful) == Approx(23 + 4 + 5));
  CHECK(script.area(&simulation::PoolAreas::allocated) == Approx(32));
  CHECK(script.counts().finished == 1);
}
