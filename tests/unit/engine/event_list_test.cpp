// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/engine/run_loop.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::engine;

namespace {
Instant tick(std::int64_t t) {
  return Instant{Duration{t}};
}
}  // namespace

TEST_CASE("events come in the order of time, phase, kind, entity and scheduling") {
  EventList<int> list;
  list.schedule(tick(5), rank_of(Phase::arrive, 0, 1), 0);
  list.schedule(tick(5), rank_of(Phase::release, 1, 1), 1);
  list.schedule(tick(5), rank_of(Phase::release, 0, 9), 2);
  list.schedule(tick(5), rank_of(Phase::release, 0, 3), 3);
  list.schedule(tick(5), rank_of(Phase::release, 0, 3), 4);
  list.schedule(tick(4), rank_of(Phase::observe, 7, 7), 5);
  std::vector<int> order;
  while (!list.empty()) order.push_back(list.pop().payload);
  CHECK(order == std::vector<int>{5, 3, 4, 2, 1, 0});
}

TEST_CASE("a rank keeps phase, kind and entity apart up to their limits") {
  const Rank r = rank_of(Phase::observe, 255, entity_limit - 1);
  CHECK(phase_of(r) == Phase::observe);
  CHECK(kind_of(r) == 255);
  CHECK(entity_of(r) == entity_limit - 1);
}

TEST_CASE("a cancelled event does not happen, and a stale handle cancels nothing") {
  EventList<int> list;
  const auto a = list.schedule(tick(1), 0, 1);
  list.schedule(tick(2), 0, 2);
  list.cancel(a);
  CHECK(list.next_time() == tick(2));
  const auto c = list.schedule(tick(3), 0, 3);  // takes a's slot
  list.cancel(a);
  CHECK(list.pending(c));
  CHECK(list.pop().payload == 2);
  CHECK(list.pop().payload == 3);
  CHECK(list.empty());
  CHECK(list.next_time() == never);
}

TEST_CASE("a default handle names no event, even while the first slot is free") {
  EventList<int> list;
  list.schedule(tick(1), 0, 1);
  list.pop();
  CHECK_FALSE(list.pending(EventHandle{}));
  list.cancel(EventHandle{});
  list.schedule(tick(2), 0, 2);
  list.schedule(tick(3), 0, 3);
  CHECK(list.size() == 2);
  CHECK(list.pop().payload == 2);
  CHECK(list.pop().payload == 3);
}

namespace {
/// Delays of a law: many alike, and from a tick to years.
std::int64_t few_ticks(std::uint64_t random) {
  return static_cast<std::int64_t>(random % 50);
}
std::int64_t of_any_scale(std::uint64_t random) {
  return static_cast<std::int64_t>(random >> 8 >> (8 + random % 48));
}
}  // namespace

TEST_CASE("a hundred thousand random schedules and cancellations agree with a sorted map") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  const auto delay = GENERATE(few_ticks, of_any_scale);
  const std::uint64_t most = GENERATE(as<std::uint64_t>(), 20, 5'000, 100'000);  // events pending
  CAPTURE(seed, most);
  EventList<std::uint32_t> list;
  using Full = std::tuple<std::int64_t, Rank, std::uint32_t>;
  std::map<Full, EventHandle> reference;
  std::vector<std::pair<Full, EventHandle>> all;
  std::uint64_t state = seed;
  auto random = [&state] { return mix64(state += 0x9e3779b97f4a7c15ULL); };
  std::int64_t now = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const auto what = random() % 10;
    if ((what < 5 && reference.size() < most) || reference.empty()) {
      const std::int64_t at = now + delay(random());
      const Rank rank = rank_of(static_cast<Phase>(random() % 6), 0, random() % 4);
      const Full key{at, rank, i};
      const auto handle = list.schedule(tick(at), rank, i);
      reference.emplace(key, handle);
      all.emplace_back(key, handle);
    } else if (what < 7) {
      const auto& victim = all[random() % all.size()];
      list.cancel(victim.second);
      reference.erase(victim.first);
    } else {
      const auto expected = reference.begin()->first;
      reference.erase(reference.begin());
      const auto event = list.pop();
      now = std::get<0>(expected);
      REQUIRE(event.payload == std::get<2>(expected));
      REQUIRE(event.at == tick(now));
    }
    REQUIRE(list.size() == reference.size());
    REQUIRE(list.next_time() == (reference.empty() ? never : tick(std::get<0>(reference.begin()->first))));
  }
}

TEST_CASE("an event at the end of time waits for all others") {
  EventList<int> list;
  list.schedule(never, 0, -1);
  for (int i = 0; i < 1'000; ++i) list.schedule(tick(std::int64_t{1} << (i % 62)), 0, i);
  list.schedule(never, 0, -2);
  std::int64_t last = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto e = list.pop();
    REQUIRE(e.at.time_since_epoch().count() >= last);
    last = e.at.time_since_epoch().count();
  }
  CHECK(list.pop().payload == -1);
  CHECK(list.pop().payload == -2);
  CHECK(list.empty());
}

