// SPDX-License-Identifier: Apache-2.0
#include "node_departures.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>

namespace natgpu::simulation {
namespace {

using scheduling::GangKind;
using scheduling::TaskMix;
using scheduling::TaskShape;

constexpr std::uint32_t levels = scheduling::most_departures + 1;
constexpr std::int32_t most_types = 32;  // a bit for each

/// Where each type of machine stands once levels are told apart.
class TypeTable {
 public:
  TypeTable(const std::vector<scheduling::Node>& nodes, const std::vector<bool>& leaves) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::size_t t = place(nodes[i].type);
      if (t >= types_.size()) types_.resize(t + 1);
      types_[t].there = true;
      types_[t].leaves = types_[t].leaves || leaves[i];
      types_[t].has_gpus = nodes[i].gpus > 0;
    }
    for (Type& t : types_) {
      if (!t.there || (!t.has_gpus && !t.leaves)) continue;  // machines without GPUs need no type to stay
      t.first = used_;
      used_ += t.leaves ? static_cast<std::int32_t>(levels) : 1;
    }
  }
  std::int32_t used() const { return used_; }
  std::int8_t staying(std::int8_t type) const { return static_cast<std::int8_t>(types_[place(type)].first); }
  /// As high as its levels go.
  std::int8_t highest(std::int8_t type) const {
    const Type& t = types_[place(type)];
    return static_cast<std::int8_t>(t.first + (t.leaves ? static_cast<std::int32_t>(levels) - 1 : 0));
  }
  /// The task, on machines up to that level.
  TaskShape up_to(TaskShape task, std::uint32_t level) const {
    if (level + 1 == levels && task.types == 0) return task;
    std::uint32_t allowed = 0;
    for (std::size_t t = 0; t < types_.size(); ++t) {
      if (types_[t].first < 0 || !is_for(task, t)) continue;
      const std::uint32_t width = types_[t].leaves ? level + 1 : 1;
      allowed |= ((std::uint32_t{2} << (width - 1)) - 1) << types_[t].first;
    }
    task.types = allowed;
    return task;
  }

 private:
  struct Type {
    bool there = false, leaves = false, has_gpus = false;
    std::int32_t first = -1;
  };
  static std::size_t place(std::int8_t type) { return static_cast<std::size_t>(type + 1); }
  static bool is_for(const TaskShape& task, std::size_t place) {
    if (task.types == 0) return task.gpus == 0 || place > 0;
    return place > 0 && (task.types >> (place - 1) & 1) != 0;
  }

  std::vector<Type> types_;  ///< by number + 1; the first is that of machines without GPUs
  std::int32_t used_ = 0;
};

}  // namespace

bool announces(const NodeView& view) {
  return std::any_of(view.outages.begin(), view.outages.end(),
                     [](const workload::NodeOutage& o) { return o.is_announced(); });
}

std::vector<std::int64_t> known_departures(const NodeView& view, std::int64_t now_s) {
  std::vector<std::int64_t> leave_at(view.machines.nodes.size(), stays);
  for (const workload::NodeOutage& o : view.outages)
    if (o.announced_s <= now_s && now_s < o.from_s)
      leave_at[o.node] = std::min(leave_at[o.node], o.from_s * ticks_per_second);
  return leave_at;
}

std::vector<std::int8_t> tell_levels_apart(const NodeView& view, std::vector<scheduling::Node>& nodes,
                                           NodeWorkload& work) {
  std::vector<bool> leaves(nodes.size());
  for (const workload::NodeOutage& o : view.outages)
    if (o.is_announced()) leaves[o.node] = true;
  const TypeTable table(nodes, leaves);
  if (table.used() > most_types)
    refuse_file(
        view.machines.file, "E0411",
        fmt::format("outages are announced of machines of so many types that the node view would have "
                    "to tell {} kinds apart, of {} at most",
                    table.used(), most_types),
        "merge types that jobs do not tell apart, or announce outages of fewer types");
  std::vector<std::int8_t> staying;
  for (scheduling::Node& node : nodes) {
    staying.push_back(table.staying(node.type));
    node.type = table.highest(node.type);
  }
  TaskMix mix;
  for (const TaskMix::Kind& k : work.mix.kinds)
    for (std::uint32_t level = 0; level < levels; ++level)
      mix.kinds.push_back({table.up_to(k.shape, level), level + 1 == levels ? k.tasks : 0});
  work.mix = std::move(mix);
  for (GangKind& kind : work.kinds)
    for (std::uint32_t* task : {&kind.part, &kind.rest, &kind.unit})
      if (*task != GangKind::none) *task *= levels;
  return staying;
}

}  // namespace natgpu::simulation
