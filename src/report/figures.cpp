// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace natgpu::report {
namespace {

using experiment::Estimate;
using experiment::Summary;

struct When {
  bool known = false, total = false;
  int year = 0;
  std::string_view key, text;
};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int to_year(std::string_view text) {
  int year = 0;
  for (const char c : text.substr(0, 4)) year = year * 10 + (c - '0');
  return year;
}

When when(const measures::Labels& labels) {
  for (const auto& [key, value] : labels) {
    const bool is_period = key == "period";
    if (!is_period && key != "at") continue;
    if (is_period && value == "all") return {true, true, 0, key, value};
    const bool is_year = value.size() == 4 && all_digits(value);
    const bool is_date = value.size() == 10 && all_digits(value.substr(0, 4));
    if ((is_period && is_year) || (!is_period && is_date)) return {true, false, to_year(value), key, value};
    return {};  // a quarter
  }
  return {};
}

bool is_among(std::string_view metric, const std::vector<std::string_view>& names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return metric == name || (name.back() == '.' && metric.substr(0, name.size()) == name);
  });
}

/// The values of the row's labels; false if labels are missing or others are there.
bool row_of(const measures::Labels& labels, const Selection& selection, std::vector<std::string>& row) {
  row.assign(selection.row_keys.size(), {});
  std::size_t found = 0;
  for (const auto& label : labels) {
    if (label.first == "period" || label.first == "at") continue;
    ++found;
    if (std::find(selection.fixed.begin(), selection.fixed.end(), label) != selection.fixed.end()) continue;
    const auto key = std::find(selection.row_keys.begin(), selection.row_keys.end(), label.first);
    if (key == selection.row_keys.end()) return false;
    row[static_cast<std::size_t>(key - selection.row_keys.begin())] = label.second;
  }
  return found == selection.row_keys.size() + selection.fixed.size();
}

struct Scale {
  std::string_view unit, shown;
  double least;  ///< smallest value of a line for which it is used
  double factor;
};
constexpr Scale scales[]{{"share", "%", 0, 100},       {"s", "d", 172800, 1.0 / 86400},
                         {"s", "h", 7200, 1.0 / 3600}, {"s", "min", 120, 1.0 / 60},
                         {"KRW", "bn KRW", 1e9, 1e-9}, {"KRW", "m KRW", 1e6, 1e-6}};

double largest_of(const YearLine& line) {
  double largest = line.total != nullptr && std::isfinite(line.total->mean) ? std::abs(line.total->mean) : 0;
  for (const auto& [year, e] : line.years)
    if (std::isfinite(e->mean)) largest = std::max(largest, std::abs(e->mean));
  return largest;
}

constexpr std::array<std::string_view, 8> waterfall_states{"ordered", "delivered", "powered",   "in_service",
                                                           "public",  "up",        "allocated", "useful"};

/// Position in the waterfall, or its length. "In service", "in-service" and "in_service" are one word.
std::size_t waterfall_rank(std::string state) {
  std::replace_if(
      state.begin(), state.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return static_cast<std::size_t>(std::find(waterfall_states.begin(), waterfall_states.end(), state) -
                                  waterfall_states.begin());
}

/// Two digits of the spread are worth showing; without a spread, four of the value, or all of a whole number.
int decimals_for(double mean, double half_width, int most_decimals) {
  if (half_width > 0) {
    int d = 0;
    for (; half_width < 10 && d < most_decimals; half_width *= 10) ++d;
    return d;
  }
  if (mean == std::floor(mean)) return 0;
  int d = 0;
  for (mean = std::abs(mean); mean < 1000 && d < most_decimals; mean *= 10) ++d;
  return d;
}

}  // namespace

Style style_of(std::string_view metric, const std::string& unit, double largest) {
  constexpr std::string_view counts = ".count";
  const bool is_count =
      metric.size() > counts.size() && metric.substr(metric.size() - counts.size()) == counts;
  for (const Scale& s : scales)
    if (s.unit == unit && largest >= s.least)  // of an hour, a day, a million won two decimals are enough
      return {std::string(s.shown), s.factor, unit == "share" ? most_decimals : 2};
  return {unit == "1" ? (is_count ? "count" : "index") : unit};
}

