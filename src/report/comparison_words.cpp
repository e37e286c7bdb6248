// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/scenario/futures.hpp>

#include "comparison.hpp"
#include "escape.hpp"
#include "futures.hpp"
#include "writers.hpp"

namespace natgpu::report {

using experiment::Compared;

Style style_of(const Compared& row) {
  const auto size = [](const experiment::Estimate& e) {
    return std::isfinite(e.mean) ? std::abs(e.mean) : 0;
  };
  return style_of(row.from.metric, row.from.unit, std::max(size(row.of), size(row.from)));
}

std::string signed_figure(const experiment::Estimate& difference, const Style& style) {
  const std::string text = figure(difference, style.factor, style.decimals);
  return difference.mean > 0 ? "+" + text : text;
}

std::string relative_text(const Compared& row) {
  if (!std::isfinite(row.difference.mean) || row.from.mean == 0) return "-";
  const double percent = 100 * row.difference.mean / std::abs(row.from.mean);
  const int decimals = std::abs(percent) < 10 ? 1 : 0;
  return fmt::format("{}{} %", percent > 0 ? "+" : "", grouped(percent, decimals));
}

std::string p_text(double p) {
  if (!std::isfinite(p)) return "-";
  return p < 1e-4 ? "< 0.0001" : fmt::format("{:.4f}", p);
}

std::string effect_text(double effect) {
  return std::isfinite(effect) ? fmt::format("{:+.2f}", effect) : "-";
}

std::string undecided_text(const Compared& row, const Style& style) {
  if (row.verdict != experiment::PairVerdict::undecided) return {};
  std::string text = row.reason;
  if (row.reason != "chance explains it" && row.reason != "within the margin") return text;
  if (row.replications_to_decide)
    text +=
        fmt::format("; about {} replications would decide if it stays as seen", *row.replications_to_decide);
  else if (row.reason == "chance explains it")
    text += "; a million replications would not decide";
  if (row.detectable > 0) {
    experiment::Estimate smallest;
    smallest.mean = row.detectable;
    smallest.half_width = std::nan("");
    text += fmt::format("; smallest detectable difference {} {}",
                        figure(smallest, style.factor, std::min(style.decimals, 4)), style.unit);
  }
  return text;
}

std::string direction_text(measures::Better better) {
  return better == measures::Better::neither ? "" : fmt::format("{} is better", name_of(better));
}

std::string contest_text(const ComparisonResult& result) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < result.policies.size(); ++i)
    if (i != result.base) names.push_back(result.policies[i].name);
  return fmt::format("{} against {}", fmt::join(names, ", "), result.policies[result.base].name);
}

std::vector<const scenario::Uncertainty*> drawn_of(const ComparisonResult& result) {
  std::vector<const scenario::Uncertainty*> all;
  for (const ComparedPolicy& p : result.policies)
    for (const scenario::Uncertainty* u : scenario::drawn_uncertainties(*p.scenario))
      if (std::none_of(all.begin(), all.end(), [&](const auto* other) { return other->name == u->name; }))
        all.push_back(u);
  return all;
}

std::vector<std::string> futures_lines(const ComparisonResult& result) {
  std::vector<std::string> drawn, lines;
  for (const scenario::Uncertainty* u : drawn_of(result)) drawn.push_back(u->name);
  if (drawn.empty()) return {};
  lines.push_back(fmt::format("Each replication is a future, the same for all policies: drawn {}",
                              fmt::join(drawn, ", ")));
  for (const ComparedPolicy& p : result.policies)
    for (const scenario::Uncertainty& u : p.scenario->uncertainties)
      if (!u.known_from.empty())
        lines.push_back(fmt::format("Under {} {} is known from {}", p.name, u.name, u.known_from));
  return lines;
}

std::string futures_text(const ComparisonResult& result, const Compared& row, const Style& style) {
  if (drawn_of(result).empty() || row.difference.n == 0) return {};
  const char* side = row.better == measures::Better::neither ? "higher" : "better";
  const experiment::Share share = experiment::share_of(row.improved, row.difference.n);
  const std::string range = range_figure(row.outcomes, style.factor, style.decimals);
  return fmt::format("{} in {} futures ({}); difference p5 to p95 {}", side, count_text(share),
                     share_text(share),
                     range == "-" ? fmt::format("needs {} futures", experiment::least_outcomes())
                                  : range + " " + style.unit);
}

std::vector<std::string> method_lines(const ComparisonResult& result) {
  const experiment::Comparison& c = result.comparison;
  std::vector<std::string> lines{
      "Every policy ran the same replications of the same seed; a difference is taken replication by "
      "replication.",
      "Intervals are Student-t 95 % of the mean over replications and not adjusted for their number.",
      fmt::format("Verdicts follow Holm over all {} comparisons tested, at {} % for the family.", c.tests,
                  c.options.alpha * 100),
      "Effect is the mean difference over the standard deviation of the differences; pairing is by how much "
      "less the "
      "difference varies than that of unpaired runs would (variances).",
      "Replications that would decide are for power 80 % at this difference and spread. Adding them after "
      "seeing "
      "`undecided` makes the new verdict exploratory, unless the second stage was declared beforehand "
      "(--then).",
  };
  if (!drawn_of(result).empty())
    lines.push_back(
        "Uncertain values are drawn once a replication; intervals and verdicts are of the mean over these "
        "futures. "
        "How many futures agree stands beside them, with Clopper and Pearson's 95 % interval of their "
        "share.");
  if (result.shaken > 0)
    lines.push_back(
        "A flip is a replication in which two policies stand in the other order than their means do with all "
        "values as stated; by chance alone: replications with the values as stated.");
  if (c.options.margin > 0)
    lines.push_back(
        fmt::format("Differences of less than {} % of the base's mean are of no interest (--margin).",
                    c.options.margin * 100));
  if (result.second_stage > 0)
    lines.push_back(fmt::format(
        "Two stages were declared, {} and {} replications, each judged at half of the 5 %; the second {} "
        "needed.",
        result.replications_asked, result.second_stage, result.second_stage_run ? "was" : "was not"));
  return lines;
}

std::string reproduce_command(const ComparisonResult& result) {
  const scenario::Scenario& s = *result.policies[result.base].scenario;
  std::vector<std::string> names;
  for (const ComparedPolicy& p : result.policies) names.push_back(p.name);
  std::string out =
      fmt::format("natgpu compare {} --policies {} --vs {} --replications {} --seed {}",
                  shell_word(public_file_name(s.file)), shell_word(fmt::format("{}", fmt::join(names, ","))),
                  shell_word(names[result.base]), result.replications_asked, result.seed);
  if (result.second_stage > 0) out += fmt::format(" --then {}", result.second_stage);
  if (result.margin > 0) out += fmt::format(" --margin '{} %'", result.margin * 100);
  if (!result.questions.empty())
    out += " --metrics " + shell_word(fmt::format("{}", fmt::join(result.questions, ",")));
  for (const std::string& setting : result.settings) out += " --set " + shell_word(setting);
  if (result.central) out += " --central";
  if (result.shaken > 0) out += fmt::format(" --shake {}", result.shaken);
  return result.quick ? out + " --quick" : out;
}

}  // namespace natgpu::report
