// SPDX-License-Identifier: Apache-2.0
// National runs in the node view under easy-sjbf, in every order that goes with it.
#include "machine_run.hpp"
#include "ranked_anew.hpp"

namespace natgpu::simulation {

RunRecord run_on_machines_shortest_first(const RunParts& parts) {
  constexpr auto make = machine_dispatcher<scheduling::Backfill::easy_sjbf>;
  return moves(parts.scenario.scheduling.order) ? run_ranked_anew(parts, make) : run_national(parts, make);
}

}  // namespace natgpu::simulation
