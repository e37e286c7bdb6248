// SPDX-License-Identifier: Apache-2.0
// report.md: for a policy analyst, to read and print. Main figures and verdicts first, then what the country
// gets, then how we know.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/report/build_info.hpp>
#include <natgpu/scenario/futures.hpp>

#include "catalogue.hpp"
#include "escape.hpp"
#include "figures.hpp"
#include "futures.hpp"
#include "markdown_table.hpp"
#include "scheduling_words.hpp"
#include "sections.hpp"
#include "supply_pages.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using experiment::Estimate;

constexpr std::size_t longest_value = 80;  // bytes of an assumption's value; the file has the rest

std::string shortened(const std::string& text) {
  if (text.size() <= longest_value) return text;
  std::size_t end = longest_value;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + " …";
}

class Page {
 public:
  Page(const RunResult& result, bool korean) : result_(result), s_(*result.scenario), say_(korean) {}

  std::string text() {
    head();
    findings();
    targets();
    reality();
    out_ += futures_page(result_, say_);
    out_ += readings_page(result_, say_);
    out_ += waterfall_page(result_, say_);
    for (const Section& section : sections()) figures(section);
    assumptions();
    method();
    limits();
    warnings();
    reproduce();
    return std::move(out_);
  }

 private:
  template <class... Args>
  std::string line(Say sentence, const Args&... args) const {
    return fmt::format(fmt::runtime(say_(sentence)), args...);
  }
  void paragraph(const std::string& text) { out_ += text + "\n\n"; }
  void heading(Say sentence) { paragraph("## " + words(sentence)); }
  std::string words(Say sentence) const { return std::string(say_(sentence)); }
  void list(const std::vector<std::string>& items) {
    for (const std::string& item : items) out_ += "- " + item + "\n";
    out_ += "\n";
  }

  void head() {
    const std::string& title = say_.local(s_.title);
    paragraph("# " + line(Say::title, markdown_text(title.empty() ? s_.name : title)));
    if (result_.quick) paragraph("> " + line(Say::quick_banner, csv_number(s_.quick_scale)));
    if (result_.interrupted)
      paragraph("> " + line(Say::interrupted_banner, result_.records.size(), result_.replications_asked));
    paragraph(line(Say::policy_line, markdown_text(s_.policy), result_.records.size(), result_.seed));
    differences();
    if (const std::string& about = say_.local(s_.about.summary); !about.empty())
      paragraph(markdown_text(about));
    paragraph(words(Say::reading_hint));
  }

  /// What the policy and the command line have changed.
  void differences() {
    std::vector<std::string> items;
    for (const scenario::PolicyBlock& block : s_.policies)
      if (block.name == s_.policy)
        for (const scenario::Setting& setting : block.settings)
          items.push_back(markdown_text(setting.path + " = " + shortened(setting.value)));
    for (const std::string& setting : result_.settings) items.push_back(markdown_text(shortened(setting)));
    if (items.empty()) return;
    paragraph(words(Say::differs));
    list(items);
  }

  void findings() {
    std::vector<std::string> items = supply_findings(result_, say_);
    const auto assumed = std::count_if(s_.assumptions.begin(), s_.assumptions.end(),
                                       [](const scenario::Assumption& a) { return a.status == "assumed"; });
    if (assumed > 0) items.push_back(line(Say::finding_assumed, assumed, s_.assumptions.size()));
    if (items.empty()) return;
    heading(Say::findings);
    list(items);
  }

  void targets() {
    const experiment::Summary& summary = result_.summary;
    if (summary.targets.empty() && summary.mistakes.empty()) return;
    heading(Say::targets);
    if (!summary.mistakes.empty()) {
      std::vector<std::string> items;
      for (const Diagnostic& d : summary.mistakes) items.push_back(markdown_text(d.message));
      paragraph(words(Say::targets_unjudged));
      list(items);
    }
    if (summary.targets.empty()) return;
    out_ += table_head({words(Say::verdict), words(Say::target), words(Say::measure), words(Say::bar),
                        words(Say::estimate), words(Say::unit), words(Say::replications_column)},
                       4);
    for (const experiment::TargetResult& t : summary.targets) out_ += target_row(t);
    out_ += "\n";
    const bool counted = summary.targets.front().futures.has_value();
    paragraph(words(s_.quick_scale < 1 ? Say::not_judged : counted ? Say::futures_note : Say::verdict_note));
  }

