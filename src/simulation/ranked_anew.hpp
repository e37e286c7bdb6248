// SPDX-License-Identifier: Apache-2.0
// National runs under orders that rank waiting jobs anew, over any dispatcher that lets them be withdrawn.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <natgpu/scheduling/moving_order.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {

/// wfp and unicef, or multifactor and fairtree.
/// @param base  base(DispatcherParts): the dispatcher that the order ranks for
template <class Base>
RunRecord run_ranked_anew(const RunParts& parts, Base&& base) {
  using Dispatcher = decltype(base(std::declval<const DispatcherParts&>()));
  const scheduling::Scheduling& s = parts.scenario.scheduling;
  if (!by_use(s.order))
    return run_national(parts, [&base](const DispatcherParts& p) {
      return scheduling::MovingOrder<Dispatcher>(base(p), p.scheduling.order, p.scheduling.recalc.count());
    });
  return run_national(parts, [&base](const DispatcherParts& p) {
    const std::vector<std::int64_t> planned = planned_units(p.fleet);
    scheduling::FairShare rule(p.scheduling.order, p.accounts.tree, fair_share_rule(p.scheduling.fair_share),
                               std::accumulate(planned.begin(), planned.end(), std::int64_t{0}));
    return scheduling::MovingOrder<Dispatcher, scheduling::FairShare>(base(p), std::move(rule),
                                                                      p.scheduling.recalc.count());
  });
}

}  // namespace natgpu::simulation
