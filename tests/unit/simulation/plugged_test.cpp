// SPDX-License-Identifier: Apache-2.0
// Policies behind natgpu/policy.h, against the same rules of natgpu itself.
#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>

#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "mixed_dice.hpp"
#include "policy_table.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Order;
using simulation::ReplayOptions;
using simulation::ReplayResult;

namespace {

workload::JobLog random_log(std::uint64_t seed, std::int64_t gpus) {
  MixedDice dice{seed};
  const auto random = [&dice](std::int64_t n) { return dice.below(n); };
  workload::JobLog log;
  log.max_procs = gpus;
  std::int64_t submit = 0;
  for (std::int64_t i = 0, jobs = 20 + random(60); i < jobs; ++i) {
    submit += random(6);
    const std::int64_t requested = 1 + random(40);
    log.jobs.push_back({i + 1, submit, 1 + random(50), requested, static_cast<std::int32_t>(1 + random(gpus)),
                        static_cast<std::int32_t>(random(4))});
  }
  return log;
}

natgpu_policy order_with(std::int64_t (*key)(const natgpu_job*)) {
  natgpu_policy p = policy_with(nullptr);
  p.key = key;
  return p;
}

// --- rules that natgpu has as well, as an author would write them

std::int64_t start_heads(const natgpu_host* host) {
  for (;;) {
    const std::int64_t head = host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0);
    if (head < 0 || host->start(host, head, 0) != NATGPU_OK) return head;
  }
}
void fcfs(void*, const natgpu_host* host, std::int64_t) {
  start_heads(host);
}
void easy(void*, const natgpu_host* host, std::int64_t now) {
  const std::int64_t head = start_heads(host);
  if (head < 0) return;
  const natgpu_job reserved = *host->job(host, head);
  const std::int64_t shadow = host->shadow(host, head, 0);
  std::int64_t job = head;
  while ((job = host->next_fit(host, job, host->free(host, 0, now, now + 1), NATGPU_ANY, 0)) >= 0) {
    const natgpu_job* candidate = host->job(host, job);
    const std::int64_t end = now + candidate->requested, until = shadow + reserved.requested;
    if (end > shadow && host->free(host, 0, shadow, std::min(end, until)) - reserved.gpus < candidate->gpus)
      continue;
    host->start(host, job, 0);
  }
}

struct Case {
  const char* name;
  natgpu_policy table;
  Order order;
  Backfill backfill;
};
std::vector<Case> cases() {
  natgpu_policy shortest = policy_with(easy);
  shortest.key = [](const natgpu_job* job) { return job->requested; };
  return {{"fcfs", policy_with(fcfs), Order::fcfs, Backfill::none},
          {"fit", policy_with(fit), Order::fcfs, Backfill::fit},
          {"easy", policy_with(easy), Order::fcfs, Backfill::easy},
          {"easy, shortest first", shortest, Order::sjf, Backfill::easy}};
}

std::vector<std::vector<simulation::AnnouncedStep>> plans() {
  return {{}, {{20, -3}, {45, 3}, {90, -2}, {91, 2}}};
}

void check_same(const ReplayResult& mine, const ReplayResult& theirs) {
  CHECK(mine.start_s == theirs.start_s);
  CHECK(mine.end_s == theirs.end_s);
}

}  // namespace

TEST_CASE("fcfs, fit and easy written as plug-ins start every job when natgpu's own do") {
  for (const Case& c : cases())
    for (const auto& announced : plans())
      for (const bool event : {false, true})
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
          const workload::JobLog log = random_log(seed, 8);
          ReplayOptions theirs;
          theirs.order = c.order;
          theirs.backfill = c.backfill;
          theirs.announced = announced;
          theirs.semantics.pass = event ? scheduling::PassRule::event : scheduling::PassRule::instant;
          if (event && announced.empty()) theirs.semantics.ties = scheduling::Ties::arrival_first;
          ReplayOptions mine = theirs;
          mine.order = Order::fcfs;
          mine.backfill = Backfill::none;
          mine.plugged = plugged(c.table);
          INFO(c.name << ", seed " << seed << ", announced " << announced.size() << ", event " << event);
          check_same(simulation::replay(log, mine), simulation::replay(log, theirs));
        }
}

