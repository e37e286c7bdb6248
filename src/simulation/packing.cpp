// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/packing.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/random.hpp>

#include "node_kinds.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Node;
using scheduling::TaskMix;
using scheduling::TaskShape;

/// The kinds of task in a log, and which kind each row is.
struct Kinds {
  TaskMix mix;
  std::vector<std::uint32_t> of_row;
};

Kinds kinds_of(const workload::JobLog& log, const workload::NodeList& cluster) {
  const std::vector<std::uint32_t> types = types_of(log, cluster);
  Kinds kinds;
  for (const workload::LogJob& j : log.jobs) {
    TaskShape s;
    s.cpu_milli = cluster.states_cores ? std::max(j.cpu_milli, 0) : 0;
    s.memory_mib = cluster.states_cores ? std::max(j.memory_mib, 0) : 0;
    s.gpus = j.gpus;
    s.gpu_milli = j.gpus > 1 ? scheduling::whole_gpu_milli : j.gpus > 0 ? j.gpu_milli : 0;
    s.types = j.gpus == 0 || j.gpu_type < 0 ? 0 : types[static_cast<std::size_t>(j.gpu_type)];
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

void check(const workload::JobLog& log) {
  if (std::any_of(log.jobs.begin(), log.jobs.end(), [](const auto& j) { return j.gpus > 0; })) return;
  refuse_file(log.file, "E0411", "no task asks for a GPU, so that no number of them fills one",
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
  check(log);
  Streams streams(options.seed, 0);
  Kinds kinds = kinds_of(log, cluster);
  std::vector<Node> nodes = nodes_of(cluster, options.gpu_nodes_only, options.mig);
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
  std::int64_t mig_asked = 0, mig_given = 0;
  MigCount instances;
  for (const std::uint32_t kind : arrivals) {
    const TaskShape& shape = placer.mix().kinds[kind].shape;
    asked += shape.total_milli();
    const auto spot = placer.place(kind, result.tasks++);
    result.never += fits[kind] ? 0 : 1;
    result.unplaced += spot ? 0 : 1;
    if (!spot) continue;
    allocated += spot->milli;
    const Node& node = placer.nodes()[spot->node];
    if (!node.cuts_for(shape)) continue;
    instances.add(node.mig, shape.gpu_milli);
    mig_asked += shape.gpu_milli;
    mig_given += spot->milli;
  }
  constexpr double whole = scheduling::whole_gpu_milli;
  result.gpus = static_cast<double>(there) / whole;
  result.asked = static_cast<double>(asked) / whole;
  result.allocated = static_cast<double>(allocated) / whole;
  result.instances = instances.starts();
  result.mig_asked = static_cast<double>(mig_asked) / whole;
  result.mig_given = static_cast<double>(mig_given) / whole;
  result.fragmented = placer.fragmented_share();
  return result;
}

}  // namespace natgpu::simulation
