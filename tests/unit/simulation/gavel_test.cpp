// SPDX-License-Identifier: Apache-2.0
// Replays under gavel-las and gavel-ftf: cases worked out by hand, processor sharing as the limit of short
// rounds, and a whole log.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/swf.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"
#include "replay_seconds.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

using Log = std::vector<workload::LogJob>;  // id, submit, run, requested, GPUs

workload::JobLog log_of(std::int64_t gpus, Log jobs) {
  workload::JobLog log;
  log.max_procs = gpus;
  log.jobs = std::move(jobs);
  return log;
}
ReplayOptions under(Order order, std::int64_t round_s) {
  ReplayOptions o;
  o.order = order;
  o.backfill = Backfill::fit;
  o.preemption.round = round_s * ticks_per_second;
  return o;
}

}  // namespace

TEST_CASE("under gavel-las two equal jobs have one GPU in turns, and keep it to the end of the round") {
  // 0 first, 60 second, 120 first, 180 second, which is done at 225; 240 first again.
  const auto log = log_of(1, {{1, 0, 180, 180, 1}, {2, 0, 105, 105, 1}});
  const ReplayResult r = simulation::replay(log, under(Order::gavel_las, 60));
  CHECK(starts(r) == Seconds{0, 60});
  CHECK(ends(r) == Seconds{300, 225});
  CHECK(r.segmented[0].preemptions == 2);
  CHECK(r.segmented[1].preemptions == 1);
  CHECK(r.wasted == 0);
}

TEST_CASE("who goes on into the next round is not interrupted, and nobody is where all have GPUs") {
  // Two GPUs, three jobs: shares of 2/3 each. 0: first, second; 60: third, first; 120: second, third.
  const auto three = log_of(2, {{1, 0, 120, 120, 1}, {2, 0, 120, 120, 1}, {3, 0, 120, 120, 1}});
  ReplayOptions o = under(Order::gavel_las, 60);
  o.segments.restart = 10 * ticks_per_second;
  const ReplayResult r = simulation::replay(three, o);
  CHECK(r.segmented[0].preemptions == 0);
  CHECK(r.segmented[1].preemptions == 1);
  CHECK(r.segmented[2].preemptions == 0);
  CHECK(ends(r) == Seconds{120, 190, 180});
  CHECK(simulation::replay(log_of(3, three.jobs), o).preemptions == 0);
}

TEST_CASE("under a notice GPUs come back inside a round and stay idle to its end") {
  // 60: the second is due, the first stops and hands its GPU back at 70; 120: the second starts; 180: both
  // are due at once, the first by submission; it starts at 240 and is done at 300, when the second goes on.
  const auto log = log_of(1, {{1, 0, 120, 120, 1}, {2, 0, 105, 105, 1}});
  ReplayOptions o = under(Order::gavel_las, 60);
  o.preemption.notice = 10 * ticks_per_second;
  const ReplayResult r = simulation::replay(log, o);
  CHECK(starts(r) == Seconds{0, 120});
  CHECK(ends(r) == Seconds{300, 345});
  CHECK(r.wasted == Approx(20.0 / 345));
}

TEST_CASE("weights are those of the log's queues, and the larger part of the time goes with them") {
  Log jobs{{1, 0, 3600, 3600, 1}, {2, 0, 3600, 3600, 1}};
  jobs[0].queue = 0;
  jobs[1].queue = 1;
  ReplayOptions o = under(Order::gavel_las, 60);
  o.weights[1] = 3;
  // The second has 3/4 of the time: 4800 s for its hour, to within a round.
  const Seconds e = ends(simulation::replay(log_of(1, jobs), o));
  CHECK(e[0] == 7200);
  CHECK(std::abs(e[1] - 4800) <= 60);
  o = {};
  o.weights[1] = 3;
  CHECK_THROWS_WITH(simulation::replay(log_of(1, jobs), o), Catch::Contains("weights"));
}

