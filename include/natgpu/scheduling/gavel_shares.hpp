// SPDX-License-Identifier: Apache-2.0
// Target shares of time of jobs on one type of GPU, under gavel-las and gavel-ftf.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// A job that is to have a share of the time. Times in any one unit; those below count for gavel-ftf alone.
struct ShareClaim {
  std::int64_t gpus = 1;  ///< of its gang
  double weight = 1;      ///< positive
  double elapsed = 0;     ///< since its submission
  double remaining = 0;   ///< work still to do; positive
  double isolated = 0;    ///< what the job would take, from its submission to its end, with its fair share
};

/// The part of the time that a job would have its gang if each had its part of the GPUs to itself, by weight.
/// @returns above 0, at most 1
double isolated_share(double gpus, double weight_of_all, const ShareClaim& claim);

/// Shares of time, each from 0 to 1, whose GPUs add up to `gpus` at most.
///
/// gavel-las: the least of share x GPUs / weight is as large as can be, then the next, and so on: max-min
/// fair GPUs. gavel-ftf: the largest of (elapsed + remaining / share) / isolated is as small as can be, then
/// the next, and so on. Gavel's own programs leave open what becomes of those that are not last. Sources:
/// Narayanan et al., OSDI 2020, sections 4.1 and 4.2; Mahajan et al., Themis, NSDI 2020 (gavel-ftf). Cost:
/// O(n log n); gavel-ftf O(n) for each bit of a double. Exact up to the rounding of doubles.
/// @param gpus  of the pool, positive
std::vector<double> time_shares(Order order, double gpus, const std::vector<ShareClaim>& claims);

/// Shares are rounded to multiples of 2^-20 before they rank anybody, so that the last bits of a sum decide
/// nothing. The least is one multiple.
inline constexpr std::int64_t whole_share = std::int64_t{1} << 20;
std::int64_t on_grid(double share);

/// A mark moves by so much while a job of this share receives so many ticks, rounded down.
/// @param share  over whole_share, at least 1
inline std::int64_t mark_moves(std::int64_t received, std::int64_t share) {
  return static_cast<std::int64_t>(static_cast<Area>(received) * whole_share / share);
}

}  // namespace natgpu::scheduling
