// SPDX-License-Identifier: Apache-2.0
// The options of replays under orders by account and class.
#pragma once

#include <vector>

#include <natgpu/simulation/replay.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// The options that the functions below read, in the order of the help.
const std::vector<Option>& account_options();

/// What is said of accounts and classes beside the order. @pre the order is chosen
/// @throws UsageError on an option that has no meaning for the order, or cannot be read
void choose_accounts(const Arguments& arguments, simulation::ReplayOptions& options);

/// Reads the shares, for accounts as this log has them. @throws ScenarioError
void read_shares(const Arguments& arguments, const workload::JobLog& log, simulation::ReplayOptions& options);

/// What should be known of accounts and classes, beside the result.
std::string account_notes(const workload::JobLog& log, const simulation::ReplayOptions& options,
                          const simulation::ReplayResult& result);

}  // namespace natgpu::cli
