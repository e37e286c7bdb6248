// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf in scenarios: the same as replays where both know the jobs, on one type of GPU and
// on two; and what a replay does not have: classes of jobs on several sites, services, sectors with shares.
// On machines the same as their replay, and as counted GPUs where each machine has one.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/scheduling/typed_gavel.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/simulation/national_gavel.hpp"
#include "catch.hpp"
#include "room.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Order;

namespace {

workload::JobLog random_log(std::uint64_t seed, std::int64_t gpus) {
  // Jobs of a log have no checkpoints in a scenario: one of many rounds would never be done.
  return testing::random_log(seed, {gpus, 4, 6, 6'000, 2'000});
}

/// @param gpus  of each type, of which there may be one
Spans replayed(const workload::JobLog& log, Order order, Backfill backfill, std::int64_t notice_s,
               const std::vector<std::int64_t>& gpus, const std::vector<std::int64_t>& speeds) {
  simulation::ReplayOptions o;
  o.order = order;
  o.backfill = backfill;
  o.preemption.round = seconds(3600).count();
  o.preemption.notice = seconds(notice_s).count();
  o.segments.checkpoint = simulation::no_checkpoint;  // as jobs of a log in a scenario
  if (gpus.size() > 1) {
    o.types.names = {"A", "B"};
    o.types.gpus = gpus;
    o.types.speeds.rows.push_back({"*", speeds});
  }
  return spans_of(simulation::replay(log, o));
}

WatchedRun watch_on_machines(const scenario::Scenario& scenario, const workload::JobLog* log = nullptr) {
  Streams streams(1, 0);
  return watch_under(
      scenario, 1, log,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::GavelMachines(
            simulation::machine_settings(s, fleet, groups), streams.open("nodes", "placement"),
            simulation::preemptive_rule(s.scheduling), simulation::types_of(fleet.pools()));
      });
}
WatchedRun watch_by_target(const scenario::Scenario& scenario, const workload::JobLog* log = nullptr) {
  return watch_under(
      scenario, 1, log,
      [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return scheduling::TypedGavelDispatcher(simulation::preemptive_rule(s.scheduling),
                                                simulation::types_of(fleet.pools()), groups.specs);
      });
}
std::uint64_t preemptions_of(const WatchedRun& run) {
  std::uint64_t all = 0;
  for (const simulation::JobCounts& c : run.books.cohorts) all += c.preemptions;
  return all;
}

std::string scheduling_of(const char* order, const char* backfill, std::int64_t notice_s) {
  return fmt::format("{{order: {}, backfill: {}, preemption: {{rounds: 1 h, notice: {} s}}}}", order,
                     backfill, notice_s);
}
scenario::Scenario log_on(const std::string& hardware_and_supply, const std::string& scheduling) {
  return scenario_of("schema: natgpu/1\nname: log\nhorizon: {start: 2026-01-01, end: 2026-03-01}\n" +
                     hardware_and_supply +
                     "demand:\n  sectors: [{name: users, organisations: 0}]\n  trace: {sector: users}\n"
                     "scheduling: " +
                     scheduling + "\n");
}

/// Ticks that a job ran in [from, until), in pools that `counts` says count.
template <class Counts>
double ran_in(const SeenJob& j, std::int64_t from, std::int64_t until, Counts counts) {
  double ticks = 0;
  for (const Stretch& s : j.ran)
    if (counts(s.pool))
      ticks +=
          static_cast<double>(std::max<std::int64_t>(std::min(s.until, until) - std::max(s.from, from), 0));
  return ticks;
}

/// Two sectors whose jobs never end, of one GPU and of two, on two types at two sites each.
std::string crowd(const std::string& speeds_one, const std::string& speeds_two,
                  const std::string& scheduling) {
  return "schema: natgpu/1\nname: crowd\nhorizon: {start: 2026-01-01, end: 2026-02-10}\n"
         "hardware:\n"
         "  - {name: one, bf16: 1 TFLOP/s, per_node: 1, speeds: [" +
         speeds_one +
         "]}\n"
         "  - {name: two, bf16: 1 TFLOP/s, per_node: 1, speeds: [" +
         speeds_two +
         "]}\n"
         "supply:\n  sites: [{name: north}, {name: south}]\n  tranches:\n"
         "    - {name: a, site: north, device: one, units: 4 GPU, in_service: 2026-01-01}\n"
         "    - {name: b, site: north, device: two, units: 6 GPU, in_service: 2026-01-01}\n"
         "    - {name: c, site: south, device: one, units: 6 GPU, in_service: 2026-01-01}\n"
         "    - {name: d, site: south, device: two, units: 4 GPU, in_service: 2026-01-01}\n"
         "demand:\n  sectors:\n"
         "    - {name: narrow, organisations: 2, request_rate: 2 /d, mix: [{name: single}], onboarding: "
         "{initial: 100 %}, adoption: {initial: 100 %}}\n"
         "    - {name: wide, organisations: 2, request_rate: 2 /d, mix: [{name: pair}], onboarding: "
         "{initial: 100 %}, adoption: {initial: 100 %}}\n"
         "  batch:\n    - {name: single, gpus: 1 GPU, run_time: 400 d, checkpoint_every: 1 min}\n"
         "    - {name: pair, gpus: 2 GPU, run_time: 400 d, checkpoint_every: 1 min}\n"
         "scheduling: " +
         scheduling + "\n";
}

}  // namespace

