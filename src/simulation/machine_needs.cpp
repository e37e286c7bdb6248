// SPDX-License-Identifier: Apache-2.0
#include "machine_needs.hpp"

#include <algorithm>
#include <cmath>

#include <natgpu/core/ensure.hpp>

namespace natgpu::simulation {
namespace {

constexpr double mib_per_gb = 1e9 / (1 << 20);
constexpr double rounding = 1e-9;  // what is typed in decimal is meant as typed

std::int32_t at_least(double x) {
  return static_cast<std::int32_t>(std::ceil(x - rounding));
}
std::int32_t at_most(double x) {
  return static_cast<std::int32_t>(std::floor(x + rounding));
}
std::int32_t for_each_gpu(std::int32_t of_job, std::int32_t gpus) {
  return of_job <= 0 ? 0 : (of_job - 1) / gpus + 1;
}

}  // namespace

scheduling::MachineNeed need_of(const demand::MachineNeeds& stated) {
  scheduling::MachineNeed need;
  need.gpu_milli = static_cast<std::int32_t>(std::lround(stated.gpu_share * scheduling::whole_gpu_milli));
  need.cpu_milli = at_least(stated.cores_per_gpu * 1000);
  need.memory_mib = at_least(stated.memory_gb_per_gpu * mib_per_gb);
  return need;
}

scheduling::MachineNeed need_of(const workload::LogJob& job) {
  scheduling::MachineNeed need;
  const std::int32_t gpus = std::max(job.gpus, 1);
  if (gpus == 1) need.gpu_milli = job.gpu_milli;
  need.cpu_milli = for_each_gpu(job.cpu_milli, gpus);
  need.memory_mib = for_each_gpu(job.memory_mib, gpus);
  return need;
}

scheduling::MachinePool machines_of(const supply::Device& device, scheduling::MigPosition position) {
  scheduling::MachinePool pool;
  pool.gpus = static_cast<std::int16_t>(device.per_node);
  pool.cpu_milli = at_most(device.node_cores * 1000);
  pool.memory_mib = at_most(device.node_memory_gb * mib_per_gb);
  if (device.mig.empty()) return pool;
  const auto table = scheduling::mig_table_named(device.mig);
  NATGPU_ENSURE(table.has_value(), "tables of MIG are checked when a scenario is read");
  pool.mig = scheduling::mig_layout_number(*table, position);
  return pool;
}

std::int64_t most_on_machine(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                             std::uint32_t pool, const scheduling::MachineNeed& need) {
  const supply::Device& device = scenario.hardware[fleet.pools()[pool].device];
  return most_on(
      machines_of(device, scenario.scheduling.mig_positions),
      static_cast<std::int32_t>(std::min<std::int64_t>(device.per_node, scheduling::most_gpus_per_node)),
      need);
}

std::int64_t most_in_pool(const scenario::Scenario& scenario, const supply::Fleet& fleet, std::uint32_t pool,
                          const scheduling::MachineNeed& need) {
  const supply::Device& device = scenario.hardware[fleet.pools()[pool].device];
  const scheduling::MachinePool machines = machines_of(device, scenario.scheduling.mig_positions);
  const auto on_one = [&](std::int64_t gpus) {
    return std::int64_t{most_on(machines, static_cast<std::int32_t>(gpus), need)};
  };
  std::int64_t most = 0;
  for (std::uint32_t t = 0; t < fleet.tranches(); ++t) {
    const std::int64_t units = fleet.pool_of(t) == pool ? fleet.public_units_of(t) : 0;
    if (units >= device.per_node) most += units / device.per_node * on_one(device.per_node);
    if (units % device.per_node > 0) most += on_one(units % device.per_node);
  }
  return most;
}

}  // namespace natgpu::simulation
