// SPDX-License-Identifier: Apache-2.0
// Replays under quota reclaim: small cases worked out by hand. Users are accounts.
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"
#include "replay_seconds.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

struct Asks {
  std::int32_t user;
  std::int64_t submit, run;
  std::int32_t gpus = 1;
  std::int32_t queue = 1;
};
using Who = std::vector<std::size_t>;

std::int64_t ticks(std::int64_t s) {
  return s * ticks_per_second;
}
workload::JobLog log_of(const std::vector<Asks>& jobs) {
  workload::JobLog log;
  for (const Asks& a : jobs) {
    log.jobs.push_back({static_cast<std::int64_t>(log.jobs.size()) + 1, a.submit, a.run, a.run, a.gpus});
    log.jobs.back().user = a.user;
    log.jobs.back().queue = a.queue;
  }
  return log;
}
ReplayResult replay(std::int64_t gpus, const std::vector<Asks>& jobs, ReplayOptions o) {
  o.gpus = gpus;
  return simulation::replay(log_of(jobs), o);
}
/// Equal shares.
ReplayOptions quotas(Backfill backfill = Backfill::fit) {
  ReplayOptions o;
  o.backfill = backfill;
  o.quota_reclaim = true;
  return o;
}
Who losers(const ReplayResult& r) {
  Who who;
  for (std::size_t i = 0; i < r.segmented.size(); ++i)
    if (r.segmented[i].preemptions > 0) who.push_back(i);
  return who;
}
/// User 1 holds all four GPUs, of which two are its own; then user 2 comes.
std::vector<Asks> borrowed(const std::vector<Asks>& then) {
  std::vector<Asks> jobs{{1, 0, 100}, {1, 1, 100}, {1, 2, 100}, {1, 3, 100}};
  jobs.insert(jobs.end(), then.begin(), then.end());
  return jobs;
}

}  // namespace

TEST_CASE("an account borrows what others leave idle, and gives back when they want it") {
  for (const Backfill backfill : {Backfill::fit, Backfill::none}) {
    const ReplayResult r = replay(4, borrowed({{2, 50, 10, 2}}), quotas(backfill));
    CHECK(starts(r) == Seconds{0, 1, 2, 3, 50});
    CHECK(losers(r) == Who{2, 3});  // the latest starts
    CHECK(ends(r) == Seconds{100, 101, 112, 113, 60});
    CHECK(r.preemptions == 2);
    CHECK(r.wasted == 0);
  }
  ReplayOptions o = quotas();
  o.segments.checkpoint = simulation::no_checkpoint;
  const ReplayResult r = replay(4, borrowed({{2, 50, 10, 2}}), o);
  CHECK(ends(r) == Seconds{100, 101, 160, 160, 60});
  CHECK(r.segmented[2].lost == ticks(48));
}

TEST_CASE("an account keeps its quota, however many jobs of others wait") {
  const std::vector<Asks> jobs = borrowed({{2, 50, 10}, {2, 50, 10}, {2, 50, 10}, {2, 50, 10}});
  const ReplayResult r = replay(4, jobs, quotas());
  CHECK(losers(r) == Who{2, 3});
  // When two of user 2's are done, its next two are entitled again, before the jobs that user 1 would borrow
  // for.
  CHECK(starts(r) == Seconds{0, 1, 2, 3, 50, 50, 60, 60});
  CHECK(ends(r) == Seconds{100, 101, 122, 123, 60, 60, 70, 70});
}

TEST_CASE("a job with which its account were beyond its quota claims nothing, and borrows what is idle") {
  CHECK(starts(replay(4, borrowed({{2, 50, 10, 3}}), quotas())).back() == 102);
  CHECK(replay(4, borrowed({{2, 50, 10, 3}}), quotas()).preemptions == 0);
  // Nor with what the account holds already: the second job of two GPUs waits for the first.
  const ReplayResult r = replay(4, borrowed({{2, 50, 10, 2}, {2, 51, 10, 1}}), quotas());
  CHECK(starts(r) == Seconds{0, 1, 2, 3, 50, 60});
  CHECK(losers(r) == Who{2, 3});
}

TEST_CASE("a quota is a part of the GPUs by share, rounded down") {
  ReplayOptions o = quotas();
  o.accounts.shares = {"shares.csv", {{"", "2", 3}}};  // 3 of 4 GPUs against 1
  CHECK(starts(replay(4, borrowed({{2, 50, 10, 3}}), o)).back() == 50);
  CHECK(starts(replay(4, borrowed({{2, 50, 10, 4}}), o)).back() == 103);
  o.accounts.shares.rows[0].share = 2.9;  // 2.97 of 4 GPUs
  CHECK(starts(replay(4, borrowed({{2, 50, 10, 3}}), o)).back() == 102);
}

TEST_CASE("users divide the quota of their group, however many they are") {
  workload::JobLog log = log_of(borrowed({{2, 50, 10, 2}, {3, 50, 10, 1}}));
  log.max_procs = 4;
  for (workload::LogJob& job : log.jobs) job.group = job.user == 1 ? 1 : 2;
  // Group 2 has two GPUs, each of its users one: the job of two claims nothing.
  CHECK(starts(simulation::replay(log, quotas())) == Seconds{0, 1, 2, 3, 101, 50});
  ReplayOptions o = quotas();
  o.accounts.by_group = true;
  CHECK(starts(simulation::replay(log, o)) == Seconds{0, 1, 2, 3, 50, 60});
}

