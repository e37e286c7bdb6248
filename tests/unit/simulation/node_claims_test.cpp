// SPDX-License-Identifier: Apache-2.0
// Preemption by class and quota reclaim, on machines: against counted GPUs where both must agree, against
// plain loops over machines and jobs, and by hand.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "plain_claiming_nodes.hpp"
#include "preemptive_cases.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

ReplayOptions by_class(Backfill backfill = Backfill::fit) {
  ReplayOptions o = options_of(backfill);
  o.order = Order::priority;
  o.by_class = true;
  return o;
}
ReplayOptions by_quota(Backfill backfill = Backfill::fit) {
  ReplayOptions o = options_of(backfill);
  o.quota_reclaim = true;
  return o;
}
/// Modes, orders, shields, rounds, checkpoints, restarts, shares, and notices if there may be any.
ReplayOptions random_options(testing::Dice& dice, bool notices) {
  const Backfill backfill = dice.chance(40) ? Backfill::none : Backfill::fit;
  ReplayOptions o = dice.chance(50) ? by_class(backfill) : by_quota(backfill);
  if (o.quota_reclaim && dice.chance(30)) o.order = Order::priority;
  if (dice.chance(40)) o.preemption.shield = dice.below(8) * second;
  if (notices && o.by_class && dice.chance(60)) o.preemption.notice = (1 + dice.below(6)) * second;
  if (dice.chance(20)) o.preemption.round = (1 + dice.below(6)) * second;
  if (dice.chance(40)) o.segments.checkpoint = (1 + dice.below(4)) * second;
  if (dice.chance(10)) o.segments.checkpoint = simulation::no_checkpoint;
  if (dice.chance(40)) o.segments.restart = dice.below(3) * second;
  o.exact_estimates = dice.chance(20);
  for (int user = 0; o.quota_reclaim && user < 3; ++user)
    if (dice.chance(50))
      o.accounts.shares.rows.push_back({"", std::to_string(user), static_cast<double>(1 + dice.below(4))});
  return o;
}
void attribute(testing::Dice& dice, workload::JobLog& log) {
  for (workload::LogJob& j : log.jobs) {
    j.user = static_cast<std::int32_t>(dice.below(3));
    j.queue = static_cast<std::int32_t>(dice.below(4));
  }
}
constexpr PreemptiveDraws draws{[](testing::Dice& dice) { return random_options(dice, true); }, attribute,
                                3'000'000};

struct Sum {
  std::uint64_t preemptions = 0, restarted = 0, spread = 0, claims = 0, spared = 0, kept = 0, in_vain = 0;
};
Sum compare(std::uint64_t seeds, bool mig) {
  Sum sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed, mig);
    const Case c = random_preemptive_case(seed, mig, draws);
    const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
    testing::PlainClaimingNodes plain(c.log, c.options, c.view);
    for (const workload::ShareRow& row : c.options.accounts.shares.rows)
      plain.shares[std::stoi(row.user)] = static_cast<std::int64_t>(row.share);
    plain.run();
    INFO(r.replay.semantics << ", outages " << c.view.outages.size());
    REQUIRE(difference(c, r, plain) == "");
    sum.preemptions += r.replay.preemptions;
    sum.restarted += r.nodes.restarted;
    sum.spread += r.nodes.spread;
    sum.claims += static_cast<std::uint64_t>(plain.claims);
    sum.spared += static_cast<std::uint64_t>(plain.spared);
    sum.kept += static_cast<std::uint64_t>(plain.kept);
    sum.in_vain += static_cast<std::uint64_t>(plain.in_vain);
  }
  return sum;
}

/// Random logs of jobs of up to so many GPUs.
std::uint64_t claims_as_counted(std::uint64_t seeds, std::int64_t largest, const char* machines,
                                std::int64_t slowdown_milli = 0) {
  std::uint64_t preemptions = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    testing::Dice dice(seed);
    NodeView view = view_of(machines, static_cast<Placement>(dice.below(7)));
    const auto gpus = static_cast<std::int64_t>(view.machines.nodes.size()) * view.machines.nodes[0].gpus;
    workload::JobLog log = plain_log(dice, largest, gpus);
    attribute(dice, log);
    const ReplayOptions options = random_options(dice, largest == 1);
    view.slowdown_milli = slowdown_milli;
    INFO("seed " << seed);
    preemptions += same_as_counted(log, options, view, false);
  }
  return preemptions;
}

