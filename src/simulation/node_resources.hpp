// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/scheduling/machine_holdings.hpp>
#include <natgpu/workload/node_list.hpp>

namespace natgpu::simulation {

/// What shares of a list of machines are parts of.
/// @param one  all GPUs are one resource, and the only one (maxmin). Else each type of GPU is one, and cores
///             and memory are where the list states them (drf)
scheduling::MachineResources resources_of(const workload::NodeList& machines, bool one);

}  // namespace natgpu::simulation
