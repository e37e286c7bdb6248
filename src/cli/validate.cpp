// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>

#include "command.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// The scenario as it stands, then under each of its policies. @returns the name, or nothing where it has
/// mistakes
std::string check(const std::string& file, scenario::LoadOptions options, std::vector<Diagnostic>& mistakes) {
  try {
    const scenario::Scenario base = load_all({file}, options).front();
    const std::size_t before = mistakes.size();
    if (options.policy.empty())
      for (const scenario::PolicyBlock& block : base.policies) {
        options.policy = block.name;
        try {
          load_all({file}, options);
        } catch (const ScenarioError& e) {
          mistakes.insert(mistakes.end(), e.diagnostics().begin(), e.diagnostics().end());
        }
      }
    return mistakes.size() == before ? base.name : "";
  } catch (const ScenarioError& e) {
    mistakes.insert(mistakes.end(), e.diagnostics().begin(), e.diagnostics().end());
    return "";
  }
}

int validate(const Arguments& arguments) {
  scenario::LoadOptions options;
  options.set = arguments.list("--set");
  options.policy = arguments.text("--policy");
  std::vector<Diagnostic> mistakes;
  for (const std::string& file : arguments.positional) {
    const std::string name = check(file, options, mistakes);
    if (!name.empty()) put_out(fmt::format("{}: ok ({})\n", printable(file), printable(name)));
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return Exit::done;
}

}  // namespace

const Command& validate_command() {
  static const Command command{
      "validate",
      "Check scenarios, all mistakes at once; nothing is run.",
      "FILE...",
      1,
      10000,
      {{"--policy", "P", "only under this policy; by default under each of the file"},
       {"--set", "PATH=VALUE", "as for run", true}},
      {"natgpu validate scenarios/korea-2030.yaml",
       "natgpu validate my.yaml --set 'supply.sites[haenam].pue=1.2'"},
      validate};
  return command;
}

}  // namespace natgpu::cli
