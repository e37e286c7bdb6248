// SPDX-License-Identifier: Apache-2.0
// Where a task goes among the nodes that can take it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/fragmentation.hpp>
#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::scheduling {

enum class Placement : std::uint8_t { first, best, worst, random, fgd };

struct PlacementRule {
  Placement placement;
  std::string_view name;    ///< as users write it
  std::string_view rule;    ///< in one line
  std::string_view source;  ///< who published it
};
/// All rules, in the order of their values.
std::span<const PlacementRule> placement_rules();

/// A node, and the GPU on it for a task that shares one.
struct Spot {
  std::uint32_t node = 0;
  int gpu = 0;
};

/// Nodes, filled task by task under one rule. As in the Kubernetes scheduler, nodes get whole points of 100,
/// and of those with most points one is taken at random; on it, a GPU by the same rule, the lowest of equals.
/// What a rule makes of a node is kept until the node changes, so that a task costs one look at each node,
/// and the rule is applied to those only that have changed since a task of its kind came.
class NodePlacer {
 public:
  /// @param mix     tasks to be expected; tasks are placed by their kind's place in it
  /// @param chance  decides between equals
  NodePlacer(Placement placement, std::vector<Node> nodes, TaskMix mix, const Stream& chance);

  /// Where the n-th task goes, of that kind; nothing if no node can take it. Takes the place at once.
  std::optional<Spot> place(std::size_t kind, std::uint64_t n);

  std::span<const Node> nodes() const { return nodes_; }
  const TaskMix& mix() const { return mix_; }
  /// Share of the free GPUs that an expected task cannot use: F over all that is free. 0 if nothing is.
  double fragmented_share() const;

 private:
  /// What the rule makes of one node for one kind.
  struct Verdict {
    std::uint32_t version = 0;  ///< of the node; 0: never asked
    std::int16_t points = -1;   ///< 0 to 100; -1: it does not fit
    std::int16_t gpu = 0;
  };
  const Verdict& verdict(std::size_t kind, std::uint32_t node);
  Verdict judge(const TaskShape& task, std::uint32_t node) const;
  std::int16_t points(const TaskShape& task, std::uint32_t node, int gpu) const;
  std::int16_t points_of_fgd(const TaskShape& task, std::uint32_t node, int gpu) const;
  double left_over(const Node& node, const TaskShape& task) const;
  static int gpu_at_random(const TaskShape& task, const Node& node, double unit);

  Placement placement_;
  std::vector<Node> nodes_;
  TaskMix mix_;
  Stream chance_;
  std::vector<std::uint32_t> versions_;   ///< by node
  std::vector<std::int64_t> fragmented_;  ///< by node: thousandths x tasks of the mix (fgd)
  std::vector<Verdict> verdicts_;         ///< by kind, then node
  double most_cpu_ = 1;                   ///< of any node when empty, thousandths
  double most_gpu_ = 1;                   ///< the same
  double tasks_ = 1;                      ///< of the mix
  std::vector<std::uint32_t> equals_;     ///< nodes with most points
};

}  // namespace natgpu::scheduling
