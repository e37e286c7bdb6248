// SPDX-License-Identifier: Apache-2.0
// Hand cases of published schedules (answers are start times in id order) and laws that hold for every log.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::simulation;
using scheduling::Backfill;

namespace {

struct Case {
  std::int64_t submit;
  std::int32_t gpus;
  std::int64_t requested;
  std::int64_t actual = -1;  ///< -1: as requested
};

workload::JobLog log_of(const std::vector<Case>& cases) {
  workload::JobLog log;
  std::int64_t id = 0;
  for (const Case& c : cases)
    log.jobs.push_back({++id, c.submit, c.actual < 0 ? c.requested : c.actual, c.requested, c.gpus});
  return log;
}

ReplayResult run(std::int64_t gpus, Backfill backfill, const std::vector<Case>& cases,
                 std::vector<AnnouncedStep> announced = {}) {
  ReplayOptions options;
  options.gpus = gpus;
  options.backfill = backfill;
  options.announced = std::move(announced);
  return replay(log_of(cases), options);
}

using Starts = std::vector<std::int64_t>;
constexpr auto none = Backfill::none;
constexpr auto fit = Backfill::fit;
constexpr auto easy = Backfill::easy;
constexpr auto conservative = Backfill::conservative;

ReplayResult run_ordered(std::int64_t gpus, scheduling::Order order, Backfill backfill,
                         const std::vector<Case>& cases) {
  ReplayOptions options;
  options.gpus = gpus;
  options.order = order;
  options.backfill = backfill;
  return replay(log_of(cases), options);
}

}  // namespace

TEST_CASE("five jobs on 8 GPUs start as published under FCFS, first fit, EASY, conservative and SJF") {
  const std::vector<Case> s1 = {{0, 4, 7}, {0, 3, 2}, {0, 6, 8}, {1, 4, 4}, {1, 1, 3}};
  const auto fcfs = run(8, none, s1);
  CHECK(fcfs.start_s == Starts{0, 0, 7, 15, 15});
  CHECK(fcfs.makespan_s == 19);
  CHECK(fcfs.mean_wait_s == Approx(7.0));
  CHECK(fcfs.utilization == Approx(101.0 / 152));
  CHECK(fcfs.mean_bounded_slowdown == Approx(1.40));
  const auto first_fit = run(8, fit, s1);
  CHECK(first_fit.start_s == Starts{0, 0, 8, 4, 1});
  CHECK(first_fit.makespan_s == 16);
  CHECK(first_fit.mean_wait_s == Approx(2.2));
  CHECK(first_fit.mean_bounded_slowdown == Approx(1.12));
  const auto backfilled = run(8, easy, s1);
  CHECK(backfilled.start_s == Starts{0, 0, 7, 15, 1});
  CHECK(backfilled.mean_wait_s == Approx(4.2));
  CHECK(backfilled.mean_bounded_slowdown == Approx(1.26));
  const auto reserved = run(8, conservative, s1);
  CHECK(reserved.start_s == Starts{0, 0, 7, 2, 6});
  CHECK(reserved.makespan_s == 15);
  CHECK(reserved.mean_wait_s == Approx(2.6));
  CHECK(reserved.utilization == Approx(101.0 / 120));
  CHECK(reserved.mean_bounded_slowdown == Approx(1.10));
  for (const auto backfill : {none, fit})
    CHECK(run_ordered(8, scheduling::Order::sjf, backfill, s1).start_s == first_fit.start_s);
}

TEST_CASE("EASY lets a job that ends exactly at the shadow start, and one that uses spare GPUs") {
  const std::vector<Case> s2 = {{0, 6, 10}, {1, 8, 5}, {2, 3, 12}, {3, 2, 30}, {4, 2, 6}};
  CHECK(run(10, none, s2).start_s == Starts{0, 10, 15, 15, 15});
  CHECK(run(10, fit, s2).start_s == Starts{0, 16, 2, 10, 10});
  CHECK(run(10, easy, s2).start_s == Starts{0, 10, 15, 3, 4});
  CHECK(run(10, conservative, s2).start_s == Starts{0, 10, 15, 3, 4});
  CHECK(run_ordered(10, scheduling::Order::sjf, none, s2).start_s == Starts{0, 10, 15, 15, 10});
}

