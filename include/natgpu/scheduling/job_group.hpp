// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// One pool that a group of jobs accepts.
struct PoolChoice {
  std::uint32_t pool = 0;
  double speed = 1.0;  ///< against the reference device
};

/// Time on a device of that speed, rounded up to a tick, at least one.
inline std::int64_t time_at_speed(std::int64_t reference_ticks, double speed) {
  if (speed == 1.0) return reference_ticks;
  // Rounded up by hand: std::ceil is a call where the target may lack the instruction.
  const double exact = static_cast<double>(reference_ticks) / speed;
  const auto whole = static_cast<std::int64_t>(exact);
  return std::max<std::int64_t>(whole + (static_cast<double>(whole) < exact), 1);
}

/// What so much time on a device of that speed does, in ticks on the reference device, rounded down.
inline std::int64_t work_in(std::int64_t ticks, double speed) {
  return speed == 1.0 ? ticks : static_cast<std::int64_t>(static_cast<double>(ticks) * speed);
}

/// A bound, for a sieve, on the requests that take no more than `room` ticks on a device of that speed: none
/// of them is longer, and one that is as long may yet take more.
inline std::int64_t longest_request(std::int64_t room, double speed) {
  if (speed == 1.0) return room;
  const double bound = static_cast<double>(room) * speed * (1 + 1e-9);
  return bound < 9e18 ? static_cast<std::int64_t>(bound) + 1 : Sieve::any;
}

/// When what begins then and lasts so long ends, in ticks; both may be without end.
constexpr std::int64_t end_after(std::int64_t now, std::int64_t length) {
  constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();
  return length > forever - now ? forever : now + length;
}

/// Jobs that accept the same pools at the same speeds share a group; its choices stand in the order in which
/// pools are tried: speed descending, catalogue, site.
struct GroupSpec {
  std::vector<PoolChoice> choices;
  std::uint32_t need = 0;  ///< in the node view: of a machine, by its place in MachineSettings::needs
  /// There: whether its gangs run as fast on any number of machines.
  bool spreads_freely = false;
};

/// A group's waiting jobs, and its place in a scan of them.
struct JobGroup {
  std::vector<PoolChoice> choices;
  std::vector<int> choice_of;  ///< by pool: index of the choice, or -1
  WaitingQueue queue;
  WaitingQueue shelf;  ///< jobs that no profile can hold: block nobody, wait for a gain of capacity

  bool open = false;  ///< easy: a pool it accepts is without a reservation

  WaitingJob next;  ///< the first job of the group that may start, while `has_next`
  bool has_next = false;
  bool looked_for = false;         ///< none: whether `next` tells the first, or that there is none
  bool begun = false;              ///< whether `last` holds anything
  QueueKey last;                   ///< the scan has passed this job
  ByRequest::Key last_by_request;  ///< the same, of a scan by request
};

/// A waiting job of a group whose place in the queue has changed.
struct Reranked {
  std::uint32_t group = 0;
  QueueKey was;
  WaitingJob job;  ///< under its new key
};

}  // namespace natgpu::scheduling
