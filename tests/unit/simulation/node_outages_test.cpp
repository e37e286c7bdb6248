// SPDX-License-Identifier: Apache-2.0
// Announced outages of machines in replays: against plain loops over all machines, against counted GPUs where
// both must agree, and by hand.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_nodes.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using Seconds = std::vector<std::int64_t>;

TEST_CASE("jobs keep away from announced outages as plain loops over all machines have it") {
  std::uint64_t announced = 0, stopped = 0;
  for (const bool with_mig : {false, true})
    for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
      const Case c = random_case_announced(seed, with_mig);
      const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
      testing::PlainNodes plain(c.log, c.options, c.view);
      plain.run();
      CAPTURE(seed, with_mig, static_cast<int>(c.view.placement), static_cast<int>(c.options.backfill),
              c.view.slowdown_milli);
      for (std::size_t i = 0; i < plain.jobs.size(); ++i) {
        CAPTURE(i);
        REQUIRE(r.replay.start_s[i] == plain.jobs[i].first);
        REQUIRE(r.replay.end_s[i] == plain.jobs[i].end);
        REQUIRE(machines_of(r, i) == plain.jobs[i].machines);
      }
      announced += r.nodes.announced;
      stopped += r.nodes.restarted;
    }
  CHECK(announced > 5'000);
  CHECK(stopped > 500);
}

TEST_CASE("an announced outage of all machines of one GPU is one of all counted GPUs") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    testing::Dice dice(seed);
    workload::JobLog log;
    log.max_procs = 9;
    std::int64_t submit_s = 0;
    for (int i = 0; i < 40; ++i) {
      submit_s += dice.below(5);
      log.jobs.push_back(job(submit_s, static_cast<std::int32_t>(1 + dice.below(9)), 1 + dice.below(20),
                             1 + dice.below(22)));
    }
    NodeView view = view_of("9x1", static_cast<Placement>(dice.below(7)));
    ReplayOptions counted;
    for (std::int64_t at = dice.below(30); at < 120; at += 20 + dice.below(40)) {
      const std::int64_t until = at + 1 + dice.below(15);
      for (std::uint32_t m = 0; m < 9; ++m) view.outages.push_back({m, at, until, -1});
      counted.announced.push_back({at, -9});
      counted.announced.push_back({until, 9});
    }
    for (const Backfill backfill : {Backfill::none, Backfill::fit}) {
      CAPTURE(seed, static_cast<int>(backfill));
      counted.backfill = backfill;
      const NodeReplayResult r = replay_on_nodes(log, options_of(backfill), view);
      const simulation::ReplayResult expected = simulation::replay(log, counted);
      REQUIRE(r.replay.start_s == expected.start_s);
      REQUIRE(r.replay.end_s == expected.end_s);
      REQUIRE(r.nodes.restarted == 0);
    }
  }
}

TEST_CASE("who would outlive an announced outage starts elsewhere, or behind it") {
  // Machine 0 is away from 10 to 20 s, which is known from 3 s on.
  NodeView view = view_of("2x4");
  view.outages = {{0, 10, 20, 3}};
  const workload::JobLog log =
      log_of({job(0, 4, 5), job(4, 2, 20), job(5, 2, 4), job(5, 4, 5), job(6, 2, 20), job(7, 4, 20)});
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  // The second and the fifth outlive it and share machine 1. The fourth finds machine 0 empty at 9 s, too
  // late.
  CHECK(r.replay.start_s == Seconds{0, 4, 5, 20, 6, 25});
  CHECK(machines_of(r, 1) == std::vector<std::uint32_t>{1});
  CHECK(machines_of(r, 2) == std::vector<std::uint32_t>{0});
  CHECK(machines_of(r, 4) == std::vector<std::uint32_t>{1});
  CHECK(r.nodes.failures == 1);
  CHECK(r.nodes.announced == 1);
  CHECK(r.nodes.restarted == 0);
  CHECK(r.replay.semantics.find("announced outages are foreseen") != std::string::npos);
}

TEST_CASE(
    "what runs when an outage is announced is stopped by it, and what nobody announced is not foreseen") {
  NodeView view = view_of("1x4");
  view.outages = {{0, 10, 20, 3}};
  const workload::JobLog log = log_of({job(0, 4, 15), job(4, 1, 5), job(5, 1, 5)});
  NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(r.replay.start_s == Seconds{0, 35, 35});
  CHECK(r.replay.end_s == Seconds{35, 40, 40});
  CHECK(r.nodes.restarted == 1);
  view.outages = {{0, 10, 20}};
  r = replay_on_nodes(log_of({job(5, 4, 15)}), options_of(Backfill::fit), view);
  CHECK(r.replay.start_s == Seconds{5});
  CHECK(r.nodes.restarted == 1);
  CHECK(r.nodes.announced == 0);
}

TEST_CASE("a job without GPUs keeps away as well, on machines of many types") {
  NodeView view = view_of("3x2");
  view.machines.nodes.push_back(view.machines.nodes[0]);
  view.machines.nodes[3].gpus = 0;
  view.machines.nodes[3].gpu_type = -1;
  view.outages = {{0, 10, 99, 0}, {1, 10, 99, 0}, {3, 10, 99, 0}};
  workload::JobLog log = log_of({job(0, 0, 20), job(0, 0, 5), job(0, 2, 20), job(0, 2, 20)});
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(machines_of(r, 0) == std::vector<std::uint32_t>{2});
  CHECK(machines_of(r, 1) == std::vector<std::uint32_t>{0});
  CHECK(machines_of(r, 2) == std::vector<std::uint32_t>{2});
  CHECK(r.replay.start_s == Seconds{0, 0, 0, 20});
}

TEST_CASE(
    "announced outages of machines of too many types, or beside orders that take GPUs back, are refused") {
  NodeView view = view_of("9x2");
  for (std::int16_t t = 0; t < 9; ++t) {
    view.machines.gpu_types.add(std::string(1, static_cast<char>('A' + t)));
    view.machines.nodes[static_cast<std::size_t>(t)].gpu_type = t;
    view.outages.push_back({static_cast<std::uint32_t>(t), 10, 20, 0});
  }
  const workload::JobLog log = log_of({job(0, 1, 5)});
  CHECK_THROWS_AS(replay_on_nodes(log, options_of(Backfill::fit), view), ScenarioError);
  view.outages.pop_back();  // 8 types in four levels are 32, and one more that stays
  CHECK_THROWS_AS(replay_on_nodes(log, options_of(Backfill::fit), view), ScenarioError);
  view.outages.pop_back();
  CHECK(replay_on_nodes(log, options_of(Backfill::fit), view).replay.started == 1);
  ReplayOptions options = options_of(Backfill::fit);
  options.order = scheduling::Order::srtf;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view), Catch::Contains("announced outages"));
}