TEST_CASE("a job that ends early lets the head start before its reservation") {
  const std::vector<Case> s3 = {{0, 3, 8}, {1, 4, 10, 6}, {1, 6, 3}, {1, 1, 2}, {2, 3, 2}};
  CHECK(run(8, none, s3).start_s == Starts{0, 1, 8, 8, 11});
  CHECK(run(8, easy, s3).start_s == Starts{0, 1, 8, 1, 11});
  CHECK(run(8, fit, s3).start_s == Starts{0, 1, 9, 1, 7});
  // Rebuilt from nothing, the reservations would let job 5 start at 11, which was promised 8.
  CHECK(run(8, conservative, s3).start_s == Starts{0, 1, 9, 1, 7});
}

TEST_CASE("conservative sweeps once, in queue order, after every completion, early or on time") {
  // Wrong variants: in order of reservations 0 0 3 1 5; after early ends alone 0 0 5 1 3; rebuilt 0 0 1 3 5.
  CHECK(run(4, conservative, {{0, 3, 3, 1}, {0, 1, 5, 1}, {0, 4, 4, 2}, {0, 2, 2}, {1, 4, 1}}).start_s ==
        Starts{0, 0, 4, 1, 3});
}

TEST_CASE("GPUs freed at an instant are used at that instant and never twice") {
  const std::vector<Case> s4 = {{0, 4, 5}, {5, 4, 1}, {5, 2, 2}, {6, 2, 2}};
  for (const auto policy : {none, fit, easy, conservative}) {
    const auto r = run(4, policy, s4);
    CHECK(r.start_s == Starts{0, 5, 6, 6});
    CHECK(r.makespan_s == 8);
    CHECK(r.utilization == Approx(1.0));
  }
}

TEST_CASE("a job is killed at its requested time") {
  const auto r = run(2, none, {{0, 2, 5, 9}, {1, 1, 3}, {1, 1, 4, 2}});
  CHECK(r.start_s == Starts{0, 5, 5});
  CHECK(r.end_s[0] == 5);
  CHECK(r.killed[0] == 1);
  CHECK(r.killed[2] == 0);
  CHECK(r.utilization == Approx(15.0 / 16));
}

TEST_CASE("more GPUs or an earlier end may raise waits under EASY: an anomaly of backfilling, not a fault") {
  const std::vector<Case> s6 = {{0, 1, 4}, {0, 1, 3}, {1, 3, 1}, {1, 1, 3}};
  CHECK(run(3, easy, s6).start_s == Starts{0, 0, 4, 1});
  CHECK(run(4, easy, s6).start_s == Starts{0, 0, 3, 4});
  CHECK(run(3, easy, {{0, 2, 3}, {1, 1, 3}, {2, 3, 2}, {3, 2, 1}}).start_s == Starts{0, 1, 4, 3});
  CHECK(run(3, easy, {{0, 2, 3}, {1, 1, 3, 2}, {2, 3, 2}, {3, 2, 1}}).start_s == Starts{0, 1, 3, 5});
}

TEST_CASE("an announced outage keeps a job from starting into it") {
  const std::vector<Case> s8 = {{0, 8, 6}, {1, 4, 4}, {1, 4, 9}};
  CHECK(run(8, easy, s8, {{5, -4}, {10, 4}}).start_s == Starts{10, 1, 1});
}

TEST_CASE("a machine of three GPU sizes starts jobs as published under EASY in the counted view") {
  CHECK(run(4, easy, {{0, 1, 6}, {2, 2, 4, 1}, {3, 3, 4}, {3, 3, 2, 1}, {4, 1, 4}}).start_s ==
        Starts{0, 2, 3, 7, 6});
  CHECK(run(4, easy, {{0, 2, 5}, {1, 3, 5}, {1, 1, 4}, {1, 1, 6}}).start_s == Starts{0, 5, 1, 1});
}

TEST_CASE("GPUs held by number start jobs as published, and otherwise than counted ones") {
  const auto named = [](std::int64_t gpus, Backfill backfill, const std::vector<Case>& cases) {
    ReplayOptions options;
    options.gpus = gpus;
    options.backfill = backfill;
    options.named = true;
    return replay(log_of(cases), options).start_s;
  };
  CHECK(named(4, easy, {{0, 1, 6}, {2, 2, 4, 1}, {3, 3, 4}, {3, 3, 2, 1}, {4, 1, 4}}) ==
        Starts{0, 2, 3, 7, 7});
  // Where GPUs in pieces do not matter, both views agree.
  const std::vector<Case> s1 = {{0, 4, 7}, {0, 3, 2}, {0, 6, 8}, {1, 4, 4}, {1, 1, 3}};
  CHECK(named(8, easy, s1) == Starts{0, 0, 7, 15, 1});
}