TEST_CASE("a plugged order under each backfill is natgpu's order of the same key") {
  const natgpu_policy area = order_with([](const natgpu_job* job) { return job->requested * job->gpus; });
  for (const Backfill b : {Backfill::none, Backfill::fit, Backfill::easy, Backfill::easy_sjbf,
                           Backfill::conservative, Backfill::reservations})
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      const workload::JobLog log = random_log(seed, 8);
      ReplayOptions theirs;
      theirs.order = Order::saf;
      theirs.backfill = b;
      theirs.reservations = b == Backfill::reservations ? 3 : 0;
      ReplayOptions mine = theirs;
      mine.order = Order::fcfs;
      mine.plugged = plugged(area);
      check_same(simulation::replay(log, mine), simulation::replay(log, theirs));
    }
}

TEST_CASE("a plugged order sees who asks") {
  const natgpu_policy by_account = order_with([](const natgpu_job* job) { return job->account; });
  workload::JobLog log;
  log.max_procs = 1;
  log.jobs = {{1, 0, 10, 10, 1, 5}, {2, 1, 10, 10, 1, 9}, {3, 2, 10, 10, 1, 7}};
  ReplayOptions options;
  options.backfill = Backfill::none;
  options.plugged = plugged(by_account);
  CHECK(simulation::replay(log, options).start_s == std::vector<std::int64_t>{0, 20, 10});
}

namespace {

/// What the last run told, and what the host answered.
struct Told {
  std::vector<std::string> lines;
  std::map<std::string, std::int64_t> answers;
};
Told told;

std::int64_t seconds_of(std::int64_t ticks) {
  return ticks < 0 ? ticks : ticks / ticks_per_second;
}
void tell(const char* what, std::int64_t a, std::int64_t b) {
  told.lines.push_back(std::string(what) + " " + std::to_string(a) + " " + std::to_string(b));
}
void tell_job(const char* what, const natgpu_job* job) {
  tell(what, job->id, seconds_of(job->started));
}

natgpu_policy teller() {
  natgpu_policy p = policy_with([](void* state, const natgpu_host* host, std::int64_t now) {
    tell("pass", seconds_of(now), *static_cast<int*>(state));
    start_heads(host);
    if (now == 0) {
      told.answers["wake now"] = host->wake_at(host, now);
      host->wake_at(host, 7 * NATGPU_TICKS_PER_SECOND);
      told.answers["start running"] = host->start(host, 0, 0);
      told.answers["start unknown"] = host->start(host, 9, 0);
      told.answers["start elsewhere"] = host->start(host, 0, 1);
      told.answers["preempt"] = host->preempt(host, 0);
      told.answers["behind unknown"] = host->next_fit(host, 9, 1, 1, 0);
      told.answers["free behind"] = host->free(host, 0, now - 1, now);
      told.answers["unknown account"] = host->account(host, 99) == nullptr;
      told.answers["draw"] = host->uniform(host, 3, 4);
      told.answers["same draw"] = host->uniform(host, 3, 4);
    }
    if (seconds_of(now) == 7) {
      const natgpu_account* a = host->account(host, 2);
      told.answers["used"] = a->used;
      told.answers["holds"] = a->gpus;
      told.answers["waits"] = a->waiting;
      told.answers["no room"] = host->start(host, 1, 0);
      told.answers["shadow"] = seconds_of(host->shadow(host, 1, 0));
      told.answers["reject"] = host->reject(host, 2);
      told.answers["reject again"] = host->reject(host, 2);
    }
  });
  p.create = [](const natgpu_host* host) {
    told.answers["in create"] = host->next_fit(host, -1, 1, 1, 0);
    return static_cast<void*>(new int(42));
  };
  p.destroy = [](void* state) {
    delete static_cast<int*>(state);
    tell("destroy", 0, 0);
  };
  p.on_submit = [](void*, const natgpu_host*, const natgpu_job* job) { tell_job("submit", job); };
  p.on_start = [](void*, const natgpu_host*, const natgpu_job* job) { tell_job("start", job); };
  p.on_end = [](void*, const natgpu_host*, const natgpu_job* job) { tell_job("end", job); };
  p.on_capacity = [](void*, const natgpu_host*, std::int64_t, std::int64_t gpus, std::int64_t at) {
    tell("capacity", gpus, seconds_of(at));
  };
  p.on_timer = [](void*, const natgpu_host*, std::int64_t now) { tell("timer", seconds_of(now), 0); };
  return p;
}

}  // namespace