TEST_CASE("a wide job that has waited long for little comes first under gavel-ftf, not under gavel-las") {
  // 2 GPUs, rounds of 600 s. At 600 the wide job has waited 599 s for its 60 s, with a fair half of the time
  // 120 s: rho is (599 + 60 / x) / 120, 5.5 at least. The other is new, with rho = 1 / y. 2x + y = 2 leaves
  // x about 0.91 and y 0.18. gavel-las gives 1/2 and 1.
  Log jobs{{1, 1, 60, 60, 2}, {2, 600, 60, 60, 1}};
  CHECK(starts(simulation::replay(log_of(2, jobs), under(Order::gavel_las, 600))) == Seconds{1200, 600});
  CHECK(starts(simulation::replay(log_of(2, jobs), under(Order::gavel_ftf, 600))) == Seconds{600, 1200});
  // It asked for 6000 s: 599 s are little to wait for that, until the true run time is known.
  jobs[0].requested_s = 6000;
  ReplayOptions o = under(Order::gavel_ftf, 600);
  CHECK(starts(simulation::replay(log_of(2, jobs), o)) == Seconds{1200, 600});
  o.exact_estimates = true;
  CHECK(starts(simulation::replay(log_of(2, jobs), o)) == Seconds{600, 1200});
}

TEST_CASE("orders by target shares need rounds") {
  const auto log = log_of(1, {{1, 0, 10, 10, 1}});
  CHECK_THROWS_WITH(simulation::replay(log, under(Order::gavel_las, 0)), Catch::Contains("rounds"));
}

TEST_CASE("gavel-las in rounds far shorter than any job is processor sharing, by weight") {
  MixedDice dice{77};
  const auto below = [&](std::int64_t n) { return dice.below(n); };
  Log jobs;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 150; ++i) {
    at += below(9000);  // load 0.8 of three GPUs
    const std::int64_t run = 1000 + below(20'000);
    jobs.push_back({i + 1, at, run, run, 1});
    jobs.back().queue = static_cast<std::int32_t>(i % 2);
  }
  const auto log = log_of(3, jobs);
  ReplayOptions o = under(Order::gavel_las, 1);
  o.weights[1] = 2;
  const Seconds gavel = ends(simulation::replay(log, o));
  o = {};
  o.backfill = Backfill::none;
  o.sharing = scheduling::Sharing::ps;
  o.weights[1] = 2;
  const ReplayResult shared = simulation::replay(log, o);
  double off = 0;
  for (std::size_t i = 0; i < gavel.size(); ++i)
    off = std::max(off, std::abs(gavel[i] - static_cast<double>(shared.end_s[i])));
  CHECK(off <= 3);
}

TEST_CASE(
    "the KTH log under gavel-las and gavel-ftf is as another program writes the rule, and no work is lost") {
  NATGPU_TRACE_OR_SKIP(log_file, "KTH-SP2-1996-2-filtered.swf.gz");
  const auto log = workload::read_swf(log_file);
  struct Known {  // from plain loops in Python
    Order order;
    double mean_wait_s;
    std::uint64_t preemptions;
  };
  for (const Known& known :
       {Known{Order::gavel_las, 264.6740985, 100'922}, Known{Order::gavel_ftf, 255.6870546, 99'350}}) {
    const ReplayResult r = simulation::replay(log, under(known.order, 360));
    CHECK(r.started == 28481);
    CHECK(r.mean_wait_s == Approx(known.mean_wait_s).epsilon(1e-9));
    CHECK(r.preemptions == known.preemptions);
    CHECK(r.makespan_s == 29'363'768);
    CHECK(r.wasted == 0);
    for (std::size_t i = 0; i < log.jobs.size(); ++i) {
      const workload::LogJob& job = log.jobs[i];
      REQUIRE(r.end_s[i] - r.start_s[i] >= std::min(job.run_s, job.requested_s));
      REQUIRE(r.start_s[i] % 360 == 0);
    }
  }
}
