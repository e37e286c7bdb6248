// SPDX-License-Identifier: Apache-2.0
// National runs under orders that rank waiting jobs anew: wfp, unicef, multifactor and fairtree.
#include <natgpu/scheduling/dispatcher_for.hpp>

#include "ranked_anew.hpp"

namespace natgpu::simulation {
namespace {

struct Run {
  template <scheduling::Backfill B>
  static RunRecord with(const RunParts& parts) {
    return run_ranked_anew(parts, [](const DispatcherParts& p) {
      return scheduling::make_dispatcher<B>(p.pools(), p.groups.specs, p.arrivals_first(),
                                            p.scheduling.reservations);
    });
  }
};

}  // namespace

RunRecord run_in_moving_order(const RunParts& parts) {
  if (keeps_reservations(parts.scenario.scheduling.backfill))
    return Run::with<scheduling::Backfill::conservative>(parts);
  return run_under_backfill<Run>(parts);
}

}  // namespace natgpu::simulation
