// SPDX-License-Identifier: Apache-2.0
// --mig and --mig-positions of `replay --nodes` and `pack`.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <natgpu/simulation/mig_use.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// In the order of the help.
std::vector<Option> mig_options();

/// Which GPUs of the list are cut.
/// @throws UsageError for a table or type that is not there, several types without a name, positions without
/// a table
simulation::MigUse mig_use_of(const Arguments& arguments, const workload::NodeList& machines);

/// "3 x 1g.5gb, 1 x 2g.10gb"
std::string in_words(const std::vector<simulation::MigStarts>& starts);
/// An object of profiles and how many instances of each; null where nothing is cut.
nlohmann::ordered_json mig_json(const simulation::MigUse& use, const workload::NodeList& machines,
                                const std::vector<simulation::MigStarts>& starts);
/// The tables and rules of position, as `policy list` shows them.
std::string mig_list();

}  // namespace natgpu::cli
