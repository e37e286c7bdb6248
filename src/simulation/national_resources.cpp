// SPDX-License-Identifier: Apache-2.0
#include "national_resources.hpp"

namespace natgpu::simulation {

scheduling::SharedResources resources_of(const DispatcherParts& p) {
  const bool one = p.scheduling.order == scheduling::Order::maxmin;
  const std::vector<std::int64_t> planned = planned_units(p.fleet);
  scheduling::SharedResources shared;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const auto type = static_cast<std::uint32_t>(one ? 0 : p.fleet.pools()[i].device);
    if (type >= shared.sizes.size()) shared.sizes.resize(type + std::size_t{1});
    shared.sizes[type] = one ? 1 : shared.sizes[type] + planned[i];
    shared.gpus_of.push_back(type);
  }
  shared.sizes.insert(shared.sizes.end(), {0, 0});
  return shared;
}

}  // namespace natgpu::simulation
