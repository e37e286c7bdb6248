// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/packing.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/random.hpp>

namespace natgpu::simulation {
namespace {

using scheduling::Node;
using scheduling::TaskMix;
using scheduling::TaskShape;

/// The node view cannot hold what a file says.
[[noreturn]] void refuse(const std::string& file, const std::string& message, const std::string& help) {
  refuse_file(file, "E0411", message, help);
}

std::vector<Node> nodes_of(const workload::NodeList& cluster, bool gpu_nodes_only) {
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < cluster.nodes.size(); ++i) {
    const workload::LogNode& from = cluster.nodes[i];
    if (from.gpus == 0 && gpu_nodes_only) continue;
    if (from.gpus > scheduling::most_gpus_per_node)
      refuse(cluster.file,
             fmt::format("machine {} has {} GPUs; the node view holds up to {} in one", cluster.names[i],
                         from.gpus, scheduling::most_gpus_per_node),
             "state it as several machines");
    Node& to = nodes.emplace_back();
    to.cpu_milli = from.cpu_milli;
    to.memory_mib = from.memory_mib;
    to.gpus = static_cast<std::int16_t>(from.gpus);
    to.type = from.gpus > 0 ? std::max<std::int16_t>(from.gpu_type, 0) : from.gpu_type;
    std::fill_n(to.free_milli.begin(), from.gpus, static_cast<std::int16_t>(scheduling::whole_gpu_milli));
  }
  return nodes;
}

/// The GPU types that `a|b|c` names, as bits. A type that no node has is no bit: such a task fits nowhere
/// unless it names another; `nowhere` stands for none of them.
std::uint32_t types_of(std::string_view names, const workload::NodeList& cluster) {
  constexpr std::uint32_t nowhere = std::uint32_t{1} << 31;
  std::uint32_t types = 0;
  for (;;) {
    const std::size_t bar = names.find('|');
    for (std::size_t t = 0; t < cluster.gpu_types.size(); ++t)
      if (cluster.gpu_types[t] == names.substr(0, bar)) types |= std::uint32_t{1} << t;
    if (bar == std::string_view::npos) return types != 0 ? types : nowhere;
    names.remove_prefix(bar + 1);
  }
}

/// The kinds of task in a log, and which kind each row is.
struct Kinds {
  TaskMix mix;
  std::vector<std::uint32_t> of_row;
};

Kinds kinds_of(const workload::JobLog& log, const workload::NodeList& cluster) {
  std::vector<std::uint32_t> types;
  for (std::size_t t = 0; t < log.gpu_types.size(); ++t) types.push_back(types_of(log.gpu_types[t], cluster));
  Kinds kinds;
  for (const workload::LogJob& j : log.jobs) {
    TaskShape s;
    s.cpu_milli = std::max(j.cpu_milli, 0);
    s.memory_mib = std::max(j.memory_mib, 0);
    s.gpus = j.gpus;
    s.gpu_milli = j.gpus > 0 ? j.gpu_milli : 0;
    s.types = j.gpu_type < 0 ? 0 : types[static_cast<std::size_t>(j.gpu_type)];
    const auto at = std::find_if(kinds.mix.kinds.begin(), kinds.mix.kinds.end(),
                                 [&s](const TaskMix::Kind& k) { return k.shape == s; });
    kinds.of_row.push_back(static_cast<std::uint32_t>(at - kinds.mix.kinds.begin()));
    if (at == kinds.mix.kinds.end())
      kinds.mix.kinds.push_back({s, 1});
    else
      ++at->tasks;
  }
  return kinds;
}

void check(const workload::NodeList& cluster, const workload::JobLog& log) {
  if (std::none_of(cluster.nodes.begin(), cluster.nodes.end(), [](const auto& n) { return n.gpus > 0; }))
    refuse(cluster.file, "no machine has a GPU", "give a list in which some do");
  for (std::size_t i = 0; i < cluster.nodes.size(); ++i)
    if (cluster.nodes[i].cpu_milli < 0 || cluster.nodes[i].memory_mib < 0)
      refuse(cluster.file,
             fmt::format("machine {} does not state its {}, so that no task would fit", cluster.names[i],
                         cluster.nodes[i].cpu_milli < 0 ? "cores" : "memory"),
             "fill in the value; one larger than any task asks for takes no part");
  constexpr std::size_t most_types = 31;  // one bit is `nowhere`
  if (cluster.gpu_types.size() > most_types)
    refuse(cluster.file,
           fmt::format("{} types of GPU; the node view tells up to {} apart", cluster.gpu_types.size(),
                       most_types),
           "merge types that tasks do not tell apart");
  const auto asks = [](const workload::LogJob& j) { return j.gpus > 0; };
  if (std::none_of(log.jobs.begin(), log.jobs.end(), asks))
    refuse(log.file, "no task asks for a GPU, so that no number of them fills one",
           "give a log whose rows ask for GPUs");
}

/// The kinds of all tasks that arrive, in order.
std::vector<std::uint32_t> arrivals_of(const Kinds& kinds, double enough_milli, const Stream& chance) {
  const std::size_t rows = kinds.of_row.size();
  const auto milli = [&kinds](std::uint32_t kind) {
    return static_cast<double>(kinds.mix.kinds[kind].shape.total_milli());
  };
  std::vector<std::uint32_t> arrivals = kinds.of_row;
  double asked = 0;
  for (const std::uint32_t kind : arrivals) asked += milli(kind);
  for (std::uint64_t n = 0; asked < enough_milli; ++n) {
    arrivals.push_back(kinds.of_row[pick(rows, chance.unit(n, 0))]);
    asked += milli(arrivals.back());
  }
  for (std::size_t i = arrivals.size(); i > 1; --i)
    std::swap(arrivals[i - 1], arrivals[pick(i, chance.unit(i, 1))]);
  return arrivals;
}

}  // namespace

Packing pack(const workload::NodeList& cluster, const workload::JobLog& log, const PackingOptions& options) {
  check(cluster, log);
  Streams streams(options.seed, 0);
  Kinds kinds = kinds_of(log, cluster);
  std::vector<Node> nodes = nodes_of(cluster, options.gpu_nodes_only);
  std::int64_t there = 0, asked = 0, allocated = 0;
  for (const Node& n : nodes) there += n.total_free_milli();
  const std::vector<std::uint32_t> arrivals =
      arrivals_of(kinds, options.until * static_cast<double>(there), streams.open("packing", "arrivals"));

  std::vector<bool> fits;
  for (const TaskMix::Kind& k : kinds.mix.kinds)
    fits.push_back(
        std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) { return node.fits(k.shape); }));
  scheduling::NodePlacer placer(options.placement, std::move(nodes), std::move(kinds.mix),
                                streams.open("packing", "placement"));
  Packing result;
  for (const std::uint32_t kind : arrivals) {
    const std::int32_t milli = placer.mix().kinds[kind].shape.total_milli();
    asked += milli;
    if (placer.place(kind, result.tasks++))
      allocated += milli;
    else
      ++result.unplaced;
    result.never += fits[kind] ? 0 : 1;
  }
  constexpr double whole = scheduling::whole_gpu_milli;
  result.gpus = static_cast<double>(there) / whole;
  result.asked = static_cast<double>(asked) / whole;
  result.allocated = static_cast<double>(allocated) / whole;
  result.fragmented = placer.fragmented_share();
  return result;
}

}  // namespace natgpu::simulation