  /// Of the mean; where replications are futures, in how many of them it holds.
  std::string verdict_cell(experiment::Verdict verdict, const std::optional<experiment::Share>& futures,
                           scenario::Level level) const {
    static constexpr std::array<Say, 3> verdicts{Say::pass, Say::fail, Say::inconclusive};
    const std::string text = futures ? fmt::format("**{}** ({:.0f} – {:.0f} %)", count_text(*futures),
                                                   100 * futures->ci.low, 100 * futures->ci.high)
                                     : "**" + words(verdicts[static_cast<std::size_t>(verdict)]) + "**";
    return level == scenario::Level::warn ? text + " (" + words(Say::warn_only) + ")" : text;
  }
  static std::string measure_cell(const std::string& metric, const Estimate& estimate) {
    return markdown_text(estimate.labels.empty()
                             ? metric
                             : fmt::format("{} ({})", metric, measures::to_string(estimate.labels)));
  }

  void reality() {
    const auto& checks = result_.summary.reality;
    if (checks.empty()) return;
    heading(Say::reality);
    paragraph(words(Say::reality_text));
    out_ += table_head({words(Say::verdict), words(Say::reality_check), words(Say::measure),
                        words(Say::published), words(Say::agrees), words(Say::source), words(Say::estimate),
                        words(Say::unit), words(Say::replications_column)},
                       6);
    for (const experiment::RealityResult& r : checks) {
      const std::string& title = say_.local(r.check.title);
      out_ += table_row({verdict_cell(r.verdict, r.futures, r.check.level),
                         markdown_text(title.empty() ? r.check.name : title),
                         measure_cell(r.check.metric, r.estimate), markdown_text(r.check.published),
                         markdown_text(r.check.low + " – " + r.check.high), markdown_source(r.check.source),
                         cell(say_, r.estimate), markdown_text(r.estimate.unit),
                         fmt::format("{}", r.estimate.n)});
    }
    out_ += "\n";
    if (s_.quick_scale < 1) paragraph(words(Say::not_judged));
  }

  std::string target_row(const experiment::TargetResult& t) const {
    const std::string& title = say_.local(t.target.title);
    return table_row({verdict_cell(t.verdict, t.futures, t.target.level),
                      markdown_text(title.empty() ? t.target.name : title),
                      measure_cell(t.target.metric, t.estimate), markdown_text(t.target.expect),
                      cell(say_, t.estimate), markdown_text(t.estimate.unit),
                      fmt::format("{}", t.estimate.n)});
  }

  void figures(const Section& section) {
    std::string tables;
    for (const Block& block : section.blocks) {
      const std::string text = block_text(block);
      if (!text.empty() && block.caption != Say::count) tables += words(block.caption) + "\n\n";
      tables += text;
    }
    if (tables.empty()) return;
    heading(section.heading);
    paragraph(words(section.text));
    out_ += tables;
  }

  std::string block_text(const Block& block) const {
    const std::vector<YearLine> lines = lines_by_year(result_.summary, block.selection);
    if (block.selection.row_keys.empty()) return year_table(result_, say_, lines, {});
    std::string out;
    for (const std::string_view metric : block.selection.metrics) {
      std::vector<YearLine> own;
      std::copy_if(lines.begin(), lines.end(), std::back_inserter(own),
                   [&](const YearLine& l) { return l.metric == metric; });
      const bool says_nothing = metric == "jobs.censored.count" && all_zero(own);
      if (!says_nothing) out += year_table(result_, say_, own, block.selection.row_keys.front());
    }
    return out;
  }

  void assumptions() {
    if (s_.assumptions.empty()) return;
    const auto with = [&](std::string_view status) {
      return std::count_if(s_.assumptions.begin(), s_.assumptions.end(),
                           [&](const scenario::Assumption& a) { return a.status == status; });
    };
    heading(Say::assumptions);
    const auto measured = with("measured"), published = with("published"), assumed = with("assumed");
    const auto all = static_cast<std::ptrdiff_t>(s_.assumptions.size());
    paragraph(
        line(Say::assumptions_text, all, measured, published, assumed, all - measured - published - assumed));
    out_ += table_head({words(Say::path), words(Say::value), words(Say::range), words(Say::status),
                        words(Say::as_of), words(Say::source)},
                       6);
    for (const scenario::Assumption& a : s_.assumptions) {
      const std::string range = a.low.empty() && a.high.empty() ? "" : a.low + " – " + a.high;
      const std::string& source = a.source.empty() ? a.note : a.source;
      out_ += table_row({markdown_text(a.path), markdown_text(shortened(a.value)), markdown_text(range),
                         markdown_text(say_.label("status", a.status)), markdown_text(a.as_of),
                         markdown_source(source)});
    }
    out_ += "\n";
  }

