// SPDX-License-Identifier: Apache-2.0
// Estimates picked for people: by year, in a unit that suits, with as many digits as the spread allows.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::report {

/// One row of a table by year.
struct YearLine {
  std::string metric;
  std::string row;    ///< value of the row's label; empty where the metric is the row
  std::string unit;   ///< as shown: shares in %, long times in h or d
  double factor = 1;  ///< shown = value x factor
  std::map<int, const experiment::Estimate*> years;
  const experiment::Estimate* total = nullptr;  ///< period=all
  bool lower_bound = false;                     ///< cells whose cohort still waits are marked as such
};

/// Estimates whose labels are a time (`period` a year or `all`, or `at`, of which the last of each year
/// counts) and, unless `row_key` is empty, that one label. In the order of the summary.
/// @param metrics  full names, or beginnings that end in a dot
std::vector<YearLine> lines_by_year(const experiment::Summary& summary,
                                    const std::vector<std::string_view>& metrics, std::string_view row_key);

/// Leaves the states of the waterfall, from ordered to allocated, in that order; others (dark, retired) are
/// for metrics.csv.
void keep_waterfall(std::vector<YearLine>& lines);

/// Whether some of the jobs behind a mean wait were still waiting at the end.
bool is_lower_bound(const experiment::Summary& summary, const experiment::Estimate& wait);

/// "29,873 ± 412"; without a half-width only the mean, and a dash where there is none.
std::string figure(const experiment::Estimate& estimate, double factor = 1);
/// "10", or "8-10" where cells differ.
std::string sample(const YearLine& line);

/// Digit groups by commas, so many decimals.
std::string grouped(double value, int decimals);

}  // namespace natgpu::report
