// SPDX-License-Identifier: Apache-2.0
// What accounts are entitled to of the GPUs that are up, exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/account_tree.hpp>

namespace natgpu::scheduling {

/// A part of all GPUs that are up.
struct Quota {
  Area part = 0, whole = 1;

  /// GPUs, rounded down: an account holds no more than its quota iff held x whole <= part x gpus, and that is
  /// iff it holds no more than this.
  std::int64_t of(std::int64_t gpus) const { return static_cast<std::int64_t>(part * gpus / whole); }
  /// The same in thousandths of a GPU, also rounded down: what is left of whole GPUs is parted once more, so
  /// that products stay below 2^127 here too.
  std::int64_t milli_of(std::int64_t gpus) const {
    const Area all = part * gpus;
    return static_cast<std::int64_t>(all / whole * 1000 + all % whole * 1000 / whole);
  }
};

/// Shares are counted in millionths, and those of siblings add up to so many at most: products of two levels
/// with any number of GPUs stay below 2^127.
inline constexpr double least_quota_share = 1e-6, most_quota_shares = 1e8;

/// Why quotas cannot be counted by these shares, for people; empty where they can. @pre two levels at most
std::string quota_flaw(const AccountTree& tree);

/// By node: its share among its siblings', times its parent's part. Inner nodes have none of their own.
/// @throws InvariantError on shares with a flaw
std::vector<Quota> quotas_of(const AccountTree& tree);

}  // namespace natgpu::scheduling