TEST_CASE("counted and named are one under easy when every job asks one GPU") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::uint64_t state = seed;
    const auto random = [&state](std::uint64_t n) {
      return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % n);
    };
    std::vector<Case> jobs;
    std::int64_t t = 0;
    for (int i = 0; i < 60; ++i) jobs.push_back({t += random(3), 1, 1 + random(20), 1 + random(22)});
    for (const bool per_event : {false, true}) {
      ReplayOptions options;
      options.gpus = 1 + random(9);
      if (per_event) options.semantics = {scheduling::PassRule::event, scheduling::Ties::arrival_first};
      const Starts counted = replay(log_of(jobs), options).start_s;
      options.named = true;
      CAPTURE(seed, per_event);
      REQUIRE(replay(log_of(jobs), options).start_s == counted);
    }
  }
}

TEST_CASE("the named view is refused beside a rule that it does not have") {
  ReplayOptions options;
  options.gpus = 1;
  options.named = true;
  options.backfill = fit;
  CHECK_THROWS_WITH(replay(log_of({{0, 1, 1}}), options), Catch::Contains("named view"));
}

TEST_CASE("EASY's boundaries hold where mutants of it go wrong") {
  CHECK(run(10, easy, {{0, 8, 10}, {1, 10, 10}, {2, 2, 8}}).start_s == Starts{0, 10, 2});
  CHECK(run(10, easy, {{0, 6, 10}, {1, 8, 10}, {2, 2, 20}, {2, 2, 20}}).start_s == Starts{0, 10, 2, 20});
  CHECK(run(10, easy, {{0, 4, 10}, {5, 4, 8}, {6, 5, 5}, {7, 2, 6}}).start_s == Starts{0, 5, 10, 13});
  const std::vector<Case> late_and_long = {{0, 7, 10}, {1, 8, 10}, {2, 9, 10}, {5, 2, 25}};
  CHECK(run(10, easy, late_and_long).start_s == Starts{0, 10, 30, 5});
  CHECK(run(10, conservative, late_and_long).start_s == Starts{0, 10, 20, 30});
}

namespace {

/// EASY, fit and FCFS by plain loops over second-by-second sets: slow, and written without a look at the fast
/// one.
Starts slow_reference(std::int64_t gpus, Backfill policy, const std::vector<Case>& jobs,
                      const std::vector<AnnouncedStep>& announced) {
  const std::size_t n = jobs.size();
  Starts start(n, -1);
  const auto run_time = [&](std::size_t i) {
    return jobs[i].actual < 0 ? jobs[i].requested : std::min(jobs[i].actual, jobs[i].requested);
  };
  std::int64_t now = 0;
  const auto capacity = [&](std::int64_t t) {
    std::int64_t c = gpus;
    for (const auto& a : announced)
      if (a.at_s <= t) c += a.delta;
    return c;
  };
  // Free at t >= now as the scheduler knows it: who still runs now is there until its requested end.
  const auto free_at = [&](std::int64_t t) {
    std::int64_t f = capacity(t);
    for (std::size_t i = 0; i < n; ++i)
      if (start[i] >= 0 && start[i] + run_time(i) > now && t < start[i] + jobs[i].requested)
        f -= jobs[i].gpus;
    return f;
  };
  const std::int64_t far = 4000;
  const auto fits = [&](std::size_t i, std::int64_t from, std::size_t head, std::int64_t shadow) {
    for (std::int64_t t = from; t < from + jobs[i].requested; ++t) {
      std::int64_t f = free_at(t);
      if (head < n && t >= shadow && t < shadow + jobs[head].requested) f -= jobs[head].gpus;
      if (f < jobs[i].gpus) return false;
    }
    return true;
  };
  for (; now < far; ++now) {
    std::size_t head = n;
    std::int64_t shadow = 0;
    bool blocked = false;
    for (std::size_t i = 0; i < n; ++i) {
      if (start[i] >= 0 || jobs[i].submit > now) continue;
      if (policy == Backfill::none && blocked) break;
      if (fits(i, now, head, shadow)) {
        start[i] = now;
        continue;
      }
      if (head < n || policy == Backfill::fit) continue;
      std::int64_t t = now;
      while (t < far && !fits(i, t, n, 0)) ++t;
      if (t == far) continue;  // no profile can hold it: it blocks nobody
      blocked = true;
      if (policy == Backfill::easy) {
        head = i;
        shadow = t;
      }
    }
  }
  return start;
}

}  // namespace

