// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/simulation/replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// Options of a replay that belong to an order that takes GPUs back.
const std::vector<Option>& preemption_options();

/// Who may take the GPUs of running jobs, beside what the order says. @throws UsageError
void choose_preemption(const Arguments& arguments, simulation::ReplayOptions& options);

/// Reads the others. @pre that, order, backfill and semantics of `options` are settled
/// @throws UsageError for one that has no meaning beside these, or a value that is none
void read_preemption(const Arguments& arguments, simulation::ReplayOptions& options);

}  // namespace natgpu::cli
