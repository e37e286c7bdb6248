// SPDX-License-Identifier: Apache-2.0
// Policies of level 2 in replays on machines: against natgpu's own rules there, and by hand.
#include <map>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "policy_table.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::NodeTime;
using Seconds = std::vector<std::int64_t>;

namespace {

ReplayOptions under(const natgpu_policy& table) {
  ReplayOptions options = options_of(Backfill::none);
  options.plugged = plugged(table);
  return options;
}

std::int64_t start_heads(const natgpu_host* host) {
  std::int64_t head = -1;
  while ((head = host->next_fit(host, head, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)
    if (host->start(host, head, 0) != NATGPU_OK && host->shadow(host, head, 0) != NATGPU_NEVER) break;
  return head;
}
void fcfs(void*, const natgpu_host* host, std::int64_t) {
  start_heads(host);
}
/// What a run came to, in which ticks and seconds are one.
std::vector<Area> times_of(const NodeTime& t) {
  std::vector<Area> times;
  for (const Area part :
       {t.nominal, t.useful, t.stopped, t.lost, t.preempted, t.checkpoints, t.restarts, t.idle, t.down})
    times.push_back(part * (second / t.units_per_s));
  return times;
}

/// Segments count whole checkpoints in ticks, and slow restarts down no further than work.
Case comparable(Case c) {
  c.view.checkpoint_cost_s = 0;
  if (c.view.slowdown_milli > 0) c.view.slowdown_milli = 1'000 * (1 + c.view.slowdown_milli / 100 % 2);
  if (c.view.slowdown_milli > 1'000) c.view.restart_s = 0;
  c.options.order = Order::fcfs;
  return c;
}
/// The same under a policy of level 2.
Case under_policy(Case c, const natgpu_policy& table) {
  c.options.order = Order::fcfs;
  c.options.backfill = Backfill::none;
  c.options.plugged = plugged(table);
  c.options.segments = {c.view.checkpoint_s > 0 ? c.view.checkpoint_s * second : simulation::no_checkpoint,
                        c.view.restart_s * second};
  c.view.checkpoint_s = c.view.restart_s = 0;
  return c;
}

}  // namespace

TEST_CASE("fcfs and fit written as policies start every job on machines when natgpu's own do, and there") {
  natgpu_policy shortest = policy_with(fit);
  shortest.key = [](const natgpu_job* job) { return job->requested; };
  const natgpu_policy first = policy_with(fcfs), fitting = policy_with(fit);
  struct Rule {
    const char* name;
    const natgpu_policy& table;
    Order order;
    Backfill backfill;
  };
  const Rule rules[] = {{"fcfs", first, Order::fcfs, Backfill::none},
                        {"fit", fitting, Order::fcfs, Backfill::fit},
                        {"fit, shortest first", shortest, Order::sjf, Backfill::fit}};
  std::uint64_t restarted = 0, spread = 0, announced = 0;
  for (std::uint64_t seed = 1; seed <= 800; ++seed)
    for (const Rule& rule : rules) {
      Case theirs =
          comparable(seed % 2 == 0 ? random_case_announced(seed, seed % 4 == 0) : random_case_with_mig(seed));
      theirs.options.order = rule.order;
      theirs.options.backfill = rule.backfill;
      const Case mine = under_policy(theirs, rule.table);
      CAPTURE(seed, rule.name, static_cast<int>(theirs.view.placement), theirs.view.slowdown_milli);
      const NodeReplayResult expected = replay_on_nodes(theirs.log, theirs.options, theirs.view);
      const NodeReplayResult r = replay_on_nodes(mine.log, mine.options, mine.view);
      REQUIRE(r.replay.start_s == expected.replay.start_s);
      REQUIRE(r.replay.end_s == expected.replay.end_s);
      REQUIRE(r.replay.killed == expected.replay.killed);
      for (std::size_t i = 0; i < theirs.log.jobs.size(); ++i) {
        CAPTURE(i);
        REQUIRE(machines_of(r, i) == machines_of(expected, i));
      }
      REQUIRE(times_of(r.nodes.time) == times_of(expected.nodes.time));
      REQUIRE(r.nodes.restarted == expected.nodes.restarted);
      restarted += r.nodes.restarted;
      spread += r.nodes.spread;
      announced += r.nodes.announced;
    }
  CHECK(restarted > 300);
  CHECK(spread > 300);
  CHECK(announced > 300);
}

namespace {

/// Does what its dice say, asks for what it cannot have, and keeps books of what it was told.
struct Wild {
  std::map<std::int64_t, std::int64_t> holds;  ///< GPUs of who runs
  std::int64_t jobs = 0, up = 0;
  std::uint64_t drawn = 0;

  static inline std::map<std::string, std::uint64_t> seen;  ///< in all runs
  static inline std::int64_t limit = 0;                     ///< of draws

  static Wild& of(void* state) { return *static_cast<Wild*>(state); }
  std::int64_t below(const natgpu_host* host, std::int64_t n) {
    return host->uniform(host, 1, static_cast<std::int64_t>(drawn++)) % n;
  }
  static natgpu_policy table() {
    natgpu_policy p = policy_with(pass);
    p.create = [](const natgpu_host*) -> void* { return new Wild; };
    p.destroy = [](void* state) { delete static_cast<Wild*>(state); };
    p.on_submit = [](void* state, const natgpu_host*, const natgpu_job* job) {
      of(state).jobs = std::max(of(state).jobs, job->id + 1);
    };
    p.on_start = [](void* state, const natgpu_host*, const natgpu_job* job) {
      of(state).holds[job->id] = job->gpus;
      ++seen["started"];
    };
    p.on_end = [](void* state, const natgpu_host*, const natgpu_job* job) {
      seen["ended twice"] += of(state).holds.erase(job->id) == 0 ? 1 : 0;
    };
    p.on_capacity = [](void* state, const natgpu_host*, std::int64_t, std::int64_t gpus, std::int64_t) {
      of(state).up += gpus;
    };
    return p;
  }
  static void pass(void* state, const natgpu_host* host, std::int64_t now) {
    Wild& w = of(state);
    w.check(host, now);
    for (int i = 0; i < 10 && w.jobs > 0 && static_cast<std::int64_t>(w.drawn) < limit; ++i) w.act(host, now);
    w.check(host, now);
    fit(nullptr, host, now);
    if (static_cast<std::int64_t>(w.drawn) < limit)
      host->wake_at(host, now + 1 + w.below(host, 3 * second));
    else if (host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0) >= 0 && w.holds.empty())
      host->wake_at(host, now + second);
    w.check(host, now);
  }
  void act(const natgpu_host* host, std::int64_t now) {
    const std::int64_t job = below(host, jobs + 2) - 1;
    switch (below(host, 8)) {
      case 0:
      case 1:
        seen["preempted"] += host->preempt(host, job) == NATGPU_OK ? 1 : 0;
        return;
      case 2:
        seen["rejected"] += below(host, 9) == 0 && host->reject(host, job) == NATGPU_OK ? 1 : 0;
        return;
      case 3:
        seen["no pool"] += host->start(host, job, 1) == NATGPU_NO_POOL ? 1 : 0;
        return;
      case 4: {
        const std::int64_t from = now + below(host, 40 * second), until = from + below(host, 40 * second);
        const std::int64_t free = host->free(host, 0, from, until);
        if (until <= from ? free != NATGPU_BAD_TIME : free < 0 || free > host->free(host, 0, from, from + 1))
          ++seen["free is wrong"];
        return;
      }
      case 5: {
        const std::int64_t at = host->shadow(host, job, 0);
        const bool known = host->job(host, job) != nullptr;
        if (known ? at < now : at != NATGPU_NO_JOB) ++seen["shadow is wrong"];
        const std::int64_t code = start(host, job);
        if (code == NATGPU_OK ? at != now : code == NATGPU_NO_ROOM && at == now) ++seen["shadow is not kept"];
        return;
      }
      default:
        start(host, job);
    }
  }
  static std::int64_t start(const natgpu_host* host, std::int64_t job) {
    const std::int64_t code = host->start(host, job, 0);
    if (code == NATGPU_NOT_WAITING) ++seen["not waiting"];
    if (code == NATGPU_NO_ROOM) ++seen["no room"];
    return code;
  }
  void check(const natgpu_host* host, std::int64_t now) const {
    std::int64_t held = 0;
    for (const auto& [id, gpus] : holds) {
      held += gpus;
      const natgpu_job* job = host->job(host, id);
      if (job == nullptr || job->started < 0 || job->pool != 0 || job->gpus != gpus)
        ++seen["is wrong of a job"];
      if (host->remaining(host, id) < 0) ++seen["has less than nothing left"];
    }
    if (held + host->free(host, 0, now, now + 1) != up) ++seen["GPUs are lost"];
  }
};

/// Jobs of whole GPUs, so that they can be counted, on equal machines some of which are away at times.
Case wild_case(std::uint64_t seed) {
  Case c;
  testing::Dice dice(seed);
  c.log = log_of({});
  std::int64_t submit_s = 0;
  for (std::int64_t i = 5 + dice.below(25); i > 0; --i) {
    submit_s += dice.below(4);
    c.log.jobs.push_back(
        job(submit_s, static_cast<std::int32_t>(1 + dice.below(9)), 1 + dice.below(20), 1 + dice.below(22)));
  }
  c.view = view_of("5x4", static_cast<Placement>(dice.below(7)));
  if (dice.chance(40)) c.view.slowdown_milli = 1'000 + 100 * dice.below(12);
  for (std::int64_t n = dice.below(6); n > 0; --n) {
    const std::int64_t from_s = 1 + dice.below(80);
    c.view.outages.push_back(
        {static_cast<std::uint32_t>(dice.below(5)), from_s, from_s + 1 + dice.below(20)});
    if (dice.chance(50)) c.view.outages.back().announced_s = dice.below(from_s);
  }
  c.options.seed = seed;
  c.options.backfill = Backfill::none;
  c.options.segments = {dice.below(5) * second, dice.below(3) * second};
  if (dice.chance(30)) c.options.preemption.shield = dice.below(10) * second;
  return c;
}

}  // namespace

TEST_CASE("whatever a policy does on machines, its host's books and those of the replay are whole") {
  const natgpu_policy wild = Wild::table();
  Wild::seen.clear();
  Wild::limit = 2'000;
  std::uint64_t preempted = 0, unstarted = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Case c = wild_case(seed);
    c.options.plugged = plugged(wild);
    CAPTURE(seed);
    const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);  // conserves GPU time, or throws
    preempted += r.replay.preemptions;
    for (std::size_t i = 0; i < c.log.jobs.size(); ++i) {
      REQUIRE((r.replay.start_s[i] < 0) == (r.replay.end_s[i] < 0));
      REQUIRE(r.replay.start_s[i] <= r.replay.end_s[i]);
      unstarted += r.replay.start_s[i] < 0 ? 1 : 0;
    }
  }
  CHECK(preempted == Wild::seen["preempted"]);
  CHECK(preempted > 1'000);
  CHECK(unstarted <= Wild::seen["rejected"]);
  for (const char* often : {"started", "no pool", "no room", "not waiting"}) CHECK(Wild::seen[often] > 1'000);
  for (const char* wrong : {"ended twice", "free is wrong", "shadow is wrong", "shadow is not kept",
                            "is wrong of a job", "has less than nothing left", "GPUs are lost"}) {
    CAPTURE(wrong);
    CHECK(Wild::seen[wrong] == 0);
  }
}

namespace {

struct Answers {
  std::vector<std::string> told;
  std::map<std::string, std::int64_t> of;
};
Answers answers;

}  // namespace

TEST_CASE("a policy is told of machines that come and go, and how much of their GPUs is left") {
  answers = {};
  natgpu_policy table = policy_with([](void*, const natgpu_host* host, std::int64_t now) {
    if (now == 0) {
      answers.of["free"] = host->free(host, 0, 0, 1);
      answers.of["small"] = host->next_fit(host, -1, 1, NATGPU_ANY, 0);
      answers.of["none"] = host->next_fit(host, -1, 0, NATGPU_ANY, 0);
      answers.of["gang"] = host->start(host, 0, 0);
      answers.of["share"] = host->start(host, 1, 0);
      answers.of["free then"] = host->free(host, 0, 0, 1);
      answers.of["free later"] = host->free(host, 0, 20 * second, 21 * second);
      answers.of["free over the outage"] = host->free(host, 0, 20 * second, 31 * second);
      answers.of["no room"] = host->start(host, 2, 0);
      answers.of["shadow"] = host->shadow(host, 2, 0);
      answers.of["shadow of too long a job"] = host->shadow(host, 4, 0);
      answers.of["pools"] = host->pools(host);
      answers.of["choice"] = host->choice(host, 2, 0);
      answers.of["no choice"] = host->choice(host, 2, 1);
      answers.of["requested"] = host->requested_on(host, 2, 0);
    }
    std::int64_t job = -1;
    while ((job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0) host->start(host, job, 0);
  });
  table.on_capacity = [](void*, const natgpu_host*, std::int64_t pool, std::int64_t gpus, std::int64_t at) {
    answers.told.push_back(std::to_string(pool) + ": " + std::to_string(gpus) + " at " +
                           std::to_string(at / second));
  };
  workload::JobLog log = log_of({job(0, 5, 10), job(0, 1, 12), job(0, 4, 5), job(0, 0, 3), job(0, 8, 40)});
  log.jobs[1].gpu_milli = 500;
  NodeView view = view_of("2x4");
  view.outages = {{1, 3, 5}, {1, 30, 35, 0}};
  ReplayOptions options = under(table);
  options.segments.checkpoint = simulation::no_checkpoint;
  const NodeReplayResult r = replay_on_nodes(log, options, view);
  CHECK(answers.of["free"] == 8);
  CHECK(answers.of["small"] == 1);
  CHECK(answers.of["none"] == 3);  // asks for no GPU
  CHECK(answers.of["gang"] == NATGPU_OK);
  CHECK(answers.of["share"] == NATGPU_OK);
  CHECK(answers.of["free then"] == 3);  // two and a half
  CHECK(answers.of["free later"] == 8);
  CHECK(answers.of["free over the outage"] == 4);
  CHECK(answers.of["no room"] == NATGPU_NO_ROOM);
  CHECK(answers.of["shadow"] == 10 * second);
  CHECK(answers.of["shadow of too long a job"] == NATGPU_NEVER / 2);
  CHECK(answers.of["pools"] == 1);
  CHECK(answers.of["choice"] == 0);
  CHECK(answers.of["no choice"] == NATGPU_NONE);
  CHECK(answers.of["requested"] == 5 * second);
  CHECK(answers.told ==
        std::vector<std::string>{"0: 8 at 0", "0: -4 at 3", "0: 4 at 5", "0: -4 at 30", "0: 4 at 35"});
  CHECK(r.replay.semantics.rfind("policy mine.so (sha256 0123), level 2, seed 1,", 0) == 0);
  CHECK(r.replay.semantics.find("view nodes (placement first") != std::string::npos);
}

TEST_CASE("a policy takes machines back, and its job goes on elsewhere behind its checkpoint") {
  // Two machines of four. At 4 s the first job, on machine 0, makes room for the second, of both machines.
  const natgpu_policy table = policy_with([](void*, const natgpu_host* host, std::int64_t now) {
    if (now == 4 * second) {
      answers.of["preempt"] = host->preempt(host, 0);
      answers.of["again"] = host->preempt(host, 0);
      answers.of["start"] = host->start(host, 1, 0);
    } else {
      start_heads(host);
      host->wake_at(host, 4 * second);
    }
  });
  ReplayOptions options = under(table);
  options.segments = {3 * second, 2 * second};
  const NodeReplayResult r =
      replay_on_nodes(log_of({job(0, 4, 12, 10), job(1, 8, 5)}), options, view_of("2x4"));
  CHECK(answers.of["preempt"] == NATGPU_OK);
  CHECK(answers.of["again"] == NATGPU_NOT_RUNNING);
  CHECK(answers.of["start"] == NATGPU_OK);
  CHECK(r.replay.start_s == Seconds{0, 4});
  CHECK(r.replay.end_s == Seconds{18, 9});  // 3 s of work kept; 7 of 10 and 2 to restart from 9 s on
  CHECK(r.replay.preemptions == 1);
  CHECK(r.nodes.time.preempted == Area{4} * 1000 * second);
  CHECK(r.nodes.time.restarts == Area{8} * 1000 * second);
}

TEST_CASE("what a policy of level 2 does not go with on machines is refused with a reason") {
  const natgpu_policy table = policy_with(fcfs);
  const workload::JobLog log = log_of({job(0, 1, 5)});
  ReplayOptions options = under(table);
  options.preemption.notice = second;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view_of("2x4")), Catch::Contains("leave --notice out"));
  options = under(table);
  options.preemption.round = second;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view_of("2x4")), Catch::Contains("decides by itself"));
  options = under(table);
  options.backfill = Backfill::easy;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view_of("2x4")), Catch::Contains("decides by itself"));
  options = under(table);
  options.order = Order::sjf;
  CHECK_THROWS_WITH(replay_on_nodes(log, options, view_of("2x4")), Catch::Contains("brings its own order"));
  NodeView view = view_of("2x4");
  view.checkpoint_s = 1;
  CHECK_THROWS_WITH(replay_on_nodes(log, under(table), view), Catch::Contains("one rule of checkpoints"));
}
