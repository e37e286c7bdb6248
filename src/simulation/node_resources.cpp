// SPDX-License-Identifier: Apache-2.0
#include "node_resources.hpp"

#include <algorithm>

#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::simulation {

scheduling::MachineResources resources_of(const workload::NodeList& machines, bool one) {
  if (one) return {{{scheduling::whole_gpu_milli, 0, 0}, {0}}, {}};
  scheduling::MachineResources all;
  const std::size_t types = std::max<std::size_t>(machines.gpu_types.size(), 1);
  std::vector<std::int64_t>& sizes = all.shared.sizes;
  sizes.resize(types + 2);
  for (const workload::LogNode& n : machines.nodes) {
    const auto type = static_cast<std::uint32_t>(std::max<std::int16_t>(n.gpu_type, 0));
    all.gpus_of_machine.push_back(type);
    sizes[type] += static_cast<std::int64_t>(n.gpus) * scheduling::whole_gpu_milli;
    if (!machines.states_cores) continue;
    sizes[types] += n.cpu_milli;
    sizes[types + 1] += n.memory_mib;
  }
  return all;
}

}  // namespace natgpu::simulation
