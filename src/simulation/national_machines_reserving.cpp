// SPDX-License-Identifier: Apache-2.0
// National runs in the node view whose waiting jobs hold reservations, all of them or the first of the queue.
#include "machine_run.hpp"
#include "ranked_anew.hpp"

namespace natgpu::simulation {

RunRecord run_on_machines_with_reservations(const RunParts& parts) {
  const auto make = [](const DispatcherParts& p) {
    return scheduling::ConservativeMachines(machine_settings(p.scenario, p.fleet, p.groups),
                                            p.streams.open("nodes", "placement"), p.scheduling.reservations);
  };
  return moves(parts.scenario.scheduling.order) ? run_ranked_anew(parts, make) : run_national(parts, make);
}

}  // namespace natgpu::simulation
