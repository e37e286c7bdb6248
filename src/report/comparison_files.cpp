// SPDX-License-Identifier: Apache-2.0
// compare.json, compare.csv and compare.md.
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>

#include "comparison.hpp"
#include "escape.hpp"
#include "futures.hpp"
#include "json_parts.hpp"
#include "markdown_table.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using experiment::Compared;

constexpr std::string_view comparison_schema = "natgpu-compare/1";

std::string policy_json(const ComparedPolicy& p) {
  return fmt::format("{{\"name\": {}, \"hash\": {}, \"fingerprint\": \"{}\"}}", json_text(p.name),
                     json_text(p.scenario->hash), combined_fingerprint(*p.records));
}

std::string row_json(const Compared& c) {
  return fmt::format(
      "{{\"policy\": {}, \"better\": \"{}\", \"verdict\": \"{}\", \"reason\": {}, \"p\": {}, \"p_holm\": {}, "
      "\"margin\": {}, \"effect\": {}, \"correlation\": {}, \"variance_ratio\": {}, \"improved\": {}, "
      "\"improved_share_ci95\": {}, \"replications_to_decide\": {}, \"detectable\": {}, \"lower_bound\": "
      "[{}, {}], \"outcomes\": {},\n"
      "     \"of\": {{{}}},\n     \"from\": {{{}}},\n     \"difference\": {{{}}}}}",
      json_text(c.policy), measures::name_of(c.better), name_of(c.verdict), json_text(c.reason),
      json_number(c.p), json_number(c.p_holm), json_number(c.margin), json_number(c.effect),
      json_number(c.correlation), json_number(c.variance_ratio), c.improved, interval_json(c.improved_share),
      c.replications_to_decide ? fmt::format("{}", *c.replications_to_decide) : "null",
      json_number(c.detectable), c.lower_bound_of, c.lower_bound_from, outcomes_json(c.outcomes),
      estimate_json(c.of), estimate_json(c.from), estimate_json(c.difference));
}

std::string pairing_json(const experiment::Pairing& p) {
  return fmt::format("{{\"policy\": {}, \"replications\": {}, \"same_demand\": {}, \"same_failures\": {}}}",
                     json_text(p.policy), p.replications, p.same_demand, p.same_failures);
}

std::string title_markdown(const Compared& row) {
  const std::string labels = measures::to_string(row.from.labels);
  return fmt::format("`{}`{}", row.from.metric, labels.empty() ? "" : " " + markdown_text(labels));
}

std::string better_in(const Compared& row) {
  if (row.difference.n == 0) return "-";
  return fmt::format("{} of {} ({:.0f} to {:.0f} %)", row.improved, row.difference.n,
                     100 * row.improved_share.low, 100 * row.improved_share.high);
}

}  // namespace

std::string comparison_json(const ComparisonResult& result) {
  const experiment::Comparison& c = result.comparison;
  const scenario::Scenario& s = *result.policies[result.base].scenario;
  std::string out = "{\n";
  const auto put = [&](std::string_view key, const std::string& value, bool last = false) {
    out += fmt::format("  \"{}\": {}{}\n", key, value, last ? "" : ",");
  };
  put("schema", json_text(comparison_schema));
  put("version", json_text(build_info().version));
  put("scenario", json_text(s.name));
  put("base", json_text(c.base));
  put("policies", array_json(result.policies, policy_json));
  put("seed", fmt::format("{}", result.seed));
  put("replications", fmt::format("{}", c.replications));
  put("replications_asked", fmt::format("{}", result.replications_asked));
  put("second_stage", result.second_stage == 0 ? "null" : fmt::format("{}", result.second_stage));
  put("second_stage_run", result.second_stage_run ? "true" : "false");
  put("interrupted", result.interrupted ? "true" : "false");
  put("quick", result.quick ? "true" : "false");
  put("scale", json_number(s.quick_scale));
  put("alpha", json_number(c.options.alpha));
  put("tests", fmt::format("{}", c.tests));
  put("reproduce", json_text(reproduce_command(result)));
  const std::vector<const scenario::Uncertainty*> drawn = drawn_of(result);
  if (!drawn.empty()) put("uncertainties", uncertainties_json(drawn, *result.policies.front().records));
  if (result.shaken > 0) {
    put("shaken", fmt::format("{}", result.shaken));
    put("flips", flips_json(result.flips));
  }
  put("in_common", array_json(c.pairings, pairing_json));
  put("comparisons", array_json(c.rows, row_json), true);
  return out + "}\n";
}

