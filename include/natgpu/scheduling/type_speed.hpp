// SPDX-License-Identifier: Apache-2.0
// Work and time on GPUs of a type, in whole ticks.
#pragma once

#include <cstdint>

#include <natgpu/core/time.hpp>

namespace natgpu::scheduling {

/// Speeds are millionths: at `unit_speed` a tick of work takes a tick.
inline constexpr std::int64_t unit_speed = 1'000'000;

/// Work done in so much time, rounded down.
inline std::int64_t work_in(std::int64_t ticks, std::int64_t speed) {
  return speed == unit_speed ? ticks
                             : static_cast<std::int64_t>(static_cast<Area>(ticks) * speed / unit_speed);
}
/// Time for so much work, rounded up. @pre speed above 0
inline std::int64_t time_for(std::int64_t work, std::int64_t speed) {
  return speed == unit_speed
             ? work
             : static_cast<std::int64_t>((static_cast<Area>(work) * unit_speed + speed - 1) / speed);
}

}  // namespace natgpu::scheduling
