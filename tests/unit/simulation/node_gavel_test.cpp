// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on machines: against counted GPUs where both must agree, against plain loops over
// shares, machines and jobs, by what each job is to have at least, and by hand.
#include <algorithm>
#include <cstdint>
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
using simulation::NodeTime;

namespace {

ReplayOptions under(Order order, std::int64_t round_s, Backfill backfill = Backfill::fit) {
  ReplayOptions o = options_of(backfill);
  o.order = order;
  o.preemption.round = round_s * second;
  return o;
}
/// Rounds, shields, checkpoints, restarts and weights.
ReplayOptions random_options(testing::Dice& dice) {
  ReplayOptions o = under(dice.chance(50) ? Order::gavel_las : Order::gavel_ftf, 1 + dice.below(6),
                          dice.chance(40) ? Backfill::none : Backfill::fit);
  if (dice.chance(30)) o.preemption.shield = dice.below(8) * second;
  if (dice.chance(40)) o.segments.checkpoint = (1 + dice.below(4)) * second;
  if (dice.chance(40)) o.segments.restart = dice.below(3) * second;
  // Jobs that change places without end and keep no work are refused by natgpu alone.
  if (o.segments.checkpoint != 0 || o.segments.restart != 0) o.preemption.shield = 12 * second;
  o.exact_estimates = dice.chance(20);
  if (dice.chance(50)) o.weights = {{1, 2.0}, {2, 5.0}};
  return o;
}
/// Every job in one of three queues.
void spread_over_queues(testing::Dice&, workload::JobLog& log) {
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].queue = static_cast<std::int32_t>(i % 3);
}

constexpr PreemptiveDraws draws{random_options, spread_over_queues};

void time_adds_up(const NodeReplayResult& r) {
  const NodeTime& t = r.nodes.time;
  REQUIRE(t.useful + t.stopped + t.lost + t.preempted + t.checkpoints + t.restarts + t.idle + t.down ==
          t.nominal);
}

}  // namespace

TEST_CASE("on machines of one GPU target shares give it to whom they give it on counted GPUs") {
  same_as_counted(600, 12, "12x1", draws);
}

TEST_CASE("jobs of one GPU have their turns on machines of four as on counted GPUs") {
  same_as_counted(300, 1, "3x4", draws);
}

TEST_CASE("gangs that may be spread at no cost have their turns as on counted GPUs") {
  same_as_counted(300, 12, "3x4", draws, 1000);
}