TEST_CASE("five thousand random workloads agree with a slow reference, announced outages included") {
  for (std::uint64_t seed = 1; seed <= 1700; ++seed) {
    std::uint64_t state = seed;
    const auto random = [&state](std::uint64_t n) {
      return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % n);
    };
    const std::int64_t gpus = 2 + random(9);
    std::vector<Case> jobs;
    std::int64_t t = 0;
    const auto count = 5 + random(25);
    for (std::int64_t i = 0; i < count; ++i) {
      t += random(4);
      const std::int64_t requested = 1 + random(12);
      jobs.push_back({t, static_cast<std::int32_t>(1 + random(static_cast<std::uint64_t>(gpus))), requested,
                      1 + random(14)});
    }
    std::vector<AnnouncedStep> announced;
    if (seed % 3 == 0) {
      const std::int64_t from = 3 + random(20), loss = 1 + random(static_cast<std::uint64_t>(gpus));
      announced = {{from, -loss}, {from + 1 + random(15), loss}};
    }
    for (const auto policy : {none, fit, easy}) {
      CAPTURE(seed, gpus, static_cast<int>(policy));
      REQUIRE(run(gpus, policy, jobs, announced).start_s == slow_reference(gpus, policy, jobs, announced));
    }
  }
}

TEST_CASE("a queue of thousands agrees with itself when jobs ask one GPU: every policy is FCFS") {
  std::vector<Case> jobs;
  std::uint64_t state = 7;
  for (int i = 0; i < 20000; ++i) {
    const auto r = mix64(state += 0x9e3779b97f4a7c15ULL);
    jobs.push_back(
        {i / 8, 1, static_cast<std::int64_t>(1 + r % 300), static_cast<std::int64_t>(1 + (r >> 32) % 300)});
  }
  const auto reference = run(700, none, jobs);
  CHECK(run(700, fit, jobs).start_s == reference.start_s);
  CHECK(run(700, easy, jobs).start_s == reference.start_s);
  CHECK(run(700, conservative, jobs).start_s == reference.start_s);
}

TEST_CASE("FCFS without an index starts every job when FCFS with one does") {
  // An announced step of no GPUs changes nothing but asks for the general dispatcher.
  std::vector<Case> jobs;
  std::uint64_t state = 11;
  for (int i = 0; i < 20000; ++i) {
    const auto r = mix64(state += 0x9e3779b97f4a7c15ULL);
    const std::int64_t submit = i % 50 == 0 ? i / 2 : i;  // a few rows out of order
    jobs.push_back(
        {submit, static_cast<std::int32_t>(1 + r % 90), static_cast<std::int64_t>(1 + (r >> 32) % 60)});
  }
  for (const auto rule : {scheduling::PassRule::instant, scheduling::PassRule::event}) {
    ReplayOptions options;
    options.gpus = 64;  // over a quarter of the jobs ask for more
    options.backfill = none;
    options.semantics.pass = rule;
    const auto line = replay(log_of(jobs), options);
    options.announced = {{1, 0}};
    const auto indexed = replay(log_of(jobs), options);
    CHECK(line.start_s == indexed.start_s);
    CHECK(line.end_s == indexed.end_s);
    CHECK(line.events + 1 == indexed.events);
    CHECK(line.mean_bounded_slowdown == indexed.mean_bounded_slowdown);
    CHECK(line.started < jobs.size());
  }
}

TEST_CASE("all times multiplied by a factor give a schedule multiplied by it") {
  std::vector<Case> jobs, scaled;
  std::uint64_t state = 11;
  for (int i = 0; i < 2000; ++i) {
    const auto r = mix64(state += 0x9e3779b97f4a7c15ULL);
    const Case c{i * 3, static_cast<std::int32_t>(1 + r % 40), static_cast<std::int64_t>(1 + (r >> 8) % 100),
                 static_cast<std::int64_t>(1 + (r >> 32) % 120)};
    jobs.push_back(c);
    scaled.push_back({c.submit * 60, c.gpus, c.requested * 60, c.actual * 60});
  }
  for (const auto policy : {none, fit, easy, conservative}) {
    auto expected = run(64, policy, jobs).start_s;
    for (auto& s : expected) s *= 60;
    CHECK(run(64, policy, scaled).start_s == expected);
  }
}

TEST_CASE("ties in one pass per instant are refused by name") {
  ReplayOptions options;
  options.gpus = 1;
  options.semantics.ties = scheduling::Ties::arrival_first;
  CHECK_THROWS_WITH(replay(log_of({{0, 1, 1}}), options), Catch::Contains("arrival-first needs pass event"));
}
