// SPDX-License-Identifier: Apache-2.0
// The node view: machines with CPU, memory and GPUs that can be shared, in thousandths or cut by MIG.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

#include <natgpu/scheduling/mig.hpp>

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
  std::uint32_t types = 0;      ///< a bit for each type of machine it may use; 0: any

  bool shares_gpu() const { return gpus == 1 && gpu_milli < whole_gpu_milli; }
  std::int32_t total_milli() const { return gpus * gpu_milli; }
  friend bool operator==(const TaskShape&, const TaskShape&) = default;
};

/// What part of a job holds on one machine: 20 bytes.
struct Hold {
  std::uint32_t node = 0;
  std::uint16_t gpus = 0;      ///< a bit for each GPU
  std::int16_t gpu_milli = 0;  ///< thousandths of each of them
  std::int32_t cpu_milli = 0;
  std::int32_t memory_mib = 0;
  std::uint8_t slices = 0;  ///< of each GPU's memory, where GPUs are cut by MIG: a bit for each

  std::int32_t total_milli() const { return std::popcount(gpus) * gpu_milli; }
  friend bool operator==(const Hold&, const Hold&) = default;
};

/// One GPU of a pool's machines.
struct GpuPlace {
  std::uint32_t node = 0;
  std::int32_t gpu = 0;
  friend auto operator<=>(const GpuPlace&, const GpuPlace&) = default;
};

/// What one machine has left.
struct Node {
  std::int32_t cpu_milli = 0;
  std::int32_t memory_mib = 0;
  std::int16_t gpus = 0;                                      ///< at most most_gpus_per_node
  std::int8_t type = -1;                                      ///< of its GPUs; -1: it has none
  std::int8_t mig = -1;                                       ///< layout of its GPUs; -1: they are not cut
  std::array<std::int16_t, most_gpus_per_node> free_milli{};  ///< of each GPU
  std::array<std::uint8_t, most_gpus_per_node> taken{};       ///< slices of each GPU, where they are cut

  /// Whether the task would get an instance of a GPU here, and not thousandths or whole GPUs.
  bool cuts_for(const TaskShape& t) const { return mig >= 0 && t.shares_gpu(); }
  /// Whether the GPU has what the task asks of each.
  bool gpu_fits(int gpu, const TaskShape& t) const {
    const auto g = static_cast<std::size_t>(gpu);
    if (!cuts_for(t)) return free_milli[g] >= t.gpu_milli;
    const MigLayout& layout = mig_layout(mig);
    return layout.fits(layout.profile_for(t.gpu_milli), taken[g]);
  }
  /// What a GPU has left, as one number: those with equal ones lead to the same.
  std::int32_t left_of(int gpu) const {
    const auto g = static_cast<std::size_t>(gpu);
    return free_milli[g] * 256 + taken[g];
  }
  std::int32_t total_free_milli() const {
    std::int32_t sum = 0;
    for (int g = 0; g < gpus; ++g) sum += free_milli[static_cast<std::size_t>(g)];
    return sum;
  }
  /// Whether the task may run on machines of the type. A task without GPUs goes to those without one as well.
  bool has_type_for(const TaskShape& t) const {
    if (type < 0) return t.gpus == 0;
    return t.types == 0 || (t.types >> type & 1) != 0;
  }
  /// Whether the task could run here at once.
  bool fits(const TaskShape& t) const {
    if (t.cpu_milli > cpu_milli || t.memory_mib > memory_mib || !has_type_for(t)) return false;
    int found = 0;
    for (int g = 0; g < gpus; ++g) found += gpu_fits(g, t);
    return found >= t.gpus;
  }
  /// How many such tasks could run here at once, up to `most`.
  std::int32_t room_for(const TaskShape& t, std::int32_t most) const {
    if (!has_type_for(t) || cpu_milli < 0) return 0;
    if (t.cpu_milli > 0) most = std::min(most, cpu_milli / t.cpu_milli);
    if (t.memory_mib > 0) most = std::min(most, memory_mib / t.memory_mib);
    if (t.gpus == 0) return most;
    if (cuts_for(t)) return std::min(most, instances_of(t));
    std::int32_t places = 0;
    for (std::size_t g = 0; g < static_cast<std::size_t>(gpus); ++g)
      // Of more than half a GPU each takes one: no division, of which there would be one a GPU.
      places += 2 * t.gpu_milli > whole_gpu_milli ? (free_milli[g] >= t.gpu_milli ? 1 : 0)
                                                  : free_milli[g] / t.gpu_milli;
    return std::min(most, places / t.gpus);
  }
  /// What so many of the task would hold here: that GPU if it shares one, and of a GPU that is cut an
  /// instance where the layout puts it; else the idle ones of lowest number.
  /// @pre they fit, and the GPU has room for a share (of one task)
  Hold hold(std::uint32_t number, const TaskShape& t, int gpu, std::int32_t tasks = 1) const {
    Hold h{number, 0, static_cast<std::int16_t>(t.gpu_milli), t.cpu_milli * tasks, t.memory_mib * tasks, 0};
    if (t.shares_gpu()) {
      h.gpus = static_cast<std::uint16_t>(1U << gpu);
      if (mig >= 0) cut(h, gpu, t);
      return h;
    }
    if (mig >= 0 && t.gpus > 0) h.slices = mig_layout(mig).whole();
    for (int g = 0, left = t.gpus * tasks; left > 0; ++g)
      if (gpu_fits(g, t)) {
        h.gpus = static_cast<std::uint16_t>(h.gpus | 1U << g);
        --left;
      }
    return h;
  }
  /// Whether all that the hold says is free.
  bool has(const Hold& h) const {
    if (h.cpu_milli > cpu_milli || h.memory_mib > memory_mib) return false;
    for (std::uint32_t rest = h.gpus; rest != 0; rest &= rest - 1) {
      const auto g = static_cast<std::size_t>(std::countr_zero(rest));
      if (free_milli[g] < h.gpu_milli || (taken[g] & h.slices) != 0) return false;
    }
    return true;
  }
  void take(const Hold& h) { change(h, -1); }
  void give_back(const Hold& h) { change(h, 1); }
  /// Gives one task what it asks for. @pre as hold()
  void take(const TaskShape& t, int gpu) { take(hold(0, t, gpu)); }

