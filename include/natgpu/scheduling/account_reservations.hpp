// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <natgpu/scheduling/accounted_machine.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// What a pass of drf or maxmin under easy keeps for blocked jobs: in each pool one reservation at most, for
/// the first that claims it (docs/decisions/0005).
class AccountReservations {
 public:
  using Pools = std::vector<AccountedMachine>;

  AccountReservations(std::size_t pools, const std::vector<GroupSpec>& groups)
      : reserved_(pools), fastest_(pools) {
    for (const GroupSpec& g : groups)
      for (const PoolChoice& c : g.choices) fastest_[c.pool] = std::max(fastest_[c.pool], c.speed);
  }

  void clear() { std::fill(reserved_.begin(), reserved_.end(), std::nullopt); }
  /// Whether a pool that may hold a job is without one.
  bool any_open(const Pools& pools) const {
    for (std::size_t p = 0; p < pools.size(); ++p)
      if (!reserved_[p] && pools[p].may_hold()) return true;
    return false;
  }
  /// A blocked job claims the pool of its earliest end, and gets it if nobody has it.
  /// @param requested  on the reference device
  void claim(const Pools& pools, const std::vector<PoolChoice>& choices, const Amounts& amounts,
             std::int64_t requested) {
    const PoolChoice* best = nullptr;
    Reserved first{0, Profile::forever, amounts};
    for (const PoolChoice& c : choices) {
      const std::int64_t length = time_at_speed(requested, c.speed);
      const std::int64_t at = pools[c.pool].hole(amounts, length);
      if (at == Profile::forever || at + length >= first.until) continue;
      best = &c;
      first.shadow = at;
      first.until = at + length;
    }
    if (best != nullptr && !reserved_[best->pool]) reserved_[best->pool] = first;
  }
  /// Whether what fits in a pool for so long does so beside its reservation, too.
  bool leaves(const Pools& pools, std::uint32_t pool, const Amounts& asked, std::int64_t length) const {
    const std::optional<Reserved>& r = reserved_[pool];
    const std::int64_t end = pools[pool].now() + length;
    return !r || end <= r->shadow ||
           pools[pool].leaves(asked, r->shadow, std::min(end, r->until), r->amounts);
  }
  /// What is worth looking at: no more GPUs than are free in a pool, and no longer than its reservation
  /// allows.
  Sieve sieve(const Pools& pools) const {
    Sieve s;
    for (std::size_t p = 0; p < pools.size(); ++p) {
      const std::int64_t available = pools[p].available_gpus();
      const std::optional<Reserved>& r = reserved_[p];
      s.largest = std::max(s.largest, available);
      const std::int64_t spare = r ? pools[p].gpus_at(r->shadow) - r->amounts[0] : available;
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= available; ++size)
        s.admit(size, std::int64_t{1} << size <= spare
                          ? Sieve::any
                          : longest_request(r->shadow - pools[p].now(), fastest_[p]));
    }
    return s;
  }

 private:
  /// Amounts of a pool that are kept for a blocked job from its shadow to its requested end.
  struct Reserved {
    std::int64_t shadow, until;
    Amounts amounts;
  };
  std::vector<std::optional<Reserved>> reserved_;  ///< by pool
  std::vector<double> fastest_;                    ///< by pool: the greatest speed of a job there
};

}  // namespace natgpu::scheduling
