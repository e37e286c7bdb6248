// SPDX-License-Identifier: Apache-2.0
// easy-sjbf over several pools: cases worked out by hand, and what it must be where pools share no jobs.
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <natgpu/scheduling/dispatcher.hpp>

#include "catch.hpp"

using namespace natgpu::scheduling;

namespace {

using ShortestFirst = Dispatcher<Backfill::easy_sjbf>;
using Starts = std::vector<std::pair<std::uint64_t, std::uint32_t>>;  // job, pool

/// Keeps what starts, and hands GPUs back at requested ends.
template <class D>
struct Machine {
  D dispatcher;
  struct Run {
    std::uint32_t pool;
    std::int64_t gpus, end;
  };
  std::multimap<std::int64_t, Run> running;  // by end
  Starts starts;
  std::int64_t now = 0;

  void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    starts.emplace_back(job.order.id, pool);
    running.insert({now + requested, {pool, job.gpus, now + requested}});
  }
  Starts pass(std::int64_t at) {
    now = at;
    while (!running.empty() && running.begin()->first <= now) {
      const Run r = running.begin()->second;
      dispatcher.finish(r.pool, r.gpus, r.end);
      running.erase(running.begin());
    }
    starts.clear();
    dispatcher.pass(now, *this);
    return starts;
  }
};

WaitingJob job(std::uint64_t id, std::int32_t gpus, std::int64_t requested) {
  WaitingJob j;
  j.order = {static_cast<std::int64_t>(id), id};
  j.gpus = gpus;
  j.requested = requested;
  return j;
}

constexpr std::uint32_t only_a = 0, only_b = 1, a_or_b = 2;
/// Two pools of four GPUs, and three kinds of jobs.
template <Backfill B>
Machine<Dispatcher<B>> two_pools() {
  Machine<Dispatcher<B>> m{
      Dispatcher<B>(2, {GroupSpec{{{0, 1.0}}}, GroupSpec{{{1, 1.0}}}, GroupSpec{{{0, 1.0}, {1, 1.0}}}}),
      {},
      {}};
  m.dispatcher.change_capacity(0, 4);
  m.dispatcher.change_capacity(1, 4);
  return m;
}

}  // namespace

TEST_CASE("beside a reservation the shortest request comes first, elsewhere the queue's order holds") {
  const auto run = [](auto m) {
    m.dispatcher.submit(only_a, job(0, 2, 100));
    m.dispatcher.submit(only_a, job(1, 4, 10));  // blocked: pool a is its at 100
    m.dispatcher.submit(only_a, job(2, 2, 90));  // fits beside that reservation
    m.dispatcher.submit(only_b, job(3, 3, 90));  // nobody is blocked in b: in queue order
    m.dispatcher.submit(only_b, job(4, 2, 10));  // blocked: pool b is its at 90
    m.dispatcher.submit(only_a, job(5, 2, 50));  // shorter than 2
    m.dispatcher.submit(only_b, job(6, 1, 95));  // would outlive the shadow: one GPU is spare in b
    m.dispatcher.submit(only_b, job(7, 1, 20));
    return m.pass(0);
  };
  CHECK(run(two_pools<Backfill::easy>()) == Starts{{0, 0}, {2, 0}, {3, 1}, {6, 1}});
  CHECK(run(two_pools<Backfill::easy_sjbf>()) == Starts{{0, 0}, {3, 1}, {7, 1}, {5, 0}});
}

TEST_CASE("a job goes to a pool without a reservation before it is tried beside one") {
  const auto run = [](auto m) {
    m.dispatcher.submit(only_a, job(0, 2, 100));
    m.dispatcher.submit(only_a, job(1, 4, 10));
    m.dispatcher.submit(a_or_b, job(2, 2, 90));
    return m.pass(0);
  };
  CHECK(run(two_pools<Backfill::easy>()) == Starts{{0, 0}, {2, 0}});
  CHECK(run(two_pools<Backfill::easy_sjbf>()) == Starts{{0, 0}, {2, 1}});
}

TEST_CASE("a candidate that a shorter one has beaten claims a pool in the next pass") {
  auto m = two_pools<Backfill::easy_sjbf>();
  m.dispatcher.submit(only_a, job(0, 2, 100));
  m.dispatcher.submit(only_b, job(1, 1, 30));
  m.dispatcher.submit(only_b, job(2, 2, 80));
  m.dispatcher.submit(only_a, job(3, 4, 10));  // pool a is its at 100
  m.dispatcher.submit(a_or_b, job(4, 2, 95));  // could start beside it, so it claims nothing in b
  m.dispatcher.submit(only_a, job(5, 2, 50));  // shorter: takes a's last two GPUs
  CHECK(m.pass(0) == Starts{{0, 0}, {1, 1}, {2, 1}, {5, 0}});
  // Job 4 would end in b first, from 30 on. Job 6 would hold up that start, job 7 does not.
  m.dispatcher.submit(only_b, job(6, 1, 1000));
  m.dispatcher.submit(only_b, job(7, 1, 20));
  CHECK(m.pass(10) == Starts{{7, 1}});
  CHECK(m.pass(30) == Starts{{4, 1}});
}

TEST_CASE("requests that are equally long are tried in queue order") {
  auto m = two_pools<Backfill::easy_sjbf>();
  m.dispatcher.submit(only_a, job(0, 2, 100));
  m.dispatcher.submit(only_a, job(1, 4, 10));
  m.dispatcher.submit(only_a, job(3, 2, 60));
  m.dispatcher.submit(only_a, job(2, 2, 60));
  CHECK(m.pass(0) == Starts{{0, 0}, {2, 0}});
}

TEST_CASE("pools that share no jobs do under easy-sjbf what each would do alone") {
  constexpr std::uint32_t pools = 3;
  std::size_t started = 0, overtaken = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    std::vector<GroupSpec> specs;
    for (std::uint32_t p = 0; p < pools; ++p) specs.push_back(GroupSpec{{{p, 1.0}}});
    Machine<ShortestFirst> all{ShortestFirst(pools, specs), {}, {}};
    std::vector<Machine<ShortestFirst>> alone;
    for (std::uint32_t p = 0; p < pools; ++p) {
      alone.push_back({ShortestFirst(1, {GroupSpec{{{0, 1.0}}}}), {}, {}});
      all.dispatcher.change_capacity(p, 6);
      alone[p].dispatcher.change_capacity(0, 6);
    }
    std::uint64_t id = 0, last_started = 0;
    for (std::int64_t now = 1; now < 1500; now += 1 + below(9)) {
      // Reservations are looked for among the first 16 blocked jobs: fewer wait here.
      for (std::int64_t i = below(3); i > 0 && all.dispatcher.waiting() < 16; --i) {
        const auto pool = static_cast<std::uint32_t>(below(pools));
        const WaitingJob j = job(++id, static_cast<std::int32_t>(1 + below(6)), 1 + below(60));
        all.dispatcher.submit(pool, j);
        alone[pool].dispatcher.submit(0, j);
      }
      const Starts together = all.pass(now);
      for (std::uint32_t p = 0; p < pools; ++p) {
        Starts here;
        for (const auto& s : together)
          if (s.second == p) here.emplace_back(s.first, 0);
        CAPTURE(seed, now, p);
        REQUIRE(alone[p].pass(now) == here);
      }
      started += together.size();
      for (const auto& s : together) {
        overtaken += s.first < last_started;
        last_started = s.first;
      }
    }
  }
  CHECK(started > 50'000);
  CHECK(overtaken > 5'000);
}
