// SPDX-License-Identifier: Apache-2.0
// Replays on machines: what the command line says of them, and what is told in the end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <natgpu/simulation/node_replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// The options that `node_view_of` reads, in the order of the help.
std::vector<Option> node_view_options();

/// The machines of --nodes; nothing without it.
/// @param preempts  the order takes GPUs back, and says itself what that costs (read_preemption)
/// @throws UsageError on options that contradict each other
/// @throws ScenarioError on files that cannot be used
std::optional<simulation::NodeView> node_view_of(const Arguments& arguments, bool preempts);

/// What a replay on machines has beside the figures of every replay.
struct NodeOutput {
  const simulation::NodeView& view;
  const simulation::NodeFigures& figures;
};
/// Jobs that fit nowhere, one line for each reason.
std::string node_notes(const simulation::NodeFigures& figures);
nlohmann::ordered_json node_json(const NodeOutput& nodes);
std::string node_text(const NodeOutput& nodes);
/// "3 17-19": the numbers of a job's machines, from 0.
std::string machines_text(const simulation::NodeFigures& figures, std::size_t job);

}  // namespace natgpu::cli
