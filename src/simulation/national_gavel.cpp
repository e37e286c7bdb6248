// SPDX-License-Identifier: Apache-2.0
// National runs under gavel-las and gavel-ftf.
#include "national_gavel.hpp"

#include <algorithm>

#include <natgpu/scheduling/typed_gavel.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {

std::vector<std::uint32_t> types_of(const std::vector<supply::Pool>& pools) {
  std::vector<std::uint32_t> devices;
  for (const supply::Pool& p : pools) devices.push_back(p.device);
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  std::vector<std::uint32_t> types;
  for (const supply::Pool& p : pools)
    types.push_back(static_cast<std::uint32_t>(std::lower_bound(devices.begin(), devices.end(), p.device) -
                                               devices.begin()));
  return types;
}

RunRecord run_by_target(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::TypedGavelDispatcher(preemptive_rule(p.scheduling), types_of(p.fleet.pools()),
                                            p.groups.specs);
  });
}

}  // namespace natgpu::simulation
