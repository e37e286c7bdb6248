// SPDX-License-Identifier: Apache-2.0
// National runs under orders that rank waiting jobs anew: wfp, unicef, multifactor and fairtree.
#include <numeric>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/moving_order.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;

template <Backfill B>
scheduling::Dispatcher<B> dispatcher(const DispatcherParts& p) {
  return {p.pools(), p.groups.specs, p.arrivals_first()};
}

template <Backfill B>
RunRecord run(const RunParts& parts) {
  const scheduling::Scheduling& s = parts.scenario.scheduling;
  if (!by_use(s.order))
    return run_national(parts, [](const DispatcherParts& p) {
      return scheduling::MovingOrder<scheduling::Dispatcher<B>>(dispatcher<B>(p), p.scheduling.order,
                                                                p.scheduling.recalc.count());
    });
  return run_national(parts, [](const DispatcherParts& p) {
    const std::vector<std::int64_t> planned = planned_units(p.fleet);
    scheduling::FairShare rule(p.scheduling.order, p.accounts.tree, fair_share_rule(p.scheduling.fair_share),
                               std::accumulate(planned.begin(), planned.end(), std::int64_t{0}));
    return scheduling::MovingOrder<scheduling::Dispatcher<B>, scheduling::FairShare>(
        dispatcher<B>(p), std::move(rule), p.scheduling.recalc.count());
  });
}

}  // namespace

RunRecord run_in_moving_order(const RunParts& parts) {
  switch (parts.scenario.scheduling.backfill) {
    case Backfill::none:
      return run<Backfill::none>(parts);
    case Backfill::fit:
      return run<Backfill::fit>(parts);
    case Backfill::easy:
      return run<Backfill::easy>(parts);
    default:
      NATGPU_ENSURE(false, "reservations beside the head's are refused where the order moves");
  }
}

}  // namespace natgpu::simulation
