// SPDX-License-Identifier: Apache-2.0
// National runs under easy-sjbf, in every order that keeps what runs and asks for no account's holdings.
#include <natgpu/scheduling/dispatcher.hpp>

#include "ranked_anew.hpp"

namespace natgpu::simulation {

RunRecord run_shortest_first(const RunParts& parts) {
  const auto make = [](const DispatcherParts& p) {
    return scheduling::Dispatcher<scheduling::Backfill::easy_sjbf>(p.pools(), p.groups.specs,
                                                                   p.arrivals_first());
  };
  return moves(parts.scenario.scheduling.order) ? run_ranked_anew(parts, make) : run_national(parts, make);
}

}  // namespace natgpu::simulation