  friend bool operator==(const Node&, const Node&) = default;

 private:
  std::int32_t instances_of(const TaskShape& t) const {
    const MigLayout& layout = mig_layout(mig);
    const std::size_t profile = layout.profile_for(t.gpu_milli);
    std::int32_t n = 0;
    for (std::size_t g = 0; g < static_cast<std::size_t>(gpus); ++g) n += layout.room_for(profile, taken[g]);
    return n;
  }
  void cut(Hold& h, int gpu, const TaskShape& t) const {
    const MigLayout& layout = mig_layout(mig);
    h.slices = layout.slices_for(layout.profile_for(t.gpu_milli), taken[static_cast<std::size_t>(gpu)]);
    h.gpu_milli = static_cast<std::int16_t>(layout.milli(h.slices));
  }
  void change(const Hold& h, int sign) {
    cpu_milli += sign * h.cpu_milli;
    memory_mib += sign * h.memory_mib;
    for (std::uint32_t rest = h.gpus; rest != 0; rest &= rest - 1) {
      const auto g = static_cast<std::size_t>(std::countr_zero(rest));
      free_milli[g] = static_cast<std::int16_t>(free_milli[g] + sign * h.gpu_milli);
      taken[g] = static_cast<std::uint8_t>(taken[g] ^ h.slices);
    }
  }
};

/// What is left of one machine in both of two states: of GPUs that are cut, the slices that are free in both.
inline Node least_of(const Node& a, const Node& b) {
  Node least = a;
  least.cpu_milli = std::min(a.cpu_milli, b.cpu_milli);
  least.memory_mib = std::min(a.memory_mib, b.memory_mib);
  for (std::size_t g = 0; g < least.free_milli.size(); ++g)
    least.free_milli[g] = std::min(a.free_milli[g], b.free_milli[g]);
  if (a.mig < 0) return least;
  for (std::size_t g = 0; g < static_cast<std::size_t>(a.gpus); ++g) {
    least.taken[g] = a.taken[g] | b.taken[g];
    least.free_milli[g] =
        static_cast<std::int16_t>(whole_gpu_milli - mig_layout(a.mig).milli(least.taken[g]));
  }
  return least;
}

/// A machine on which nothing fits.
inline Node absent_node() {
  Node n;
  n.cpu_milli = n.memory_mib = -1;
  return n;
}

}  // namespace natgpu::scheduling
