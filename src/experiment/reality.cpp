// SPDX-License-Identifier: Apache-2.0
// Published figures against what the model comes to.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

struct Bounds {
  double published = 0, low = 0, high = 0;
};

Bounds bounds_of(const scenario::RealityCheck& check) {
  Bounds b;
  std::string unit;
  parse_figure(check.published, b.published, unit);  // check_reality has seen to all three
  parse_figure(check.low, b.low, unit);
  parse_figure(check.high, b.high, unit);
  return b;
}

Verdict judge(const Bounds& b, const Estimate& e) {
  if (!std::isfinite(e.mean) || !std::isfinite(e.half_width)) return Verdict::inconclusive;
  const double low = e.mean - e.half_width, high = e.mean + e.half_width;
  if (low >= b.low && high <= b.high) return Verdict::pass;
  return high < b.low || low > b.high ? Verdict::fail : Verdict::inconclusive;
}

std::string explain(const RealityResult& result) {
  const Estimate& e = result.estimate;
  const scenario::RealityCheck& c = result.check;
  const std::string published =
      fmt::format("published {} ({}{}{})", c.published, c.source, c.as_of.empty() ? "" : ", ", c.as_of);
  if (e.n == 0) return fmt::format("not measured in any replication; {}", published);
  if (e.n < 2)
    return fmt::format("{:.6g} {} in one replication, which has no interval; {}", e.mean, e.unit, published);
  const char* verdict = result.verdict == Verdict::pass   ? "lies within"
                        : result.verdict == Verdict::fail ? "lies outside"
                                                          : "reaches across";
  return fmt::format("{:.6g} {} ± {:.3g} (95 % CI, {} replications) {} {} to {}; {}", e.mean, e.unit,
                     e.half_width, e.n, verdict, c.low, c.high, published);
}

}  // namespace

void check_reality(const scenario::RealityCheck& check, const std::vector<measures::MetricRow>& rows,
                   std::vector<Finding>& found) {
  const std::string item = fmt::format("reality_checks[{}]", check.name);
  std::vector<StatedFigure> figures;
  std::vector<double> values;
  const auto read = [&](const char* field, const std::string& text) {
    StatedFigure figure{field, {}, {}};
    values.push_back(0);
    figure.flaw = parse_figure(text, values.back(), figure.unit);
    figures.push_back(std::move(figure));
  };
  read("published", check.published);
  read("low", check.low);
  read("high", check.high);
  check_figures(item, check.metric, check.where, figures, found, rows);
  const bool all_read =
      std::all_of(figures.begin(), figures.end(), [](const StatedFigure& f) { return f.flaw.empty(); });
  if (all_read && !(values[1] <= values[0] && values[0] <= values[2] && values[1] < values[2]))
    found.push_back({item + ".published", "the published figure does not lie between `low` and `high`",
                     "state bounds that hold it", "E0501"});
}

bool agrees(const scenario::RealityCheck& check, double value) {
  const Bounds b = bounds_of(check);
  return value >= b.low && value <= b.high;
}

void settle_reality(const std::vector<scenario::RealityCheck>& checks,
                    const std::vector<measures::MetricRow>& rows, Summary& summary) {
  for (const scenario::RealityCheck& check : checks) {
    std::vector<Finding> found;
    check_reality(check, rows, found);
    for (const Finding& f : found) summary.mistakes.push_back(diagnose(check.at, f));
    if (!found.empty()) continue;
    const Estimate* estimate = find_estimate(summary, check.metric, check.where);
    if (estimate == nullptr) {
      summary.mistakes.push_back(nothing_measured(summary, fmt::format("reality_checks[{}]", check.name),
                                                  check.metric, check.where, check.at));
      continue;
    }
    RealityResult result;
    result.check = check;
    result.estimate = *estimate;
    result.verdict = judge(bounds_of(check), *estimate);
    result.explanation = explain(result);
    summary.reality.push_back(std::move(result));
  }
}

}  // namespace natgpu::experiment