std::string comparison_csv(const ComparisonResult& result) {
  const experiment::Comparison& c = result.comparison;
  std::string out =
      "policy,base,metric,labels,unit,better,n,mean,base_mean,difference,ci95_low,ci95_high,p,p_holm,effect,"
      "correlation,variance_ratio,improved,verdict,replications_to_decide\n";
  for (const Compared& row : c.rows) {
    const experiment::Estimate& d = row.difference;
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_text(row.policy),
        csv_text(c.base), csv_text(row.from.metric), csv_text(measures::to_string(row.from.labels)),
        csv_text(row.from.unit), measures::name_of(row.better), d.n, csv_number(row.of.mean),
        csv_number(row.from.mean), csv_number(d.mean), csv_number(d.mean - d.half_width),
        csv_number(d.mean + d.half_width), csv_number(row.p), csv_number(row.p_holm), csv_number(row.effect),
        csv_number(row.correlation), csv_number(row.variance_ratio), row.improved, name_of(row.verdict),
        row.replications_to_decide ? fmt::format("{}", *row.replications_to_decide) : "");
  }
  return out;
}

std::string comparison_markdown(const ComparisonResult& result) {
  const experiment::Comparison& c = result.comparison;
  const scenario::Scenario& s = *result.policies[result.base].scenario;
  const std::string& title = s.title.en.empty() ? s.name : s.title.en;
  std::string out =
      fmt::format("# {}\n\n", markdown_text(fmt::format("{}: {}", title, contest_text(result))));
  out += fmt::format("Seed {}, {} replications on common random numbers.\n\n", result.seed, c.replications);
  if (result.quick)
    out +=
        fmt::format("**Quick run** at {} of the real size, with few replications: a look, not a result.\n\n",
                    s.quick_scale);
  for (const std::string& line : futures_lines(result)) out += markdown_text(line) + ".\n\n";
  if (result.interrupted)
    out += fmt::format("**Interrupted** after {} of {} replications.\n\n", c.replications,
                       result.replications_asked);
  out += table_head({"Policy", "Metric", "Better", "Unit", "Verdict", "Base", "Policy's", "Difference",
                     "Of base", "p5 to p95", "Effect", "Better in", "Pairing", "Holm p"},
                    5);
  std::string notes;
  for (const Compared& row : c.rows) {
    const Style style = style_of(row);
    const auto mean = [&](const experiment::Estimate& e, bool bound) {
      return (bound ? "≥ " : "") + figure(e, style.factor, style.decimals);
    };
    out += table_row({markdown_text(row.policy), title_markdown(row),
                      std::string(measures::name_of(row.better)), markdown_text(style.unit),
                      fmt::format("**{}**", name_of(row.verdict)), mean(row.from, row.lower_bound_from),
                      mean(row.of, row.lower_bound_of), signed_figure(row.difference, style),
                      relative_text(row), range_figure(row.outcomes, style.factor, style.decimals),
                      effect_text(row.effect), better_in(row),
                      std::isfinite(row.variance_ratio) ? fmt::format("x{:.2g}", row.variance_ratio) : "-",
                      p_text(row.p_holm)});
    const std::string why = undecided_text(row, style);
    if (!why.empty())
      notes +=
          fmt::format("- {}, {}: {}.\n", markdown_text(row.policy), title_markdown(row), markdown_text(why));
  }
  if (!notes.empty()) out += "\nUndecided:\n\n" + notes;
  out += fmt::format("\n## In common with {}\n\n", markdown_text(c.base));
  out += table_head({"Policy", "Replications", "With equal requests", "With equal failures"}, 1);
  for (const experiment::Pairing& p : c.pairings)
    out += table_row({markdown_text(p.policy), fmt::format("{}", p.replications),
                      fmt::format("{}", p.same_demand), fmt::format("{}", p.same_failures)});
  if (result.shaken > 0) out += fmt::format("\n## Flips of the order in {} futures\n\n", result.shaken);
  for (const experiment::Flips& f : result.flips)
    for (const std::string& line : flip_lines(f))
      out += fmt::format("- {}: {}\n", markdown_text(flips_title(f)), markdown_text(line));
  out += "\n## Method\n\n";
  for (const std::string& line : method_lines(result)) out += "- " + line + "\n";
  out +=
      "- \"Better in\" counts replications; the range is Clopper and Pearson's 95 % interval of their "
      "share.\n";
  out += "\n| Policy | Scenario hash | Fingerprint |\n|---|---|---|\n";
  for (const ComparedPolicy& p : result.policies)
    out += table_row({markdown_text(p.name), fmt::format("`{}`", p.scenario->hash),
                      fmt::format("`{}`", combined_fingerprint(*p.records))});
  out += fmt::format("\nnatgpu {}. This comparison again:\n\n{}", build_info().version,
                     markdown_block(reproduce_command(result)));
  return out;
}

std::string write_comparison(const std::string& folder, const ComparisonResult& result) {
  prepare_folder(folder);
  write_file_whole(folder + "/compare.json", comparison_json(result));
  write_file_whole(folder + "/compare.csv", comparison_csv(result));
  if (!drawn_of(result).empty()) {
    std::string draws = draws_head();
    for (const ComparedPolicy& p : result.policies)
      draws += draws_rows(csv_text(p.name), *p.scenario, *p.records);
    write_file_whole(folder + "/draws.csv", draws);
  }
  write_file_whole(folder + "/compare.md", comparison_markdown(result));
  return folder + "/compare.md";
}

}  // namespace natgpu::report
