// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/supply/fleet.hpp>

#include "job_groups.hpp"

namespace natgpu::simulation {

/// What a gang on more machines than the fewest takes, as stated, in thousandths; 0: not stated.
std::int64_t stated_slowdown(const scheduling::Scheduling& s);

/// The machines of each pool that government's users may ever reach, and what to expect of jobs on them: each
/// batch class that accepts the pool as often as sectors that are all there would ask for it, its GPUs by a
/// thousand equal steps through their law. A gang counts as its parts: full machines, and one for the rest.
scheduling::MachineSettings machine_settings(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                                             const JobGroups& groups);

}  // namespace natgpu::simulation
