// SPDX-License-Identifier: Apache-2.0
// Hand cases of sharing in time. Times are ticks.
#include <cstdint>
#include <map>
#include <vector>

#include <natgpu/scheduling/sharing.hpp>

#include "catch.hpp"

using namespace natgpu::scheduling;

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
