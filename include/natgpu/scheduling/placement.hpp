// SPDX-License-Identifier: Apache-2.0
// Where a task goes among the nodes that can take it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/node_pool.hpp>

namespace natgpu::scheduling {

/// A node, and the GPU on it for a task that shares one.
struct Spot {
  std::uint32_t node = 0;
  int gpu = 0;
  std::int32_t milli = 0;  ///< of GPUs that the task holds: more than it asked for where MIG rounds up
};

/// Nodes, filled task by task under one rule. As in the Kubernetes scheduler, nodes get whole points of 100,
/// and of those with most points one is taken at random; on it, a GPU by the same rule, the lowest of equals.
class NodePlacer {
 public:
  /// @param mix     tasks to be expected; tasks are placed by their kind's place in it
  /// @param chance  decides between equals
  NodePlacer(Placement placement, std::vector<Node> nodes, TaskMix mix, const Stream& chance)
      : pool_(placement, std::move(nodes), std::move(mix)), chance_(chance) {}

  /// Where the n-th task goes, of that kind; nothing if no node can take it. Takes the place at once.
  std::optional<Spot> place(std::size_t kind, std::uint64_t n) {
    const Dice dice{&chance_, n, 0};
    const std::optional<std::uint32_t> node = pool_.find(kind, dice);
    if (!node) return std::nullopt;
    const int gpu = pool_.gpu_for(kind, *node, dice);
    const Hold hold = pool_.node(*node).hold(*node, pool_.shape(kind), gpu);
    pool_.take(hold);
    return Spot{*node, gpu, hold.total_milli()};
  }

  std::span<const Node> nodes() const { return pool_.nodes(); }
  const TaskMix& mix() const { return pool_.mix(); }
  /// Share of the free GPUs that an expected task cannot use: F over all that is free. 0 if nothing is.
  double fragmented_share() const { return pool_.fragmented_share(); }

 private:
  NodePool pool_;
  Stream chance_;
};

}  // namespace natgpu::scheduling
