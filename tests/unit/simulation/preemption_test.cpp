// SPDX-License-Identifier: Apache-2.0
// Replays under orders that take GPUs back: small cases worked out by hand.
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"
#include "replay_seconds.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

std::int64_t ticks(std::int64_t s) {
  return s * ticks_per_second;
}
using Log = std::vector<workload::LogJob>;  // id, submit, run, requested, GPUs

ReplayResult replay(std::int64_t gpus, Log jobs, const ReplayOptions& options) {
  workload::JobLog log;
  log.max_procs = gpus;
  log.jobs = std::move(jobs);
  return simulation::replay(log, options);
}
ReplayOptions under(Order order, Backfill backfill = Backfill::fit) {
  ReplayOptions o;
  o.order = order;
  o.backfill = backfill;
  return o;
}
/// Users are classes, 1 the highest.
std::int64_t class_of(const natgpu_job* job) {
  return job->account;
}
ReplayOptions by_class() {
  static natgpu_policy table{};
  table.abi = NATGPU_POLICY_ABI;
  table.size = sizeof(natgpu_policy);
  table.key = class_of;
  ReplayOptions o = under(Order::fcfs);
  o.plugged.table = &table;
  o.by_class = true;
  return o;
}

const Log longer_and_shorter{{1, 0, 5, 5, 1}, {2, 2, 2, 2, 1}};

}  // namespace

TEST_CASE("a job that is preempted goes on where it was, or begins anew and wastes what it did") {
  ReplayOptions o = under(Order::srtf);
  ReplayResult r = replay(1, longer_and_shorter, o);
  CHECK(starts(r) == Seconds{0, 2});
  CHECK(ends(r) == Seconds{7, 4});
  CHECK(r.preemptions == 1);
  CHECK(r.segmented[0].preemptions == 1);
  CHECK(r.segmented[0].lost == 0);
  CHECK(r.segmented[0].queued == ticks(2));
  CHECK(r.wasted == 0);
  CHECK(r.utilization == 1);
  CHECK(r.mean_wait_s == 0);
  CHECK(r.mean_queued_s == 1);
  CHECK(r.makespan_s == 7);

  o.segments.checkpoint = simulation::no_checkpoint;
  r = replay(1, longer_and_shorter, o);
  CHECK(ends(r) == Seconds{9, 4});
  CHECK(r.segmented[0].lost == ticks(2));
  CHECK(r.utilization == 1);
  CHECK(r.wasted == Approx(2.0 / 9));
  // Service counts once, without what was lost: (9 - 0) / max(5, 10) and (4 - 2) / 10, at least 1.
  CHECK(r.mean_bounded_slowdown == 1);
  o.slowdown_floor_s = 1;
  CHECK(replay(1, longer_and_shorter, o).mean_bounded_slowdown == Approx((9.0 / 5 + 1) / 2));
}

TEST_CASE("work between two checkpoints is done again, and each restart takes its time") {
  ReplayOptions o = under(Order::srtf);
  const Log log{{1, 0, 10, 10, 1}, {2, 5, 2, 2, 1}};
  o.segments.checkpoint = ticks(3);  // of 5 s, 3 are kept
  ReplayResult r = replay(1, log, o);
  CHECK(ends(r) == Seconds{14, 7});
  CHECK(r.segmented[0].lost == ticks(2));
  o.segments.restart = ticks(1);
  r = replay(1, log, o);
  CHECK(ends(r) == Seconds{15, 7});
  CHECK(r.wasted == Approx(3.0 / 15));
  o.preemption.notice = ticks(4);  // job 2 waits from 5 to 9, the GPU stands still
  r = replay(1, log, o);
  CHECK(starts(r) == Seconds{0, 9});
  CHECK(ends(r) == Seconds{19, 11});
  CHECK(r.wasted == Approx(7.0 / 19));
  CHECK(r.utilization == 1);
}

