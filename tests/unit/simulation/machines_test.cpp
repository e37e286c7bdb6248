// SPDX-License-Identifier: Apache-2.0
// The node view in scenarios: against replays on machines, against counted GPUs where both must agree, and by
// hand.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "room.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Placement;

namespace {

/// Jobs of up to three machines of 8 GPUs; lengths are whole pairs of seconds, so that half as long again is
/// whole seconds.
workload::JobLog random_log(std::uint64_t seed, std::int64_t most_gpus) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  workload::JobLog log;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const std::int64_t run = 2 * (30 + below(below(3) == 0 ? 20'000 : 2'000));
    const std::int64_t gpus = 1 + below(below(4) == 0 ? most_gpus : std::min<std::int64_t>(most_gpus, 8));
    log.jobs.push_back(
        {i + 1, at, run, below(5) == 0 ? run : run + 2 * below(run), static_cast<std::int32_t>(gpus)});
    at += below(2'500);
  }
  return log;
}

/// Two windows, each for a quarter of the machines.
std::string windows(const char* first, const char* length, const char* second, const char* second_length) {
  const auto window = [](const char* name, const char* day, const char* hours) {
    return fmt::format("    - {{name: {}, site: room, first: {}, every: 80 d, length: {}, share: 25 %}}\n",
                       name, day, hours);
  };
  return "  maintenance:\n" + window("power", first, length) + window("cooling", second, second_length);
}
std::vector<double> starts_in_hours(const scenario::Scenario& s, const workload::JobLog& log) {
  const WatchedRun run = watch(s, 1, &log);
  CHECK(run.within_capacity);
  std::vector<double> starts;
  for (const SeenJob& j : run.seen.jobs) starts.push_back(hours_from(j));
  return starts;
}

Spans replayed(const workload::JobLog& log, Backfill backfill, Placement placement,
               std::int64_t slowdown_milli) {
  simulation::NodeView view;
  view.machines = workload::equal_nodes("6x8").value();
  view.placement = placement;
  view.slowdown_milli = slowdown_milli;
  return replayed_on(view, log, backfill);
}

}  // namespace

TEST_CASE("a log on the machines of a scenario runs as in its replay on machines") {
  for (const scheduling::PlacementRule& rule : scheduling::placement_rules()) {
    if (rule.placement == Placement::fgd) continue;  // expects other jobs: a scenario's classes
    for (const double slowdown : {0.0, 1.5})
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const workload::JobLog log = random_log(seed, 24);
        const std::string placement(rule.name);
        CAPTURE(placement, slowdown, seed);
        const auto text = [&](const char* backfill) {
          return fmt::format("{{view: node, backfill: {}, placement: {}, locality: {}}}", backfill, placement,
                             slowdown);
        };
        const auto milli = static_cast<std::int64_t>(slowdown * 1000);
        CHECK(spans_of(watch(room_of(6, 8, text("none")), 1, &log)) ==
              replayed(log, Backfill::none, rule.placement, milli));
        CHECK(spans_of(watch(room_of(6, 8, text("fit")), 1, &log)) ==
              replayed(log, Backfill::fit, rule.placement, milli));
        CHECK(spans_of(watch(room_of(6, 8, text("easy")), 1, &log)) ==
              replayed(log, Backfill::easy, rule.placement, milli));
        CHECK(spans_of(watch(room_of(6, 8, text("conservative")), 1, &log)) ==
              replayed(log, Backfill::conservative, rule.placement, milli));
      }
  }
}

TEST_CASE("on machines of one GPU the views agree under none and fit, whatever gangs ask for") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const workload::JobLog log = random_log(seed, 24);
    CAPTURE(seed);
    CHECK(spans_of(watch(room_of(40, 1, "{view: node, backfill: none}"), 1, &log)) ==
          spans_of(watch(room_of(40, 1, "{backfill: none}"), 1, &log)));
    CHECK(spans_of(watch(room_of(40, 1, "{view: node, backfill: fit}"), 1, &log)) ==
          spans_of(watch(room_of(40, 1, "{backfill: fit}"), 1, &log)));
  }
}

