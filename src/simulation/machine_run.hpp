// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "machine_mix.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {

template <scheduling::Backfill B>
scheduling::MachineDispatcher<B> machine_dispatcher(const DispatcherParts& p) {
  return {machine_settings(p.scenario, p.fleet, p.groups), p.streams.open("nodes", "placement")};
}

}  // namespace natgpu::simulation
