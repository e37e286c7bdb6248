// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/report/check.hpp>

#include "check_words.hpp"

namespace natgpu::report {

using experiment::Verdict;

std::string_view word_of(Verdict verdict) {
  static constexpr std::array<std::string_view, 3> words{"PASS", "FAIL", "INCONCLUSIVE"};
  return words[static_cast<std::size_t>(verdict)];
}

std::string_view word_of(CheckKind kind) {
  static constexpr std::array<std::string_view, 4> words{"target", "regression", "exact", "reality"};
  return words[static_cast<std::size_t>(kind)];
}

std::string title_of(const CheckRow& row) {
  return fmt::format("{} {}: {}", word_of(row.kind), row.name, row.what);
}

int severity(const CheckRow& row) {
  const int weight = row.verdict == Verdict::fail ? 2 : row.verdict == Verdict::inconclusive ? 1 : 0;
  return 2 * weight - (weight > 0 && row.warn_only ? 1 : 0);
}

Counts count(const std::vector<CheckRow>& rows) {
  Counts c;
  for (const CheckRow& row : rows)
    ++(row.verdict == Verdict::pass   ? c.passed
       : row.warn_only                ? c.warned
       : row.verdict == Verdict::fail ? c.failed
                                      : c.inconclusive);
  return c;
}

Verdict verdict_of(const CheckReport& report) {
  const Counts c = count(report.rows);
  return c.failed > 0 ? Verdict::fail : c.inconclusive > 0 ? Verdict::inconclusive : Verdict::pass;
}

std::string check_text(const CheckReport& report) {
  std::string out;
  for (const CheckedScenario& s : report.scenarios) {
    out +=
        fmt::format("{}: policy {}, seed {}, {} replications{}\n", printable(s.name), printable(s.policy),
                    s.seed, s.replications, s.baseline.empty() ? "" : ", baseline " + printable(s.baseline));
    if (!s.baseline.empty() && s.hash != s.baseline_hash)
      out += "  the scenario differs from the one that the baseline was recorded with\n";
    std::vector<CheckRow> rows;
    for (const CheckRow& row : report.rows)
      if (row.scenario == s.name) rows.push_back(row);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const CheckRow& a, const CheckRow& b) { return severity(a) < severity(b); });
    for (const CheckRow& row : rows)
      out +=
          fmt::format("  {:<12}  {}\n                {}{}\n", word_of(row.verdict), printable(title_of(row)),
                      printable(row.message), row.warn_only ? " (warning only)" : "");
  }
  const Counts c = count(report.rows);
  return out + fmt::format("{}: {} passed, {} failed, {} inconclusive, {} warnings\n",
                           word_of(verdict_of(report)), c.passed, c.failed, c.inconclusive, c.warned);
}

}  // namespace natgpu::report
