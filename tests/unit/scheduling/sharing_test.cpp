// SPDX-License-Identifier: Apache-2.0
// Sharing in time: hand cases, and random workloads against plain loops. Times are ticks.
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <natgpu/scheduling/sharing.hpp>

#include "catch.hpp"
#include "plain_sharing.hpp"

using namespace natgpu::scheduling;
using natgpu::Area;
using natgpu::testing::PlainGangSharing;
using natgpu::testing::PlainProcessorSharing;

namespace {

constexpr std::int64_t second = 1'000'000;

struct Arrival {
  std::int64_t at_s;
  SharingJob job;
};

struct Course {
  std::map<std::uint32_t, double> starts, ends;  ///< seconds, by slot
};

/// Runs arrivals, in the order of their instants, to the last end.
template <class Sharing>
Course course_of(Sharing sharing, const std::vector<Arrival>& arrivals) {
  Course course;
  SharingChanges changes;
  std::size_t next = 0;
  for (;;) {
    const std::int64_t arrival =
        next < arrivals.size() ? arrivals[next].at_s * second : std::numeric_limits<std::int64_t>::max();
    const std::int64_t now = std::min(arrival, sharing.next_change());
    if (now == std::numeric_limits<std::int64_t>::max()) return course;
    while (next < arrivals.size() && arrivals[next].at_s * second == now)
      sharing.submit(arrivals[next++].job);
    changes.clear();
    sharing.pass(now, changes);
    const double seconds = static_cast<double>(now) / second;
    for (const std::uint32_t slot : changes.started) CHECK(course.starts.emplace(slot, seconds).second);
    for (const std::uint32_t slot : changes.ended) CHECK(course.ends.emplace(slot, seconds).second);
  }
}

/// Jobs of a few sizes and weights, thick enough that GPUs are short half of the time.
std::vector<Arrival> random_arrivals(std::uint64_t seed, std::int64_t gpus) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  std::vector<Arrival> arrivals;
  std::int64_t at = 0;
  for (std::uint32_t i = 0; i < 150; ++i) {
    const std::int64_t service = 1 + below(below(4) == 0 ? 9'000 : 900);
    const double weight = below(3) == 0 ? 0.25 * static_cast<double>(1 + below(12)) : 1;
    arrivals.push_back({at, {i, static_cast<std::int32_t>(1 + below(gpus)), service * second, weight}});
    if (below(3) > 0) at += below(700);
  }
  return arrivals;
}

SharingJob job(std::uint32_t slot, std::int32_t gpus, std::int64_t service_s, double weight = 1) {
  return {slot, gpus, service_s * second, weight};
}
using Times = std::map<std::uint32_t, double>;

}  // namespace

TEST_CASE("processor sharing gives each of two jobs half of one GPU, or a share by weight") {
  CHECK(course_of(ProcessorSharing(1), {{0, job(1, 1, 3)}, {1, job(2, 1, 1)}}).ends == Times{{1, 4}, {2, 3}});
  CHECK(course_of(ProcessorSharing(1), {{0, job(1, 1, 3)}, {1, job(2, 1, 1, 2)}}).ends ==
        Times{{1, 4}, {2, 2.5}});
  CHECK(
      course_of(ProcessorSharing(1), {{0, job(1, 1, 5)}, {1, job(2, 1, 4, 2)}, {3, job(3, 1, 1, 3)}}).ends ==
      Times{{1, 10}, {2, 8}, {3, 5}});
}

TEST_CASE("processor sharing gives nobody more than it asks for, and the rest to the others") {
  // 4 GPUs: the job of 1 runs at full pace, those of 4 share the other 3.
  const Course c = course_of(ProcessorSharing(4), {{0, job(1, 1, 4)}, {0, job(2, 4, 3)}, {0, job(3, 4, 3)}});
  CHECK(c.ends.at(1) == 4);
  // By then each has had 4 x 1.5 of its 12 GPU-seconds; then each has 2 GPUs.
  CHECK(c.ends.at(2) == 7);
  CHECK(c.ends.at(3) == 7);
}

TEST_CASE("gang scheduling runs three jobs in two rows by turns of two ticks") {
  const Course c =
      course_of(GangSharing(4, 2 * second), {{0, job(1, 4, 5)}, {0, job(2, 2, 3)}, {0, job(3, 2, 4)}});
  CHECK(c.ends == Times{{1, 9}, {2, 7}, {3, 8}});
  CHECK(c.starts == Times{{1, 0}, {2, 2}, {3, 2}});
}