TEST_CASE("target shares on machines are what plain loops over shares, turns and machines have") {
  const PreemptiveSum sum = same_as_plain_loops(5'000, false, draws, time_adds_up);
  CAPTURE(sum.preemptions, sum.displaced, sum.restarted, sum.spread);
  CHECK(sum.preemptions > 20'000);
  CHECK(sum.displaced > 10'000);
  CHECK(sum.restarted > 1'000);
  CHECK(sum.spread > 1'000);
}

TEST_CASE("instances of MIG have turns as plain loops over positions have it") {
  CHECK(same_as_plain_loops(2'000, true, draws, time_adds_up).preemptions > 3'000);
}

TEST_CASE("under gavel-las nobody is done later than with its part of the machines to itself") {
  // Gangs of one size that divides a machine, or shares of a GPU that divide it, so that places bind nobody;
  // with weights, and all from the beginning. Who leaves only makes room for others.
  double latest = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    testing::Dice dice(seed);
    const std::int64_t gang = std::int64_t{1} << dice.below(3), places_per_gpu = dice.chance(30) ? 4 : 1;
    workload::JobLog log;
    for (std::int64_t i = 3 + dice.below(30); i > 0; --i) {
      workload::LogJob j =
          job(0, static_cast<std::int32_t>(places_per_gpu > 1 ? 1 : gang), 20 + dice.below(200));
      j.gpu_milli = static_cast<std::int16_t>(1000 / places_per_gpu);
      log.jobs.push_back(j);
    }
    spread_over_queues(dice, log);
    ReplayOptions o = under(Order::gavel_las, 2);
    if (dice.chance(60)) o.weights = {{1, 2.0}, {2, 5.0}};
    const NodeReplayResult r = replay_on_nodes(log, o, view_of("3x4", static_cast<Placement>(dice.below(7))));
    const double places =
        12.0 * static_cast<double>(places_per_gpu) / static_cast<double>(places_per_gpu > 1 ? 1 : gang);
    double weights = 0;
    for (const workload::LogJob& j : log.jobs) weights += simulation::weight_of(j, o);
    for (std::size_t i = 0; i < log.jobs.size(); ++i) {
      const double part = std::min(1.0, places * simulation::weight_of(log.jobs[i], o) / weights);
      const double late = ends(r.replay)[i] - static_cast<double>(log.jobs[i].run_s) / part;
      latest = std::max(latest, late / 2);  // in rounds
    }
  }
  CAPTURE(latest);
  CHECK(latest < 6);
}

TEST_CASE("under gavel-las three jobs of half a GPU and one of a whole one have equal parts of its time") {
  // A fourth of the GPU each: the halves have half of the time, two at once, and the whole one a fourth.
  workload::JobLog log = log_of({job(0, 1, 9'000), job(0, 1, 9'000), job(0, 1, 9'000), job(0, 1, 1'000)});
  for (std::size_t i = 0; i < 3; ++i) log.jobs[i].gpu_milli = 500;
  const NodeReplayResult r = replay_on_nodes(log, under(Order::gavel_las, 10), view_of("1x1"));
  CHECK(ends(r.replay)[3] == Approx(4'000).margin(40));
  // From then on they have two thirds of the time each.
  for (std::size_t i = 0; i < 3; ++i) CHECK(ends(r.replay)[i] == Approx(4'000 + 7'000 * 1.5).margin(60));
}

TEST_CASE("a gang takes the machine of two who are due last, and who is due stays where it is") {
  // Jobs 0 and 1 on machine 0, 2 and 3 on machine 1; the gang of two comes at 30. From 60 on each is to have
  // 4/5 of a GPU: those of one GPU 4/5 of the time, the gang 2/5. In rounds of 60 all marks of the former are
  // 60 then, their rounds due at 97.5, and the gang's at 97.5 + 75. At 120 all are due at 172.5, and the gang
  // came last. At 180 it is first, and the others alike: 2 and 3 lose machine 1. At 240 they are due at
  // 247.5, the others at 322.5: the gang loses it. At 300 it is due before 0 and 1, and has machine 0 till
  // 360.
  const workload::JobLog log =
      log_of({job(0, 1, 600), job(0, 1, 600), job(0, 1, 600), job(0, 1, 600), job(30, 2, 120)});
  const NodeReplayResult r = replay_on_nodes(log, under(Order::gavel_las, 60), view_of("2x2"));
  CHECK(starts(r.replay)[4] == 180);
  CHECK(ends(r.replay)[4] == 360);
  CHECK(preemptions(r.replay) == Counts{1, 1, 1, 1, 1});
  CHECK(machines_of(r, 4) == std::vector<std::uint32_t>{0});
  CHECK(ends(r.replay) == Seconds{660, 660, 660, 660, 360});
}

TEST_CASE("what target shares do not go with on machines is refused with a reason") {
  const workload::JobLog log = log_of({job(0, 1, 5)});
  const NodeView view = view_of("2x4");
  ReplayOptions options = under(Order::gavel_ftf, 5);
  CHECK_NOTHROW(replay_on_nodes(log, options, view));
  options.preemption.notice = second;
  CHECK(simulation::not_on_nodes(options).find("leave --notice out") != std::string::npos);
  options = under(Order::gavel_las, 0);
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options = under(Order::gavel_las, 5, Backfill::easy);
  CHECK_THROWS_AS(replay_on_nodes(log, options, view), RunError);
  options = under(Order::gavel_las, 5);
  options.types.names = {"A"};
  CHECK(simulation::not_on_nodes(options).find("leave --gpu-types") != std::string::npos);
}
