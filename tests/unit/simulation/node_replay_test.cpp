// SPDX-License-Identifier: Apache-2.0
// Replays on machines: against plain loops over all machines, against counted GPUs where both must agree, and
// by hand.
#include <cmath>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_difference.hpp"
#include "plain_nodes.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// What differs between natgpu and the plain loops, or nothing.
std::string difference_of(const Case& c) {
  const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
  testing::PlainNodes plain(c.log, c.options, c.view);
  plain.run();
  if (const std::string found = difference(r, plain); !found.empty()) return found;
  if (r.replay.started > 0 && r.replay.makespan_s > 0 &&
      std::abs(r.nodes.fragmented_gpus - plain.fragmented_gpus) > 1e-9)
    return "F " + std::to_string(r.nodes.fragmented_gpus) + ", plainly " +
           std::to_string(plain.fragmented_gpus);
  return {};
}

}  // namespace

TEST_CASE("on machines every job starts, ends and stands where plain loops over all machines have it") {
  int spread = 0, restarted = 0;
  for (std::uint64_t seed = 1; seed <= 6'000; ++seed) {
    const Case c = random_case(seed);
    const std::string found = difference_of(c);
    INFO("seed " << seed << ", placement " << static_cast<int>(c.view.placement) << ", backfill "
                 << static_cast<int>(c.options.backfill) << ", slowdown " << c.view.slowdown_milli
                 << ", outages " << c.view.outages.size());
    REQUIRE(found == "");
    const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
    spread += r.nodes.spread > 0;
    restarted += r.nodes.restarted > 0;
  }
  CHECK(spread > 300);
  CHECK(restarted > 300);
}

TEST_CASE("instances of MIG go where plain loops over machines, GPUs and positions put them") {
  std::uint64_t instances = 0, cut = 0;
  for (std::uint64_t seed = 1; seed <= 6'000; ++seed) {
    const Case c = random_case_with_mig(seed);
    const std::string found = difference_of(c);
    INFO("seed " << seed << ", placement " << static_cast<int>(c.view.placement) << ", backfill "
                 << static_cast<int>(c.options.backfill));
    REQUIRE(found == "");
    const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
    for (const simulation::MigStarts& s : r.nodes.mig.starts) instances += s.starts;
    cut += r.nodes.mig.given > r.nodes.mig.asked;
  }
  CHECK(instances > 10'000);
  CHECK(cut > 3'000);
}

TEST_CASE("MIG rounds a request up to its profile, and says what was asked for and given") {
  // 100, 200 and 600 thousandths of an A100: 1g (an eighth), 2g (two) and 7g (all of another GPU).
  workload::JobLog log = log_of({job(0, 1, 10), job(0, 1, 10), job(0, 1, 20), job(0, 1, 5)});
  log.jobs[0].gpu_milli = 100;
  log.jobs[1].gpu_milli = 200;
  log.jobs[2].gpu_milli = 600;
  NodeView view = view_of("1x3");
  view.mig.layouts = {scheduling::mig_layout_number(1, scheduling::MigPosition::most_left)};
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::none), view);
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, 0, 0, 0});
  CHECK(r.nodes.mig.asked == 100 * 10 + 200 * 10 + 600 * 20);
  CHECK(r.nodes.mig.given == 125 * 10 + 250 * 10 + 1000 * 20);
  CHECK(r.nodes.time.useful == 125 * 10 + 250 * 10 + 1000 * 20 + 1000 * 5);
  REQUIRE(r.nodes.mig.starts.size() == 3);  // the last job has a whole GPU and no instance
  CHECK(r.nodes.mig.starts[0].profile == 0);
  CHECK(r.nodes.mig.starts[2].profile == 5);
  CHECK(r.replay.semantics.find("MIG A100-40GB, positions most-left") != std::string::npos);
}

TEST_CASE("jobs without GPUs and of several have no instances") {
  workload::JobLog log = log_of({job(0, 0, 10), job(0, 3, 10), job(0, 1, 10)});
  NodeView view = view_of("3x2");
  view.mig.layouts = {scheduling::mig_layout_number(1, scheduling::MigPosition::first)};
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(r.nodes.mig.starts.empty());
  CHECK(r.nodes.mig.given == 0);
  CHECK(r.nodes.time.useful == 4 * 1000 * 10);
}

