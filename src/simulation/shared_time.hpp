// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>

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

}  // namespace natgpu::simulation
