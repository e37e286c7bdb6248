// SPDX-License-Identifier: Apache-2.0
// What a scenario and its log say that jobs need of machines, and what machines have.
#pragma once

#include <natgpu/demand/spec.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/scheduling/machine_tasks.hpp>
#include <natgpu/supply/fleet.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::simulation {

scheduling::MachineNeed need_of(const demand::MachineNeeds& stated);
/// Of a job of a log: its cores and memory by its GPUs, rounded up; none where the log does not say.
scheduling::MachineNeed need_of(const workload::LogJob& job);

/// Machines of a device, how many and what to expect on them left open.
scheduling::MachinePool machines_of(const supply::Device& device, scheduling::MigPosition position);

/// GPUs, or shares of one, that one machine of a pool holds at most.
std::int64_t most_on_machine(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                             std::uint32_t pool, const scheduling::MachineNeed& need);
/// GPUs, or shares of one, of the largest job of that need that all public machines of a pool hold together,
/// as planned.
std::int64_t most_in_pool(const scenario::Scenario& scenario, const supply::Fleet& fleet, std::uint32_t pool,
                          const scheduling::MachineNeed& need);

}  // namespace natgpu::simulation
