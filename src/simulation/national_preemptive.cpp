// SPDX-License-Identifier: Apache-2.0
// National runs in which jobs lose their GPUs to others.
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/preemptive.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

template <class Dispatcher>
RunRecord run(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return Dispatcher(preemptive_rule(p.scheduling), p.pools(), p.groups.specs);
  });
}

}  // namespace

RunRecord run_with_preemption(const RunParts& parts) {
  return preempts(parts.scenario.scheduling.order) ? run<scheduling::PreemptiveDispatcher>(parts)
                                                   : run<scheduling::ClassPreemption>(parts);
}

}  // namespace natgpu::simulation
