// SPDX-License-Identifier: Apache-2.0
// When jobs of a replay whose GPUs may be taken back start and end, in seconds, and how often each loses
// them.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>

namespace natgpu::testing {

// The words of replays, for tests that use this namespace.
using scheduling::Backfill;
using scheduling::Order;
using simulation::ReplayOptions;
using simulation::ReplayResult;

using Seconds = std::vector<double>;
using Counts = std::vector<std::uint32_t>;

inline Seconds starts(const ReplayResult& r) {
  Seconds s;
  for (const auto& j : r.segmented) s.push_back(static_cast<double>(j.start) / ticks_per_second);
  return s;
}
inline Seconds ends(const ReplayResult& r) {
  Seconds s;
  for (const auto& j : r.segmented) s.push_back(static_cast<double>(j.end) / ticks_per_second);
  return s;
}
inline Counts preemptions(const ReplayResult& r) {
  Counts n;
  for (const auto& j : r.segmented) n.push_back(j.preemptions);
  return n;
}

}  // namespace natgpu::testing
