// SPDX-License-Identifier: Apache-2.0
// Announced outages of a replay's machines, as a dispatcher wants to hear of them.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/simulation/node_replay.hpp>

#include "departures.hpp"
#include "node_kinds.hpp"

namespace natgpu::simulation {

/// Whether anybody knows of any outage before it begins.
bool announces(const NodeView& view);

/// Of each machine, when the first outage begins that is known of now and still to come; ticks.
std::vector<std::int64_t> known_departures(const NodeView& view, std::int64_t now_s);

/// Lets types of machines say for how long their machines stay (NodeRules::departures): a type of which some
/// are away by announcement becomes one for each level, and each task of the mix one for each level that it
/// may go up to.
/// @returns the type of each machine while it is not known to leave
/// @throws ScenarioError E0411 if there are too many types for that
std::vector<std::int8_t> tell_levels_apart(const NodeView& view, std::vector<scheduling::Node>& nodes,
                                           NodeWorkload& work);

}  // namespace natgpu::simulation
