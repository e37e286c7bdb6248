// SPDX-License-Identifier: Apache-2.0
// National runs in which jobs lose their GPUs to others.
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/preemptive.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

template <class Dispatcher>
RunRecord run(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return Dispatcher(preemptive_rule(p.scheduling), p.pools(), p.groups.specs);
  });
}

RunRecord run_with_quotas(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::QuotaReclaim(preemptive_rule(p.scheduling), p.pools(), p.groups.specs,
                                    scheduling::quotas_of(p.accounts.tree),
                                    p.scheduling.order == scheduling::Order::priority);
  });
}

}  // namespace

RunRecord run_with_preemption(const RunParts& parts) {
  using Mode = scheduling::PreemptionSettings::Mode;
  if (parts.scenario.scheduling.preemption.mode == Mode::quota_reclaim) return run_with_quotas(parts);
  return preempts(parts.scenario.scheduling.order) ? run<scheduling::PreemptiveDispatcher>(parts)
                                                   : run<scheduling::ClassPreemption>(parts);
}

}  // namespace natgpu::simulation
