// SPDX-License-Identifier: Apache-2.0
// What `natgpu run` prints: a page at most, for a terminal.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>

#include "catalogue.hpp"
#include "figures.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

const std::vector<Selection>& shown() {
  static const std::vector<Selection> all{
      {{"capacity.units"}, {"state"}, {}, TimeKind::stock},
      {{"capacity.h100e"}, {"state"}, {}, TimeKind::stock},
      {{"capacity.eflops"}, {"state"}, {{"reading", "fp64_tensor"}}, TimeKind::stock},
      {{"gpu.allocated.share", "gpu.busy.share", "gpu.useful.share"}, {}, {}},
      {{"jobs.submitted.count", "jobs.finished.count", "jobs.wait.mean", "jobs.wait.p95",
        "jobs.censored.count"},
       {},
       {}},
      {{"energy.mwh"}, {}, {}},
  };
  return all;
}

/// The latest year, else the whole run: a mean over a growing pool is no headline.
const experiment::Estimate* latest(const YearLine& line) {
  return line.years.empty() ? line.total : line.years.rbegin()->second;
}

std::string padded(const std::string& text, int cells) {
  return text + std::string(static_cast<std::size_t>(std::max(0, cells - display_width(text))), ' ');
}

std::string figure_line(const RunResult& result, const YearLine& line, const Selection& what) {
  const experiment::Estimate& e = *latest(line);
  const Catalogue english(false);
  std::string name = line.metric;
  for (std::size_t i = 0; i < line.row.size(); ++i)
    name += ": " + english.label(what.row_keys[i], line.row[i]);
  std::string unit = line.unit;
  for (const auto& [key, value] : what.fixed) unit += " " + value;
  const std::string bound = line.lower_bound && is_lower_bound(result.summary, e) ? ">= " : "";
  const std::string where = line.years.empty() ? "whole run" : fmt::format("{}", line.years.rbegin()->first);
  const std::string spread = e.n == 1 ? "one replication, no interval" : fmt::format("95 % CI, n = {}", e.n);
  return fmt::format("  {}  {}  {} {} ({})\n", padded(printable(name), 32), padded(where, 9),
                     bound + figure(e, line.factor), unit, spread);
}

std::string target_line(const experiment::TargetResult& t) {
  static constexpr std::array<const char*, 3> verdicts{"PASS", "FAIL", "INCONCLUSIVE"};
  return fmt::format("  {:<12}  {}: {} {}; {}{}\n", verdicts[static_cast<std::size_t>(t.verdict)],
                     printable(t.target.name), printable(t.target.metric), printable(t.target.expect),
                     t.explanation, t.target.level == scenario::Level::warn ? " (warning only)" : "");
}

}  // namespace

std::string summary_text(const RunResult& result) {
  const scenario::Scenario& s = *result.scenario;
  const std::string& title = s.title.en.empty() ? s.title.ko : s.title.en;
  std::string out = printable(title.empty() ? s.name : fmt::format("{}: {}", s.name, title)) + "\n";
  out += fmt::format("policy {}, seed {}, {} replications\n", printable(s.policy), result.seed,
                     result.records.size());
  if (result.quick)
    out += fmt::format(
        "QUICK RUN: capacity and demand scaled to {}, few replications; the figures are no result\n",
        s.quick_scale);
  if (result.interrupted)
    out += fmt::format("INTERRUPTED: {} of {} replications finished\n", result.records.size(),
                       result.replications_asked);
  bool any = false;
  for (const Selection& what : shown()) {
    std::vector<YearLine> lines = lines_by_year(result.summary, what);
    if (!what.row_keys.empty()) keep_waterfall(lines);
    for (const YearLine& line : lines) {
      out += (any ? "" : "\n") + figure_line(result, line, what);
      any = true;
    }
  }
  if (!result.summary.targets.empty()) out += "\nTargets\n";
  for (const experiment::TargetResult& t : result.summary.targets) out += target_line(t);
  const auto warnings = counted_warnings(result);
  if (!warnings.empty()) out += "\nWarnings\n";
  for (const auto& [text, times] : warnings)
    out += fmt::format("  {} (in {} of {} replications)\n", printable(text), times, result.records.size());
  return out + fmt::format("\nfingerprint {}\n", combined_fingerprint(result));
}

}  // namespace natgpu::report
