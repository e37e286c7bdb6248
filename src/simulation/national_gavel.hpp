// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/supply/fleet.hpp>

namespace natgpu::simulation {

/// The type of GPU of each pool: devices that some pool has, numbered in the order of the catalogue.
std::vector<std::uint32_t> types_of(const std::vector<supply::Pool>& pools);

}  // namespace natgpu::simulation