TEST_CASE("orders by target shares do in a scenario of one type what they do in a replay") {
  const std::string room =
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 1}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 12 GPU, in_service: 2026-01-01}]\n";
  std::uint64_t preempted = 0;
  for (const auto& [name, order] :
       {std::pair{"gavel-las", Order::gavel_las}, std::pair{"gavel-ftf", Order::gavel_ftf}})
    for (const auto& [words, backfill] : {std::pair{"fit", Backfill::fit}, std::pair{"none", Backfill::none}})
      for (std::uint64_t seed = 3; seed <= 6; ++seed) {
        const std::int64_t notice = seed % 2 == 0 ? 600 : 0;
        const workload::JobLog log = random_log(seed, 12);
        CAPTURE(name, words, seed);
        const WatchedRun run = watch_by_target(log_on(room, scheduling_of(name, words, notice)), &log);
        CHECK(run.within_capacity);
        CHECK(spans_of(run.seen) == replayed(log, order, backfill, notice, {12}, {}));
        preempted += preemptions_of(run);
      }
  CAPTURE(preempted);
  CHECK(preempted > 100);
}

TEST_CASE("on two types they do in a scenario what a replay does with --gpu-types, at each site alone") {
  const std::string rooms =
      "hardware:\n  - {name: fast, bf16: 1 TFLOP/s, per_node: 1, speed: 2}\n"
      "  - {name: slow, bf16: 1 TFLOP/s, per_node: 1, speed: 0.75}\n"
      "supply:\n  sites: [{name: south}, {name: north}]\n  tranches:\n"
      "    - {name: b, site: north, device: slow, units: 8 GPU, in_service: 2026-01-01}\n"
      "    - {name: a, site: south, device: fast, units: 6 GPU, in_service: 2026-01-01}\n";
  std::uint64_t preempted = 0;
  for (const auto& [name, order] :
       {std::pair{"gavel-las", Order::gavel_las}, std::pair{"gavel-ftf", Order::gavel_ftf}})
    for (std::uint64_t seed = 11; seed <= 20; ++seed) {
      const workload::JobLog log = random_log(seed, 14);
      const char* words = seed % 3 == 0 ? "none" : "fit";
      const Backfill backfill = seed % 3 == 0 ? Backfill::none : Backfill::fit;
      const std::int64_t notice = seed % 2 == 0 ? 300 : 0;
      CAPTURE(name, words, seed);
      const WatchedRun run = watch_by_target(log_on(rooms, scheduling_of(name, words, notice)), &log);
      CHECK(run.within_capacity);
      CHECK(spans_of(run.seen) == replayed(log, order, backfill, notice, {6, 8}, {2'000'000, 750'000}));
      preempted += preemptions_of(run);
    }
  CAPTURE(preempted);
  CHECK(preempted > 100);
}

TEST_CASE("classes with a backlog have the type that they are fast on, at all of its sites") {
  const scenario::Scenario s = scenario_of(crowd(
      "{name: single, speed: 4}, {name: pair, speed: 1}", "{name: single, speed: 1}, {name: pair, speed: 3}",
      "{order: gavel-las, backfill: fit, preemption: {rounds: 30 min}}"));
  const WatchedRun run = watch_by_target(s);
  CHECK(run.within_capacity);
  const supply::Fleet fleet(s.hardware, s.supply);
  const auto device_of = [&](std::uint32_t pool) { return fleet.pools()[pool].device; };
  double on_best = 0, elsewhere = 0;
  for (const SeenJob& j : run.seen.jobs) {
    const auto is_best = [&](std::uint32_t p) { return device_of(p) == (j.gpus == 1 ? 0U : 1U); };
    on_best += j.gpus * ran_in(j, days(20).count(), days(40).count(), is_best);
    elsewhere += j.gpus * ran_in(j, days(20).count(), days(40).count(), std::not_fn(is_best));
  }
  // All 20 GPUs are used. The class with fewer jobs lends some of its type, until all are equally well off.
  CHECK(on_best + elsewhere >= 0.999 * 20 * static_cast<double>(days(20).count()));
  CHECK(elsewhere <= 0.1 * on_best);
}

TEST_CASE("under gavel-las a job's GPU time is in proportion to the shares of its sector") {
  const scenario::Scenario s = scenario_of(
      crowd("", "", "{order: gavel-las, backfill: fit, accounts: {shares: [{name: narrow, share: 3}]}}"));
  const WatchedRun run = watch_by_target(s);
  double gpu_time[2] = {0, 0}, jobs[2] = {0, 0};
  for (const SeenJob& j : run.seen.jobs) {
    if (j.submitted > days(20).count()) continue;
    const int kind = j.gpus - 1;
    gpu_time[kind] +=
        j.gpus * ran_in(j, days(20).count(), days(40).count(), [](std::uint32_t) { return true; });
    ++jobs[kind];
  }
  REQUIRE(jobs[0] > 40);
  REQUIRE(jobs[1] > 40);
  CHECK(gpu_time[0] / jobs[0] == Approx(3 * gpu_time[1] / jobs[1]).epsilon(0.04));
}

TEST_CASE("services wait by turns, and nobody takes their GPUs") {
  for (const char* order : {"gavel-las", "gavel-ftf"}) {
    std::string text = crowd("", "", fmt::format("{{order: {}, backfill: fit}}", order));
    const auto into = [&](const std::string& before, const std::string& more) {
      text.insert(text.find(before), more);
    };
    into("    - {name: wide,",
         "    - {name: web, organisations: 3, request_rate: 0 /d, mix: [{name: single}], service_rate: 0.1 "
         "/d, "
         "services: [{name: site}], onboarding: {initial: 100 %}, adoption: {initial: 100 %}}\n");
    into("scheduling:",
         "  service: [{name: site, gpus_per_replica: 1 GPU, floor: 2, peak: 5, duration: 20 d, patience: 9 "
         "d}]\n");
    const WatchedRun run = watch_by_target(scenario_of(text));
    CHECK(run.within_capacity);
    std::size_t floors = 0, interrupted = 0;
    for (const SeenJob& j : run.seen.jobs) {
      if (j.kind != simulation::JobKind::service_floor || j.ran.empty()) continue;
      CHECK(j.ran.size() == 1);
      CHECK(j.ran.back().until == std::min(j.ran.front().from + days(20).count(), days(40).count()));
      ++floors;
    }
    for (const SeenJob& j : run.seen.jobs)
      interrupted += j.kind == simulation::JobKind::batch && j.ran.size() > 1;
    CHECK(floors >= 3);
    CHECK(interrupted > 50);
  }
}

TEST_CASE("without rounds in the file they last six minutes") {
  for (const char* rounds : {"", ", preemption: {rounds: 6 min}"}) {
    const scenario::Scenario s =
        scenario_of(crowd("", "", fmt::format("{{order: gavel-las, backfill: fit{}}}", rounds)));
    CHECK(simulation::preemptive_rule(s.scheduling).round == seconds(360).count());
  }
}

TEST_CASE("a log on the machines of a scenario has the turns of its replay on machines") {
  std::uint64_t preempted = 0;
  for (const auto& [name, order] :
       {std::pair{"gavel-las", Order::gavel_las}, std::pair{"gavel-ftf", Order::gavel_ftf}})
    for (const auto& [words, backfill] : {std::pair{"fit", Backfill::fit}, std::pair{"none", Backfill::none}})
      for (const double slowdown : {0.0, 1.5}) {
        const workload::JobLog log = random_log(10, 12);
        simulation::ReplayOptions o;
        o.order = order;
        o.backfill = backfill;
        o.preemption.round = seconds(3600).count();
        o.segments.checkpoint = simulation::no_checkpoint;  // as jobs of a log in a scenario
        simulation::NodeView view;
        view.machines = workload::equal_nodes("3x4").value();
        view.placement = scheduling::Placement::consolidated;
        view.slowdown_milli = static_cast<std::int64_t>(slowdown * 1000);
        const simulation::ReplayResult r = simulation::replay_on_nodes(log, o, view).replay;
        const Spans spans = spans_of(r);
        const std::string text = fmt::format(
            "{{view: node, order: {}, backfill: {}, placement: consolidated, locality: {}, "
            "preemption: {{rounds: 1 h}}}}",
            name, words, slowdown);
        CAPTURE(text);
        const WatchedRun run = watch_on_machines(
            log_on("hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 4}]\n"
                   "supply:\n  sites: [{name: room}]\n  tranches: [{name: all, site: room, device: gpu, "
                   "units: 12 GPU, in_service: 2026-01-01}]\n",
                   text),
            &log);
        CHECK(run.within_capacity);
        CHECK(spans_of(run.seen) == spans);
        preempted += r.preemptions;
      }
  CAPTURE(preempted);
  CHECK(preempted > 100);
}

TEST_CASE("over sites and types of machines of one GPU the views agree, with services and failures") {
  std::size_t segments = 0;
  for (const char* order : {"gavel-las", "gavel-ftf"})
    for (const char* backfill : {"fit", "none"}) {
      const auto in_view = [&](const char* view) {
        std::string text = crowd("{name: single, speed: 4}, {name: pair, speed: 1}",
                                 "{name: single, speed: 1}, {name: pair, speed: 3}",
                                 fmt::format("{{order: {}, backfill: {}, view: {}, preemption: {{rounds: 2 "
                                             "h}}, accounts: {{shares: [{{name: narrow, share: 3}}]}}}}",
                                             order, backfill, view));
        const auto into = [&](const std::string& before, const std::string& more) {
          text.insert(text.find(before), more);
        };
        into("    - {name: wide,",
             "    - {name: web, organisations: 3, request_rate: 0 /d, mix: [{name: single}], service_rate: "
             "0.1 /d, services: [{name: site}], onboarding: {initial: 100 %}, adoption: {initial: 100 %}}\n");
        into("scheduling:",
             "  service: [{name: site, gpus_per_replica: 1 GPU, floor: 2, peak: 5, duration: 20 d, patience: "
             "9 d}]\n");
        return scenario_of(text);
      };
      const WatchedRun counted = watch_by_target(in_view("pool"));
      const WatchedRun machines = watch_on_machines(in_view("node"));
      CAPTURE(order, backfill);
      CHECK(machines.within_capacity);
      REQUIRE(machines.seen.jobs.size() == counted.seen.jobs.size());
      for (std::size_t i = 0; i < counted.seen.jobs.size(); ++i) {
        const std::vector<Stretch>&a = machines.seen.jobs[i].ran, &b = counted.seen.jobs[i].ran;
        CAPTURE(i);
        REQUIRE(std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Stretch& x, const Stretch& y) {
          return x.from == y.from && x.until == y.until && x.pool == y.pool;
        }));
        segments += b.size();
      }
    }
  CAPTURE(segments);
  CHECK(segments > 5'000);
}

TEST_CASE("on machines of two GPUs too classes have the type that they are fast on") {
  // Machines of two, jobs of one GPU and of two: hardly a place is lost to fragmentation, so that all GPUs
  // are in use, most by the class that is fast on them.
  std::string text = crowd(
      "{name: single, speed: 4}, {name: pair, speed: 1}", "{name: single, speed: 1}, {name: pair, speed: 3}",
      "{order: gavel-las, backfill: fit, view: node, placement: consolidated, preemption: {rounds: 30 min}}");
  for (std::size_t at = text.find("per_node: 1,"); at != std::string::npos; at = text.find("per_node: 1,"))
    text.replace(at, 11, "per_node: 2");
  const scenario::Scenario s = scenario_of(text);
  const WatchedRun run = watch_on_machines(s);
  CHECK(run.within_capacity);
  const supply::Fleet fleet(s.hardware, s.supply);
  double on_best = 0, elsewhere = 0;
  for (const SeenJob& j : run.seen.jobs) {
    const auto is_best = [&](std::uint32_t p) { return fleet.pools()[p].device == (j.gpus == 1 ? 0U : 1U); };
    on_best += j.gpus * ran_in(j, days(20).count(), days(40).count(), is_best);
    elsewhere += j.gpus * ran_in(j, days(20).count(), days(40).count(), std::not_fn(is_best));
  }
  CHECK(on_best + elsewhere >= 0.99 * 20 * static_cast<double>(days(20).count()));
  CHECK(elsewhere <= 0.12 * on_best);
}
