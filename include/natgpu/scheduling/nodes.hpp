// SPDX-License-Identifier: Apache-2.0
// The node view: machines with CPU, memory and GPUs that can be shared in thousandths.
#pragma once

#include <array>
#include <cstdint>

namespace natgpu::scheduling {

/// Thousandths of a GPU in a whole one.
inline constexpr std::int32_t whole_gpu_milli = 1000;
/// GPUs that one node may have at most.
inline constexpr int most_gpus_per_node = 16;

/// What a task asks of one node. 0 of a resource: it needs none.
struct TaskShape {
  std::int32_t cpu_milli = 0;   ///< thousandths of a core
  std::int32_t memory_mib = 0;  ///< MiB of main memory
  std::int32_t gpus = 0;        ///< so many GPUs,
  std::int32_t gpu_milli = 0;   ///< thousandths of each; below a whole only for one GPU
  std::uint32_t types = 0;      ///< a bit for each GPU type it may use; 0: any

  bool shares_gpu() const { return gpus == 1 && gpu_milli < whole_gpu_milli; }
  std::int32_t total_milli() const { return gpus * gpu_milli; }
  friend bool operator==(const TaskShape&, const TaskShape&) = default;
};

/// What one machine has left.
struct Node {
  std::int32_t cpu_milli = 0;
  std::int32_t memory_mib = 0;
  std::int16_t gpus = 0;                                      ///< at most most_gpus_per_node
  std::int16_t type = -1;                                     ///< of its GPUs; -1: it has none
  std::array<std::int16_t, most_gpus_per_node> free_milli{};  ///< of each GPU

  /// Whether the GPU has what the task asks of each.
  bool gpu_fits(int gpu, const TaskShape& t) const {
    return free_milli[static_cast<std::size_t>(gpu)] >= t.gpu_milli;
  }
  std::int32_t total_free_milli() const {
    std::int32_t sum = 0;
    for (int g = 0; g < gpus; ++g) sum += free_milli[static_cast<std::size_t>(g)];
    return sum;
  }
  /// Whether the task could run here at once.
  bool fits(const TaskShape& t) const {
    if (t.cpu_milli > cpu_milli || t.memory_mib > memory_mib) return false;
    if (t.gpus == 0) return true;
    if (type < 0 || (t.types != 0 && (t.types >> type & 1) == 0)) return false;
    int found = 0;
    for (int g = 0; g < gpus; ++g) found += gpu_fits(g, t);
    return found >= t.gpus;
  }
  /// Gives the task what it asks for: that GPU if it shares one, else the idle ones of lowest number.
  /// @pre fits(t), and the GPU has room for a share
  void take(const TaskShape& t, int gpu) {
    cpu_milli -= t.cpu_milli;
    memory_mib -= t.memory_mib;
    if (t.shares_gpu()) {
      free_milli[static_cast<std::size_t>(gpu)] -= static_cast<std::int16_t>(t.gpu_milli);
      return;
    }
    for (int g = 0, left = t.gpus; left > 0; ++g)
      if (gpu_fits(g, t)) {
        free_milli[static_cast<std::size_t>(g)] -= static_cast<std::int16_t>(t.gpu_milli);
        --left;
      }
  }
};

}  // namespace natgpu::scheduling