TEST_CASE("an instance waits for a position, not only for as much as is free") {
  // Halves of one A100: 4g has one position, so that the second half waits though half the GPU is free.
  workload::JobLog log = log_of({job(0, 1, 10), job(0, 1, 10), job(1, 1, 10)});
  for (workload::LogJob& j : log.jobs) j.gpu_milli = 500;
  log.jobs[2].gpu_milli = 400;  // 3g goes beside 4g
  NodeView view = view_of("1x1");
  view.mig.layouts = {scheduling::mig_layout_number(1, scheduling::MigPosition::most_left)};
  CHECK(replay_on_nodes(log, options_of(Backfill::fit), view).replay.start_s ==
        std::vector<std::int64_t>{0, 10, 1});
  view.mig.layouts.clear();
  CHECK(replay_on_nodes(log, options_of(Backfill::fit), view).replay.start_s ==
        std::vector<std::int64_t>{0, 0, 10});
}

TEST_CASE("GPUs of lowest number are those of the counted and the named view") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Dice dice(seed);
    const workload::JobLog log = plain_log(dice, 12);
    for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
      ReplayOptions options = options_of(backfill);
      const NodeReplayResult r = replay_on_nodes(log, options, view_of("3x4", Placement::lowest_id));
      options.named = backfill == Backfill::easy;
      const simulation::ReplayResult counted = simulation::replay(log, options);
      INFO("seed " << seed << ", backfill " << static_cast<int>(backfill));
      REQUIRE(r.replay.start_s == counted.start_s);
      REQUIRE(r.replay.end_s == counted.end_s);
      CHECK(r.replay.mean_wait_s == counted.mean_wait_s);
      CHECK(r.replay.mean_bounded_slowdown == Approx(counted.mean_bounded_slowdown));
      CHECK(r.replay.utilization == Approx(counted.utilization));
    }
  }
}

TEST_CASE("spread gangs that take no longer run as counted GPUs do, under every rule") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Dice dice(seed);
    workload::JobLog log;
    std::int64_t submit_s = 0;
    for (int i = 0; i < 40; ++i) {
      submit_s += dice.below(4);
      log.jobs.push_back(job(submit_s, static_cast<std::int32_t>(1 + dice.below(12)), 1 + dice.below(20)));
    }
    log.max_procs = 12;
    for (const scheduling::PlacementRule& rule : scheduling::placement_rules())
      for (const Backfill backfill : {Backfill::none, Backfill::fit}) {
        NodeView view = view_of("3x4", rule.placement);
        view.slowdown_milli = 1000;
        INFO("seed " << seed << ", " << rule.name);
        REQUIRE(replay_on_nodes(log, options_of(backfill), view).replay.start_s ==
                simulation::replay(log, options_of(backfill)).start_s);
      }
  }
}

TEST_CASE("a gang waits for the fewest machines, or is spread and runs longer") {
  // 2 machines of 4: two jobs of 2 take half of each under worst fit, so that a third of 4 finds no machine.
  const workload::JobLog log = log_of({job(0, 2, 10), job(0, 2, 10), job(1, 4, 10)});
  NodeView view = view_of("2x4", Placement::worst);
  NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, 0, 10});
  view.slowdown_milli = 1500;
  r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, 0, 1});
  CHECK(r.replay.end_s[2] == 16);
  CHECK(machines_of(r, 2) == std::vector<std::uint32_t>{0, 1});
  CHECK(r.nodes.spread == 1);
  CHECK(r.replay.semantics.find("run 1.5 times longer") != std::string::npos);
}

TEST_CASE("a job of several GPUs takes each of them whole, in parts and spread") {
  workload::JobLog log = log_of({job(0, 1, 10), job(0, 1, 10), job(1, 3, 10)});
  log.jobs[0].gpu_milli = log.jobs[1].gpu_milli = 600;
  log.jobs[2].gpu_milli = 500;
  NodeView view = view_of("3x2");
  view.slowdown_milli = 1000;
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view);
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, 0, 1});
  CHECK(machines_of(r, 2) == std::vector<std::uint32_t>{1, 2});
  CHECK(r.nodes.time.useful == 2 * 600 * 10 + 3 * 1000 * 10);
}

TEST_CASE("a gang larger than a machine takes whole machines and a rest") {
  const workload::JobLog log = log_of({job(0, 1, 10), job(0, 10, 10), job(0, 4, 10)});
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::fit), view_of("4x4"));
  CHECK(machines_of(r, 0) == std::vector<std::uint32_t>{0});
  CHECK(machines_of(r, 1) == std::vector<std::uint32_t>{0, 1, 2});  // 4 of each and 2 beside job 0
  CHECK(machines_of(r, 2) == std::vector<std::uint32_t>{3});
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, 0, 0});
}

