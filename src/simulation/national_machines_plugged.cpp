// SPDX-License-Identifier: Apache-2.0
// National runs in the node view under a policy of someone else's that says who starts.
#include "machine_run.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {

RunRecord run_plugged_on_machines(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    const bool once_an_instant = p.scheduling.semantics.pass == scheduling::PassRule::instant;
    return scheduling::PluggedMachines(
        machine_settings(p.scenario, p.fleet, p.groups), p.streams.open("nodes", "placement"),
        p.scenario.plugged_order, p.streams.open("policy", "plugged"),
        scheduling::PluggedPreemption{once_an_instant, p.scheduling.preemption.shield.count(), 0});
  });
}

}  // namespace natgpu::simulation
