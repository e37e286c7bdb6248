// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace natgpu::scheduling {

/// Pools in a pass that gives GPUs by turn, those of running jobs too: what each has still to give, and who
/// must go for it.
class PoolLots {
 public:
  /// Turns of tenants who have none, behind all others; and of nobody.
  static constexpr std::size_t no_turn = std::numeric_limits<std::size_t>::max() - 1, nobody = no_turn + 1;

  explicit PoolLots(std::size_t pools) : lots_(pools) {}

  /// @param idle  GPUs that nobody runs on
  void open(std::uint32_t pool, std::int64_t idle) {
    lots_[pool].left = lots_[pool].spare = idle;
    lots_[pool].tenants.clear();
  }
  /// A running job that may have to go. @param turn  never falls from one of a pool to the next
  void add_tenant(std::uint32_t pool, std::size_t turn, std::int64_t gpus) {
    lots_[pool].left += gpus;
    lots_[pool].tenants.push_back({turn, gpus});
  }
  bool has(std::uint32_t pool, std::int64_t gpus) const { return gpus <= lots_[pool].left; }
  /// A tenant stays.
  void keep(std::uint32_t pool, std::int64_t gpus) { lots_[pool].left -= gpus; }
  /// Somebody gets GPUs who has none in the pool.
  void give(std::uint32_t pool, std::int64_t gpus) {
    lots_[pool].left -= gpus;
    lots_[pool].spare -= gpus;
  }
  /// The turn of the first who must go, if those go whose turn is last, for somebody to get so many GPUs.
  std::size_t first_to_go(std::uint32_t pool, std::int64_t gpus) const {
    const Lot& lot = lots_[pool];
    std::size_t turn = nobody;
    std::int64_t lacking = gpus - lot.spare;
    for (std::size_t i = lot.tenants.size(); i-- > 0 && lacking > 0; lacking -= lot.tenants[i].gpus)
      turn = lot.tenants[i].turn;
    return turn;
  }

 private:
  struct Tenant {
    std::size_t turn;
    std::int64_t gpus;
  };
  struct Lot {
    std::int64_t left = 0;
    std::int64_t spare = 0;       ///< idle GPUs less what was given; below 0: tenants must go
    std::vector<Tenant> tenants;  ///< by turn
  };
  std::vector<Lot> lots_;
};

}  // namespace natgpu::scheduling
