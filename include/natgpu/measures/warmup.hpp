// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace natgpu::measures {

/// Observations that MSER-5 takes together.
inline constexpr std::size_t warmup_batch = 5;
/// Fewer batches than that tell nothing.
inline constexpr std::size_t fewest_batches = 10;

/// Observations at the start of a series to be left out before a mean over the rest is taken: those that
/// leave the mean's estimated standard error smallest, in batches of five (MSER-5). Source: White, Cobb &
/// Spratt, "A comparison of five steady-state truncation heuristics for simulation", WSC 2000. The last five
/// batches always stay (Hoad, Robinson & Davies, JORS 61, 2010), and of longer series the last fifth: few
/// values that happen to lie close together would else win, and one run in some hundred be refused for it.
/// @returns none where that is more than half of the series, or where it has fewer than ten batches: it is
/// too short
std::optional<std::size_t> mser5(const std::vector<double>& series);

}  // namespace natgpu::measures
