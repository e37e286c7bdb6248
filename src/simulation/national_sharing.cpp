// SPDX-License-Identifier: Apache-2.0
#include "national_sharing.hpp"

#include "national_run.hpp"

namespace natgpu::simulation {

RunRecord run_with_sharing(const RunParts& parts) {
  if (parts.scenario.scheduling.sharing == scheduling::Sharing::gang)
    return run_national(
        parts, [](const DispatcherParts& p) { return pools_shared_in_turns(p.scheduling, p.groups); });
  return run_national(parts,
                      [](const DispatcherParts& p) { return pools_shared_at_once(p.scheduling, p.groups); });
}

}  // namespace natgpu::simulation