TEST_CASE("a job that runs beyond its request is stopped there, however often it lost its GPUs") {
  ReplayOptions o = under(Order::srtf);
  const Log log{{1, 0, 20, 10, 1}, {2, 5, 2, 2, 1}};
  o.segments = {ticks(3), ticks(1)};
  const ReplayResult r = replay(1, log, o);
  CHECK(ends(r) == Seconds{15, 7});
  CHECK(r.killed == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("srtf sees requested times, and true ones with exact estimates") {
  const Log log{{1, 0, 4, 20, 1}, {2, 1, 9, 9, 1}};
  ReplayOptions o = under(Order::srtf);
  CHECK(ends(replay(1, log, o)) == Seconds{13, 10});
  o.exact_estimates = true;
  CHECK(ends(replay(1, log, o)) == Seconds{4, 13});
}

TEST_CASE("srsf weighs what remains by GPUs") {
  // 4 GPUs for 3 s against 1 GPU for 5 s, on 4 GPUs: 12 against 5.
  const Log log{{1, 0, 4, 4, 4}, {2, 1, 5, 5, 1}};
  CHECK(ends(replay(4, log, under(Order::srtf))) == Seconds{4, 9});
  CHECK(ends(replay(4, log, under(Order::srsf))) == Seconds{9, 6});
}

TEST_CASE("what does not fit is passed over, or ends the choice") {
  // The wide job stands second; the third is the least urgent.
  const Log log{{1, 0, 4, 4, 1}, {2, 0, 5, 5, 2}, {3, 0, 9, 9, 1}};
  CHECK(starts(replay(2, log, under(Order::srtf))) == Seconds{0, 4, 0});
  CHECK(starts(replay(2, log, under(Order::srtf, Backfill::none))) == Seconds{0, 4, 9});
}

TEST_CASE("las gives each job a quantum in turn") {
  ReplayOptions o = under(Order::las);
  o.preemption.quantum = ticks(2);
  // Job 1 runs [0,2), [4,6), [8,9); job 2 [2,4), [6,8).
  const Log log{{1, 0, 5, 5, 1}, {2, 0, 4, 4, 1}};
  const ReplayResult r = replay(1, log, o);
  CHECK(starts(r) == Seconds{0, 2});
  CHECK(ends(r) == Seconds{9, 8});
  CHECK(r.segmented[0].preemptions == 2);
  CHECK(r.segmented[1].preemptions == 1);
  // Nobody waits: no passes but those of submissions and ends.
  CHECK(replay(2, log, o).events == 4);
}

TEST_CASE("las2d lowers a job when its GPU time comes to the threshold, not later") {
  ReplayOptions o = under(Order::las2d);
  o.preemption.limits = {static_cast<Area>(ticks(10))};  // 4 GPUs come to it after 2.5 s
  const Log log{{1, 0, 6, 6, 4}, {2, 1, 3, 3, 4}};
  const ReplayResult r = replay(4, log, o);
  CHECK(starts(r) == Seconds{0, 2.5});
  CHECK(ends(r) == Seconds{8.5, 5.5 + 3.5});
}

TEST_CASE("las2d raises a job that has waited long enough, and counts its service anew") {
  ReplayOptions o = under(Order::las2d);
  o.preemption.limits = {static_cast<Area>(ticks(2))};
  // Job 1 is lowered at 2, then newcomers of one second each keep it out.
  Log log{{1, 0, 5, 5, 1}};
  for (std::int64_t i = 0; i < 12; ++i) log.push_back({i + 2, 2 + i, 1, 1, 1});
  CHECK(replay(1, log, o).segmented[0].end == ticks(17));
  // Promoted at 2 + 2 x 2, ahead of all by submission; lowered at 8, promoted at 12 for its last second.
  o.preemption.promote = 2;
  CHECK(replay(1, log, o).segmented[0].end == ticks(13));
}

TEST_CASE("nobody is preempted inside the shield, and its end is an instant of its own") {
  ReplayOptions o = under(Order::srtf);
  const Log log{{1, 0, 9, 9, 1}, {2, 1, 2, 2, 1}};
  o.preemption.shield = ticks(4);
  ReplayResult r = replay(1, log, o);
  CHECK(starts(r) == Seconds{0, 4});
  CHECK(ends(r) == Seconds{11, 6});
}

TEST_CASE("in rounds GPUs that come free inside one stay idle to its end") {
  ReplayOptions o = under(Order::srtf);
  o.preemption.round = ticks(10);
  const Log log{{1, 0, 13, 13, 1}, {2, 1, 2, 2, 1}, {3, 12, 30, 30, 1}};
  const ReplayResult r = replay(1, log, o);
  // 10: the shorter second job takes the GPU and is done at 12; 20: the first goes on with 3 s left.
  CHECK(starts(r) == Seconds{0, 10, 30});
  CHECK(ends(r) == Seconds{23, 12, 60});
}

TEST_CASE("an urgent job takes the GPU of one of lower class, as published") {
  // low(0, 5), high(2, 3): high runs from 2 to 5; low ends at 8, or, begun anew, at 10 with 2 wasted.
  Log log{{1, 0, 5, 5, 1}, {2, 2, 3, 3, 1}};
  log[0].user = 2;
  log[1].user = 1;
  ReplayOptions o = by_class();
  ReplayResult r = replay(1, log, o);
  CHECK(starts(r) == Seconds{0, 2});
  CHECK(ends(r) == Seconds{8, 5});
  CHECK(r.wasted == 0);
  o.segments.checkpoint = simulation::no_checkpoint;
  r = replay(1, log, o);
  CHECK(ends(r) == Seconds{10, 5});
  CHECK(r.wasted == Approx(0.2));
  o.preemption.shield = ticks(3);
  CHECK(starts(replay(1, log, o)) == Seconds{0, 3});
  log[1].user = 2;  // of one class: nobody loses GPUs
  CHECK(replay(1, log, by_class()).preemptions == 0);
}

TEST_CASE("victims are of the lowest class, then of the latest start, and nobody loses GPUs for nothing") {
  const auto jobs = [](std::vector<std::pair<int, int>> class_and_gpus, std::int32_t claims) {
    Log log;
    for (const auto& [user, gpus] : class_and_gpus) {
      const auto i = static_cast<std::int64_t>(log.size());
      log.push_back({i + 1, i, 100, 100, gpus});
      log.back().user = user;
    }
    log.push_back({9, 50, 10, 10, claims});
    log.back().user = 1;
    return log;
  };
  const auto lost = [](const ReplayResult& r) {
    std::vector<int> who;
    for (std::size_t i = 0; i < r.segmented.size(); ++i)
      if (r.segmented[i].preemptions > 0) who.push_back(static_cast<int>(i));
    return who;
  };
  using Who = std::vector<int>;
  CHECK(lost(replay(6, jobs({{3, 2}, {2, 2}, {2, 2}}, 2), by_class())) == Who{0});
  CHECK(lost(replay(6, jobs({{3, 2}, {2, 2}, {2, 2}}, 4), by_class())) == Who{0, 2});
  // The third, the second and the first are chosen; then the second is not needed beside the others.
  CHECK(lost(replay(7, jobs({{2, 4}, {3, 1}, {3, 2}}, 5), by_class())) == Who{0, 2});
  // All it lacks or nothing: three GPUs of the lower class are not enough until others come free at 100.
  const ReplayResult r = replay(6, jobs({{1, 3}, {2, 3}}, 4), by_class());
  CHECK(starts(r).back() == 100);
  CHECK(lost(r) == Who{1});
}

TEST_CASE("senseless combinations with an order that takes GPUs back are refused by name") {
  const auto refusal = [](const ReplayOptions& o) {
    try {
      (void)replay(1, longer_and_shorter, o);
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal(under(Order::srtf, Backfill::easy)), Catch::Contains("no reservations"));
  CHECK_THAT(refusal(under(Order::las)), Catch::Contains("quantum"));
  CHECK_THAT(refusal(under(Order::las2d)), Catch::Contains("thresholds"));
  ReplayOptions o = under(Order::fcfs, Backfill::none);
  o.preemption.shield = 1;
  CHECK_THAT(refusal(o), Catch::Contains("order that takes GPUs back"));
  o = under(Order::srtf);
  o.preemption.promote = 1;
  CHECK_THAT(refusal(o), Catch::Contains("promotion"));
  o = under(Order::srtf);
  o.semantics.pass = scheduling::PassRule::event;
  CHECK_THAT(refusal(o), Catch::Contains("instant"));
}

TEST_CASE("jobs that never come to a checkpoint before they lose their GPUs are told of, not waited for") {
  ReplayOptions o = under(Order::las);
  o.preemption.quantum = ticks(1);
  o.segments.checkpoint = simulation::no_checkpoint;
  CHECK_THROWS_WITH(replay(1, {{1, 0, 5, 5, 1}, {2, 0, 5, 5, 1}}, o), Catch::Contains("no work was kept"));
}