TEST_CASE("a policy is told of every event in order, woken when it asked, and answered with codes") {
  told = {};
  workload::JobLog log;
  log.max_procs = 4;
  log.jobs = {{1, 0, 10, 12, 3, 2}, {2, 1, 5, 5, 2, 2}, {3, 1, 5, 5, 4, 2}};
  ReplayOptions options;
  options.backfill = Backfill::none;
  const natgpu_policy table = teller();
  options.plugged = plugged(table);
  options.announced = {{30, -1}};
  const ReplayResult result = simulation::replay(log, options);
  CHECK(result.start_s == std::vector<std::int64_t>{0, 10, -1});
  CHECK(told.lines == std::vector<std::string>{"capacity -1 30", "capacity 4 0", "submit 0 -1", "pass 0 42",
                                               "start 0 0", "submit 1 -1", "submit 2 -1", "pass 1 42",
                                               "timer 7 0", "pass 7 42", "end 0 -1", "pass 10 42",
                                               "start 1 10", "end 1 -1", "pass 15 42", "capacity -1 30",
                                               "pass 30 42", "destroy 0 0"});
  CHECK(told.answers["wake now"] == NATGPU_BAD_TIME);
  CHECK(told.answers["start running"] == NATGPU_NOT_WAITING);
  CHECK(told.answers["start unknown"] == NATGPU_NO_JOB);
  CHECK(told.answers["start elsewhere"] == NATGPU_NO_POOL);
  CHECK(told.answers["preempt"] == NATGPU_TOO_SOON);  // it has started in this pass
  CHECK(told.answers["behind unknown"] == NATGPU_NO_JOB);
  CHECK(told.answers["free behind"] == NATGPU_BAD_TIME);
  CHECK(told.answers["unknown account"] == 1);
  CHECK(told.answers["draw"] == told.answers["same draw"]);
  CHECK(told.answers["draw"] > 0);
  CHECK(told.answers["used"] == 21);
  CHECK(told.answers["holds"] == 3);
  CHECK(told.answers["waits"] == 2);
  CHECK(told.answers["no room"] == NATGPU_NO_ROOM);
  CHECK(told.answers["shadow"] == 12);
  CHECK(told.answers["reject"] == NATGPU_OK);
  CHECK(told.answers["reject again"] == NATGPU_NOT_WAITING);
  CHECK(told.answers["in create"] == NATGPU_NOT_NOW);
}

namespace {

/// At 4 s the first job makes room for the second. On 4 GPUs, both ask for 3.
natgpu_policy changer() {
  natgpu_policy p = teller();
  p.pass = [](void*, const natgpu_host* host, std::int64_t now) {
    tell("pass", seconds_of(now), 0);
    if (seconds_of(now) != 4) {
      start_heads(host);
      host->wake_at(host, 4 * NATGPU_TICKS_PER_SECOND);
      return;
    }
    told.answers["left of runner"] = seconds_of(host->remaining(host, 0));
    told.answers["left of waiter"] = seconds_of(host->remaining(host, 1));
    told.answers["waiter"] = host->preempt(host, 1);
    told.answers["unknown"] = host->preempt(host, 9);
    told.answers["done"] = host->preempt(host, 0);
    told.answers["again"] = host->preempt(host, 0);
    told.answers["left then"] = host->remaining(host, 0);
    told.answers["restart"] = host->start(host, 0, 0);
    told.answers["next"] = host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0);
    told.answers["running"] = host->account(host, 2)->running;
    told.answers["second"] = host->start(host, 1, 0);
  };
  return p;
}
workload::JobLog two_jobs() {
  workload::JobLog log;
  log.max_procs = 4;
  log.jobs = {{1, 0, 10, 12, 3, 2}, {2, 1, 5, 5, 3, 2}};
  return log;
}

}  // namespace

