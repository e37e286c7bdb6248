// SPDX-License-Identifier: Apache-2.0
// National runs under a policy of someone else's that says who starts.
#include <natgpu/scheduling/plugged.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {

RunRecord run_plugged(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    const scheduling::PreemptionSettings& settings = p.scheduling.preemption;
    const bool once_an_instant = p.scheduling.semantics.pass == scheduling::PassRule::instant;
    return scheduling::PluggedDispatcher(p.scenario.plugged_order, p.streams.open("policy", "plugged"),
                                         p.pools(), p.groups.specs, p.arrivals_first(),
                                         {once_an_instant, settings.shield.count(), settings.notice.count()});
  });
}

}  // namespace natgpu::simulation
