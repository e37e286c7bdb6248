// SPDX-License-Identifier: Apache-2.0
// report.md: for a policy analyst, to read and print. Verdicts first, then what the country gets, then how we
// know.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>

#include "catalogue.hpp"
#include "escape.hpp"
#include "figures.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using experiment::Estimate;

struct Block {
  Selection selection;
  Say caption = Say::count;  ///< stands before the table; none
};
struct Section {
  Say heading, text;
  std::vector<Block> blocks;
};

/// In the order in which an analyst asks.
const std::vector<Section>& sections() {
  static const std::vector<Section> all{
      {Say::readings,
       Say::readings_text,
       {{{{"reading.value"}, {"reading", "state"}, {}}},
        {{{"reading.target.share"}, {"reading", "state"}, {}}}}},
      {Say::waterfall,
       Say::waterfall_text,
       {{{{"capacity.eflops"}, {"state"}, {{"reading", "fp64_tensor"}}, TimeKind::stock}},
        {{{"capacity.h100e"}, {"state"}, {}, TimeKind::stock}},
        {{{"capacity.units"}, {"state"}, {}, TimeKind::stock}},
        {{{"capacity.h100e"}, {"state"}, {}, TimeKind::period}, Say::waterfall_means},
        {{{"capacity.eflops"}, {"state"}, {{"reading", "fp64_tensor"}}, TimeKind::period}},
        {{{"supply.unconfirmed.share"}, {}, {}}, Say::unconfirmed_text}}},
      {Say::who,
       Say::who_text,
       {{{{"share.gpu_hours"}, {"sector"}, {}}},
        {{{"share.gpu_hours"}, {"region"}, {}}},
        {{{"share.gpu_hours.top_groups", "fairness."}, {}, {}}},
        {{{"jobs.submitted.count"}, {"sector"}, {}}},
        {{{"jobs.finished.count"}, {"sector"}, {}}},
        {{{"jobs.gave_up.count"}, {"sector"}, {}}},
        {{{"jobs.wait.mean"}, {"sector"}, {}}, Say::waits_text},
        {{{"jobs.wait.p50"}, {"sector"}, {}}},
        {{{"jobs.wait.p95"}, {"sector"}, {}}},
        {{{"jobs.censored.count"}, {"sector"}, {}}}}},
      {Say::use, Say::use_text, {{{{"gpu."}, {}, {}}}, {{{"gpu.hours"}, {"state"}, {}}}}},
      {Say::stranded, Say::stranded_text, {{{{"gpu.stranded.hours"}, {"cause"}, {}}}}},
      {Say::jobs, Say::jobs_text, {{{{"jobs."}, {}, {}}}, {{{"services."}, {}, {}}}}},
      {Say::energy, Say::energy_text, {{{{"energy."}, {}, {}}}, {{{"energy."}, {"site"}, {}}}}},
      {Say::failures, Say::failures_text, {{{{"failures.count"}, {"cause"}, {}}}, {{{"repairs."}, {}, {}}}}},
      {Say::adoption, Say::adoption_text, {{{{"adoption."}, {}, {}}}, {{{"adoption."}, {"sector"}, {}}}}},
  };
  return all;
}

/// The headline's scopes: what is on paper, what the government's users can reach, what they have.
void keep_headline(std::vector<YearLine>& lines) {
  static constexpr std::array<std::string_view, 3> scopes{"ordered", "public", "allocated"};
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const YearLine& l) {
                               return std::find(scopes.begin(), scopes.end(), l.row[1]) == scopes.end();
                             }),
              lines.end());
  keep_waterfall(lines, 1);
  // Then reading by reading, in the order in which they first came.
  std::vector<std::string> readings;
  for (const YearLine& l : lines)
    if (std::find(readings.begin(), readings.end(), l.row[0]) == readings.end()) readings.push_back(l.row[0]);
  const auto rank = [&](const YearLine& l) { return std::find(readings.begin(), readings.end(), l.row[0]); };
  std::stable_sort(lines.begin(), lines.end(),
                   [&](const YearLine& a, const YearLine& b) { return rank(a) < rank(b); });
}

