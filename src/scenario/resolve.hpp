// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {

/// Every effective value as `path = value`, defaults included, in the order of the field tables, numbers in
/// base units with the fewest digits that read back exactly. Equal texts mean equal runs.
std::string resolved_text(const Scenario& scenario);

}  // namespace natgpu::scenario
