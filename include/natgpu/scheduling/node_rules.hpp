// SPDX-License-Identifier: Apache-2.0
// What jobs ask of machines, and what is known of machines beside what they have.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/gang.hpp>

namespace natgpu::scheduling {

/// A machine, by its pool and its number there.
struct Machine {
  std::uint32_t pool = 0, node = 0;
  friend auto operator<=>(const Machine&, const Machine&) = default;
};

/// Instants (ticks) at which machines leave are told apart up to so many, in each pool.
inline constexpr std::size_t most_departures = 3;
/// When machines of a pool leave, the last first.
using Departures = std::array<std::int64_t, most_departures>;
inline constexpr Departures no_departures = {std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::max()};

/// One way to run a job: on machines of one pool.
struct NodeChoice {
  GangKind gang;
  std::uint32_t pool = 0;
  double speed = 1.0;  ///< against the reference device
};
/// What jobs of one kind accept, the fastest first.
using NodeKind = std::vector<NodeChoice>;

/// The same gang, on machines up to that level, where a mix has each task once for each
/// (NodeRules::departures).
inline GangKind gang_up_to(GangKind gang, std::size_t level) {
  for (std::uint32_t* task : {&gang.part, &gang.rest, &gang.unit})
    if (*task != GangKind::none) *task += static_cast<std::uint32_t>(level);
  return gang;
}

/// What the node view needs to know besides its machines.
struct NodeRules {
  GangRule gang;
  /// How long a gang on more machines than the fewest it needs runs, in thousandths of its time on those.
  std::int64_t slowdown_milli = 1000;
  /// Times are whole multiples of so many ticks, slowed down ones too.
  std::int64_t grain = ticks_per_second;
  /// Whether machines are known to leave. Then each task of a mix stands there once for each level that it
  /// may go up to, level 0 first, and a node's type is its level, counted from its type while it stays.
  bool departures = false;
};

/// Whether gangs may be on more machines than the fewest that they need.
/// @param slowdown_milli  what that costs, in thousandths of their time on the fewest; 0: nobody said
constexpr bool may_spread(Placement placement, std::int64_t slowdown_milli) {
  return slowdown_milli > 0 || placement == Placement::lowest_id;
}

/// How long what takes so long on the fewest machines takes on more, in the same unit, rounded up.
constexpr std::int64_t slowed(std::int64_t length, std::int64_t slowdown_milli) {
  if (slowdown_milli == 1000 || length > std::numeric_limits<std::int64_t>::max() / slowdown_milli - 999)
    return length;
  return (length * slowdown_milli + 999) / 1000;
}
/// Whole seconds that work of so many seconds takes on so many machines.
constexpr std::int64_t slowed_s(std::int64_t work_s, bool spread, std::int64_t slowdown_milli) {
  return spread ? slowed(work_s, slowdown_milli) : work_s;
}

}  // namespace natgpu::scheduling
