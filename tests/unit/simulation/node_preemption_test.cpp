// SPDX-License-Identifier: Apache-2.0
// Orders that take GPUs back, on machines: against counted GPUs where both must agree, against plain loops
// over machines and jobs, and by hand.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/workload/swf.hpp>

#include "catch.hpp"
#include "preemptive_cases.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

ReplayOptions under(Order order, Backfill backfill = Backfill::fit) {
  ReplayOptions o = options_of(backfill);
  o.order = order;
  if (order == Order::las) o.preemption.quantum = 5 * second;
  if (order == Order::las2d) o.preemption.limits = {10 * second, 31 * second};
  return o;
}
/// Orders, quanta, thresholds, shields, rounds, checkpoints and restarts.
ReplayOptions random_options(testing::Dice& dice) {
  static constexpr Order orders[] = {Order::srtf, Order::srsf, Order::las, Order::las2d};
  ReplayOptions o = under(orders[dice.below(4)], dice.chance(40) ? Backfill::none : Backfill::fit);
  if (o.order == Order::las) o.preemption.quantum = (1 + dice.below(9)) * second / (1 + dice.below(3));
  if (o.order == Order::las2d && dice.chance(50)) o.preemption.promote = 1 + dice.below(4);
  if (dice.chance(30)) o.preemption.shield = dice.below(8) * second;
  if (dice.chance(20)) o.preemption.round = (1 + dice.below(6)) * second;
  if (dice.chance(40)) o.segments.checkpoint = (1 + dice.below(4)) * second;
  if (dice.chance(10)) o.segments.checkpoint = simulation::no_checkpoint;
  if (dice.chance(40)) o.segments.restart = dice.below(3) * second;
  // Jobs that change places without end and keep no work are refused by natgpu alone.
  const bool takes_turns = o.order == Order::las || o.preemption.promote > 0;
  if (takes_turns && (o.segments.checkpoint != 0 || o.segments.restart != 0))
    o.preemption.shield = (o.segments.checkpoint == simulation::no_checkpoint ? 60 : 12) * second;
  o.exact_estimates = dice.chance(20);
  return o;
}
constexpr PreemptiveDraws draws{random_options, [](testing::Dice&, workload::JobLog&) {}};
constexpr auto nothing_more = [](const NodeReplayResult&) {};
using Machines = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("on machines of one GPU whoever loses it on counted GPUs loses it") {
  same_as_counted(600, 12, "12x1", draws);
}

TEST_CASE("jobs of one GPU lose it on machines of four as on counted GPUs") {
  same_as_counted(300, 1, "3x4", draws);
}

TEST_CASE("gangs that may be spread at no cost take GPUs back as on counted GPUs") {
  same_as_counted(300, 12, "3x4", draws, 1000);
}

