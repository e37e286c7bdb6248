// SPDX-License-Identifier: Apache-2.0
#include "supply_pages.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <natgpu/supply/readings.hpp>

#include "escape.hpp"
#include "figures.hpp"
#include "markdown_table.hpp"
#include "waterfall.hpp"

namespace natgpu::report {
namespace {

using experiment::Estimate;

/// The precision in which peaks are shown: that of the official target.
constexpr std::string_view precision = "fp64_tensor";

/// A target: no more decimals than it has.
std::string target_text(double value) {
  return value == static_cast<double>(static_cast<std::int64_t>(value)) ? grouped(value, 0)
                                                                        : fmt::format("{:.4g}", value);
}

template <class... Args>
std::string line(const Catalogue& say, Say sentence, const Args&... args) {
  return fmt::format(fmt::runtime(say(sentence)), args...);
}

/// An estimate and how its line shows it.
struct Shown {
  const Estimate* estimate = nullptr;
  const YearLine* line = nullptr;
  int year = 0;
};

/// The last year of the line whose row begins so.
Shown last(const std::vector<YearLine>& lines, const std::vector<std::string>& row) {
  for (const YearLine& l : lines)
    if (l.row == row && !l.years.empty()) return {l.years.rbegin()->second, &l, l.years.rbegin()->first};
  return {};
}

std::string text_of(const Shown& shown) {
  return figure(*shown.estimate, *shown.line);
}

Selection peaks(TimeKind time) {
  return {{"capacity.eflops"}, {"state"}, {{"reading", std::string(precision)}}, time};
}

/// Lines of the waterfall's states, the precision of a peak in their unit; none where all are zero.
std::vector<YearLine> states(const RunResult& result, const Selection& selection) {
  std::vector<YearLine> lines = lines_by_year(result.summary, selection);
  keep_waterfall(lines);
  if (all_zero(lines)) return {};
  for (YearLine& l : lines)
    for (const auto& [key, value] : selection.fixed) l.unit += " " + value;
  return lines;
}

/// Some year and reading must come to a hundredth of the target.
bool is_national(const RunResult& result) {
  const double least = 0.01 * result.scenario->quick_scale;
  return std::any_of(
      result.summary.estimates.begin(), result.summary.estimates.end(),
      [&](const Estimate& e) { return e.metric == "reading.target.share" && e.mean >= least; });
}

const supply::Reading* reading_of(const std::string& id) {
  for (const supply::Reading& r : supply::readings())
    if (id == r.id) return &r;
  return nullptr;
}

/// Shares of the target of what is open to the public, one line a reading. Targets shrink with a quick run.
std::vector<YearLine> target_shares(const RunResult& result) {
  std::vector<YearLine> lines =
      lines_by_year(result.summary, {{"reading.target.share"}, {"reading", "state"}, {}});
  lines.erase(
      std::remove_if(lines.begin(), lines.end(), [](const YearLine& l) { return l.row[1] != "public"; }),
      lines.end());
  for (YearLine& l : lines) l.factor /= result.scenario->quick_scale;
  return lines;
}

/// All readings at the end of the last year: what counts, the target, and three states of the same devices.
std::string readings_table(const RunResult& result, const Catalogue& say) {
  const std::vector<YearLine> values =
      lines_by_year(result.summary, {{"reading.value"}, {"reading", "state"}, {}, TimeKind::stock});
  const std::vector<YearLine> shares = target_shares(result);
  std::string rows;
  std::string day;
  for (const YearLine& share : shares) {
    const std::string& id = share.row[0];
    const supply::Reading* reading = reading_of(id);
    if (reading == nullptr) continue;
    const std::string scope = say.label("scope", id);
    std::vector<std::string> cells{
        say.label("reading", id), scope,
        fmt::format("{} {}", target_text(reading->target * result.scenario->quick_scale), reading->unit)};
    for (const char* state : {"ordered", "public", "allocated"}) {
      const Shown value = last(values, {id, state});
      cells.push_back(value.estimate == nullptr ? "" : cell(say, *value.estimate));
    }
    const Shown of_target = last(shares, share.row);
    day = day_of(*of_target.estimate);
    cells.push_back(cell(say, *of_target.estimate, share.factor) + " %");
    cells.push_back(fmt::format("{}", of_target.estimate->n));
    rows += table_row(cells);
  }
  if (rows.empty()) return {};
  const auto state = [&](const char* name) { return say.label("state", name); };
  return fmt::format("**{}** (`reading.value`)\n\n", line(say, Say::readings_end, day)) +
         table_head({say.label("label", "reading"), std::string(say(Say::counts)),
                     std::string(say(Say::target)), state("ordered"), state("public"), state("allocated"),
                     std::string(say(Say::of_target)), std::string(say(Say::replications_column))},
                    3) +
         rows + "\n";
}

std::string block(const RunResult& result, const Catalogue& say, const Selection& selection, Say detail) {
  return year_table(result, say, states(result, selection), "state", say(detail));
}

}  // namespace

std::string readings_page(const RunResult& result, const Catalogue& say) {
  if (!is_national(result)) return {};
  std::string out = fmt::format("## {}\n\n{}\n\n", say(Say::readings), say(Say::readings_text));
  if (result.scenario->quick_scale < 1)
    out += line(say, Say::readings_scaled, csv_number(result.scenario->quick_scale)) + "\n\n";
  out += readings_table(result, say);
  return out + year_table(result, say, target_shares(result), "reading", say(Say::readings_by_year));
}

std::string waterfall_page(const RunResult& result, const Catalogue& say) {
  std::string tables;
  for (const Selection& selection :
       {peaks(TimeKind::stock), Selection{{"capacity.h100e"}, {"state"}, {}, TimeKind::stock}}) {
    DerivedLines derived;
    const std::vector<YearLine> lines = states(result, selection);
    tables += year_table(result, say, derived.gap(lines), "gap", say(Say::gap_title));
    tables += year_table(result, say, derived.losses(lines), "step", say(Say::losses_title));
    tables += block(result, say, selection, Say::stocks_title);
  }
  tables += block(result, say, {{"capacity.units"}, {"state"}, {}, TimeKind::stock}, Say::stocks_title);
  const std::string means =
      block(result, say, peaks(TimeKind::period), Say::means_title) +
      block(result, say, {{"capacity.h100e"}, {"state"}, {}, TimeKind::period}, Say::means_title);
  if (!means.empty()) tables += fmt::format("{}\n\n{}", say(Say::waterfall_means), means);
  tables +=
      year_table(result, say, lines_by_year(result.summary, {{"supply.unconfirmed.share"}, {}, {}}), {});
  if (tables.empty()) return {};
  return fmt::format("## {}\n\n{}\n\n{}", say(Say::waterfall), say(Say::waterfall_text), tables);
}

std::vector<std::string> supply_findings(const RunResult& result, const Catalogue& say) {
  std::vector<std::string> found;
  DerivedLines derived;
  const std::vector<YearLine> eflops = states(result, peaks(TimeKind::stock));
  const std::vector<YearLine> gap = derived.gap(eflops);
  const Shown paper = last(gap, {"on_paper"}), used = last(gap, {"allocated"}),
              share = last(gap, {"allocated_of_paper"}), open = last(eflops, {"public"});
  if (share.estimate != nullptr && open.estimate != nullptr)
    found.push_back(line(say, Say::finding_gap, day_of(*paper.estimate), text_of(paper), precision,
                         text_of(open), text_of(used), text_of(share)));
  const std::vector<YearLine> values =
      lines_by_year(result.summary, {{"reading.value"}, {"reading", "state"}, {}, TimeKind::stock});
  const std::vector<YearLine> targets = target_shares(result);
  const Shown headline = last(values, {"h100e", "public"}), of_target = last(targets, {"h100e", "public"});
  const supply::Reading* reading = reading_of("h100e");
  if (is_national(result) && headline.estimate != nullptr && of_target.estimate != nullptr &&
      reading != nullptr)
    found.push_back(line(say, Say::finding_target, day_of(*headline.estimate), text_of(headline),
                         text_of(of_target), target_text(reading->target * result.scenario->quick_scale)));
  const auto share_of = [&](const char* metric) {
    return lines_by_year(result.summary, {{metric}, {}, {}, TimeKind::period});
  };
  const std::vector<YearLine> allocated = share_of("gpu.allocated.share"),
                              useful = share_of("gpu.useful.share"),
                              unconfirmed = share_of("supply.unconfirmed.share");
  const Shown busy = last(allocated, {}), kept = last(useful, {}), plans = last(unconfirmed, {});
  if (busy.estimate != nullptr && kept.estimate != nullptr)
    found.push_back(line(say, Say::finding_use, busy.year, text_of(busy), text_of(kept)));
  if (plans.estimate != nullptr && !all_zero(unconfirmed))
    found.push_back(line(say, Say::finding_unconfirmed, plans.year, text_of(plans)));
  return found;
}

}  // namespace natgpu::report
