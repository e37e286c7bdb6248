// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/reservation_profile.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

struct Random {
  std::uint64_t state;
  std::int64_t below(std::uint64_t n) {
    return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % n);
  }
};

/// The same questions answered from a plain map.
struct PlainProfile {
  std::map<std::int64_t, std::int64_t> steps;
  void add(std::int64_t at, std::int64_t delta) {
    if ((steps[at] += delta) == 0) steps.erase(at);
  }
  std::int64_t least(std::int64_t from, std::int64_t until, std::int64_t free) const {
    std::int64_t least = Profile::forever;
    for (const auto& [at, delta] : steps) {
      if (at >= until) break;
      if (at > from) least = std::min(least, free);
      free += delta;
    }
    return std::min(least, free);
  }
  Profile::Hole hole(std::int64_t now, std::int64_t free_now, std::int64_t size, std::int64_t length) const {
    std::vector<std::int64_t> starts{now};
    for (const auto& [at, delta] : steps)
      if (at > now) starts.push_back(at);
    for (const auto start : starts)
      if (least(start, start + length, free_now) >= size) {
        std::int64_t free = free_now;
        for (const auto& [at, delta] : steps)
          if (at <= start) free += delta;
        return {start, free};
      }
    return {};
  }
};

}  // namespace

TEST_CASE("a profile of thousands of steps answers like a plain map, with and without dips") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3, 4);
  const bool dips = GENERATE(false, true);
  CAPTURE(seed, dips);
  Random random{seed};
  Profile profile;
  PlainProfile plain;
  std::vector<std::pair<std::int64_t, std::int64_t>> held;
  std::int64_t now = 0;
  for (int i = 0; i < 6000; ++i) {
    const std::size_t target = i < 3000 ? 1500 : 40;  // grow, then drain
    if (held.size() < target || random.below(2) == 0) {
      const std::int64_t at = now + 1 + random.below(20000);
      std::int64_t delta = 1 + random.below(16);
      if (dips && random.below(20) == 0) delta = -delta;
      profile.add(at, delta);
      plain.add(at, delta);
      held.emplace_back(at, delta);
    } else {
      const auto victim = static_cast<std::size_t>(random.below(held.size()));
      profile.remove(held[victim].first, held[victim].second);
      plain.add(held[victim].first, -held[victim].second);
      held[victim] = held.back();
      held.pop_back();
    }
    now += random.below(3);
    REQUIRE(profile.steps() == plain.steps.size());
    if (i % 7 != 0) continue;
    const std::int64_t free = random.below(50), size = 1 + random.below(400), length = 1 + random.below(6000);
    const auto fast = profile.hole(now, free, size, length);
    const auto slow = plain.hole(now, free, size, length);
    REQUIRE(fast.at == slow.at);
    if (slow.at != Profile::forever && slow.at > now) REQUIRE(fast.free == slow.free);
    REQUIRE(profile.least(now, now + length, free) == plain.least(now, now + length, free));
  }
}

