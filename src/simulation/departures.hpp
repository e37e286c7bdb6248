// SPDX-License-Identifier: Apache-2.0
// When machines leave, from what is announced of units.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/node_rules.hpp>

#include "capacity_by_count.hpp"

namespace natgpu::simulation {

/// Units that come (positive) or go at an instant, ticks; of a window: units that it takes.
struct CapacityStep {
  std::int64_t at = 0, units = 0;
  friend bool operator==(const CapacityStep&, const CapacityStep&) = default;
};

inline constexpr std::int64_t stays = scheduling::no_departures[0];

/// When each of the nodes leaves for a window. A window takes nodes from the end, as many as are covered by
/// its units. @param windows  by instant, each taking more than those before
std::vector<std::int64_t> leave_with(const std::vector<CapacityStep>& windows,
                                     const std::vector<SupplyNode>& nodes);

/// The same for announced changes of one tranche, whose nodes are [first, last): they leave from the end,
/// each at the first instant at which fewer units are left than would keep it.
/// @param leave_at  of all nodes; becomes the earlier of what it is and what the changes say
void leave_with_tranche(std::vector<CapacityStep> steps, const std::vector<SupplyNode>& nodes,
                        std::size_t first, std::size_t last, std::vector<std::int64_t>& leave_at);

/// Instants put into as many levels as a dispatcher tells apart. Those that come first keep their instant;
/// the others are taken for as early as the earliest of them.
struct DepartureLevels {
  scheduling::Departures leave_at = scheduling::no_departures;
  std::vector<std::uint8_t> of;  ///< of each node; 0: it stays
};
DepartureLevels levels_of(const std::vector<std::int64_t>& leave_at);

}  // namespace natgpu::simulation
