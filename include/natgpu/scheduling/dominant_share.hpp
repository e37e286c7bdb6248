// SPDX-License-Identifier: Apache-2.0
// Who holds how much of the machine: the shares that drf and maxmin keep even.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::scheduling {

/// Amounts of what a machine has: GPUs, thousandths of a core, MiB of main memory.
inline constexpr std::size_t resources = 3;
using Amounts = std::array<std::int64_t, resources>;

/// An account's dominant share over its weight: of the resources that count, the largest part of the
/// machine's that it holds. Source: Ghodsi et al., Dominant Resource Fairness, NSDI 2011. With GPUs alone,
/// this ranks as GPUs held over weight does (max-min).
/// @param held, machine  of `n` resources; of the machine 0: the resource does not count
inline double dominant_share(const std::int64_t* held, const std::int64_t* machine, std::size_t n,
                             double weight) {
  double share = 0;
  for (std::size_t r = 0; r < n; ++r)
    if (machine[r] > 0)
      share = std::max(share, static_cast<double>(held[r]) / (static_cast<double>(machine[r]) * weight));
  return share;
}
inline double dominant_share(const Amounts& held, const Amounts& machine, double weight) {
  return dominant_share(held.data(), machine.data(), resources, weight);
}

/// A user of `progressive_picks`, with tasks without end.
struct TaskUser {
  Amounts task{};  ///< that each task takes
  double weight = 1;
};

/// Fills a machine task by task: the user whose dominant share over weight is least is next, ties to the one
/// that stands first; one whose next task does not fit drops out. @returns users in the order of their tasks
/// @throws InvariantError on a task that takes nothing of what the machine has
std::vector<std::size_t> progressive_picks(const Amounts& machine, const std::vector<TaskUser>& users);

}  // namespace natgpu::scheduling
