// SPDX-License-Identifier: Apache-2.0
// How much of what is free the tasks to be expected cannot use.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::scheduling {

/// Tasks to be expected: kinds and how many there are of each.
struct TaskMix {
  struct Kind {
    TaskShape shape;
    std::int64_t tasks = 0;
  };
  std::vector<Kind> kinds;
  std::int64_t tasks() const;
};

/// Thousandths of GPUs, free on the node, that such a task cannot use: all if it cannot run there or needs
/// no GPU, else those of GPUs that have less left than it asks of each.
/// Source: Weng et al., USENIX ATC 2023, section 3 (F_n(m)); memory counts as CPU does.
std::int64_t fragmented_milli(const Node& node, const TaskShape& task);

/// The same summed over all tasks of the mix; divided by their number, the paper's F_n(M).
std::int64_t fragmented_milli(const Node& node, const TaskMix& mix);

}  // namespace natgpu::scheduling
