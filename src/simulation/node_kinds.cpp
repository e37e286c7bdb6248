// SPDX-License-Identifier: Apache-2.0
#include "node_kinds.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::simulation {
namespace {

using scheduling::GangKind;
using scheduling::Node;
using scheduling::TaskShape;

/// The node view cannot hold what a file says.
[[noreturn]] void refuse(const std::string& file, const std::string& message, const std::string& help) {
  refuse_file(file, "E0411", message, help);
}

void check(const workload::NodeList& cluster) {
  constexpr std::size_t most_types = 31;  // one bit is no_such_type
  if (cluster.gpu_types.size() > most_types)
    refuse(cluster.file,
           fmt::format("{} types of GPU; the node view tells up to {} apart", cluster.gpu_types.size(),
                       most_types),
           "merge types that tasks do not tell apart");
  if (std::none_of(cluster.nodes.begin(), cluster.nodes.end(), [](const auto& n) { return n.gpus > 0; }))
    refuse(cluster.file, "no machine has a GPU", "give a list in which some do");
  for (std::size_t i = 0; i < cluster.nodes.size(); ++i) {
    const workload::LogNode& n = cluster.nodes[i];
    if (n.cpu_milli < 0 || n.memory_mib < 0)
      refuse(cluster.file,
             fmt::format("machine {} does not state its {}, so that no task would fit", cluster.name_of(i),
                         n.cpu_milli < 0 ? "cores" : "memory"),
             "fill in the value; one larger than any task asks for takes no part");
    if (n.gpus > scheduling::most_gpus_per_node)
      refuse(cluster.file,
             fmt::format("machine {} has {} GPUs; the node view holds up to {} in one", cluster.name_of(i),
                         n.gpus, scheduling::most_gpus_per_node),
             "state it as several machines");
  }
}

/// Machines that are equal when empty.
struct Model {
  Node node;
  std::int64_t machines = 0;
};

std::vector<Model> models_of(const std::vector<Node>& nodes) {
  const auto key = [](const Node& n) { return std::tuple(n.type, n.gpus, n.cpu_milli, n.memory_mib); };
  std::map<std::tuple<std::int16_t, std::int16_t, std::int32_t, std::int32_t>, Model> models;
  for (const Node& n : nodes) {
    Model& m = models[key(n)];
    m.node = n;
    ++m.machines;
  }
  std::vector<Model> all;
  for (const auto& [of, m] : models) all.push_back(m);
  return all;
}

/// A gang in parts, before its tasks have numbers.
struct Parts {
  TaskShape part, rest;
  std::int32_t parts = 1;
  bool has_rest = false;
};

/// How a gang fits empty machines.
class Fitting {
 public:
  explicit Fitting(std::vector<Model> models) : models_(std::move(models)) {}

  /// @returns the fewest machines that hold it; 0: no number of them
  std::int32_t fewest(const Parts& g) const {
    std::vector<Room> rooms;
    for (const Model& m : models_) rooms.push_back({m.node.room_for(g.part, g.parts), m.machines});
    if (!g.has_rest) return static_cast<std::int32_t>(filled(rooms, g.parts).value_or(0));
    std::optional<std::int64_t> best;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      Node beside = models_[i].node;
      if (!beside.fits(g.rest)) continue;
      beside.take(g.rest, 0);  // several GPUs or none: a share has no rest
      std::vector<Room> others = rooms;
      --others[i].machines;
      const auto more = filled(others, g.parts - beside.room_for(g.part, g.parts));
      if (more && (!best || *more + 1 < *best)) best = *more + 1;
    }
    return static_cast<std::int32_t>(best.value_or(0));
  }
  bool any_has(std::uint32_t types) const {
    return std::any_of(models_.begin(), models_.end(), [&](const Model& m) {
      return m.node.type >= 0 && (types == 0 || (types >> m.node.type & 1) != 0);
    });
  }
  int most_gpus() const {
    int most = 0;
    for (const Model& m : models_) most = std::max<int>(most, m.node.gpus);
    return most;
  }

