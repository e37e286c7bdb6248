// SPDX-License-Identifier: Apache-2.0
// Options that all commands that simulate share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/replicate.hpp>

#include "command.hpp"

namespace natgpu::cli {

constexpr std::int64_t most_replications = 1'000'000;

/// `--replications`, `--seed`, `--jobs` and `--set`, as they stand in the help.
Option replications_option();
Option seed_option();
Option jobs_option();
Option set_option();
Option central_option();

/// All settings, so that hash and resolved scenario tell what was run. Options come last: they win over
/// `--set`.
std::vector<std::string> settings(const Arguments& arguments);
/// Whether `--replications` or a setting says how many.
bool states_replications(const Arguments& arguments);

/// `--jobs`, by default one thread a core.
unsigned threads(const Arguments& arguments);

/// What the texts of an option ask for. @throws ScenarioError naming each that asks for nothing measured
std::vector<experiment::Question> read_questions(const std::string& option,
                                                 const std::vector<std::string>& texts);
/// The same of `--metrics`; without it the headlines of the scenario.
std::vector<experiment::Question> questions_of(const std::vector<std::string>& texts,
                                               const scenario::Scenario& base);

/// The replications of these scenarios in pairs, with a progress bar on the terminal.
std::vector<experiment::Replications> run_all(const std::string& name,
                                              const std::vector<const scenario::Scenario*>& scenarios,
                                              experiment::ReplicateOptions options);

}  // namespace natgpu::cli
