// SPDX-License-Identifier: Apache-2.0
#include "sweep_database.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>

namespace natgpu::report {
namespace {

/// Names of columns are equal for SQL where they differ in the case of ASCII letters only; paths then are
/// not.
std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// The paths, each with as many ' behind it as make it unlike those before.
std::vector<std::string> column_names(const std::vector<std::string>& paths) {
  std::set<std::string> taken{"point"};
  std::vector<std::string> names;
  for (std::string name : paths) {
    while (!taken.insert(lower(name)).second) name += '\'';
    names.push_back(name);
  }
  return names;
}

/// A number where the whole text is one, so that SQL compares it as such.
Cell cell_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end)
    return whole;
  double number = 0;
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec == std::errc() && read.ptr == end && number - number == 0)
    return number;
  return text;
}

constexpr const char* tables =
    "CREATE TABLE result_values (point INTEGER, metric_id INTEGER, replication INTEGER, value REAL,"
    " PRIMARY KEY (point, metric_id, replication)) WITHOUT ROWID;"
    "CREATE TABLE summary_values (point INTEGER, metric_id INTEGER, n INTEGER, mean REAL, ci95_low REAL,"
    " ci95_high REAL, PRIMARY KEY (point, metric_id)) WITHOUT ROWID;"
    "CREATE VIEW results AS SELECT point, replication, metric, labels, unit, value"
    " FROM result_values JOIN metrics ON id = metric_id;"
    "CREATE VIEW summary AS SELECT point, metric, labels, unit, n, mean, ci95_low, ci95_high"
    " FROM summary_values JOIN metrics ON id = metric_id";

}  // namespace

SweepDatabase::SweepDatabase(const std::string& path, const SweepPlan& plan, std::size_t missing)
    : file_(path),
      metrics_(file_, {{"plan", plan.hash},
                       {"scenario", plan.scenario_file},
                       {"scenario_hash", plan.scenario_hash},
                       {"seed", static_cast<std::int64_t>(plan.seed)},
                       {"replications", std::int64_t{plan.replications}},
                       {"points", static_cast<std::int64_t>(plan.points.size())},
                       {"points_missing", static_cast<std::int64_t>(missing)}}) {
  std::string sql = "CREATE TABLE points (point INTEGER PRIMARY KEY";
  for (const std::string& name : column_names(plan.paths)) sql += ", " + sql_name(name);
  file_.run(sql + ");" + tables);
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    std::vector<Cell> row{static_cast<std::int64_t>(i)};
    for (const std::string& value : plan.points[i]) row.push_back(cell_of(value));
    file_.insert("points", row);
  }
}

void SweepDatabase::add(std::size_t point, const std::vector<PointSeries>& series) {
  const auto at = static_cast<std::int64_t>(point);
  for (const PointSeries& s : series) {
    const std::int64_t id = metrics_.id_of(s.metric, s.labels, s.unit);
    for (std::size_t r = 0; r < s.replications.size(); ++r)
      file_.insert("result_values", {at, id, s.replications[r], s.estimate.values[r]});
    const experiment::Estimate& e = s.estimate;
    file_.insert("summary_values", {at, id, static_cast<std::int64_t>(e.n), e.mean, e.mean - e.half_width,
                                    e.mean + e.half_width});
  }
}

}  // namespace natgpu::report
