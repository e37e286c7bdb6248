// SPDX-License-Identifier: Apache-2.0
// National runs under drf and maxmin.
#include <natgpu/scheduling/account_dispatcher.hpp>

#include "national_resources.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

struct Run {
  template <scheduling::Backfill B>
  static RunRecord with(const RunParts& parts) {
    return run_national(parts, [](const DispatcherParts& p) {
      return scheduling::AccountDispatcher<B>(resources_of(p), p.groups.specs, p.accounts.weights,
                                              p.arrivals_first());
    });
  }
};

}  // namespace

RunRecord run_by_holding(const RunParts& parts) {
  return run_under_backfill<Run>(parts);
}

}  // namespace natgpu::simulation
