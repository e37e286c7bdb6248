// SPDX-License-Identifier: Apache-2.0
// The verdicts of a check as JSON, as JUnit XML and for GitHub.
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/report/build_info.hpp>

#include "check_words.hpp"
#include "escape.hpp"
#include "json_parts.hpp"
#include "markdown_table.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using experiment::Verdict;

constexpr std::string_view check_schema = "natgpu-check/1";
constexpr std::size_t most_annotations = 10;       // of a kind in one step; GitHub drops the rest
constexpr std::size_t largest_summary = 1U << 20;  // bytes of a step summary; GitHub refuses more

std::string scenario_json(const CheckedScenario& s) {
  return fmt::format(
      "{{\"name\": {}, \"file\": {}, \"policy\": {}, \"hash\": {}, \"seed\": {}, \"replications\": {}, "
      "\"baseline\": {}, \"baseline_hash\": {}}}",
      json_text(s.name), json_text(public_file_name(s.file)), json_text(s.policy), json_text(s.hash), s.seed,
      s.replications, s.baseline.empty() ? "null" : json_text(public_file_name(s.baseline)),
      s.baseline.empty() ? "null" : json_text(s.baseline_hash));
}

std::string row_json(const CheckRow& row) {
  return fmt::format(
      "{{\"scenario\": {}, \"kind\": \"{}\", \"name\": {}, \"what\": {}, \"level\": \"{}\", \"passed\": {}, "
      "\"verdict\": \"{}\", \"message\": {}}}",
      json_text(row.scenario), word_of(row.kind), json_text(row.name), json_text(row.what),
      row.warn_only ? "warn" : "error", row.verdict == Verdict::pass, name_of(row.verdict),
      json_text(row.message));
}

std::string test_case(const CheckRow& row) {
  const std::string head = fmt::format("    <testcase classname=\"natgpu.{}\" name=\"{}\"",
                                       xml_text(row.scenario), xml_text(title_of(row)));
  if (row.verdict == Verdict::pass)
    return head + fmt::format("><system-out>{}</system-out></testcase>\n", xml_text(row.message));
  const bool fails = row.verdict == Verdict::fail && !row.warn_only;
  const std::string message =
      (row.warn_only ? "warning: " : "") + fmt::format("{}: {}", word_of(row.verdict), row.message);
  return head +
         fmt::format("><{} message=\"{}\"/></testcase>\n", fails ? "failure" : "skipped", xml_text(message));
}

/// Percent-encoding of what would end a workflow command or one of its properties.
std::string github_text(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::vector<CheckRow> worst_first(const CheckReport& report) {
  std::vector<CheckRow> rows = report.rows;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const CheckRow& a, const CheckRow& b) { return severity(a) > severity(b); });
  return rows;
}

}  // namespace

std::string check_json(const CheckReport& report) {
  const Counts c = count(report.rows);
  std::string out = fmt::format("{{\n  \"schema\": \"{}\",\n  \"version\": {},\n  \"verdict\": \"{}\",\n",
                                check_schema, json_text(build_info().version), name_of(verdict_of(report)));
  out += fmt::format("  \"passed\": {},\n  \"failed\": {},\n  \"inconclusive\": {},\n  \"warnings\": {},\n",
                     c.passed, c.failed, c.inconclusive, c.warned);
  out += fmt::format("  \"scenarios\": {},\n  \"checks\": {}\n}}\n",
                     array_json(report.scenarios, scenario_json), array_json(report.rows, row_json));
  return out;
}

std::string check_junit(const CheckReport& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"natgpu check\">\n";
  for (const CheckedScenario& s : report.scenarios) {
    std::string cases;
    std::size_t tests = 0, failures = 0, skipped = 0;
    for (const CheckRow& row : report.rows) {
      if (row.scenario != s.name) continue;
      cases += test_case(row);
      ++tests;
      if (row.verdict == Verdict::pass) continue;
      ++(row.verdict == Verdict::fail && !row.warn_only ? failures : skipped);
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}  "
        "</testsuite>\n",
        xml_text("natgpu." + s.name), tests, failures, skipped, cases);
  }
  return out + "</testsuites>\n";
}

std::string github_annotations(const CheckReport& report) {
  std::string out;
  std::size_t errors = 0, warnings = 0;
  for (const CheckRow& row : worst_first(report)) {
    if (row.verdict == Verdict::pass) break;
    const bool error = row.verdict == Verdict::fail && !row.warn_only;
    if (++(error ? errors : warnings) > most_annotations) continue;
    out += fmt::format("::{} file={}{},title={}::{}\n", error ? "error" : "warning",
                       github_text(row.file, true), row.line > 0 ? fmt::format(",line={}", row.line) : "",
                       github_text(fmt::format("{} {}", word_of(row.verdict), title_of(row)), true),
                       github_text(row.message, false));
  }
  return out;
}

std::string github_summary(const CheckReport& report) {
  const Counts c = count(report.rows);
  std::string out =
      fmt::format("### natgpu check: {}\n\n{} passed, {} failed, {} inconclusive, {} warnings\n\n",
                  word_of(verdict_of(report)), c.passed, c.failed, c.inconclusive, c.warned);
  out += table_head({"Verdict", "Scenario", "Check", "Finding"}, 4);
  const std::string rest = "\nMore than fits here; the log has the rest.\n";
  for (const CheckRow& row : worst_first(report)) {
    const std::string line =
        table_row({std::string(word_of(row.verdict)) + (row.warn_only ? " (warning)" : ""),
                   markdown_text(row.scenario), markdown_text(title_of(row)), markdown_text(row.message)});
    if (out.size() + line.size() + rest.size() + 1 > largest_summary) return out + rest;
    out += line;
  }
  return out + "\n";
}

}  // namespace natgpu::report
