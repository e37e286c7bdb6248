// SPDX-License-Identifier: Apache-2.0
#include <natgpu/workload/node_list.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/diagnostic.hpp>

#include "interner.hpp"
#include "row_values.hpp"

namespace natgpu::workload {
namespace {

const ColumnMap& map_for(CsvReader& csv, Mistakes& mistakes) {
  std::vector<std::string> header;
  if (csv.next()) header = texts_of(csv);
  std::vector<std::string> needs;
  for (const ColumnMap& map : shipped_node_maps()) {
    if (missing_columns(map, header).empty()) return map;
    std::vector<std::string> columns;
    for (const Column& c : map.columns) columns.push_back(c.column);
    needs.push_back(fmt::format("{} has {}", map.name, fmt::join(columns, ", ")));
  }
  mistakes.add(1, "E0409", "the header line belongs to no list of machines",
               fmt::format("{}", fmt::join(needs, "; ")));
  mistakes.throw_if_any();
  throw ScenarioError({});
}

/// Digits alone. @returns nothing for anything else, and most for more than a machine number holds
std::optional<std::int64_t> count_of(std::string_view digits) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return {};
  std::int64_t n = 0;
  return std::from_chars(digits.data(), digits.data() + digits.size(), n).ec == std::errc{} ? n : most;
}

}  // namespace

std::optional<NodeList> equal_nodes(std::string_view text) {
  constexpr std::int64_t most_nodes = 10'000'000, most_gpus = 16;
  const std::size_t x = text.find('x');
  if (x == std::string_view::npos) return {};
  const std::optional<std::int64_t> nodes = count_of(text.substr(0, x)), gpus = count_of(text.substr(x + 1));
  if (!nodes || !gpus) return {};
  if (*nodes < 1 || *nodes > most_nodes || *gpus < 1 || *gpus > most_gpus)
    refuse_file(std::string(text), "E0411", "not a cluster that the node view can hold",
                fmt::format("write up to {} machines of up to {} GPUs each: 813x8", most_nodes, most_gpus));
  NodeList list;
  list.file = std::string(text);
  list.format = "equal machines";
  list.states_cores = false;
  list.nodes.assign(static_cast<std::size_t>(*nodes), {static_cast<std::int32_t>(*gpus), 0, 0, -1});
  return list;
}

const std::vector<ColumnMap>& shipped_node_maps() {
  using F = LogField;
  static const std::vector<ColumnMap> maps{{"openb-nodes",
                                            "Alibaba openb v2023, openb_node_list_*.csv",
                                            "alibaba/clusterdata, cluster-trace-gpu-v2023",
                                            {{F::id, "sn", "name", false, ""},
                                             {F::cpu, "cpu_milli", "milli", false, ""},
                                             {F::memory, "memory_mib", "MiB", false, ""},
                                             {F::gpus, "gpu", "gpus", false, ""},
                                             {F::gpu_type, "model", "name", false, "empty without GPUs"}},
                                            ""},
                                           {"pai-machines",
                                            "Alibaba PAI v2020, pai_machine_spec.csv",
                                            "alibaba/clusterdata, cluster-trace-gpu-v2020",
                                            {{F::id, "machine", "name", false, ""},
                                             {F::cpu, "cap_cpu", "cores", false, ""},
                                             {F::memory, "cap_mem", "GiB", false, ""},
                                             {F::gpus, "cap_gpu", "gpus", false, ""},
                                             {F::gpu_type, "gpu_type", "name", false, "CPU without GPUs"}},
                                            ""}};
  return maps;
}

NodeList read_node_list(const std::string& file) {
  Mistakes mistakes(file);
  CsvReader csv(file, mistakes);
  const ColumnMap& map = map_for(csv, mistakes);
  NodeList list;
  list.file = file;
  list.format = map.name;
  RowValues row(map, csv, mistakes);
  row.bind();
  Interner types(list.gpu_types);
  while (csv.next()) {
    if (!row.read()) continue;
    LogNode& node = list.nodes.emplace_back();
    node.gpus = static_cast<std::int32_t>(row.gpus());
    node.cpu_milli = static_cast<std::int32_t>(row.value_or(LogField::cpu, -1));
    node.memory_mib = static_cast<std::int32_t>(row.value_or(LogField::memory, -1));
    for (const Bound& bound : row.bounds()) {
      if (bound.field == LogField::id) list.names.add(row.text(bound));
      if (bound.field != LogField::gpu_type || node.gpus == 0 || !row.has(LogField::gpu_type)) continue;
      const std::int32_t type = types.number_of(row.text(bound));
      if (type > most_types) row.wrong(bound, "E0405", "more than 32767 types");
      node.gpu_type = static_cast<std::int16_t>(type);
    }
  }
  mistakes.throw_if_any();
  return list;
}

}  // namespace natgpu::workload
