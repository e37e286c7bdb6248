// SPDX-License-Identifier: Apache-2.0
// National runs without a queue: jobs share GPUs in time.
#pragma once

#include <algorithm>
#include <vector>

#include <natgpu/scheduling/sharing.hpp>

#include "job_groups.hpp"
#include "national.hpp"
#include "sharing_process.hpp"

namespace natgpu::simulation {

template <class Sharing>
struct ProcessesUnder<SharedPools<Sharing>> {
  using Dispatch = SharingProcess<Sharing>;
  using Capacity = CapacityByCount<Dispatch>;
};

inline std::vector<double> weights_by_class(const std::vector<scheduling::SharingWeight>& stated,
                                            const JobGroups& groups) {
  std::vector<double> weights;
  for (const JobClass& c : groups.classes) {
    const auto named = std::find_if(stated.begin(), stated.end(),
                                    [&](const scheduling::SharingWeight& w) { return w.name == c.name; });
    weights.push_back(named != stated.end() ? named->weight : 1);
  }
  return weights;
}

inline SharedPools<scheduling::ProcessorSharing> pools_shared_at_once(const scheduling::Scheduling& s,
                                                                      const JobGroups& groups) {
  SharedPools<scheduling::ProcessorSharing> shared;
  for (std::size_t p = 0; p < groups.pools; ++p) shared.pools.emplace_back(0);
  shared.weights = weights_by_class(s.weights, groups);
  return shared;
}
inline SharedPools<scheduling::GangSharing> pools_shared_in_turns(const scheduling::Scheduling& s,
                                                                  const JobGroups& groups) {
  SharedPools<scheduling::GangSharing> shared;
  for (std::size_t p = 0; p < groups.pools; ++p) shared.pools.emplace_back(0, s.quantum.count());
  shared.weights = weights_by_class({}, groups);
  return shared;
}

}  // namespace natgpu::simulation
