// SPDX-License-Identifier: Apache-2.0
// National runs in the node view in which jobs lose their machines to others.
#include "machine_run.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {

RunRecord run_on_machines_with_preemption(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::PreemptiveMachines(machine_settings(p.scenario, p.fleet, p.groups),
                                          p.streams.open("nodes", "placement"),
                                          preemptive_rule(p.scheduling));
  });
}

}  // namespace natgpu::simulation