TEST_CASE("nobody loses GPUs inside the shield, whose end is an instant of its own") {
  ReplayOptions o = quotas();
  o.preemption.shield = ticks(60);
  const ReplayResult r = replay(4, borrowed({{2, 50, 10}}), o);
  CHECK(starts(r).back() == 60);  // that of the first; the others are safe until 61, 62 and 63
  CHECK(losers(r) == Who{0});
}

TEST_CASE("all that a job lacks is taken, or nothing") {
  ReplayOptions o = quotas();
  o.preemption.shield = ticks(60);
  const std::vector<Asks> jobs{{1, 0, 200}, {1, 20, 200}, {1, 20, 200}, {1, 20, 200}, {2, 61, 10, 2}};
  const ReplayResult r = replay(4, jobs, o);
  CHECK(starts(r).back() == 80);
  CHECK(losers(r) == Who{2, 3});
}

TEST_CASE("who turns out not to be needed is spared, the last chosen first") {
  // Of 6 GPUs 3 are user 1's. The third job and the second are chosen; with the second alone it fits.
  const ReplayResult r =
      replay(6, {{1, 0, 100, 2}, {1, 1, 100, 3}, {1, 2, 100, 1}, {2, 50, 10, 3}}, quotas());
  CHECK(losers(r) == Who{1});
  CHECK(starts(r).back() == 50);
}

TEST_CASE("a gang that crosses the quota is borrowed as a whole") {
  const ReplayResult r = replay(4, {{1, 0, 100, 3}, {2, 50, 10, 2}}, quotas());
  CHECK(losers(r) == Who{0});
  CHECK(starts(r) == Seconds{0, 50});
  CHECK(ends(r) == Seconds{110, 60});
}

TEST_CASE("GPUs come free after the notice, for the job that claimed them and for nobody before it") {
  ReplayOptions o = quotas();
  o.preemption.notice = ticks(5);
  std::vector<Asks> jobs = borrowed({{2, 50, 10}});
  ReplayResult r = replay(4, jobs, o);
  CHECK(losers(r) == Who{3});
  CHECK(starts(r).back() == 55);  // though the fourth job stands before it in the queue from 55 on
  CHECK(ends(r) == Seconds{100, 101, 102, 118, 65});
  // The next takes one more, and the third nothing: user 1 is at its quota, GPUs under notice not counted.
  jobs.push_back({2, 52, 10});
  jobs.push_back({2, 53, 10});
  r = replay(4, jobs, o);
  CHECK(losers(r) == Who{2, 3});
  CHECK(starts(r) == Seconds{0, 1, 2, 3, 55, 57, 65});
}

TEST_CASE("jobs within their account's quota stand before those that borrow") {
  for (const Backfill backfill : {Backfill::fit, Backfill::none}) {
    // At 10 a GPU comes free. User 1, who came first, holds two of its two; user 2 one of its two.
    const ReplayResult r = replay(
        4, {{1, 0, 10}, {1, 0, 99}, {1, 0, 99}, {2, 0, 99}, {1, 1, 10}, {2, 10, 10}}, quotas(backfill));
    CHECK(starts(r) == Seconds{0, 0, 0, 0, 20, 10});
    CHECK(r.preemptions == 0);
  }
}

TEST_CASE("in the order of classes the lowest class loses its GPUs first, whenever it started") {
  ReplayOptions o = quotas();
  const std::vector<Asks> jobs{
      {1, 0, 100, 1, 2}, {1, 0, 100, 1, 1}, {1, 1, 100, 1, 1}, {1, 2, 100, 1, 1}, {2, 50, 10}};
  CHECK(losers(replay(4, jobs, o)) == Who{3});
  o.order = Order::priority;
  CHECK(losers(replay(4, jobs, o)) == Who{0});
}

TEST_CASE("what quota reclaim does not go with is refused by name") {
  const auto refusal = [](const ReplayOptions& o, std::int32_t user = 1) {
    try {
      (void)replay(4, {{user, 0, 10}, {user + 1, 1, 10}}, o);
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal(quotas()) == "accepted");
  for (const Order order : {Order::wfp, Order::fairtree, Order::drf, Order::srtf}) {
    ReplayOptions o = quotas();
    o.order = order;
    CHECK_THAT(refusal(o), Catch::Contains("settled at submission"));
  }
  CHECK_THAT(refusal(quotas(Backfill::easy)), Catch::Contains("no reservations"));
  ReplayOptions o = quotas();
  o.order = Order::priority;
  o.by_class = true;
  CHECK_THAT(refusal(o), Catch::Contains("not both"));
  o = quotas();
  o.semantics.pass = scheduling::PassRule::event;
  CHECK_THAT(refusal(o), Catch::Contains("at an instant"));
  o = quotas();
  o.announced = {{5, -1}};
  CHECK_THAT(refusal(o), Catch::Contains("announced outages"));
  o = quotas(Backfill::none);
  o.sharing = scheduling::Sharing::ps;
  CHECK_THAT(refusal(o), Catch::Contains("nobody waits"));
  CHECK_THAT(refusal(quotas(), -5), Catch::Contains("quotas are those of accounts"));
  o = quotas();
  o.accounts.shares = {"shares.csv", {{"", "1", 1e-7}}};
  CHECK_THAT(refusal(o), Catch::Contains("less than a millionth"));
}