TEST_CASE("jobs of a log lose the machines of a scenario as in its replay on machines") {
  using scheduling::Order;
  const std::pair<const char*, Order> orders[] = {
      {"srtf", Order::srtf}, {"srsf", Order::srsf}, {"las", Order::las}, {"las2d", Order::las2d}};
  std::uint64_t preempted = 0;
  for (const auto& [name, order] : orders)
    for (const Backfill backfill : {Backfill::none, Backfill::fit})
      for (const double slowdown : {0.0, 1.5}) {
        const auto placement = static_cast<Placement>(preempted % 3 == 0 ? 0 : 5);  // first, consolidated
        const workload::JobLog log = random_log(static_cast<std::uint64_t>(1 + slowdown), 24);
        simulation::ReplayOptions o;
        o.order = order;
        o.backfill = backfill;
        o.segments.checkpoint = simulation::no_checkpoint;  // as jobs of a log in a scenario
        if (order == Order::las) o.preemption.quantum = hours(12).count();
        if (order == Order::las2d) o.preemption.limits = {hours(1).count(), hours(10).count()};
        simulation::NodeView view;
        view.machines = workload::equal_nodes("6x8").value();
        view.placement = placement;
        view.slowdown_milli = static_cast<std::int64_t>(slowdown * 1000);
        const simulation::ReplayResult r = simulation::replay_on_nodes(log, o, view).replay;
        Spans spans;
        for (std::size_t i = 0; i < log.jobs.size(); ++i) spans.emplace_back(r.start_s[i], r.end_s[i]);
        const std::string turns = order == Order::las ? ", preemption: {quantum: 12 h}" : "";
        const std::string text =
            fmt::format("{{view: node, order: {}, backfill: {}, placement: {}, locality: {}{}}}", name,
                        backfill == Backfill::fit ? "fit" : "none",
                        placement == Placement::first ? "first" : "consolidated", slowdown, turns);
        CAPTURE(text);
        CHECK(spans_of(watch(room_of(6, 8, text), 1, &log)) == spans);
        preempted += r.preemptions;
      }
  CHECK(preempted > 500);
}

TEST_CASE("a job waits for its GPUs together where the pool view would count them from anywhere") {
  // Three jobs of 5 leave 3 free on each of three machines: 9 GPUs, and no place for 8.
  workload::JobLog log;
  log.jobs = {job(0, 5, 10), job(0, 5, 10), job(0, 5, 10), job(1, 8, 1)};
  CHECK(hours_from(watch(room_of(3, 8, "{backfill: none}"), 1, &log).seen.jobs.at(3)) == 1);
  CHECK(hours_from(watch(room_of(3, 8, "{view: node, backfill: none}"), 1, &log).seen.jobs.at(3)) == 10);
  const WatchedRun spread = watch(room_of(3, 8, "{view: node, backfill: none, locality: 1.25}"), 1, &log);
  CHECK(hours_from(spread.seen.jobs.at(3)) == 1);
  CHECK(spread.seen.jobs.at(3).ran.at(0).until == at_hour(2.25));
}