TEST_CASE("a policy takes GPUs back, and its job goes on behind its checkpoint in its old place") {
  told = {};
  ReplayOptions options;
  options.backfill = Backfill::none;
  const natgpu_policy table = changer();
  options.plugged = plugged(table);
  options.segments = {3 * ticks_per_second, 2 * ticks_per_second};
  const ReplayResult r = simulation::replay(two_jobs(), options);
  // 4 s of work, 3 of them kept; 7 s of 10 and 2 to restart from 9 s on.
  CHECK(r.start_s == std::vector<std::int64_t>{0, 4});
  CHECK(r.end_s == std::vector<std::int64_t>{18, 9});
  CHECK(r.preemptions == 1);
  REQUIRE(r.segmented.size() == 2);
  CHECK(r.segmented[0].preemptions == 1);
  CHECK(r.segmented[0].lost == ticks_per_second);
  CHECK(r.segmented[0].queued == 5 * ticks_per_second);
  CHECK(told.lines == std::vector<std::string>{"capacity 4 0", "submit 0 -1", "pass 0 0", "start 0 0",
                                               "submit 1 -1", "pass 1 0", "timer 4 0", "pass 4 0", "end 0 -1",
                                               "start 1 4", "submit 0 -1", "end 1 -1", "pass 9 0",
                                               "start 0 9", "end 0 -1", "pass 18 0", "destroy 0 0"});
  CHECK(told.answers["left of runner"] == 8);
  CHECK(told.answers["left of waiter"] == 5);
  CHECK(told.answers["waiter"] == NATGPU_NOT_RUNNING);
  CHECK(told.answers["unknown"] == NATGPU_NO_JOB);
  CHECK(told.answers["done"] == NATGPU_OK);
  CHECK(told.answers["again"] == NATGPU_NOT_RUNNING);
  CHECK(told.answers["left then"] == NATGPU_NONE);
  CHECK(told.answers["restart"] == NATGPU_NOT_WAITING);  // not in the pass of its preemption
  CHECK(told.answers["next"] == 1);
  CHECK(told.answers["running"] == 0);
  CHECK(told.answers["second"] == NATGPU_OK);
  CHECK(r.semantics.find("shield 0 s, checkpoint 3 s, restart cost 2 s") != std::string::npos);
}

TEST_CASE("GPUs under notice come back when it is over, and the shield keeps a job's own") {
  told = {};
  ReplayOptions options;
  options.backfill = Backfill::none;
  const natgpu_policy table = changer();
  options.plugged = plugged(table);
  options.preemption.notice = 2 * ticks_per_second;
  ReplayResult r = simulation::replay(two_jobs(), options);
  CHECK(told.answers["done"] == NATGPU_OK);
  CHECK(told.answers["second"] == NATGPU_NO_ROOM);
  CHECK(r.start_s == std::vector<std::int64_t>{0, 12});  // at 6 s the first stands first again
  CHECK(r.end_s == std::vector<std::int64_t>{12, 17});
  options.preemption.notice = 0;
  options.preemption.shield = 5 * ticks_per_second;
  r = simulation::replay(two_jobs(), options);
  CHECK(told.answers["done"] == NATGPU_TOO_SOON);
  CHECK(r.preemptions == 0);
  CHECK(r.segmented.empty());
  CHECK(r.end_s == std::vector<std::int64_t>{10, 15});
  options.preemption.shield = 0;
  options.semantics.pass = scheduling::PassRule::event;
  simulation::replay(two_jobs(), options);
  CHECK(told.answers["done"] == NATGPU_UNSUPPORTED);
}