  /// One hash where all replications agree, else a digest over them.
  std::string common_hash(std::uint64_t simulation::RunRecord::*member) const {
    Digest64 digest;
    bool equal = true;
    for (const simulation::RunRecord& r : result_.records) {
      digest.add(r.*member);
      equal = equal && r.*member == result_.records.front().*member;
    }
    return equal && !result_.records.empty() ? hex64(result_.records.front().*member) : hex64(digest.value());
  }

  std::string horizon() {
    const std::string start = to_string(s_.horizon.start), end = to_string(s_.horizon.end);
    const Estimate* cut = startup_cut(result_.summary);
    if (cut == nullptr) return line(Say::method_horizon, start, end, to_string(s_.as_of));
    return line(Say::method_horizon_steady, start, end, csv_number(cut->mean), to_string(s_.as_of));
  }

  std::string scheduler() {
    const scheduling::Scheduling& rules = s_.scheduling;
    const scheduling::PluggedPolicy& plugged = s_.plugged_order;
    const std::string floor = csv_number(in_seconds(rules.slowdown_floor));
    if (shares(rules)) return line(Say::method_sharing, sharing_in_words(rules), floor);
    const bool decides = plugged && plugged.decides();
    const std::string taking = decides ? std::string() : preemption_in_words(rules);
    return line(
        Say::method_semantics, plugged ? markdown_text(plugged.name) : chosen(rules, "order"),
        (decides ? markdown_text(plugged.name) : chosen(rules, "backfill")) +
            (taking.empty() ? "" : ", preemption " + taking),
        view_in_words(s_), rules.semantics.pass == scheduling::PassRule::instant ? "instant" : "event",
        rules.semantics.ties == scheduling::Ties::release_first ? "release-first" : "arrival-first", floor);
  }

  void method() {
    heading(Say::method);
    std::vector<std::string> items{
        line(Say::method_replications, result_.records.size(), result_.replications_asked),
        line(Say::method_seed, result_.seed),
        words(Say::method_streams),
        horizon(),
        words(Say::method_access),
        scheduler(),
        words(scenario::has_futures(s_) ? Say::method_futures : Say::method_intervals),
        line(Say::method_fingerprint, combined_fingerprint(result_)),
        line(Say::method_demand_hash, common_hash(&simulation::RunRecord::demand_hash)),
        line(Say::method_failure_hash, common_hash(&simulation::RunRecord::failure_hash)),
        line(Say::method_scenario_hash, markdown_text(s_.hash)),
        line(Say::method_version, build_info().version)};
    if (s_.report.runoff > Duration{0})
      items.push_back(line(Say::method_runoff, (end_of_run(s_).day - s_.horizon.end.day).count()));
    list(items);
  }

  void bullets(Say title, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    paragraph("**" + words(title) + "**");
    for (const std::string& t : texts) out_ += "- " + markdown_text(t) + "\n";
    out_ += "\n";
  }

  void limits() {
    if (s_.about.excludes.empty() && s_.about.includes.empty()) return;
    heading(Say::limits);
    paragraph(words(Say::limits_text));
    bullets(Say::excludes, s_.about.excludes);
    bullets(Say::includes, s_.about.includes);
  }

  void warnings() {
    const auto counted = counted_warnings(result_);
    if (counted.empty()) return;
    heading(Say::warnings);
    for (const auto& [text, times] : counted)
      out_ += fmt::format("- {} ({})\n", markdown_text(text),
                          line(Say::warning_times, times, result_.records.size()));
    out_ += "\n";
  }

  void reproduce() {
    heading(Say::reproduce);
    paragraph(words(Say::reproduce_text));
    out_ += markdown_block(reproduce_command(result_)) + "\n";
    out_ += words(Say::files_text) + "\n";
  }

  const RunResult& result_;
  const scenario::Scenario& s_;
  Catalogue say_;
  std::string out_;
};

}  // namespace

std::string report_markdown(const RunResult& result) {
  switch (result.language) {
    case Language::en:
      return Page(result, false).text();
    case Language::ko:
      return Page(result, true).text();
    case Language::both:
      return Page(result, false).text() + "\n---\n\n" + Page(result, true).text();
  }
  return {};
}

}  // namespace natgpu::report
