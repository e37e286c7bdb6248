// SPDX-License-Identifier: Apache-2.0
#include <natgpu/workload/node_list.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

}  // namespace

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