/// A precision belongs to the unit of a peak, and each reading has a unit of its own.
std::string unit_of(const YearLine& line, const Selection& selection) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> units{
      {{"h100e", "H100e"},
       {"fp64_strict", "EFLOP/s fp64_tensor"},
       {"units", "GPU"},
       {"bf16_15x", "EFLOP/s bf16"},
       {"units_52000", "GPU"}}};
  if (line.metric == "reading.value")
    for (const auto& [reading, unit] : units)
      if (reading == line.row[0]) return std::string(unit);
  std::string unit = line.unit;
  for (const auto& [key, value] : selection.fixed) unit += " " + value;
  return unit;
}

/// A city's cluster is no reading of the national target: some year and reading must come to a hundredth of
/// it.
bool is_national(const RunResult& result) {
  const double least = 0.01 * result.scenario->quick_scale;
  return std::any_of(
      result.summary.estimates.begin(), result.summary.estimates.end(),
      [&](const Estimate& e) { return e.metric == "reading.target.share" && e.mean >= least; });
}

class Page {
 public:
  Page(const RunResult& result, bool korean) : result_(result), s_(*result.scenario), say_(korean) {}

  std::string text() {
    head();
    targets();
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
  void heading(Say sentence) { paragraph("## " + std::string(say_(sentence))); }
  void row(const std::vector<std::string>& cells) {
    out_ += "| " + fmt::format("{}", fmt::join(cells, " | ")) + " |\n";
  }
  /// @param text_columns  so many from the left are text, the rest numbers
  void header(const std::vector<std::string>& cells, std::size_t text_columns) {
    row(cells);
    out_ += "|";
    for (std::size_t i = 0; i < cells.size(); ++i) out_ += i < text_columns ? "---|" : "---:|";
    out_ += "\n";
  }
  std::string words(Say sentence) const { return std::string(say_(sentence)); }

  void head() {
    const std::string& title = say_.local(s_.title);
    paragraph("# " + line(Say::title, markdown_text(title.empty() ? s_.name : title)));
    if (result_.quick) paragraph("> " + line(Say::quick_banner, csv_number(s_.quick_scale)));
    if (result_.interrupted)
      paragraph("> " + line(Say::interrupted_banner, result_.records.size(), result_.replications_asked));
    paragraph(line(Say::policy_line, markdown_text(s_.policy), result_.records.size(), result_.seed));
    if (const std::string& about = say_.local(s_.about.summary); !about.empty())
      paragraph(markdown_text(about));
    paragraph(words(Say::reading_hint));
  }

  void targets() {
    if (result_.summary.targets.empty()) return;
    static constexpr std::array<Say, 3> verdicts{Say::pass, Say::fail, Say::inconclusive};
    heading(Say::targets);
    header({words(Say::verdict), words(Say::target), words(Say::measure), words(Say::bar),
            words(Say::estimate), words(Say::unit), words(Say::replications_column)},
           4);
    for (const experiment::TargetResult& t : result_.summary.targets) {
      const std::string& title = say_.local(t.target.title);
      std::string verdict = "**" + words(verdicts[static_cast<std::size_t>(t.verdict)]) + "**";
      if (t.target.level == scenario::Level::warn) verdict += " (" + words(Say::warn_only) + ")";
      std::string measure = t.target.metric;
      if (!t.estimate.labels.empty()) measure += " (" + measures::to_string(t.estimate.labels) + ")";
      row({verdict, markdown_text(title.empty() ? t.target.name : title), markdown_text(measure),
           markdown_text(t.target.expect), cell(t.estimate, 1), markdown_text(t.estimate.unit),
           fmt::format("{}", t.estimate.n)});
    }
    out_ += "\n";
    paragraph(words(Say::verdict_note));
  }

  std::string cell(const Estimate& e, double factor) const {
    if (e.n < 2 && e.n > 0) return figure(e, factor) + " (" + words(Say::not_estimable) + ")";
    return figure(e, factor);
  }

  void figures(const Section& section) {
    if (section.heading == Say::readings && !is_national(result_)) return;
    std::string before = std::move(out_);
    out_.clear();
    for (const Block& block : section.blocks) {
      std::vector<YearLine> lines = lines_by_year(result_.summary, block.selection);
      if (section.heading == Say::waterfall && all_zero(lines)) continue;
      if (!lines.empty() && block.caption != Say::count) paragraph(words(block.caption));
      table(std::move(lines), block.selection);
    }
    std::string tables = std::move(out_);
    out_ = std::move(before);
    if (tables.empty()) return;
    heading(section.heading);
    paragraph(words(section.text));
    out_ += tables;
  }

  void table(std::vector<YearLine> lines, const Selection& block) {
    if (!block.row_keys.empty() && block.row_keys[0] == "state") keep_waterfall(lines);
    if (!block.row_keys.empty() && block.row_keys[0] == "reading") keep_headline(lines);
    if (lines.empty()) return;
    std::set<int> years;
    bool totals = false;
    for (const YearLine& l : lines) {
      for (const auto& [year, e] : l.years) years.insert(year);
      totals = totals || l.total != nullptr;
    }
    std::vector<std::string> names{words(Say::measure), words(Say::unit)};
    for (const int year : years) names.push_back(fmt::format("{}", year));
    if (totals) names.push_back(words(Say::total));
    names.push_back(words(Say::replications_column));
    header(names, 2);
    for (const YearLine& l : lines) row(cells(l, block, years, totals));
    out_ += "\n";
  }

  std::vector<std::string> cells(const YearLine& l, const Selection& block, const std::set<int>& years,
                                 bool totals) const {
    std::string name = l.metric;
    for (std::size_t i = 0; i < l.row.size(); ++i)
      name += (i == 0 ? ": " : ", ") + say_.label(block.row_keys[i], l.row[i]);
    std::vector<std::string> texts{markdown_text(name), markdown_text(unit_of(l, block))};
    const auto put = [&](const Estimate* e) {
      if (e == nullptr) return texts.emplace_back("");
      const bool bound = l.lower_bound && is_lower_bound(result_.summary, *e);
      return texts.emplace_back((bound ? "≥ " : "") + cell(*e, l.factor));
    };
    for (const int year : years) {
      const auto found = l.years.find(year);
      put(found == l.years.end() ? nullptr : found->second);
    }
    if (totals) put(l.total);
    texts.push_back(sample(l));
    return texts;
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
    header({words(Say::path), words(Say::value), words(Say::range), words(Say::status), words(Say::as_of),
            words(Say::source)},
           6);
    for (const scenario::Assumption& a : s_.assumptions) {
      const std::string range = a.low.empty() && a.high.empty() ? "" : a.low + " – " + a.high;
      row({markdown_text(a.path), markdown_text(a.value), markdown_text(range), markdown_text(a.status),
           markdown_text(a.as_of), markdown_source(a.source)});
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

  void method() {
    static constexpr std::array<const char*, 3> backfills{"none", "fit", "easy"};
    const scheduling::Scheduling& rules = s_.scheduling;
    heading(Say::method);
    const std::vector<std::string> items{
        line(Say::method_replications, result_.records.size(), result_.replications_asked),
        line(Say::method_seed, result_.seed),
        words(Say::method_streams),
        line(Say::method_horizon, to_string(s_.horizon.start), to_string(s_.horizon.end),
             to_string(s_.as_of)),
        words(Say::method_access),
        line(Say::method_semantics, "fcfs", backfills[static_cast<std::size_t>(rules.backfill)], "pool",
             rules.semantics.pass == scheduling::PassRule::instant ? "instant" : "event",
             rules.semantics.ties == scheduling::Ties::release_first ? "release-first" : "arrival-first",
             csv_number(in_seconds(rules.slowdown_floor))),
        words(Say::method_intervals),
        line(Say::method_fingerprint, combined_fingerprint(result_)),
        line(Say::method_demand_hash, common_hash(&simulation::RunRecord::demand_hash)),
        line(Say::method_failure_hash, common_hash(&simulation::RunRecord::failure_hash)),
        line(Say::method_scenario_hash, markdown_text(s_.hash)),
        line(Say::method_version, build_info().version)};
    for (const std::string& item : items) out_ += "- " + item + "\n";
    out_ += "\n";
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
