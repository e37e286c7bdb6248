// SPDX-License-Identifier: Apache-2.0
// Orders that rank running and waiting jobs together: srtf, srsf, las, las2d, gavel-las and gavel-ftf.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// How far a waiting job has come. Times are ticks.
struct Progress {
  std::int64_t remaining = 0;  ///< work still to do, of what was requested (exact estimates: of the run time)
  std::int64_t attained = 0;   ///< time on GPUs so far, restarts and lost work included
  std::int64_t restart = 0;    ///< what the next start costs before work goes on
};

/// A preemptive order and its numbers. Times are ticks.
struct PreemptiveRule {
  Order order = Order::srtf;
  bool skips = true;         ///< a job that does not fit is passed over; else it ends the choice
  std::int64_t quantum = 0;  ///< of las; at least 1 there
  std::vector<Area> limits;  ///< of las2d: GPU-ticks at which a job leaves each queue, rising
  std::int64_t promote = 0;  ///< of las2d: a wait of so many times the service attained leads to the first
                             ///< queue; 0: nothing does
  std::int64_t shield = 0;   ///< nobody is preempted before so long after a start
  std::int64_t notice = 0;   ///< from a preemption to the return of the GPUs
  std::int64_t round = 0;    ///< passes at multiples of it alone; 0: whenever something happens, which
                             ///< gavel-las and gavel-ftf do not know
  friend bool operator==(const PreemptiveRule&, const PreemptiveRule&) = default;
};

/// The queue of las2d that so much service leads to, the first being 0.
inline std::size_t queue_of(const PreemptiveRule& rule, Area gpu_ticks) {
  std::size_t q = 0;
  while (q < rule.limits.size() && gpu_ticks >= rule.limits[q]) ++q;
  return q;
}

/// Whom the smallest belongs to stands first; ties go to the earlier submission. Sources: Schrage & Miller,
/// Oper. Res. 14(4), 1966 (srtf); Gu et al., Tiresias, NSDI 2019 (srsf, las2d); Kleinrock, Queueing Systems
/// II, 1976 (las, in quanta).
/// @param served  ticks on GPUs, since the last promotion
inline std::int64_t rank(const PreemptiveRule& rule, std::int64_t remaining, std::int64_t served,
                         std::int64_t gpus) {
  switch (rule.order) {
    case Order::srsf: {
      const Area area = static_cast<Area>(remaining) * gpus;
      return static_cast<std::int64_t>(std::min<Area>(area, std::numeric_limits<std::int64_t>::max()));
    }
    case Order::las:
      return served / rule.quantum;
    case Order::las2d:
      return static_cast<std::int64_t>(queue_of(rule, static_cast<Area>(served) * gpus));
    default:
      return remaining;
  }
}

/// Ticks of running after which the rank of a job gets worse, or `never`.
inline std::int64_t until_worse(const PreemptiveRule& rule, std::int64_t served, std::int64_t gpus) {
  if (rule.order == Order::las) return rule.quantum - served % rule.quantum;
  if (rule.order == Order::las2d) {
    const Area attained = static_cast<Area>(served) * gpus;
    const std::size_t q = queue_of(rule, attained);
    if (q < rule.limits.size())
      return static_cast<std::int64_t>((rule.limits[q] - attained + gpus - 1) / gpus);
  }
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace natgpu::scheduling