TEST_CASE("a lost machine takes its gang with it, which goes on where it was last saved (ORACLES S9)") {
  const workload::JobLog log = log_of({job(0, 4, 6), job(0, 4, 6)});
  NodeView view = view_of("2x4");
  view.outages = {{1, 3, 8}};
  NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::none), view);
  CHECK(r.replay.end_s == std::vector<std::int64_t>{6, 12});
  CHECK(r.nodes.time.useful == 48'000);
  CHECK(r.nodes.time.lost == 12'000);
  CHECK(r.nodes.time.idle == 16'000);
  CHECK(r.nodes.time.down == 20'000);
  CHECK(r.nodes.time.nominal == 96'000);
  view.checkpoint_s = 2;
  r = replay_on_nodes(log, options_of(Backfill::none), view);
  CHECK(r.replay.end_s == std::vector<std::int64_t>{6, 10});
  CHECK(r.nodes.time.useful == 48'000);
  CHECK(r.nodes.time.lost == 4'000);
  CHECK(r.nodes.time.idle == 8'000);
  CHECK(r.nodes.time.down == 20'000);
}

TEST_CASE(
    "work goes on from its last checkpoint, after the repair and the reload (as ORACLES F5, free "
    "checkpoints)") {
  // Work 600, a checkpoint every 180, failure at 300, repair 60, reload 15: 120 of work are lost.
  const workload::JobLog log = log_of({job(0, 8, 1'000, 600)});
  NodeView view = view_of("1x8");
  view.outages = {{0, 300, 360}};
  view.checkpoint_s = 180;
  view.restart_s = 15;
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::easy), view);
  CHECK(r.replay.end_s[0] == 360 + 15 + 420);
  CHECK(r.nodes.time.lost == 120 * 8'000);
  CHECK(r.nodes.time.restarts == 15 * 8'000);
  CHECK(r.nodes.restarted == 1);
}

TEST_CASE("checkpoints take the time that they cost, but for one at the end (ORACLES F5)") {
  const workload::JobLog log = log_of({job(0, 8, 600, 600)});
  NodeView view = view_of("1x8");
  view.checkpoint_s = 180;
  view.checkpoint_cost_s = 30;
  view.restart_s = 15;
  NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::easy), view);
  CHECK(r.replay.end_s[0] == 690);
  CHECK(r.replay.killed[0] == 0);
  CHECK(r.nodes.time.checkpoints == 90 * 8'000);
  CHECK(r.nodes.time.useful == 600 * 8'000);
  view.outages = {{0, 300, 360}};
  r = replay_on_nodes(log, options_of(Backfill::easy), view);
  CHECK(r.replay.end_s[0] == 855);
  CHECK(r.nodes.time.lost == 90 * 8'000);
  CHECK(r.nodes.time.checkpoints == (30 + 60) * 8'000);
  CHECK(r.nodes.time.restarts == 15 * 8'000);
  CHECK(r.nodes.time.useful == 600 * 8'000);
  view.outages = {{0, 200, 260}};  // while the first is written, which is worth nothing then
  r = replay_on_nodes(log, options_of(Backfill::easy), view);
  CHECK(r.replay.end_s[0] == 260 + 15 + 690);
  CHECK(r.nodes.time.lost == 200 * 8'000);
}

TEST_CASE("jobs that no machine could hold are never started, counted and told why") {
  workload::JobLog log = log_of({job(0, 1, 5), job(0, 9, 5), job(0, 1, 5)});
  log.gpu_types.add("X");
  log.jobs[2].gpu_type = 0;
  NodeView view = view_of("2x4");
  view.machines.gpu_types.add("A");
  const NodeReplayResult r = replay_on_nodes(log, options_of(Backfill::easy), view);
  CHECK(r.replay.start_s == std::vector<std::int64_t>{0, -1, -1});
  REQUIRE(r.nodes.never_fit.size() == 2);
  CHECK(r.nodes.never_fit[0].reason == "no machines for so many GPUs with their cores and memory");
  CHECK(r.nodes.never_fit[1].reason == "no machine has GPUs of the type");
}

TEST_CASE("the node view refuses what it does not have, by a reason") {
  const workload::JobLog log = log_of({job(0, 1, 5)});
  const NodeView view = view_of("2x4");
  ReplayOptions options = options_of(Backfill::easy);
  options.named = true;
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options.named = false;
  options.easy.spare = scheduling::EasyRule::Spare::unused;
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
}

TEST_CASE("orders that move with time rank jobs on machines as on counted GPUs") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Dice dice(seed);
    workload::JobLog log;
    std::int64_t submit_s = 0;
    for (int i = 0; i < 30; ++i) {
      submit_s += dice.below(4);
      log.jobs.push_back(job(submit_s, static_cast<std::int32_t>(1 + dice.below(8)), 1 + dice.below(20)));
    }
    log.max_procs = 8;
    ReplayOptions options = options_of(Backfill::none);
    options.order = scheduling::Order::wfp;
    INFO("seed " << seed);
    REQUIRE(replay_on_nodes(log, options, view_of("2x4", Placement::lowest_id)).replay.start_s ==
            simulation::replay(log, options).start_s);
  }
}
