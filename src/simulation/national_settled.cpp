// SPDX-License-Identifier: Apache-2.0
// National runs whose jobs have their place in the queue from submission on.
#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;

template <Backfill B>
RunRecord run(const RunParts& parts) {
  return run_national(parts, [](const DispatcherParts& p) {
    return scheduling::make_dispatcher<B>(p.pools(), p.groups.specs, p.arrivals_first(),
                                          p.scheduling.reservations);
  });
}

}  // namespace

RunRecord run_in_settled_order(const RunParts& parts) {
  using Runner = RunRecord (*)(const RunParts&);
  static constexpr Runner runners[] = {run<Backfill::none>,         run<Backfill::fit>,
                                       run<Backfill::easy>,         nullptr,  // run_shortest_first
                                       run<Backfill::conservative>,           // and with a limit:
                                       run<Backfill::conservative>};
  const Runner runner = runners[static_cast<std::size_t>(parts.scenario.scheduling.backfill)];
  NATGPU_ENSURE(runner != nullptr, "easy-sjbf has a file of its own");
  return runner(parts);
}

}  // namespace natgpu::simulation
