// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <natgpu/workload/node_list.hpp>

namespace natgpu::workload {

/// A machine that is lost for a while, in seconds of the log: [from, until).
struct NodeOutage {
  std::uint32_t node = 0;  ///< place in NodeList::nodes
  std::int64_t from_s = 0, until_s = 0;
  std::int64_t announced_s = std::numeric_limits<std::int64_t>::max();  ///< known from then on

  /// Whether anybody knows of it before it begins.
  bool is_announced() const { return announced_s < from_s; }

  friend bool operator==(const NodeOutage&, const NodeOutage&) = default;
};

/// Reads outages from a CSV file, plain or gzip, with the columns node, from and until, and announced if
/// there is one, in this order: a machine's name in the list, or its number from 0; whole seconds. Nobody
/// knows beforehand of an outage without a second of announcement. Outages of one machine may overlap.
/// @throws ScenarioError up to 20 mistakes with line and column: E0401 to E0406 and E0408 as read_csv_log,
/// E0409 another header line, E0412 a machine that is not in the list
std::vector<NodeOutage> read_node_outages(const std::string& file, const NodeList& machines);

}  // namespace natgpu::workload
