// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

namespace natgpu::supply {

/// Nodes that hold so many units; the last may be smaller than the others.
inline std::int64_t nodes_for(std::int64_t units, std::int64_t per_node) {
  return (units + per_node - 1) / per_node;
}

/// A share of whole nodes, to the nearest, halves up: 20.06 % of 957 nodes are the 192 that were meant.
inline std::int64_t share_of_nodes(std::int64_t nodes, double share) {
  return static_cast<std::int64_t>(std::floor(static_cast<double>(nodes) * share + 0.5));
}

}  // namespace natgpu::supply