TEST_CASE("events of one instant keep their order, wherever they were kept meanwhile") {
  EventList<int> list;
  for (int i = 0; i < 500; ++i) list.schedule(tick(1'000 + i), rank_of(Phase::arrive, 0, 1), 1'000 + i);
  for (int i = 0; i < 100; ++i) list.schedule(tick(i), 0, i);
  for (int i = 0; i < 500; ++i) list.schedule(tick(1'000 + i), rank_of(Phase::arrive, 0, 2), -1'000 - i);
  for (int i = 0; i < 100; ++i) REQUIRE(list.pop().payload == i);
  for (int i = 0; i < 500; ++i) {
    REQUIRE(list.pop().payload == 1'000 + i);
    REQUIRE(list.pop().payload == -1'000 - i);
  }
}

TEST_CASE("a list whose later events were all taken back goes on as an empty one") {
  for (int near = 1; near <= 80; ++near) {
    EventList<int> list;
    std::vector<EventHandle> later;
    for (int i = 60; i >= 1; --i) later.push_back(list.schedule(tick(i * 1'000'000), 0, -i));
    for (int i = 1; i <= near; ++i) list.schedule(tick(i), 0, i);
    for (const EventHandle& h : later) list.cancel(h);
    for (int i = 1; i <= near; ++i) REQUIRE(list.pop().payload == i);
    REQUIRE(list.next_time() == never);
    list.schedule(tick(100'000'000), 0, 0);
    REQUIRE(list.next_time() == tick(100'000'000));
  }
}

TEST_CASE("events that come before all that were put far off are found first") {
  EventList<int> list;
  for (int i = 0; i < 2'000; ++i) list.schedule(tick(1'000'000'000 + i * 1'000), 0, i);
  for (int i = 0; i < 2'000; ++i) list.schedule(tick(2'000 - i), 0, -i);
  for (int i = 1'999; i >= 0; --i) REQUIRE(list.pop().payload == -i);
  for (int i = 0; i < 2'000; ++i) REQUIRE(list.pop().payload == i);
  CHECK(list.next_time() == never);
}

namespace {

/// Records what the loop does to it; event payload is a number to note.
struct Probe {
  using Payload = int;
  EventList<int> list;
  std::vector<std::int64_t> arrivals;
  std::size_t next = 0;
  std::vector<std::string> log;
  std::vector<std::int64_t> spawn_at_same_instant;

  EventList<int>& events() { return list; }
  Instant next_arrival() const { return next < arrivals.size() ? tick(arrivals[next]) : never; }
  Rank arrive(Instant) {
    log.push_back("arrive");
    ++next;
    return rank_of(Phase::arrive, 0, next);
  }
  void handle(const Event<int>& e) {
    log.push_back("event " + std::to_string(e.payload));
    if (e.payload == 99) list.schedule(e.at, e.rank, 99);
  }
  void decide(Instant now) { log.push_back("pass " + std::to_string(now.time_since_epoch().count())); }
  bool keep_going(Instant) { return true; }
};

std::vector<std::string> run_probe(Probe& p, LoopRules rules) {
  RunLoop<Probe> loop(p, rules);
  loop.run(tick(100));
  return p.log;
}

}  // namespace

TEST_CASE("one pass sees all that happened at an instant, and sampling causes none") {
  Probe p;
  p.arrivals = {5, 5, 7};
  p.list.schedule(tick(5), rank_of(Phase::release, 0, 0), 1);
  p.list.schedule(tick(6), rank_of(Phase::observe, 0, 0), 2);
  p.list.schedule(tick(7), rank_of(Phase::observe, 0, 0), 3);
  p.list.schedule(tick(9), rank_of(Phase::decide, 0, 0), 4);
  CHECK(run_probe(p, {}) == std::vector<std::string>{"event 1", "arrive", "arrive", "pass 5", "event 2",
                                                     "arrive", "pass 7", "event 3", "event 4", "pass 9"});
}

TEST_CASE("event by event, arrivals come before or after completions as asked, each with its own pass") {
  Probe first, last;
  for (Probe* p : {&first, &last}) {
    p->arrivals = {5};
    p->list.schedule(tick(5), rank_of(Phase::release, 0, 0), 1);
  }
  CHECK(run_probe(first, {true, true}) == std::vector<std::string>{"arrive", "pass 5", "event 1", "pass 5"});
  CHECK(run_probe(last, {true, false}) == std::vector<std::string>{"event 1", "pass 5", "arrive", "pass 5"});
}

TEST_CASE("a model that schedules itself at the same instant for ever is stopped by name") {
  Probe p;
  p.list.schedule(tick(5), rank_of(Phase::release, 0, 0), 99);
  RunLoop<Probe> loop(p, {}, 1000);
  CHECK_THROWS_AS(loop.run(tick(100)), RunError);
}

TEST_CASE("the fingerprint tells two orders of the same events apart") {
  Fingerprint a, b;
  a.add(tick(1), 5);
  a.add(tick(2), 6);
  b.add(tick(2), 6);
  b.add(tick(1), 5);
  CHECK(a.value() != b.value());
}
