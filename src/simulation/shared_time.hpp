// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/time.hpp>

#include "accounts.hpp"

namespace natgpu::simulation {

/// GPU-time that a job has had of shared GPUs since it last started, by quarter. Settlement takes it up again
/// in the order in which the job had it.
class SharedTime {
 public:
  /// @param total  all that the job has had until now, this quarter being the last
  /// @returns what is new of it
  Area grow(std::uint16_t quarter, Area total) {
    const Area fresh = total - total_;
    if (fresh > 0) lots_.push_back({quarter, fresh});
    total_ = total;
    return fresh;
  }
  /// @param ticks  of the job's service, which the GPU-time is that of, up to rounding
  void close(std::int64_t ticks, std::int32_t gpus) {
    ticks_ = ticks;
    gpus_ = gpus;
  }

  std::int64_t ticks() const { return ticks_; }
  /// Takes the GPU-time of the ticks [from, until) of service; with the last of them all that is left.
  /// @pre `from` is where the last call ended
  template <class Take>
  void each(std::int64_t, std::int64_t until, Take&& take) {
    Area left = until == ticks_ ? total_ - taken_ : std::min(Area{until} * gpus_, total_) - taken_;
    taken_ += left;
    while (left > 0) {
      Lot& lot = lots_[next_];
      const Area part = std::min(left, lot.area);
      take(lot.quarter, part);
      left -= part;
      lot.area -= part;
      if (lot.area == 0) ++next_;
    }
  }

 private:
  struct Lot {
    std::uint16_t quarter;
    Area area;
  };
  std::vector<Lot> lots_;
  Area total_ = 0, taken_ = 0;
  std::size_t next_ = 0;
  std::int64_t ticks_ = 0;
  std::int32_t gpus_ = 0;
};

/// The same of all running jobs, and of pools in the present quarter.
class SharedTimes {
 public:
  explicit SharedTimes(std::size_t pools) : pools_(pools) {}

  /// @param total  all GPU-ticks that the job has had until now, rounded down
  void note(std::uint32_t slot, std::uint32_t pool, std::uint16_t quarter, Area total) {
    if (times_.size() <= slot) times_.resize(slot + std::size_t{1});
    pools_[pool].area += times_[slot].grow(quarter, total);
    ++pools_[pool].notes;
  }
  SharedTime& of(std::uint32_t slot) { return times_[slot]; }
  SharedTime take(std::uint32_t slot) { return std::exchange(times_[slot], {}); }
  /// Closes the pool's quarter. What cannot be divided evenly, less than a GPU-tick for each note, was idle.
  void close(std::uint32_t pool, PoolAreas& a) {
    const Pool had = std::exchange(pools_[pool], {});
    const Area odd = a.allocated - had.area, by_pace = a.in_service >> 40;
    NATGPU_ENSURE(-by_pace <= odd && odd <= had.notes + by_pace, "shared GPU-time is what was divided");
    a.allocated -= odd;
    a.idle += odd;
  }

 private:
  struct Pool {
    Area area = 0;
    std::int64_t notes = 0;
  };
  std::vector<Pool> pools_;
  std::vector<SharedTime> times_;  ///< by slot
};

}  // namespace natgpu::simulation
