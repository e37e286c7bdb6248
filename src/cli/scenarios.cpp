// SPDX-License-Identifier: Apache-2.0
#include "scenarios.hpp"

#include <fmt/format.h>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::cli {
namespace {

constexpr std::size_t most_shown = 20;  // a screen; the first mistakes often cause the others

}  // namespace

std::vector<scenario::Scenario> load_all(const std::vector<std::string>& files,
                                         const scenario::LoadOptions& options) {
  std::vector<scenario::Scenario> scenarios;
  std::vector<Diagnostic> mistakes;
  for (const std::string& file : files) {
    try {
      scenarios.push_back(scenario::load_scenario(file, options));
      experiment::check_targets(scenarios.back());
    } catch (const ScenarioError& e) {
      mistakes.insert(mistakes.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return scenarios;
}

std::string format_mistakes(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (std::size_t i = 0; i < diagnostics.size() && i < most_shown; ++i) {
    out += format_diagnostic(diagnostics[i]);
    if (out.back() != '\n') out += '\n';
  }
  const std::size_t n = diagnostics.size();
  if (n > most_shown) out += fmt::format("... and {} more\n", n - most_shown);
  out += fmt::format("{} error{}, nothing was run.", n, n == 1 ? "" : "s");
  if (!diagnostics.empty()) out += fmt::format(" `natgpu explain {}` tells more.", diagnostics.front().code);
  return out + "\n";
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