/// Machines of 8 cores.
NodeView with_cores(int machines, std::int32_t gpus) {
  NodeView view;
  view.placement = Placement::first;
  view.machines.file = "nodes.csv";
  view.machines.gpu_types.add("A");
  for (int i = 0; i < machines; ++i) {
    workload::LogNode n;
    n.gpus = gpus;
    n.gpu_type = 0;
    n.cpu_milli = 8'000;
    n.memory_mib = 100;
    view.machines.nodes.push_back(n);
  }
  return view;
}
workload::LogJob of(workload::LogJob j, std::int32_t queue_or_user) {
  j.queue = j.user = queue_or_user;
  return j;
}
using Machines = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("on machines of one GPU claims are those of counted GPUs") {
  CHECK(claims_as_counted(800, 12, "12x1") > 3'000);
}

TEST_CASE("jobs of one GPU claim those of machines of three as counted ones") {
  CHECK(claims_as_counted(400, 1, "2x3") > 500);
}

TEST_CASE("gangs that may be spread at no cost claim as on counted GPUs") {
  CHECK(claims_as_counted(300, 12, "3x4", 1000) > 1'000);
}

TEST_CASE("who claims which machines, and who is spared, is what plain loops over victims have") {
  const Sum sum = compare(5'000, false);
  CHECK(sum.preemptions > 5'000);
  CHECK(sum.claims > 4'000);
  CHECK(sum.spared > 800);
  CHECK(sum.kept > 2'000);
  CHECK(sum.in_vain > 2'000);
  CHECK(sum.restarted > 1'000);
  CHECK(sum.spread > 1'000);
}

TEST_CASE("instances of MIG are claimed as plain loops over positions have it") {
  CHECK(compare(2'000, true).preemptions > 1'500);
}

TEST_CASE("a gang takes the machine that the victims' order clears first, and spares the others") {
  // Machine 0: jobs 0 and 1; machine 1: jobs 2 and 3, all of the low class, the last started latest. The gang
  // of two takes job 3, then job 2: nobody on machine 0 loses anything.
  const workload::JobLog log = log_of({of(job(0, 1, 50), 2), of(job(1, 1, 50), 2), of(job(2, 1, 50), 2),
                                       of(job(3, 1, 50), 2), of(job(10, 2, 5), 1)});
  NodeReplayResult r = replay_on_nodes(log, by_class(), view_of("2x2"));
  CHECK(starts(r.replay) == Seconds{0, 1, 2, 3, 10});
  CHECK(preemptions(r.replay) == Counts{0, 0, 1, 1, 0});
  CHECK(machines_of(r, 4) == Machines{1});
  CHECK(r.nodes.time.useful == Area{210} * 1000 * second);
  // Job 0, now of a lower class, is chosen before them, and spared in the end.
  workload::JobLog lower = log;
  lower.jobs[0].queue = 3;
  r = replay_on_nodes(lower, by_class(), view_of("2x2"));
  CHECK(preemptions(r.replay) == Counts{0, 0, 1, 1, 0});
  CHECK(machines_of(r, 4) == Machines{1});
}

TEST_CASE("all that a claimant lacks is taken, or nothing") {
  // A high job of 6 cores and a low one of 2 on each machine: without the low ones no machine has two GPUs.
  workload::JobLog log = log_of({of(job(0, 1, 50), 1), of(job(0, 1, 50), 3), of(job(0, 1, 50), 1),
                                 of(job(0, 1, 50), 3), of(job(5, 2, 5), 2)});
  for (std::size_t i = 0; i < 4; ++i) log.jobs[i].cpu_milli = i % 2 == 0 ? 6'000 : 2'000;
  NodeReplayResult r = replay_on_nodes(log, by_class(), with_cores(2, 2));
  CHECK(preemptions(r.replay) == Counts{0, 0, 0, 0, 0});
  CHECK(starts(r.replay) == Seconds{0, 0, 0, 0, 50});
  log.jobs[4].gpus = 1;  // one GPU is enough
  r = replay_on_nodes(log, by_class(), with_cores(2, 2));
  CHECK(preemptions(r.replay) == Counts{0, 0, 0, 1, 0});
  CHECK(starts(r.replay)[4] == 5);
}

TEST_CASE("nobody loses machines inside the shield, whose end is an instant of its own") {
  const workload::JobLog log = log_of({of(job(0, 4, 50), 2), of(job(1, 2, 5), 1)});
  ReplayOptions options = by_class();
  options.preemption.shield = 7 * second;
  const NodeReplayResult r = replay_on_nodes(log, options, view_of("1x4"));
  CHECK(starts(r.replay) == Seconds{0, 7});
  CHECK(preemptions(r.replay) == Counts{1, 0});
  CHECK(r.nodes.time.preempted == 0);
  CHECK(r.replay.segmented[0].end == 55 * second);
}

TEST_CASE("with a notice the claimant is promised its place, and others get what it leaves") {
  // Machine 0: a low job on both GPUs; machine 1: a high one on one of two. The gang of two comes at 5 and
  // has machine 0 from 8 on. Job 3 takes the GPU beside job 1; job 4 finds none, though it stands before job
  // 0.
  const workload::JobLog log = log_of({of(job(0, 2, 50), 3), of(job(0, 1, 50), 1), of(job(5, 2, 10), 1),
                                       of(job(6, 1, 4), 2), of(job(7, 1, 4), 2)});
  ReplayOptions options = by_class();
  options.preemption.notice = 3 * second;
  const NodeReplayResult r = replay_on_nodes(log, options, view_of("2x2"));
  CHECK(starts(r.replay) == Seconds{0, 0, 8, 6, 10});
  CHECK(preemptions(r.replay) == Counts{1, 0, 0, 0, 0});
  CHECK(machines_of(r, 2) == Machines{1});
  CHECK(r.nodes.time.preempted == Area{2 * 3} * 1000 * second);
  CHECK(r.replay.segmented[0].end == 63 * second);  // at work from 18 on for 45 s
  // A machine that fails within the notice gives everything up at once.
  NodeView view = view_of("2x2");
  view.outages = {{1, 6, 7}};
  CHECK(starts(replay_on_nodes(log, options, view).replay) == Seconds{0, 0, 7, 6, 10});
}

TEST_CASE("a quota is counted in thousandths where GPUs are shared") {
  // Two accounts with one GPU each. The first borrows: 4 halves. The second asks for 600 thousandths, within
  // its quota, and takes the latest of the halves on one GPU; then for 500 more, which are beyond it.
  workload::JobLog log;
  log.file = "log.csv";
  for (int i = 0; i < 4; ++i) log.jobs.push_back(of(job(i, 1, 50), 1));
  log.jobs.push_back(of(job(10, 1, 50), 2));
  log.jobs.push_back(of(job(11, 1, 5), 2));
  log.jobs.push_back(of(job(12, 1, 5), 2));
  const std::int16_t milli[] = {500, 500, 500, 500, 600, 500, 400};
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].gpu_milli = milli[i];
  const NodeReplayResult r = replay_on_nodes(log, by_quota(), view_of("1x2"));
  // 600 needs a whole GPU's two halves: the last two, on GPU 1. What is left there, 400, is free at 12.
  CHECK(preemptions(r.replay) == Counts{0, 0, 1, 1, 0, 0, 0});
  CHECK(starts(r.replay)[4] == 10);
  CHECK(starts(r.replay)[6] == 12);
  CHECK(starts(r.replay)[5] > 12);
}

TEST_CASE("a job without GPUs takes nothing of a quota, and gives cores where these are lacking") {
  workload::JobLog log = log_of({of(job(0, 1, 50), 1), of(job(1, 1, 50), 1), of(job(2, 0, 50), 1),
                                 of(job(5, 0, 5), 2), of(job(6, 1, 5), 2)});
  const std::int32_t cores[] = {1, 1, 6, 4, 1};
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].cpu_milli = 1000 * cores[i];
  const NodeReplayResult r = replay_on_nodes(log, by_quota(), with_cores(1, 2));
  // At 5 job 2 gives its 6 cores for 4, though it holds no GPU; at 6 job 1 its GPU.
  CHECK(preemptions(r.replay) == Counts{0, 1, 1, 0, 0});
  CHECK(starts(r.replay) == Seconds{0, 1, 2, 5, 6});
}

TEST_CASE("a machine that fails lowers all quotas, and what was on it goes back to its place") {
  // Two machines of two for two accounts; the second account has none yet. With one machine left each has a
  // quota of one.
  const workload::JobLog log = log_of({of(job(0, 1, 50), 1), of(job(0, 1, 50), 1), of(job(0, 1, 50), 1),
                                       of(job(5, 1, 20), 2), of(job(6, 1, 20), 2)});
  NodeView view = view_of("2x2");
  view.outages = {{1, 10, 100}};
  const NodeReplayResult r = replay_on_nodes(log, by_quota(), view);
  // At 5 the last GPU goes to job 3; at 6 job 2, the latest, gives way to job 4. At 10 machine 1 is lost with
  // jobs 3 and 4: job 3 comes back within its quota and takes job 1's GPU.
  CHECK(preemptions(r.replay) == Counts{0, 1, 1, 0, 0});
  CHECK(r.replay.segmented[3].end == 25 * second);
  CHECK(r.nodes.restarted == 2);
}

TEST_CASE("what claims do not go with on machines is refused with a reason") {
  const workload::JobLog log = log_of({of(job(0, 1, 5), 1)});
  const NodeView view = view_of("2x4");
  ReplayOptions options = by_class();
  CHECK_NOTHROW(replay_on_nodes(log, options, view));
  options.order = Order::fcfs;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view), Catch::Contains("whose keys are classes"));
  CHECK_THROWS_WITH(replay_on_nodes(log, by_class(Backfill::easy), view),
                    Catch::Contains("keeps no reservations"));
  options = by_quota();
  options.order = Order::wfp;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view), Catch::Contains("settled at submission"));
  options = by_quota();
  options.preemption.notice = second;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view), Catch::Contains("come free at once"));
  NodeView own = view;
  own.checkpoint_s = 3;
  CHECK_THROWS_WITH(replay_on_nodes(log, by_quota(), own), Catch::Contains("one rule of checkpoints"));
}