TEST_CASE("a gang alone has every turn, and a new one waits for the end of the turn") {
  const Course c = course_of(GangSharing(4, 4 * second), {{0, job(1, 4, 12)}, {5, job(2, 4, 1)}});
  CHECK(c.starts == Times{{1, 0}, {2, 8}});
  CHECK(c.ends == Times{{1, 13}, {2, 9}});
}

TEST_CASE("a gang joins the first row with room and runs at once where that row has its turn") {
  const Course c =
      course_of(GangSharing(4, 10 * second), {{0, job(1, 2, 8)}, {0, job(2, 4, 3)}, {1, job(3, 2, 2)}});
  CHECK(c.starts == Times{{1, 0}, {2, 8}, {3, 1}});
  CHECK(c.ends == Times{{1, 8}, {2, 11}, {3, 3}});
}

TEST_CASE("random workloads share as plain loops over all jobs say") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::int64_t gpus = 1 + static_cast<std::int64_t>(seed % 12);
    const std::vector<Arrival> arrivals = random_arrivals(seed, gpus);
    CAPTURE(seed, gpus);
    const Course ps = course_of(ProcessorSharing(gpus), arrivals);
    const Course plain_ps = course_of(PlainProcessorSharing(gpus), arrivals);
    REQUIRE(ps.ends.size() == arrivals.size());
    CHECK(ps.starts == plain_ps.starts);
    for (const auto& [slot, end] : plain_ps.ends) {
      CHECK(std::abs(ps.ends.at(slot) - end) < 5e-6);  // a tick for each of a handful of ends before it
      ++compared;
    }
    const std::int64_t quantum = second * static_cast<std::int64_t>(1 + seed * seed % 977);
    const Course gang = course_of(GangSharing(gpus, quantum), arrivals);
    const Course plain_gang = course_of(PlainGangSharing(gpus, quantum), arrivals);
    CHECK(gang.ends == plain_gang.ends);
    CHECK(gang.starts == plain_gang.starts);
  }
  CHECK(compared == 15'000);
}

TEST_CASE("what jobs have had of their GPUs does not depend on how often anybody looks") {
  for (const bool in_turns : {false, true}) {
    const auto had = [&](auto sharing, std::int64_t step) {
      std::vector<std::uint32_t> started;
      for (std::uint32_t i = 0; i < 7; ++i)
        sharing.submit({i, static_cast<std::int32_t>(1 + i % 3), SharingJob::endless, 1.0 + i % 2});
      sharing.decide(0, started);
      for (std::int64_t now = step; now < 1'000'000; now += step) sharing.advance(now);
      sharing.advance(1'000'000);
      std::vector<Area> all;
      for (std::uint32_t i = 0; i < 7; ++i) all.push_back(sharing.progress(i));
      return all;
    };
    if (in_turns)
      CHECK((had(GangSharing(3, 9'000'000), 7) == had(GangSharing(3, 9'000'000), 1'000'000)));
    else
      CHECK((had(ProcessorSharing(3), 7) == had(ProcessorSharing(3), 1'000'000)));
  }
}

TEST_CASE("a pool that shrinks squeezes those who share it at once, and seats the last of a full row anew") {
  std::vector<std::uint32_t> started;
  ProcessorSharing ps(4);
  ps.submit(job(1, 2, 100));
  ps.submit(job(2, 2, 100));
  ps.decide(0, started);
  CHECK(ps.allocated() == 4);
  CHECK(ps.larger_than(1) == std::vector<std::uint32_t>{1, 2});
  ps.advance(10 * second);
  ps.resize(2);
  ps.decide(10 * second, started);
  CHECK(ps.allocated() == 2);
  ps.advance(20 * second);
  CHECK(static_cast<double>(ps.progress(1) / Lane::tick) == Approx(15 * second).margin(1));

  GangSharing gang(4, 10 * second);
  started.clear();
  for (std::uint32_t i = 1; i <= 3; ++i) gang.submit(job(i, i == 3 ? 4 : 2, 100));
  gang.decide(0, started);
  CHECK(started == std::vector<std::uint32_t>{1, 2});
  CHECK(gang.rows() == 2);
  gang.advance(4 * second);
  CHECK(gang.larger_than(2) == std::vector<std::uint32_t>{3});
  gang.leave(3);
  gang.resize(2);
  gang.decide(4 * second, started);
  CHECK(gang.rows() == 2);
  CHECK(gang.allocated() == 2);
  gang.advance(10 * second);
  gang.decide(10 * second, started);
  gang.advance(12 * second);
  CHECK((gang.progress(1) == Area{10 * second} * Lane::tick));
  CHECK((gang.progress(2) == Area{6 * second} * Lane::tick));
}