 private:
  struct Room {
    std::int32_t parts;  ///< on each of
    std::int64_t machines;
  };
  /// Machines filled one after another, those with most room first. Nothing if there are too few.
  static std::optional<std::int64_t> filled(std::vector<Room> rooms, std::int64_t parts) {
    std::sort(rooms.begin(), rooms.end(), [](const Room& a, const Room& b) { return a.parts > b.parts; });
    std::int64_t used = 0;
    for (const Room& r : rooms) {
      if (parts <= 0 || r.parts == 0) break;
      const std::int64_t here = std::min(r.machines, (parts + r.parts - 1) / r.parts);
      parts -= here * r.parts;
      used += here;
    }
    return parts <= 0 ? std::optional(used) : std::nullopt;
  }

  std::vector<Model> models_;
};

std::int32_t share_of(std::int32_t total, std::int32_t part, std::int32_t whole) {
  return static_cast<std::int32_t>((static_cast<std::int64_t>(total) * part + whole - 1) / whole);
}

/// A job's needs, in thousandths and MiB, none unknown.
struct Needs {
  TaskShape all;  ///< gpus: of the whole job
  std::int32_t nodes = -1;
  auto key() const {
    return std::tuple(all.cpu_milli, all.memory_mib, all.gpus, all.gpu_milli, all.types, nodes);
  }
};

/// The part of the job that has so many of its units: GPUs, or instances where it needs none.
TaskShape part_of(const Needs& job, std::int32_t units, std::int32_t of) {
  TaskShape t = job.all;
  t.cpu_milli = share_of(t.cpu_milli, units, of);
  t.memory_mib = share_of(t.memory_mib, units, of);
  if (t.gpus > 0) t.gpus = units;
  if (t.gpus > 1) t.gpu_milli = scheduling::whole_gpu_milli;  // only one GPU is shared
  return t;
}
Parts in_parts(const Needs& job, std::int32_t units_a_part) {
  const std::int32_t units = job.all.gpus > 0 ? job.all.gpus : std::max(job.nodes, 1);
  Parts g;
  g.part = part_of(job, units_a_part, units);
  g.parts = units / units_a_part;
  g.has_rest = units % units_a_part > 0;
  if (g.has_rest) g.rest = part_of(job, units % units_a_part, units);
  return g;
}

class KindTable {
 public:
  KindTable(Fitting fitting, NodeWorkload& to) : fitting_(std::move(fitting)), to_(to) {}

  std::uint32_t kind_of(const Needs& job) {
    const auto [it, is_new] = known_.try_emplace(job.key(), NodeWorkload::nowhere);
    if (is_new) it->second = settle(job);
    if (it->second == NodeWorkload::nowhere) {
      count_never(job);
    } else {
      const GangKind& k = to_.kinds[it->second];
      to_.mix.kinds[k.part].tasks += k.parts;
      if (k.rest != GangKind::none) ++to_.mix.kinds[k.rest].tasks;
    }
    return it->second;
  }

 private:
  /// A job that says on how many nodes it runs keeps to that; another takes the largest parts that there are
  /// machines for, the whole job at best.
  std::uint32_t settle(const Needs& job) {
    const std::int32_t gpus = job.all.gpus;
    if (gpus == 0 || job.nodes > 0) {
      const std::int32_t units = gpus > 0 ? gpus : std::max(job.nodes, 1);
      const std::int32_t nodes = std::clamp(job.nodes, 1, units);
      return add(job, in_parts(job, (units + nodes - 1) / nodes), false);
    }
    for (std::int32_t a_part = std::min(gpus, fitting_.most_gpus()); a_part > 0; --a_part)
      if (const std::uint32_t kind = add(job, in_parts(job, a_part), gpus > 1); kind != NodeWorkload::nowhere)
        return kind;
    return NodeWorkload::nowhere;
  }
  std::uint32_t add(const Needs& job, const Parts& g, bool may_spread) {
    GangKind k;
    k.fewest = fitting_.fewest(g);
    if (k.fewest == 0) return NodeWorkload::nowhere;
    k.part = task_of(g.part);
    k.parts = g.parts;
    if (g.has_rest) k.rest = task_of(g.rest);
    if (may_spread) {
      k.unit = task_of(part_of(job, 1, job.all.gpus));
      k.units = job.all.gpus;
    }
    to_.kinds.push_back(k);
    return static_cast<std::uint32_t>(to_.kinds.size() - 1);
  }
  std::uint32_t task_of(const TaskShape& t) {
    const auto [it, is_new] =
        tasks_.try_emplace(std::tuple(t.cpu_milli, t.memory_mib, t.gpus, t.gpu_milli, t.types),
                           static_cast<std::uint32_t>(to_.mix.kinds.size()));
    if (is_new) to_.mix.kinds.push_back({t, 0});
    return it->second;
  }
  void count_never(const Needs& job) {
    const char* reason = job.all.gpus > 0 && !fitting_.any_has(job.all.types)
                             ? "no machine has GPUs of the type"
                             : "no machines for so many GPUs with their cores and memory";
    const auto it = std::find_if(to_.never_fit.begin(), to_.never_fit.end(),
                                 [&](const NeverFits& n) { return n.reason == reason; });
    if (it == to_.never_fit.end())
      to_.never_fit.push_back({reason, 1});
    else
      ++it->jobs;
  }