TEST_CASE("nobody starts on machines that a window takes who would not be gone by then") {
  // From day 10 on for 6 h the last two of four machines are away.
  const scenario::Scenario s = room_of(4, 8, "{view: node, backfill: fit}",
                                       {.maintenance = "  maintenance: [{name: service, site: room, first: "
                                                       "2026-01-11, every: 60 d, length: 6 h, share: 50 "
                                                       "%}]\n"});
  workload::JobLog log;
  log.jobs = {job(0, 1, 1)};  // a log's first job comes as the run begins
  for (int i = 0; i < 3; ++i) log.jobs.push_back(job(9 * 24, 8, 48));
  for (int i = 0; i < 3; ++i) log.jobs.push_back(job(9 * 24 + 1, 8, 12));
  const WatchedRun run = watch(s, 1, &log);
  const auto from = [&](std::size_t i) { return hours_from(run.seen.jobs.at(i + 1)) - 9 * 24; };
  CHECK(from(0) == 0);
  CHECK(from(1) == 0);
  CHECK(from(2) == 24 + 6);  // when the two come back
  CHECK(from(3) == 1);
  CHECK(from(4) == 1);
  CHECK(from(5) == 24 + 6);  // at 13 h there are 11 h left
  for (const SeenJob& j : run.seen.jobs) CHECK(j.ran.size() == 1);
}

TEST_CASE("a machine that two windows take comes back when both have ended") {
  // From day 10 to 12 and from day 11 to 13 the last of four machines is away.
  const scenario::Scenario s = room_of(4, 8, "{view: node, backfill: none}",
                                       {.maintenance = windows("2026-01-11", "48 h", "2026-01-12", "48 h")});
  workload::JobLog log;
  log.jobs = {job(0, 1, 1), job(10 * 24 + 1, 24, 1), job(10 * 24 + 2, 32, 1)};
  CHECK(starts_in_hours(s, log) == std::vector<double>{0, 10 * 24 + 1, 13 * 24});
}