TEST_CASE("the KTH log on 100 machines of one GPU takes GPUs back as on 100 counted ones") {
  NATGPU_TRACE_OR_SKIP(file, "KTH-SP2-1996-2-filtered.swf.gz");
  const workload::JobLog log = workload::read_swf(file);
  ReplayOptions options = under(Order::las2d);
  options.preemption.limits = {3600 * second, 36'000 * second};
  const NodeView view = view_of("100x1", Placement::consolidated);
  same_as_counted(log, options, view);
  same_as_counted(log, under(Order::srsf, Backfill::none), view);
}

TEST_CASE("who has machines, and who loses them, is what plain loops over ranks and machines have") {
  const PreemptiveSum sum = same_as_plain_loops(5'000, false, draws, nothing_more);
  CHECK(sum.preemptions > 20'000);
  CHECK(sum.displaced > 10'000);
  CHECK(sum.restarted > 1'000);
  CHECK(sum.spread > 1'000);
}

TEST_CASE("instances of MIG change hands as plain loops over positions have it") {
  CHECK(same_as_plain_loops(2'000, true, draws, nothing_more).preemptions > 3'000);
}

TEST_CASE("a gang takes one machine from two small jobs rather than two machines from one each") {
  // Remaining times at 3: 27, 17, 97 and 87; the gang of two asks for 5 on one machine. Those with most to do
  // stand together on machine 1.
  const workload::JobLog log =
      log_of({job(0, 1, 30), job(0, 1, 20), job(0, 1, 100), job(0, 1, 90), job(3, 2, 5)});
  NodeReplayResult r = replay_on_nodes(log, under(Order::srtf), view_of("2x2"));
  CHECK(starts(r.replay) == Seconds{0, 0, 0, 0, 3});
  CHECK(preemptions(r.replay) == Counts{0, 0, 1, 1, 0});
  CHECK(machines_of(r, 4) == Machines{1});
  CHECK(ends(r.replay) == Seconds{30, 20, 105, 95, 8});
  CHECK(r.nodes.time.preempted == 0);
  CHECK(r.nodes.time.useful == Area{250} * 1000 * second);

  // Where they stand apart, the one with least to do keeps its machine, and with it its neighbour.
  const workload::JobLog apart =
      log_of({job(0, 1, 30), job(1, 1, 100), job(2, 1, 20), job(2, 1, 90), job(3, 2, 5)});
  r = replay_on_nodes(apart, under(Order::srtf), view_of("2x2"));
  CHECK(preemptions(r.replay) == Counts{1, 1, 0, 0, 0});
  CHECK(machines_of(r, 4) == Machines{0});
}

TEST_CASE("a job takes what is free before it takes what others have") {
  // Machine 0 is full and 1 half so: a small job goes beside, wherever the rule would rather have it.
  const workload::JobLog log = log_of({job(0, 2, 30), job(0, 1, 40), job(1, 1, 5)});
  for (const scheduling::PlacementRule& rule : scheduling::placement_rules()) {
    const NodeReplayResult r = replay_on_nodes(log, under(Order::srtf), view_of("2x2", rule.placement));
    INFO(rule.name);
    CHECK(r.replay.preemptions == 0);
    CHECK(starts(r.replay) == Seconds{0, 0, 1});
  }
}

TEST_CASE("a gang that finds no machine is passed over under fit, and ends the choice under none") {
  // Machine 0: 14 s, and behind a filler one of 60 s; machine 1: 16 s. The gang of two (20 s) comes at 4 and
  // stands behind those of 14 and 16, before that of 60 and one of 30 that comes at 5.
  const workload::JobLog log =
      log_of({job(0, 1, 14), job(0, 1, 2), job(0, 1, 16), job(2, 1, 60), job(4, 2, 20), job(5, 1, 30)});
  NodeReplayResult r = replay_on_nodes(log, under(Order::srtf), view_of("2x2"));
  CHECK(starts(r.replay) == Seconds{0, 0, 0, 2, 14, 5});
  CHECK(preemptions(r.replay) == Counts{0, 0, 0, 1, 0, 0});
  CHECK(r.replay.segmented[3].queued == 2 * second);  // from 14, when it loses machine 0, to 16
  r = replay_on_nodes(log, under(Order::srtf, Backfill::none), view_of("2x2"));
  CHECK(starts(r.replay) == Seconds{0, 0, 0, 2, 14, 14});
  CHECK(preemptions(r.replay) == Counts{0, 0, 0, 1, 0, 0});
  CHECK(r.replay.segmented[3].queued == 12 * second);  // it loses machine 0 at 4, for nobody
}

TEST_CASE("jobs behind one that keeps its machine find what those before it have left it") {
  // Two machines of 8 cores, the first with a GPU of type A. At 1 job 2 has place 0, jobs 3 and 4 need an A
  // and 4 cores. Job 0 ranks between them: job 2 gives way to it, and leaves job 4 the other 4 cores.
  workload::JobLog log =
      log_of({job(0, 1, 100), job(0, 1, 1000), job(1, 1, 10), job(1, 1, 50), job(1, 1, 200)});
  log.gpu_types.add("A");
  const std::int32_t cores[] = {4, 8, 6, 4, 4};
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    log.jobs[i].gpu_milli = i == 1 ? 1000 : 300;
    log.jobs[i].cpu_milli = 1000 * cores[i];
    log.jobs[i].memory_mib = 1;
    if (i >= 3) log.jobs[i].gpu_type = 0;
  }
  NodeView view;
  view.placement = Placement::first;
  view.machines.file = "nodes.csv";
  for (const char* type : {"A", "B"}) view.machines.gpu_types.add(type);
  for (std::int16_t t = 0; t < 2; ++t) {
    workload::LogNode n;
    n.gpus = 1;
    n.gpu_type = t;
    n.cpu_milli = 8'000;
    n.memory_mib = 100;
    view.machines.nodes.push_back(n);
  }
  const NodeReplayResult r = replay_on_nodes(log, under(Order::srtf), view);
  CHECK(starts(r.replay) == Seconds{0, 0, 1, 11, 1});
  CHECK(preemptions(r.replay) == Counts{0, 1, 0, 0, 1});
}

TEST_CASE("a restart and the work behind a checkpoint are counted, and GPU time adds up") {
  const workload::JobLog log = log_of({job(0, 4, 10), job(5, 4, 2)});
  ReplayOptions options = under(Order::srtf);
  options.segments = {3 * second, 1 * second};
  NodeView view = view_of("1x4");
  NodeReplayResult r = replay_on_nodes(log, options, view);
  CHECK(ends(r.replay) == Seconds{15, 7});  // of 5 s, 3 are kept: 7 s and a restart from 7 on
  CHECK(r.nodes.time.units_per_s == second);
  CHECK(r.nodes.time.preempted == Area{2} * 4000 * second);
  CHECK(r.nodes.time.restarts == Area{1} * 4000 * second);
  CHECK(r.nodes.time.useful == Area{12} * 4000 * second);
  CHECK(r.nodes.time.lost == 0);
  view.outages = {{0, 8, 20}};  // at the end of the restart: nothing is lost but it
  r = replay_on_nodes(log, options, view);
  CHECK(ends(r.replay) == Seconds{28, 7});
  CHECK(r.nodes.time.restarts == Area{2} * 4000 * second);
  CHECK(r.nodes.time.lost == 0);
  CHECK(r.nodes.time.down == Area{12} * 4000 * second);
  CHECK(r.replay.preemptions == 1);
  CHECK(r.nodes.restarted == 1);
}

TEST_CASE("half a GPU attains service half as fast") {
  // Thresholds at 10 GPU-seconds: a job of half a GPU leaves the first queue after 20 s, one of a whole
  // after 10.
  workload::JobLog log = log_of({job(0, 1, 100), job(1, 1, 100)});
  ReplayOptions options = under(Order::las2d);
  options.preemption.limits = {10 * second};
  NodeReplayResult r = replay_on_nodes(log, options, view_of("1x1"));
  CHECK(starts(r.replay) == Seconds{0, 10});
  log.jobs[0].gpu_milli = 500;
  r = replay_on_nodes(log, options, view_of("1x1"));
  CHECK(starts(r.replay) == Seconds{0, 20});
}

TEST_CASE("what orders that take GPUs back do not go with on machines is refused with a reason") {
  const workload::JobLog log = log_of({job(0, 1, 5)});
  const NodeView view = view_of("2x4");
  ReplayOptions options = under(Order::las2d);
  CHECK_NOTHROW(replay_on_nodes(log, options, view));
  options.preemption.notice = second;
  CHECK(simulation::not_on_nodes(options).find("leave --notice out") != std::string::npos);
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options = under(Order::las2d, Backfill::easy);
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options = under(Order::las);
  options.preemption.quantum = 0;
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options = under(Order::srtf);
  NodeView own = view;
  own.checkpoint_s = 3;
  CHECK_THROWS_AS(replay_on_nodes(log, options, own), RunError);
}
