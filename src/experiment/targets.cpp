// SPDX-License-Identifier: Apache-2.0
// Targets: a bar, the metric it is for, and the verdict. A bar that names nothing is an error, never a pass.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
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

std::string_view trim(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    if (const std::string_view part = trim(text.substr(0, at)); !part.empty()) parts.emplace_back(part);
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

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

std::string parse_bar(std::string_view text, Bar& bar) {
  text = trim(text);
  const auto* found = std::find_if(comparisons.begin(), comparisons.end(),
                                   [&](const auto& c) { return text.substr(0, c.first.size()) == c.first; });
  if (found == comparisons.end()) return "expected a comparison: >=, >, <= or <";
  bar.comparison = found->second;
  text = trim(text.substr(found->first.size()));
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  if (parse_number(text.substr(0, end), bar.bound) != QuantityError::none)
    return fmt::format("`{}` is no number", printable(text.substr(0, end)));
  bar.unit = trim(text.substr(end));
  return {};
}

Verdict judge(const Bar& bar, const Estimate& estimate) {
  if (!std::isfinite(estimate.mean) || !std::isfinite(estimate.half_width)) return Verdict::inconclusive;
  const double low = estimate.mean - estimate.half_width;
  const double high = estimate.mean + estimate.half_width;
  const auto meets = [&](double v) {
    switch (bar.comparison) {
      case Bar::Comparison::at_least:
        return v >= bar.bound;
      case Bar::Comparison::above:
        return v > bar.bound;
      case Bar::Comparison::at_most:
        return v <= bar.bound;
      case Bar::Comparison::below:
        return v < bar.bound;
    }
    return false;
  };
  if (meets(low) && meets(high)) return Verdict::pass;
  return meets(low) || meets(high) ? Verdict::inconclusive : Verdict::fail;
}

std::string parse_labels(std::string_view text, measures::Labels& labels) {
  for (const std::string& part : split(text, ';')) {
    const std::size_t at = part.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == part.size())
      return fmt::format("`{}` is no label", printable(part));
    const std::string key(trim(std::string_view(part).substr(0, at)));
    for (const auto& [known, value] : labels)
      if (known == key) return fmt::format("label `{}` stands twice", printable(key));
    labels.emplace_back(key, trim(std::string_view(part).substr(at + 1)));
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
  const std::vector<std::string> keys = split(row->labels, ',');
  for (const auto& [key, value] : labels)
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      found.push_back({"where", fmt::format("{} has no label `{}`", row->name, printable(key)),
                       suggestion(key, keys, fmt::format("it has: {}", row->labels)), "E0504"});
  return &*row;
}

void check_target(const scenario::Target& target, const std::vector<measures::MetricRow>& rows,
                  std::vector<Finding>& found) {
  const auto refuse = [&](Finding finding) {
    finding.path = fmt::format("targets[{}].{}", target.name, finding.path);
    found.push_back(std::move(finding));
  };
  Bar bar;
  const std::string bar_error = parse_bar(target.expect, bar);
  if (!bar_error.empty()) refuse({"expect", bar_error, "write it like `>= 30000 H100e`", "E0501"});
  std::vector<Finding> of_labels;
  const measures::MetricRow* row = check_labelled(target.metric, target.where, rows, of_labels);
  for (Finding& f : of_labels) refuse(std::move(f));
  if (row == nullptr || !bar_error.empty()) return;
  measures::Labels labels;
  parse_labels(target.where, labels);
  const std::string_view unit = row->unit_of(labels);
  if (!unit_agrees(bar.unit, unit))
    refuse({"expect",
            bar.unit.empty()
                ? fmt::format("a unit is required, {} is in {}", row->name, unit)
                : fmt::format("unit `{}`, but {} is in {}", printable(bar.unit), row->name, unit),
            fmt::format("state the bar in {}", unit), "E0503"});
}

}  // namespace natgpu::experiment