  Fitting fitting_;
  NodeWorkload& to_;
  std::map<decltype(std::declval<Needs>().key()), std::uint32_t> known_;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t, std::int32_t, std::uint32_t>, std::uint32_t>
      tasks_;
};

/// The GPU types that `a|b|c` names.
std::uint32_t types_in(std::string_view names, const workload::NodeList& cluster) {
  if (cluster.gpu_types.empty()) return 0;
  std::uint32_t types = 0;
  for (;;) {
    const std::size_t bar = names.find('|');
    for (std::size_t t = 0; t < cluster.gpu_types.size(); ++t)
      if (cluster.gpu_types[t] == names.substr(0, bar)) types |= std::uint32_t{1} << t;
    if (bar == std::string_view::npos) return types != 0 ? types : no_such_type;
    names.remove_prefix(bar + 1);
  }
}

}  // namespace

std::vector<Node> nodes_of(const workload::NodeList& cluster, bool gpu_nodes_only, const MigUse& mig) {
  check(cluster);
  std::vector<Node> nodes;
  for (const workload::LogNode& from : cluster.nodes) {
    if (from.gpus == 0 && gpu_nodes_only) continue;
    Node& to = nodes.emplace_back();
    to.cpu_milli = from.cpu_milli;
    to.memory_mib = from.memory_mib;
    to.gpus = static_cast<std::int16_t>(from.gpus);
    to.type = static_cast<std::int8_t>(from.gpus > 0 ? std::max<std::int16_t>(from.gpu_type, 0) : -1);
    to.mig = mig.layout_of(to.type);
    std::fill_n(to.free_milli.begin(), from.gpus, static_cast<std::int16_t>(scheduling::whole_gpu_milli));
  }
  return nodes;
}

std::vector<std::uint32_t> types_of(const workload::JobLog& log, const workload::NodeList& cluster) {
  std::vector<std::uint32_t> types;
  for (std::size_t t = 0; t < log.gpu_types.size(); ++t) types.push_back(types_in(log.gpu_types[t], cluster));
  return types;
}

NodeWorkload workload_on(const std::vector<Node>& nodes, const workload::NodeList& cluster,
                         const workload::JobLog& log) {
  const std::vector<std::uint32_t> types = types_of(log, cluster);
  NodeWorkload work;
  KindTable table(Fitting(models_of(nodes)), work);
  work.kind_of_job.reserve(log.jobs.size());
  for (const workload::LogJob& j : log.jobs) {
    Needs needs;
    needs.all.cpu_milli = cluster.states_cores ? std::max(j.cpu_milli, 0) : 0;
    needs.all.memory_mib = cluster.states_cores ? std::max(j.memory_mib, 0) : 0;
    needs.all.gpus = j.gpus;
    needs.all.gpu_milli = asked_of_a_gpu(j);
    needs.all.types = j.gpus == 0 || j.gpu_type < 0 ? 0 : types[static_cast<std::size_t>(j.gpu_type)];
    needs.nodes = j.nodes;
    work.kind_of_job.push_back(table.kind_of(needs));
  }
  return work;
}

}  // namespace natgpu::simulation