TEST_CASE("a policy that only takes GPUs back ends the replay, and what does not go with it is refused") {
  natgpu_policy restless = policy_with([](void*, const natgpu_host* host, std::int64_t now) {
    start_heads(host);
    host->preempt(host, 0);
    host->wake_at(host, now + 1);
  });
  ReplayOptions options;
  options.backfill = Backfill::none;
  options.plugged = plugged(restless);
  options.segments.checkpoint = simulation::no_checkpoint;
  CHECK_THROWS_WITH(simulation::replay(two_jobs(), options), Catch::Contains("million preemptions"));
  const natgpu_policy table = policy_with(fcfs);
  options.plugged = plugged(table);
  options.preemption.round = ticks_per_second;
  CHECK_THROWS_WITH(simulation::replay(two_jobs(), options), Catch::Contains("decides by itself"));
  options.preemption = {};
  options.semantics.pass = scheduling::PassRule::event;
  CHECK_THROWS_WITH(simulation::replay(two_jobs(), options), Catch::Contains("leave pass at instant"));
  options.semantics.pass = scheduling::PassRule::instant;
  options.preemption.notice = 1;
  options.announced = {{5, -1}};
  CHECK_THROWS_WITH(simulation::replay(two_jobs(), options), Catch::Contains("announced outages"));
}

TEST_CASE("the draws of a policy follow the seed of the replay") {
  workload::JobLog log;
  log.max_procs = 4;
  log.jobs = {{1, 0, 10, 12, 3, 2}};
  const natgpu_policy table = teller();
  std::vector<std::int64_t> draws;
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{2}}) {
    ReplayOptions options;
    options.backfill = Backfill::none;
    options.plugged = plugged(table);
    options.seed = seed;
    simulation::replay(log, options);
    draws.push_back(told.answers["draw"]);
  }
  CHECK(draws[0] != draws[1]);
}

TEST_CASE("a policy that cannot begin, or wakes for ever, ends the replay with its name") {
  workload::JobLog log;
  log.max_procs = 4;
  log.jobs = {{1, 0, 10, 12, 3, 2}};
  ReplayOptions options;
  options.backfill = Backfill::none;
  natgpu_policy refuses = policy_with(fcfs);
  refuses.create = [](const natgpu_host*) -> void* { return nullptr; };
  options.plugged = plugged(refuses);
  CHECK_THROWS_AS(simulation::replay(log, options), RunError);
  const natgpu_policy restless =
      policy_with([](void*, const natgpu_host* host, std::int64_t now) { host->wake_at(host, now + 1); });
  options.plugged = plugged(restless);
  CHECK_THROWS_WITH(simulation::replay(log, options), Catch::Contains("mine.so") && Catch::Contains("woken"));
}

TEST_CASE("a plugged policy beside a part of which it takes the place is refused") {
  const workload::JobLog log = random_log(1, 8);
  const natgpu_policy table = policy_with(fcfs);
  ReplayOptions options;
  options.plugged = plugged(table);
  options.backfill = Backfill::easy;
  CHECK_THROWS_AS(simulation::replay(log, options), RunError);
  options.backfill = Backfill::none;
  options.order = Order::sjf;
  CHECK_THROWS_AS(simulation::replay(log, options), RunError);
}

TEST_CASE("what was used is named with the digest of the library") {
  const workload::JobLog log = random_log(1, 8);
  const natgpu_policy decides = policy_with(fcfs);
  const natgpu_policy orders = order_with([](const natgpu_job* job) { return job->id; });
  ReplayOptions options;
  options.backfill = Backfill::none;
  options.plugged = plugged(decides);
  CHECK(
      simulation::replay(log, options).semantics.rfind("policy mine.so (sha256 0123), level 2, seed 1,", 0) ==
      0);
  options.plugged = plugged(orders);
  options.backfill = Backfill::easy;
  CHECK(simulation::replay(log, options)
            .semantics.rfind("policy mine.so (sha256 0123), level 1, backfill easy,", 0) == 0);
}
