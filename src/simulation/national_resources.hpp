// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/scheduling/account_books.hpp>

#include "national_run.hpp"

namespace natgpu::simulation {

/// What shares of a scenario's GPUs are parts of. drf: each type of GPU is a resource, whose whole is what is
/// ever planned of it. maxmin: all GPUs are one. Neither cores nor memory.
scheduling::SharedResources resources_of(const DispatcherParts& p);

}  // namespace natgpu::simulation
