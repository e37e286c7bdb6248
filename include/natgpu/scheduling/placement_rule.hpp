// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace natgpu::scheduling {

/// Which machine a task goes to.
enum class Placement : std::uint8_t { first, best, worst, random, fgd, consolidated, lowest_id };

struct PlacementRule {
  Placement placement;
  std::string_view name;    ///< as users write it
  std::string_view rule;    ///< in one line
  std::string_view source;  ///< who published it
  bool of_gangs;            ///< differs from others for jobs of several parts only
};
/// All rules, in the order of their values.
std::span<const PlacementRule> placement_rules();

}  // namespace natgpu::scheduling
