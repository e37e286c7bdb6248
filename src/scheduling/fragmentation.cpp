// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/fragmentation.hpp>

namespace natgpu::scheduling {

std::int64_t TaskMix::tasks() const {
  std::int64_t sum = 0;
  for (const Kind& k : kinds) sum += k.tasks;
  return sum;
}

std::int64_t fragmented_milli(const Node& node, const TaskShape& task) {
  if (task.gpus == 0 || !node.fits(task)) return node.total_free_milli();
  std::int64_t sum = 0;
  for (int g = 0; g < node.gpus; ++g)
    if (!node.gpu_fits(g, task)) sum += node.free_milli[static_cast<std::size_t>(g)];
  return sum;
}

std::int64_t fragmented_milli(const Node& node, const TaskMix& mix) {
  std::int64_t sum = 0;
  for (const TaskMix::Kind& k : mix.kinds) sum += k.tasks * fragmented_milli(node, k.shape);
  return sum;
}

}  // namespace natgpu::scheduling
