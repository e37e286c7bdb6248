// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/workload/column_map.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

/// One machine of a cluster; -1: the list does not say.
struct LogNode {
  std::int32_t gpus = 0;
  std::int32_t cpu_milli = -1;  ///< thousandths of a core
  std::int32_t memory_mib = -1;
  std::int16_t gpu_type = -1;  ///< place among NodeList::gpu_types; -1 where the list names none

  friend bool operator==(const LogNode&, const LogNode&) = default;
};

/// The machines that a log ran on, in file order.
struct NodeList {
  std::string file;
  std::string format;
  std::vector<LogNode> nodes;
  Texts names;               ///< beside nodes
  Texts gpu_types;           ///< in order of first appearance
  bool states_cores = true;  ///< also memory; false: neither counts, for tasks may ask for any

  /// How messages call a machine: by its name, else by its number.
  std::string name_of(std::size_t i) const {
    return i < names.size() ? std::string(names[i]) : std::to_string(i);
  }
};

/// Of openb (openb_node_list_*.csv) and Alibaba PAI (pai_machine_spec.csv; `CPU` stands for no GPU there).
const std::vector<ColumnMap>& shipped_node_maps();

/// `813x8`: 813 machines of 8 GPUs each, of one type and with no limit of cores and memory.
/// @returns nothing if the text is not of this form
/// @throws ScenarioError E0411 for no machines, over 10^7 of them, or machines without GPUs
std::optional<NodeList> equal_nodes(std::string_view text);

/// Reads the machines of a cluster from a CSV file, plain or gzip; its header tells the format.
/// @throws ScenarioError as read_csv_log; E0409 where the header belongs to no list of machines
NodeList read_node_list(const std::string& file);

}  // namespace natgpu::workload