TEST_CASE("a machine that comes anew during a window is taken by the next window alone") {
  // The last of four machines has no power from day 11 to 12. Of the window from day 10 to 14 it is free when
  // it comes again; the window from day 13 to 15 takes it.
  scenario::Scenario s = room_of(
      4, 8, "{view: node, backfill: none}",
      {.device = ", power: 1 kW", .maintenance = windows("2026-01-11", "96 h", "2026-01-14", "48 h")});
  s.supply.sites[0].pue = 1;
  s.supply.sites[0].grid = {
      {Date::of(2026, 1, 1), 32'000}, {Date::of(2026, 1, 12), 24'000}, {Date::of(2026, 1, 13), 32'000}};
  workload::JobLog log;
  log.jobs = {job(0, 1, 1), job(10 * 24 + 1, 32, 1), job(13 * 24 + 1, 32, 1)};
  CHECK(starts_in_hours(s, log) == std::vector<double>{0, 12 * 24, 15 * 24});
}

TEST_CASE("departures that are known from the start interrupt nobody who ends in time") {
  std::uint64_t jobs = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const scenario::Scenario s = scenario_of(fmt::format(
        "schema: natgpu/1\nname: leaving\nhorizon: {{start: 2026-01-01, end: 2026-06-01}}\n"
        "hardware: [{{name: a, bf16: 1 TFLOP/s, per_node: 4}}, {{name: b, bf16: 1 TFLOP/s, per_node: 8, "
        "speed: 2}}]\n"
        "supply:\n  sites: [{{name: east}}, {{name: west}}]\n"
        "  tranches:\n"
        "    - {{name: one, site: east, device: a, units: 24 GPU, in_service: 2026-01-01, until: "
        "2026-03-{:02}}}\n"
        "    - {{name: two, site: east, device: a, units: 10 GPU, in_service: 2026-01-01, until: "
        "2026-05-{:02}}}\n"
        "    - {{name: three, site: west, device: b, units: 32 GPU, in_service: 2026-01-01}}\n"
        "  maintenance:\n"
        "    - {{name: e, site: east, first: 2026-01-{:02}, every: {} d, length: {} h, share: 40 %}}\n"
        "    - {{name: w, site: west, first: 2026-02-{:02}, every: {} d, length: 30 h, share: {} %}}\n"
        "demand:\n  sectors:\n    - {{name: users, organisations: 5, request_rate: 8 /d, mix: [{{name: "
        "job}}], "
        "adoption: {{initial: 100 %}}, onboarding: {{initial: 100 %}}}}\n"
        "  batch: [{{name: job, gpus: {{dist: discrete, values: [1 GPU, 3 GPU, 8 GPU, 13 GPU], weights: [4, "
        "2, 2, 1]}}, "
        "run_time: {{dist: lognormal, median: 5 h, sigma: 1.2}}, overestimate: {{dist: uniform, low: 1, "
        "high: 3}}, "
        "requested_max: 8 d, patience: 3 d}}]\n"
        "scheduling: {{view: node, backfill: {}, placement: {}, locality: {}}}\n",
        1 + below(28), 1 + below(28), 5 + below(20), 9 + below(20), 3 + below(40), 1 + below(28),
        11 + below(20), 25 + below(50), seed % 2 == 0 ? "fit" : "easy",
        seed % 3 == 0 ? "consolidated" : "best", seed % 2 == 0 ? 0 : 1.5));
    simulation::SimulateOptions options;
    options.seed = seed;
    const simulation::RunRecord record = simulation::simulate(s, options);  // its books are checked
    CAPTURE(seed);
    CHECK(value_of(record, "jobs.restarts.count", "period=all;sector=users") == 0);
    CHECK(value_of(record, "gpu.hours", "period=all;state=down") > 0);
    jobs += record.jobs;
  }
  CHECK(jobs > 10'000);
}

TEST_CASE("a failure takes the gangs with a part on the machine, whole, and nobody else") {
  scheduling::MachineSettings settings;
  settings.pools.emplace_back();
  settings.pools[0].machines = 4;
  settings.pools[0].gpus = 8;
  settings.groups = {{{{0, 1.0}}}};
  settings.placement = Placement::first;
  scheduling::MachineDispatcher<Backfill::fit> d(settings, Streams(1, 0).open("nodes", "placement"));
  for (std::uint32_t i = 0; i < 4; ++i) d.come({0, i}, 8);
  struct Sink {
    int starts = 0;
    void start(const scheduling::WaitingJob&, std::uint32_t, std::int64_t) { ++starts; }
  } sink;
  // In order: 16 GPUs on machines 0 and 1, 4 and 4 on machine 2, 8 on machine 3.
  const std::int32_t gpus[] = {16, 4, 4, 8};
  for (std::uint32_t slot = 0; slot < 4; ++slot) d.submit(0, {{0, slot}, at_hour(5), gpus[slot], slot});
  d.pass(0, sink);
  CHECK(sink.starts == 4);
  CHECK(d.free(0) == 0);
  CHECK(d.jobs_on({0, 1}) == std::vector<std::uint32_t>{0});
  CHECK(d.jobs_on({0, 2}) == std::vector<std::uint32_t>{1, 2});
  CHECK(d.fail({0, 1}) == std::vector<std::uint32_t>{0});
  CHECK(d.free(0) == 8);  // machine 0 is idle again
  CHECK(d.jobs_on({0, 3}) == std::vector<std::uint32_t>{3});
}

TEST_CASE("idle GPUs beside a small job are of no use to jobs that need a whole machine") {
  // Expected are jobs of 8 alone, so that the 7 beside the job of one are lost to them, for 45 of 90 days.
  const scenario::Scenario s = scenario_of(
      "schema: natgpu/1\nname: scattered\nhorizon: {start: 2026-01-01, end: 2026-04-01}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 8}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 24 GPU, in_service: 2026-01-01}]\n"
      "demand:\n  sectors: [{name: users, organisations: 1, request_rate: 1 /year, mix: [{name: big}]}]\n"
      "  batch: [{name: big, gpus: 8 GPU}]\n  trace: {sector: users}\nscheduling: {view: node}\n");
  workload::JobLog log;
  log.jobs = {job(0, 1, 45 * 24)};
  const WatchedRun run = watch(s, 1, &log);
  const double gpus =
      static_cast<double>(run.books.fragmented.at(0)) / 1000 / static_cast<double>(at_hour(90 * 24));
  CHECK(gpus == Approx(3.5));
}
