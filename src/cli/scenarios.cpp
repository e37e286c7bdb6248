// SPDX-License-Identifier: Apache-2.0
#include "scenarios.hpp"

#include <map>

#include <fmt/format.h>

#include <natgpu/experiment/regression.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/plugin/library.hpp>

namespace natgpu::cli {
namespace {

/// Loads it once; it stays to the end of the program, as scenarios do not own what they name.
scheduling::PluggedPolicy plugged_policy(const std::string& policy) {
  static std::map<std::string, plugin::Library> loaded;
  if (!plugin::names_library(policy)) return {};
  const auto known = loaded.find(policy);
  return (known != loaded.end() ? known->second
                                : loaded.emplace(policy, plugin::Library(policy)).first->second)
      .policy();
}

}  // namespace

std::vector<scenario::Scenario> load_all(const std::vector<std::string>& files,
                                         scenario::LoadOptions options) {
  options.check_targets = [](const scenario::Scenario& s) {
    std::vector<Finding> found = experiment::check_targets(s);
    const std::vector<Finding> more = experiment::check_regressions(s);
    found.insert(found.end(), more.begin(), more.end());
    return found;
  };
  options.plug = plugged_policy;
  std::vector<scenario::Scenario> scenarios;
  std::vector<Diagnostic> mistakes;
  for (const std::string& file : files) {
    try {
      scenarios.push_back(scenario::load_scenario(file, options));
    } catch (const ScenarioError& e) {
      mistakes.insert(mistakes.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return scenarios;
}

std::string slug(const std::string& name) {
  std::string out;
  for (const char c : name.substr(0, 80)) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    out += safe ? c : '-';
  }
  if (out.empty() || out.front() == '.') out.insert(0, 1, '_');
  return out;
}

}  // namespace natgpu::cli