std::vector<YearLine> lines_by_year(const Summary& summary, const Selection& selection) {
  std::vector<YearLine> lines;
  std::map<std::pair<std::string, std::vector<std::string>>, std::size_t> known;
  std::map<const Estimate*, std::string_view> text_of;
  std::vector<std::string> row;
  for (const Estimate& e : summary.estimates) {
    if (!is_among(e.metric, selection.metrics) || !row_of(e.labels, selection, row)) continue;
    const When t = when(e.labels);
    if (!t.known || (selection.time == TimeKind::stock && t.key != "at") ||
        (selection.time == TimeKind::period && t.key != "period"))
      continue;
    const auto [at, is_new] = known.try_emplace({e.metric, row}, lines.size());
    if (is_new) {
      YearLine fresh;
      fresh.metric = e.metric;
      fresh.row = row;
      lines.push_back(std::move(fresh));
    }
    YearLine& line = lines[at->second];
    if (t.total) {
      line.total = &e;
      continue;
    }
    const Estimate*& cell = line.years[t.year];
    if (cell == nullptr || text_of[cell] < t.text) cell = &e;
    text_of[cell] = when(cell->labels).text;
  }
  std::map<std::string, double> largest;
  for (const YearLine& line : lines) largest[line.metric] = std::max(largest[line.metric], largest_of(line));
  for (YearLine& line : lines) {
    const Estimate* any = line.total != nullptr ? line.total : line.years.begin()->second;
    const Style style = style_of(line.metric, any->unit, largest[line.metric]);
    line.unit = style.unit;
    line.factor = style.factor;
    line.decimals = style.decimals;
    line.lower_bound = line.metric == "jobs.wait.mean";
    // A mean over years of growth is no headline (DESIGN section 9); years are.
    const bool is_mean = any->unit == "share" || line.metric.rfind("capacity.", 0) == 0;
    if (is_mean && !line.years.empty()) line.total = nullptr;
  }
  return lines;
}

void keep_waterfall(std::vector<YearLine>& lines, std::size_t state) {
  lines.erase(std::remove_if(
                  lines.begin(), lines.end(),
                  [&](const YearLine& l) { return waterfall_rank(l.row[state]) == waterfall_states.size(); }),
              lines.end());
  std::stable_sort(lines.begin(), lines.end(), [&](const YearLine& a, const YearLine& b) {
    return waterfall_rank(a.row[state]) < waterfall_rank(b.row[state]);
  });
}

bool all_zero(const std::vector<YearLine>& lines) {
  return std::all_of(lines.begin(), lines.end(), [](const YearLine& l) {
    return std::all_of(l.years.begin(), l.years.end(),
                       [](const auto& cell) { return cell.second->low == 0 && cell.second->high == 0; });
  });
}

bool is_lower_bound(const Summary& summary, const Estimate& wait) {
  return std::any_of(summary.estimates.begin(), summary.estimates.end(), [&](const Estimate& e) {
    return e.metric == "jobs.censored.count" && e.labels == wait.labels && e.high > 0;
  });
}

const std::vector<std::string_view>& steps_to_use() {
  static const std::vector<std::string_view> steps(waterfall_states.begin(), waterfall_states.end() - 1);
  return steps;
}

std::string grouped(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_not_of("-0.,") == std::string::npos && text[0] == '-') text.erase(0, 1);  // no "-0"
  const std::size_t first = text[0] == '-' ? 1 : 0;
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > first && at < point && (point - at) % 3 == 0) out += ',';
    out += text[at];
  }
  return out;
}

std::string figure(const Estimate& e, double factor, int decimals_at_most) {
  if (!std::isfinite(e.mean)) return "-";
  const double mean = e.mean * factor;
  double spread = std::isfinite(e.half_width) ? e.half_width * factor : 0;
  if (spread <= 1e-9 * std::abs(mean)) spread = 0;  // rounding, not chance
  const bool small = decimals_at_most == most_decimals && mean != 0 && std::abs(mean) < 1e-5;
  const bool extreme = std::abs(mean) >= 1e15 || small;
  const int decimals = decimals_for(mean, spread, decimals_at_most);
  const std::string text = extreme ? fmt::format("{:.4g}", mean) : grouped(mean, decimals);
  if (!std::isfinite(e.half_width)) return text;
  if (spread == 0) return text + " ± 0";
  return text + " ± " + (extreme ? fmt::format("{:.2g}", spread) : grouped(spread, decimals));
}

std::string day_of(const Estimate& estimate) {
  for (const auto& [key, value] : estimate.labels)
    if (key == "at") return value;
  return {};
}

std::string sample(const YearLine& line) {
  std::set<std::size_t> sizes;
  for (const auto& [year, e] : line.years) sizes.insert(e->n);
  if (line.total != nullptr) sizes.insert(line.total->n);
  return sizes.size() == 1 ? fmt::format("{}", *sizes.begin())
                           : fmt::format("{}-{}", *sizes.begin(), *sizes.rbegin());
}

const std::vector<Selection>& headlines() {
  static const std::vector<Selection> all{
      {{"gpu.allocated.share", "gpu.busy.share", "gpu.useful.share"}, {}, {}},
      {{"jobs.submitted.count", "jobs.finished.count", "jobs.wait.mean", "jobs.wait.p95",
        "jobs.censored.count"},
       {},
       {}},
      {{"energy.mwh"}, {}, {}},
  };
  return all;
}

const experiment::Estimate* latest(const YearLine& line) {
  return line.years.empty() ? line.total : line.years.rbegin()->second;
}

const Estimate* startup_cut(const Summary& summary) {
  const auto found = std::find_if(summary.estimates.begin(), summary.estimates.end(),
                                  [](const Estimate& e) { return e.metric == "warmup.cut.days"; });
  return found == summary.estimates.end() ? nullptr : &*found;
}

}  // namespace natgpu::report
