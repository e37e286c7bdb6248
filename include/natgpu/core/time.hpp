// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace natgpu {

struct SimClock;  ///< Tag: simulated, not wall, time.

/// Ticks of one microsecond, exact. Six years are 1.9e14 ticks; 2^63 are 292,000 years.
using Duration = std::chrono::duration<std::int64_t, std::micro>;
/// Ticks since the scenario's start.
using Instant = std::chrono::time_point<SimClock, Duration>;

inline constexpr Instant never = Instant::max();
inline constexpr Duration endless = Duration::max();
inline constexpr Duration one_tick{1};
inline constexpr std::int64_t ticks_per_second = 1'000'000;

constexpr Duration seconds(std::int64_t s) { return Duration{s * ticks_per_second}; }
constexpr Duration hours(std::int64_t h) { return seconds(h * 3600); }
constexpr Duration days(std::int64_t d) { return hours(d * 24); }

/// Fractions for statistics only: never fed back into a schedule.
constexpr double in_seconds(Duration d) { return static_cast<double>(d.count()) * 1e-6; }
constexpr double in_hours(Duration d) { return in_seconds(d) / 3600.0; }

/// Rounds sampled seconds to ticks once, at least one tick. @pre seconds is finite and below 9.2e12.
Duration ticks_from_seconds(double seconds);

/// Areas (GPUs x ticks) pass 2^63 within a scenario of national size.
__extension__ typedef __int128 Area;

/// Area in GPU-hours, for statistics only.
constexpr double in_gpu_hours(Area a) { return static_cast<double>(a) / (3600.0 * 1e6); }

}  // namespace natgpu
