// SPDX-License-Identifier: Apache-2.0
// National runs in the node view in which jobs lose their machines to others.
#include "machine_run.hpp"
#include "national_gavel.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

template <class Machines>
RunRecord run(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return Machines(machine_settings(p.scenario, p.fleet, p.groups), p.streams.open("nodes", "placement"),
                    preemptive_rule(p.scheduling));
  });
}

RunRecord run_with_quotas(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::QuotaMachines(machine_settings(p.scenario, p.fleet, p.groups),
                                     p.streams.open("nodes", "placement"), preemptive_rule(p.scheduling),
                                     scheduling::quotas_of(p.accounts.tree),
                                     p.scheduling.order == scheduling::Order::priority);
  });
}

}  // namespace

RunRecord run_on_machines_with_preemption(const RunParts& parts) {
  using Mode = scheduling::PreemptionSettings::Mode;
  const scheduling::Scheduling& s = parts.scenario.scheduling;
  if (s.preemption.mode == Mode::quota_reclaim) return run_with_quotas(parts);
  return preempts(s.order) ? run<scheduling::PreemptiveMachines>(parts)
                           : run<scheduling::ClassMachines>(parts);
}

RunRecord run_on_machines_by_target(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::GavelMachines(machine_settings(p.scenario, p.fleet, p.groups),
                                     p.streams.open("nodes", "placement"), preemptive_rule(p.scheduling),
                                     types_of(p.fleet.pools()));
  });
}

}  // namespace natgpu::simulation
