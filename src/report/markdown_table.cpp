// SPDX-License-Identifier: Apache-2.0
#include "markdown_table.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "escape.hpp"

namespace natgpu::report {
namespace {

using experiment::Estimate;

/// What the columns of a table by year are.
struct Columns {
  std::set<int> years;
  bool totals = false;
};

Columns columns_of(const std::vector<YearLine>& lines) {
  Columns columns;
  for (const YearLine& l : lines) {
    for (const auto& [year, e] : l.years) columns.years.insert(year);
    columns.totals = columns.totals || l.total != nullptr;
  }
  return columns;
}

/// Counts and indices need no unit.
std::string shown_unit(const std::string& unit) {
  return unit == "count" || unit == "index" ? "" : markdown_text(unit);
}

/// Name in the files and unit: "(`capacity.h100e`, H100e)".
std::string tag_of(const YearLine& line) {
  const std::string unit = shown_unit(line.unit);
  return fmt::format("(`{}`{}{})", line.metric, unit.empty() ? "" : ", ", unit);
}

std::string row_name(const Catalogue& say, const YearLine& line, std::string_view row_key) {
  if (row_key.empty()) return fmt::format("{} {}", say.metric(line.metric), tag_of(line));
  // The catalogue's words may carry emphasis, a scenario's names may not.
  const std::string words = say.label(row_key, line.row.front());
  return words == line.row.front() ? markdown_text(words) : words;
}

std::vector<std::string> head_of(const Catalogue& say, const Columns& columns, std::string_view row_key) {
  std::vector<std::string> names{row_key.empty() ? std::string(say(Say::measure))
                                                 : say.label("label", row_key)};
  for (const int year : columns.years) names.push_back(fmt::format("{}", year));
  if (columns.totals) names.emplace_back(say(Say::total));
  names.emplace_back(say(Say::replications_column));
  return names;
}

}  // namespace

std::string table_row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string table_head(const std::vector<std::string>& cells, std::size_t text_columns) {
  std::string out = table_row(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) out += i < text_columns ? "---|" : "---:|";
  return out + "\n";
}

std::string cell(const Catalogue& say, const Estimate& estimate, double factor, int decimals) {
  const std::string text = figure(estimate, factor, decimals);
  return estimate.n == 1 ? fmt::format("{} ({})", text, say(Say::not_estimable)) : text;
}

std::string year_table(const RunResult& result, const Catalogue& say, const std::vector<YearLine>& lines,
                       std::string_view row_key, std::string_view detail) {
  if (lines.empty()) return {};
  const Columns columns = columns_of(lines);
  std::string out;
  if (!row_key.empty())
    out = fmt::format("**{}{}{}** {}\n\n", say.metric(lines.front().metric), detail.empty() ? "" : ": ",
                      detail, tag_of(lines.front()));
  out += table_head(head_of(say, columns, row_key), 1);
  for (const YearLine& l : lines) {
    std::vector<std::string> texts{row_name(say, l, row_key)};
    const auto put = [&](const Estimate* e) {
      if (e == nullptr) return texts.emplace_back("");
      const bool bound = l.lower_bound && is_lower_bound(result.summary, *e);
      return texts.emplace_back((bound ? "≥ " : "") + cell(say, *e, l.factor, l.decimals));
    };
    for (const int year : columns.years) {
      const auto found = l.years.find(year);
      put(found == l.years.end() ? nullptr : found->second);
    }
    if (columns.totals) put(l.total);
    texts.push_back(sample(l));
    out += table_row(texts);
  }
  return out + "\n";
}

}  // namespace natgpu::report
