// SPDX-License-Identifier: Apache-2.0
#include "scenarios.hpp"

#include <fmt/format.h>

#include <natgpu/experiment/regression.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::cli {
std::vector<scenario::Scenario> load_all(const std::vector<std::string>& files,
                                         scenario::LoadOptions options) {
  options.check_targets = [](const scenario::Scenario& s) {
    std::vector<Finding> found = experiment::check_targets(s);
    const std::vector<Finding> more = experiment::check_regressions(s);
    found.insert(found.end(), more.begin(), more.end());
    return found;
  };
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
