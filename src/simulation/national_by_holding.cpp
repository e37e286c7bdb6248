// SPDX-License-Identifier: Apache-2.0
// National runs under drf and maxmin.
#include <algorithm>

#include <natgpu/scheduling/account_dispatcher.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

/// drf: each type of GPU is a resource, whose whole is what is ever planned of it. maxmin: all GPUs are one.
scheduling::SharedResources resources_of(const DispatcherParts& p) {
  const bool one = p.scheduling.order == scheduling::Order::maxmin;
  const std::vector<std::int64_t> planned = planned_units(p.fleet);
  scheduling::SharedResources shared;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const auto type = static_cast<std::uint32_t>(one ? 0 : p.fleet.pools()[i].device);
    if (type >= shared.sizes.size()) shared.sizes.resize(type + std::size_t{1});
    shared.sizes[type] = one ? 1 : shared.sizes[type] + planned[i];
    shared.gpus_of.push_back(type);
  }
  shared.sizes.insert(shared.sizes.end(), {0, 0});  // a scenario knows no cores and no memory
  return shared;
}

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
