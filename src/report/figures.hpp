// SPDX-License-Identifier: Apache-2.0
// Estimates picked for people: by year, in a unit that suits, with as many digits as the spread allows.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::report {

/// Decimals of a figure, whatever its spread.
constexpr int most_decimals = 6;

/// How the values of a metric are shown: shares in %, long times in h or d.
struct Style {
  std::string unit;  ///< "count" and "index" where the metric has none
  double factor = 1;
  int decimals = most_decimals;  ///< at most
};
/// @param largest  of the values that are to have one unit, without sign
Style style_of(std::string_view metric, const std::string& unit, double largest);

/// One row of a table by year.
struct YearLine {
  std::string metric;
  std::vector<std::string> row;  ///< values of the rows' labels; empty where the metric is the row
  std::string unit;              ///< as shown: shares in %, long times in h or d
  double factor = 1;             ///< shown = value x factor
  int decimals = most_decimals;  ///< at most
  std::map<int, const experiment::Estimate*> years;
  const experiment::Estimate* total = nullptr;  ///< period=all
  bool lower_bound = false;                     ///< cells whose cohort still waits are marked as such
};

/// Stocks on a day (`at`) or measures of a year (`period`).
enum class TimeKind : unsigned char { any, stock, period };

/// Which estimates make a table.
struct Selection {
  std::vector<std::string_view> metrics;   ///< full names, or beginnings that end in a dot
  std::vector<std::string_view> row_keys;  ///< labels that tell the rows of one metric apart
  measures::Labels fixed;                  ///< labels that all must have, and that are not shown
  TimeKind time = TimeKind::any;
};

/// Estimates whose labels are a time (`period` a year or `all`, or `at`, of which the last of each year
/// counts), those fixed, and the row's. In the order of the summary.
std::vector<YearLine> lines_by_year(const experiment::Summary& summary, const Selection& selection);

/// What a run is first asked for: use, jobs and waits, energy.
const std::vector<Selection>& headlines();
/// The latest year, else the whole run: a mean over a growing pool is no headline.
const experiment::Estimate* latest(const YearLine& line);

/// Leaves the states of the waterfall, from ordered to allocated, in that order; others (dark, retired) are
/// for metrics.csv. @param state  which of the row's labels is the state
void keep_waterfall(std::vector<YearLine>& lines, std::size_t state = 0);

/// The states from ordered to allocated, as the model writes them, in their order.
const std::vector<std::string_view>& steps_to_use();

/// Days left out at the start of a run of a steady state, or null where none was declared.
const experiment::Estimate* startup_cut(const experiment::Summary& summary);

/// Nothing but zeros, such as a peak that the scenario does not state.
bool all_zero(const std::vector<YearLine>& lines);

/// Whether some of the jobs behind a mean wait were still waiting at the end.
bool is_lower_bound(const experiment::Summary& summary, const experiment::Estimate& wait);

/// The day of a stock, "2030-12-31"; empty for measures of a period.
std::string day_of(const experiment::Estimate& estimate);

/// "29,873 ± 412"; without a half-width only the mean, and a dash where there is none.
std::string figure(const experiment::Estimate& estimate, double factor = 1,
                   int decimals_at_most = most_decimals);
inline std::string figure(const experiment::Estimate& estimate, const YearLine& line) {
  return figure(estimate, line.factor, line.decimals);
}
/// "10", or "8-10" where cells differ.
std::string sample(const YearLine& line);

/// Digit groups by commas, so many decimals.
std::string grouped(double value, int decimals);

}  // namespace natgpu::report
