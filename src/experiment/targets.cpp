// SPDX-License-Identifier: Apache-2.0
// Targets: a bar, the metric it is for, and the verdict. A bar that names nothing is an error, never a pass.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/text.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "margin.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

constexpr std::array<std::pair<std::string_view, Bar::Comparison>, 4> comparisons{{
    {">=", Bar::Comparison::at_least},  // longer signs first
    {"<=", Bar::Comparison::at_most},
    {">", Bar::Comparison::above},
    {"<", Bar::Comparison::below},
}};

std::vector<std::string> names_of(const std::vector<measures::MetricRow>& rows) {
  std::vector<std::string> names;
  for (const measures::MetricRow& row : rows) names.emplace_back(row.name);
  return names;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names,
                       const std::string& otherwise) {
  const std::string near = nearest_name(word, names);
  return near.empty() ? otherwise : fmt::format("did you mean `{}`?", near);
}

}  // namespace

std::string parse_figure(std::string_view text, double& value, std::string& unit) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  if (parse_number(text.substr(0, end), value) != QuantityError::none)
    return fmt::format("`{}` is no number", printable(text.substr(0, end)));
  unit = trimmed(text.substr(end));
  return {};
}

std::string parse_bar(std::string_view text, Bar& bar) {
  text = trimmed(text);
  const auto* found = std::find_if(comparisons.begin(), comparisons.end(),
                                   [&](const auto& c) { return text.substr(0, c.first.size()) == c.first; });
  if (found == comparisons.end()) return "expected a comparison: >=, >, <= or <";
  bar.comparison = found->second;
  return parse_figure(text.substr(found->first.size()), bar.bound, bar.unit);
}

bool meets(const Bar& bar, double value) {
  switch (bar.comparison) {
    case Bar::Comparison::at_least:
      return value >= bar.bound;
    case Bar::Comparison::above:
      return value > bar.bound;
    case Bar::Comparison::at_most:
      return value <= bar.bound;
    case Bar::Comparison::below:
      return value < bar.bound;
  }
  return false;
}

Verdict judge(const Bar& bar, const Estimate& estimate) {
  if (!std::isfinite(estimate.mean) || !std::isfinite(estimate.half_width)) return Verdict::inconclusive;
  const bool low = meets(bar, estimate.mean - estimate.half_width);
  const bool high = meets(bar, estimate.mean + estimate.half_width);
  if (low && high) return Verdict::pass;
  return low || high ? Verdict::inconclusive : Verdict::fail;
}

std::string parse_labels(std::string_view text, measures::Labels& labels) {
  for (const std::string& part : parts_of(text, ';')) {
    const std::size_t at = part.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == part.size())
      return fmt::format("`{}` is no label", printable(part));
    const std::string key(trimmed(std::string_view(part).substr(0, at)));
    for (const auto& [known, value] : labels)
      if (known == key) return fmt::format("label `{}` stands twice", printable(key));
    labels.emplace_back(key, trimmed(std::string_view(part).substr(at + 1)));
  }
  return {};
}

const measures::MetricRow* check_labelled(const std::string& metric, std::string_view where,
                                          const std::vector<measures::MetricRow>& rows,
                                          std::vector<Finding>& found) {
  measures::Labels labels;
  const std::string label_error = parse_labels(where, labels);
  if (!label_error.empty())
    found.push_back({"where", label_error, "write it like `at=2030-12-31;sector=sme`", "E0504"});
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == metric; });
  if (row == rows.end()) {
    found.push_back({"metric", fmt::format("unknown metric `{}`", printable(metric)),
                     suggestion(metric, names_of(rows), "docs/metrics.md lists them all"), "E0502"});
    return nullptr;
  }
  const std::vector<std::string> keys = parts_of(row->labels, ',');
  for (const auto& [key, value] : labels)
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      found.push_back({"where", fmt::format("{} has no label `{}`", row->name, printable(key)),
                       suggestion(key, keys, fmt::format("it has: {}", row->labels)), "E0504"});
  return &*row;
}

void check_figures(const std::string& item, const std::string& metric, const std::string& where,
                   const std::vector<StatedFigure>& figures, std::vector<Finding>& found,
                   const std::vector<measures::MetricRow>& rows) {
  const auto refuse = [&](Finding finding) {
    finding.path = item + "." + finding.path;
    found.push_back(std::move(finding));
  };
  for (const StatedFigure& f : figures)
    if (!f.flaw.empty())
      refuse({f.field, f.flaw,
              fmt::format("write it like `{}`", f.field == "expect" ? ">= 30000 H100e" : "30000 H100e"),
              "E0501"});
  std::vector<Finding> of_labels;
  const measures::MetricRow* row = check_labelled(metric, where, rows, of_labels);
  for (Finding& f : of_labels) refuse(std::move(f));
  if (row == nullptr) return;
  measures::Labels labels;
  parse_labels(where, labels);
  const std::string_view unit = row->unit_of(labels);
  for (const StatedFigure& f : figures)
    if (f.flaw.empty() && !unit_agrees(f.unit, unit))
      refuse({f.field,
              f.unit.empty() ? fmt::format("a unit is required, {} is in {}", row->name, unit)
                             : fmt::format("unit `{}`, but {} is in {}", printable(f.unit), row->name, unit),
              fmt::format("state it in {}", unit), "E0503"});
}

void check_target(const scenario::Target& target, const std::vector<measures::MetricRow>& rows,
                  std::vector<Finding>& found) {
  Bar bar;
  const std::string flaw = parse_bar(target.expect, bar);
  check_figures(fmt::format("targets[{}]", target.name), target.metric, target.where,
                {{"expect", flaw, bar.unit}}, found, rows);
}

}  // namespace natgpu::experiment
