// SPDX-License-Identifier: Apache-2.0
// What `natgpu run` prints: a page at most, for a terminal.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/scenario/futures.hpp>

#include "catalogue.hpp"
#include "check_words.hpp"
#include "figures.hpp"
#include "futures.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

/// Stocks of the waterfall, one line a state.
const std::vector<Selection>& stocks() {
  static const std::vector<Selection> all{
      {{"capacity.units"}, {"state"}, {}, TimeKind::stock},
      {{"capacity.h100e"}, {"state"}, {}, TimeKind::stock},
      {{"capacity.eflops"}, {"state"}, {{"reading", "fp64_tensor"}}, TimeKind::stock},
  };
  return all;
}

std::string padded(const std::string& text, int cells) {
  return text + std::string(static_cast<std::size_t>(std::max(0, cells - display_width(text))), ' ');
}

/// " [51 to 70]", where replications are futures and enough to tell.
std::string range_note(const RunResult& result, const experiment::Estimate& e, double factor, int decimals) {
  if (!scenario::has_futures(*result.scenario)) return {};
  const experiment::OutcomeRange range = experiment::outcome_range(e.values);
  return std::isfinite(range.p5) ? fmt::format(" [{}]", range_figure(range, factor, decimals)) : "";
}

std::string futures_lines(const RunResult& result) {
  if (!scenario::has_futures(*result.scenario)) return {};
  const std::size_t n = result.records.size();
  return printable(futures_line(*result.scenario)) + "\n" +
         (n < experiment::least_outcomes()
              ? fmt::format("p5 to p95 over futures is not estimable from {}; it needs {}\n", n,
                            experiment::least_outcomes())
              : "[a to b] is p5 to p95 over futures\n");
}

std::string figure_line(const RunResult& result, const YearLine& line) {
  const experiment::Estimate& e = *latest(line);
  const std::string bound = line.lower_bound && is_lower_bound(result.summary, e) ? ">= " : "";
  const std::string where = line.years.empty() ? "whole run" : fmt::format("{}", line.years.rbegin()->first);
  const std::string spread = e.n == 1 ? "one replication, no interval" : fmt::format("95 % CI, n = {}", e.n);
  return fmt::format("  {}  {}  {} {} ({}){}\n", padded(line.metric, 32), padded(where, 9),
                     bound + figure(e, line), line.unit, spread,
                     range_note(result, e, line.factor, line.decimals));
}

/// "ordered      8 ± 0 GPU, 8 ± 0 H100e", one line a state, of the last year.
std::string stock_lines(const RunResult& result) {
  const Catalogue english(false);
  std::vector<std::pair<std::string, std::string>> states;
  std::string head;
  for (const Selection& what : stocks()) {
    std::vector<YearLine> lines = lines_by_year(result.summary, what);
    keep_waterfall(lines);
    if (all_zero(lines)) continue;
    for (const YearLine& line : lines) {
      const experiment::Estimate& e = *line.years.rbegin()->second;
      if (head.empty())
        head = fmt::format("Stocks on {} ({}, n = {})\n", day_of(e),
                           e.n == 1 ? "one replication, no interval" : "± half-width of the 95 % CI", e.n);
      auto state =
          std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.first == line.row[0]; });
      if (state == states.end()) state = states.insert(states.end(), {line.row[0], ""});
      if (!state->second.empty()) state->second += ", ";
      state->second += figure(e, line.factor) + " " + line.unit;
      for (const auto& [key, value] : what.fixed) state->second += " " + value;
      state->second += range_note(result, e, line.factor, line.decimals);
    }
  }
  std::string out = head;
  for (const auto& [state, text] : states)
    out += fmt::format("  {}  {}\n", padded(english.label("state", state), 12), text);
  return out;
}

/// Of a run over futures: in how many the bar is met, and the mean beside it.
std::string futures_target_line(const experiment::TargetResult& t) {
  const experiment::Estimate& e = t.estimate;
  return fmt::format("  {:<12}  {}: {} {}; met in {} futures ({}); mean {:.6g} ± {:.3g} {}{}\n",
                     count_text(*t.futures), printable(t.target.name), printable(t.target.metric),
                     printable(t.target.expect), count_text(*t.futures), share_text(*t.futures), e.mean,
                     e.half_width, e.unit, t.target.level == scenario::Level::warn ? " (warning only)" : "");
}

std::string reality_line(const experiment::RealityResult& r) {
  const std::string counted =
      r.futures ? fmt::format("agrees in {} futures ({}); ", count_text(*r.futures), share_text(*r.futures))
                : "";
  return fmt::format("  {:<12}  {}: {}; {}{}{}\n",
                     r.futures ? count_text(*r.futures) : std::string(word_of(r.verdict)),
                     printable(r.check.name), printable(r.check.metric), counted, printable(r.explanation),
                     r.check.level == scenario::Level::warn ? " (warning only)" : "");
}

std::string target_line(const experiment::TargetResult& t) {
  if (t.futures) return futures_target_line(t);
  return fmt::format("  {:<12}  {}: {} {}; {}{}\n", word_of(t.verdict), printable(t.target.name),
                     printable(t.target.metric), printable(t.target.expect), t.explanation,
                     t.target.level == scenario::Level::warn ? " (warning only)" : "");
}

}  // namespace

std::string summary_text(const RunResult& result) {
  const scenario::Scenario& s = *result.scenario;
  const std::string& title = s.title.en.empty() ? s.title.ko : s.title.en;
  std::string out = printable(title.empty() ? s.name : fmt::format("{}: {}", s.name, title)) + "\n";
  out += fmt::format("policy {}, seed {}, {} replications\n", printable(s.policy), result.seed,
                     result.records.size());
  out += futures_lines(result);
  if (const experiment::Estimate* cut = startup_cut(result.summary))
    out += fmt::format("steady state: the first {:.0f} days are left out (MSER-5)\n", cut->mean);
  if (const auto days = (end_of_run(s).day - s.horizon.end.day).count(); days > 0)
    out += fmt::format("run-off of {} days, unmeasured\n", days);
  if (result.quick)
    out += fmt::format(
        "QUICK RUN: capacity and demand scaled to {}, few replications; the figures are no result\n",
        s.quick_scale);
  if (result.interrupted)
    out += fmt::format("INTERRUPTED: {} of {} replications finished\n", result.records.size(),
                       result.replications_asked);
  const std::string waterfall = stock_lines(result);
  if (!waterfall.empty()) out += "\n" + waterfall;
  bool any = false;
  for (const Selection& what : headlines())
    for (const YearLine& line : lines_by_year(result.summary, what)) {
      if (!any) out += '\n';
      out += figure_line(result, line);
      any = true;
    }
  if (!result.summary.targets.empty()) out += "\nTargets\n";
  for (const experiment::TargetResult& t : result.summary.targets) out += target_line(t);
  if (!result.summary.reality.empty()) out += "\nReality checks\n";
  for (const experiment::RealityResult& r : result.summary.reality) out += reality_line(r);
  const auto warnings = counted_warnings(result);
  if (!warnings.empty()) out += "\nWarnings\n";
  for (const auto& [text, times] : warnings)
    out += fmt::format("  {} (in {} of {} replications)\n", printable(text), times, result.records.size());
  return out + fmt::format("\nfingerprint {}\n", combined_fingerprint(result));
}

}  // namespace natgpu::report
