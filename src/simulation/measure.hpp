// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <natgpu/demand/population.hpp>
#include <natgpu/simulation/record.hpp>
#include <natgpu/supply/fleet.hpp>

#include "accounts.hpp"
#include "job_groups.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// All books of a run that is over.
struct Books {
  const World& world;
  const supply::Fleet& fleet;
  const demand::Population& population;
  const JobGroups& groups;
  const DispatchBooks& dispatch;
  const SupplyBooks& supply;
  const DemandBooks& demand;
  const ReplicaCounts& replicas;
};

/// The identities of a GPU-hour's path, in integers: what a run must conserve.
/// @throws InvariantError naming the identity, the period and the pool or sector
void check_conservation(const Books& books);

/// Every number of the run, in a fixed order.
std::vector<measures::Measurement> measure(const Books& books);

}  // namespace natgpu::simulation