TEST_CASE("a profile of forty thousand steps answers like a plain map while it grows, stays and drains") {
  const std::uint64_t seed = GENERATE(1, 2);
  const bool dips = GENERATE(false, true);
  CAPTURE(seed, dips);
  Random random{seed};
  Profile profile;
  ReservationProfile with_reservations;
  PlainProfile plain;
  std::vector<std::pair<std::int64_t, std::int64_t>> held;
  for (int i = 0; i < 200'000; ++i) {
    const std::size_t target = i < 120'000 ? 40'000 : 100;
    if (held.size() < target || random.below(2) == 0) {
      // Crowded at one place, so that leaves and blocks are split there again and again.
      const std::int64_t at = random.below(random.below(2) == 0 ? 1'000'000 : 20'000);
      const std::int64_t delta = dips ? random.below(2) * 2 - 1 : 1;
      profile.add(at, delta);
      with_reservations.add(at, delta);
      plain.add(at, delta);
      held.emplace_back(at, delta);
    } else {
      const auto victim = static_cast<std::size_t>(random.below(held.size()));
      profile.remove(held[victim].first, held[victim].second);
      with_reservations.add(held[victim].first, -held[victim].second);
      plain.add(held[victim].first, -held[victim].second);
      held[victim] = held.back();
      held.pop_back();
    }
    if (i % 499 != 0) continue;
    REQUIRE(profile.steps() == plain.steps.size());
    const std::int64_t from = random.below(1'000'000), until = from + 1 + random.below(100'000);
    REQUIRE(profile.least(from, until, 7) == plain.least(from, until, 7));
    std::int64_t level = 0, lowest = 0, at = Profile::forever;
    const std::int64_t size = 1 + random.below(dips ? 200 : 40'000);
    for (const auto& [instant, delta] : plain.steps) {
      level += delta;
      lowest = std::min(lowest, level);
      if (level >= size) at = std::min(at, instant);
    }
    REQUIRE(profile.start_of_stretch(0, size).at == at);
    REQUIRE(with_reservations.lowest() == lowest);
  }
}

TEST_CASE("the waiting queue finds the first job in order that fits, whatever was inserted and removed") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  CAPTURE(seed);
  Random random{seed};
  WaitingQueue queue;
  std::map<QueueKey, WaitingJob> plain;
  std::uint64_t id = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::size_t target = i < 10000 ? 3000 : 20;
    if (plain.size() < target || random.below(2) == 0) {
      WaitingJob job;
      // Mostly at the end, as submissions are; at times in the middle, as requeued jobs are.
      job.order = {random.below(8) == 0 ? random.below(static_cast<std::uint64_t>(i + 1)) : i, ++id};
      job.requested = 1 + random.below(100000);
      job.gpus = static_cast<std::int32_t>(std::int64_t{1} << random.below(9)) +
                 static_cast<std::int32_t>(random.below(3));
      queue.insert(job);
      plain.emplace(job.order, job);
    } else {
      auto it = plain.begin();
      if (random.below(3) == 0) std::advance(it, random.below(std::min<std::size_t>(plain.size(), 500)));
      REQUIRE(queue.erase(it->first, it->second.gpus));
      REQUIRE_FALSE(queue.erase(it->first, it->second.gpus));
      plain.erase(it);
    }
    REQUIRE(queue.empty() == plain.empty());
    if (i % 5 != 0 || plain.empty()) continue;
    REQUIRE(queue.front()->order == plain.begin()->first);
    const auto free = static_cast<std::int32_t>(random.below(300)),
               spare = static_cast<std::int32_t>(random.below(40));
    const std::int64_t room = random.below(30000);
    const auto fits = [&](const WaitingJob& j) {
      return j.gpus <= free && (j.requested <= room || j.gpus <= spare);
    };
    Sieve sieve;
    sieve.largest = free;
    for (std::size_t c = 0; c < size_classes && (1 << c) <= free; ++c)
      sieve.admit(c, (1 << c) <= spare ? Sieve::any : room);
    auto after = plain.begin();
    std::advance(after, random.below(plain.size()));
    const WaitingJob* next = queue.first_after(after->first);
    REQUIRE((next == nullptr) == (std::next(after) == plain.end()));
    if (next != nullptr) REQUIRE(next->order == std::next(after)->first);
    auto bound = after;
    std::advance(bound, random.below(static_cast<std::uint64_t>(std::distance(after, plain.end()))));
    const bool bounded = random.below(2) == 0;
    const WaitingJob* found = queue.find(sieve, &after->first, bounded ? &bound->first : nullptr, fits).job;
    auto expected =
        std::find_if(std::next(after), plain.end(), [&](const auto& e) { return fits(e.second); });
    if (bounded && expected != plain.end() && bound->first < expected->first) expected = plain.end();
    REQUIRE((found == nullptr) == (expected == plain.end()));
    if (found != nullptr) REQUIRE(found->order == expected->first);
  }
}
