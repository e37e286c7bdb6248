// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/time.hpp>

#include <natgpu/core/ensure.hpp>

namespace natgpu {

Duration ticks_from_seconds(double seconds) {
  NATGPU_ENSURE(seconds < 9.2e12, "a sampled time fits into 63 bits of ticks");  // false for NaN too
  const double ticks = seconds * static_cast<double>(ticks_per_second) + 0.5;
  return ticks < 1.0 ? one_tick : Duration{static_cast<std::int64_t>(ticks)};
}

}  // namespace natgpu
