// SPDX-License-Identifier: Apache-2.0
// What `natgpu compare` prints, for a terminal.
#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>

#include "comparison.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using experiment::Compared;

using Cells = std::array<std::string, 8>;

/// Columns aligned by display width: the first and the last to the left, the others to the right.
std::vector<std::string> aligned(const std::vector<Cells>& rows) {
  std::vector<std::string> lines;
  std::array<int, std::tuple_size_v<Cells>> widest{};
  for (const Cells& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widest[i] = std::max(widest[i], display_width(row[i]));
  for (const Cells& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(static_cast<std::size_t>(widest[i] - display_width(row[i])), ' ');
      const bool last = i + 1 == row.size();
      line += i == 0 ? " " + row[i] + gap : last ? "  " + row[i] : "  " + gap + row[i];
    }
    lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return lines;
}

std::string mean_text(const experiment::Estimate& e, const Style& style, bool lower_bound) {
  return (lower_bound ? ">= " : "") + figure(e, style.factor, style.decimals) + " " + style.unit;
}

std::string title_of(const Compared& row) {
  const std::string labels = measures::to_string(row.from.labels);
  const std::string direction = direction_text(row.better);
  return fmt::format("{}{}{}", row.from.metric, labels.empty() ? "" : "  " + printable(labels),
                     direction.empty() ? "" : "  (" + direction + ")");
}

Cells base_cells(const ComparisonResult& result, const Compared& row, const Style& style) {
  return {printable(result.comparison.base), mean_text(row.from, style, row.lower_bound_from)};
}

Cells cells_of(const Compared& row, const Style& style) {
  return {printable(row.policy),
          mean_text(row.of, style, row.lower_bound_of),
          signed_figure(row.difference, style),
          relative_text(row),
          effect_text(row.effect),
          std::isfinite(row.variance_ratio) ? fmt::format("x{:.2g}", row.variance_ratio) : "-",
          p_text(row.p_holm),
          std::string(name_of(row.verdict))};
}

std::string pairing_line(const experiment::Pairing& p) {
  const auto share = [&](std::size_t same) {
    return fmt::format("{} in {} of {} replications", same == p.replications ? "100 %" : "all", same,
                       p.replications);
  };
  return fmt::format("  {}: requests {}, failures {}\n", printable(p.policy), share(p.same_demand),
                     share(p.same_failures));
}

}  // namespace

std::string comparison_text(const ComparisonResult& result) {
  const scenario::Scenario& s = *result.policies[result.base].scenario;
  const experiment::Comparison& c = result.comparison;
  const std::string& title = s.title.en.empty() ? s.title.ko : s.title.en;
  std::string out = printable(title.empty() ? s.name : fmt::format("{}: {}", s.name, title)) + "\n";
  out += fmt::format("{}; seed {}, {} replications on common random numbers\n",
                     printable(contest_text(result)), result.seed, c.replications);
  for (const std::string& line : futures_lines(result)) out += printable(line) + "\n";
  if (result.quick)
    out += fmt::format("QUICK RUN: capacity and demand scaled to {}, few replications; no result\n",
                       s.quick_scale);
  if (result.interrupted)
    out += fmt::format("INTERRUPTED: {} of {} replications finished\n", c.replications,
                       result.replications_asked);

  // One alignment over all metrics, with each metric's title put between its rows afterwards.
  std::vector<Cells> rows{
      {"", "mean ± half-width", "difference", "of base", "effect", "pairing", "Holm p", "verdict"}};
  std::vector<std::pair<std::size_t, std::string>> inserted;  // before this row
  const Compared* last = nullptr;
  for (const Compared& row : c.rows) {
    const Style style = style_of(row);
    if (last == nullptr || last->from.metric != row.from.metric || last->from.labels != row.from.labels) {
      inserted.emplace_back(rows.size(), "\n" + title_of(row));
      rows.push_back(base_cells(result, row, style));
    }
    rows.push_back(cells_of(row, style));
    for (const std::string& note : {undecided_text(row, style), futures_text(result, row, style)})
      if (!note.empty()) inserted.emplace_back(rows.size(), fmt::format("    {}", note));
    last = &row;
  }
  const std::vector<std::string> lines = aligned(rows);
  auto next = inserted.begin();
  for (std::size_t i = 0; i <= lines.size(); ++i) {
    for (; next != inserted.end() && next->first == i; ++next) out += next->second + "\n";
    if (i < lines.size()) out += lines[i] + "\n";
  }
  if (result.shaken > 0) out += fmt::format("\nFlips of the order in {} futures\n", result.shaken);
  for (const experiment::Flips& f : result.flips) {
    out += fmt::format("  {}\n", printable(flips_title(f)));
    for (const std::string& line : flip_lines(f)) out += fmt::format("    {}\n", printable(line));
  }
  out += "\nIn common with " + printable(c.base) + "\n";
  for (const experiment::Pairing& p : c.pairings) out += pairing_line(p);
  out += "\n";
  for (const std::string& line : method_lines(result)) out += line + "\n";
  return out;
}

}  // namespace natgpu::report
