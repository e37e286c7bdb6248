// SPDX-License-Identifier: Apache-2.0
// National runs in the node view under drf and maxmin.
#include <natgpu/scheduling/account_nodes.hpp>

#include "machine_run.hpp"
#include "national_resources.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

/// GPUs in thousandths; to drf also cores and memory, of all machines that are ever planned.
scheduling::MachineResources machine_resources(const DispatcherParts& p,
                                               const scheduling::MachineSettings& settings) {
  scheduling::MachineResources all{resources_of(p), {}};
  std::vector<std::int64_t>& sizes = all.shared.sizes;
  for (std::int64_t& size : sizes) size *= scheduling::whole_gpu_milli;
  if (p.scheduling.order == scheduling::Order::maxmin) return all;
  for (const scheduling::MachinePool& pool : settings.pools) {
    sizes[all.shared.types()] += std::int64_t{pool.machines} * pool.cpu_milli;
    sizes[all.shared.types() + 1] += std::int64_t{pool.machines} * pool.memory_mib;
  }
  return all;
}

struct Run {
  template <scheduling::Backfill B>
  static RunRecord with(const RunParts& parts) {
    return run_national(parts, [](const DispatcherParts& p) {
      const scheduling::MachineSettings settings = machine_settings(p.scenario, p.fleet, p.groups);
      return scheduling::MachinesUnder<scheduling::AccountNodes<B>>(
          settings, p.streams.open("nodes", "placement"), machine_resources(p, settings), p.accounts.weights);
    });
  }
};

}  // namespace

RunRecord run_on_machines_by_holding(const RunParts& parts) {
  return run_under_backfill<Run>(parts);
}

}  // namespace natgpu::simulation
