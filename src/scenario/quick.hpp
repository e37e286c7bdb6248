// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {

/// Makes a scenario small enough to try in seconds: see quick.cpp for what is scaled and why.
/// @param keep_replications  where someone has asked for so many
void make_quick(Scenario& scenario, bool keep_replications);

}  // namespace natgpu::scenario
