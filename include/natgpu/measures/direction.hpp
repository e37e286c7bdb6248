// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <natgpu/measures/metric.hpp>

namespace natgpu::measures {

/// Which way a metric should move, all else equal.
enum class Better : std::uint8_t { higher, lower, neither };

/// A metric with a side to it. Those that have none (counts of arrivals, energy that use brings with it) are
/// not in the table.
struct Direction {
  std::string_view metric;
  Better better = Better::neither;
  bool headline = false;  ///< compared where nothing else is asked for
};

const std::vector<Direction>& directions();

/// Of a metric with these labels: capacity in a state on the way to use has a side, idle or dark capacity has
/// none.
Better better_of(std::string_view metric, const Labels& labels);

/// "higher", "lower", "neither"
std::string_view name_of(Better better);

}  // namespace natgpu::measures
