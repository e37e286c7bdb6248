// SPDX-License-Identifier: Apache-2.0
// What a command line says of GPUs that are shared in time.
#pragma once

#include <vector>

#include <natgpu/simulation/replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

std::vector<Option> sharing_options();

/// Sets the sharing and its quantum; any but the exclusive one takes the place of a queue and its rules.
/// @throws UsageError on options that contradict each other
void choose_sharing(const Arguments& arguments, simulation::ReplayOptions& options);

/// For what divides nothing by weight. @throws UsageError where weights are stated
void refuse_weights(const Arguments& arguments);

/// Weights of shares, which name queues of the log.
/// @throws UsageError on a queue that it does not have
void apply_weights(const Arguments& arguments, const workload::JobLog& log,
                   simulation::ReplayOptions& options);

}  // namespace natgpu::cli
