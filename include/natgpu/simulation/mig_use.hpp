// SPDX-License-Identifier: Apache-2.0
// Which GPUs of a list of machines are cut by MIG, and what became of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scheduling/mig.hpp>
#include <natgpu/workload/node_list.hpp>

namespace natgpu::simulation {

/// The layout of each GPU type of a list, by its place there; a list without types has one.
struct MigUse {
  std::vector<std::int8_t> layouts;  ///< numbers of scheduling::mig_layout(); -1: in thousandths. Empty: all

  bool any() const { return !layouts.empty(); }
  std::int8_t layout_of(int type) const {
    return type >= 0 && static_cast<std::size_t>(type) < layouts.size()
               ? layouts[static_cast<std::size_t>(type)]
               : std::int8_t{-1};
  }
};
/// "MIG A100-40GB, positions most-left", or by type "MIG G2=A100-40GB, positions first"; empty without MIG.
std::string in_words(const MigUse& use, const workload::NodeList& cluster);

/// Starts of instances of one profile.
struct MigStarts {
  int layout = 0;
  std::size_t profile = 0;
  std::uint64_t starts = 0;
};

/// Instances that were started.
class MigCount {
 public:
  /// @param gpu_milli  what the job asked of one GPU
  void add(int layout, std::int32_t gpu_milli);
  /// Those that were started at all, in the order of the tables and their profiles.
  std::vector<MigStarts> starts() const;

 private:
  std::vector<std::array<std::uint64_t, scheduling::MigLayout::most_profiles>> starts_;  ///< by layout
};

}  // namespace natgpu::simulation
