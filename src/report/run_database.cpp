// SPDX-License-Identifier: Apache-2.0
#include "run_database.hpp"

#include <natgpu/core/units.hpp>
#include <natgpu/scenario/futures.hpp>

#include "metric_table.hpp"
#include "sqlite_file.hpp"

namespace natgpu::report {
namespace {

constexpr const char* tables =
    "CREATE TABLE result_values (replication INTEGER, metric_id INTEGER, value REAL,"
    " PRIMARY KEY (replication, metric_id)) WITHOUT ROWID;"
    "CREATE TABLE timeseries_values (replication INTEGER, date TEXT, metric_id INTEGER, value REAL,"
    " PRIMARY KEY (replication, date, metric_id)) WITHOUT ROWID;"
    "CREATE TABLE summary_values (metric_id INTEGER PRIMARY KEY, n INTEGER, mean REAL, ci95_low REAL,"
    " ci95_high REAL);"
    "CREATE VIEW results AS SELECT replication, metric, labels, unit, value"
    " FROM result_values JOIN metrics ON id = metric_id;"
    "CREATE VIEW timeseries AS SELECT replication, date, metric, labels, unit, value"
    " FROM timeseries_values JOIN metrics ON id = metric_id;"
    "CREATE VIEW summary AS SELECT metric, labels, unit, n, mean, ci95_low, ci95_high"
    " FROM summary_values JOIN metrics ON id = metric_id";

/// What each replication of a run over futures drew; dates as text, all else as numbers.
void write_draws(SqliteFile& file, const RunResult& result) {
  file.run(
      "CREATE TABLE draws (replication INTEGER, uncertainty TEXT, path TEXT, unit TEXT, value,"
      " PRIMARY KEY (replication, uncertainty)) WITHOUT ROWID");
  for (const simulation::RunRecord& record : result.records)
    for (const scenario::Uncertainty* u : scenario::drawn_uncertainties(*result.scenario)) {
      const scenario::DrawnValue drawn = scenario::drawn_value(*u, record.seed, record.replication);
      double number = 0;
      const bool is_number = parse_number(drawn.number, number) == QuantityError::none;
      file.insert("draws", {std::int64_t{record.replication}, std::string_view(u->name),
                            std::string_view(u->path), std::string_view(drawn.unit),
                            is_number ? Cell(number) : Cell(std::string_view(drawn.number))});
    }
}

}  // namespace

void write_run_database(const std::string& path, const RunResult& result,
                        const std::vector<measures::MetricRow>& rows) {
  const scenario::Scenario& s = *result.scenario;
  SqliteFile file(path);
  MetricTable metrics(file, {{"scenario", s.name},
                             {"scenario_hash", s.hash},
                             {"policy", s.policy},
                             {"quick", std::int64_t{result.quick}},
                             {"interrupted", std::int64_t{result.interrupted}},
                             {"seed", static_cast<std::int64_t>(result.seed)},
                             {"replications", static_cast<std::int64_t>(result.records.size())}});
  file.run(tables);
  const auto id = [&](const std::string& metric, const measures::Labels& labels) {
    return metrics.id_of(metric, measures::to_string(labels),
                         std::string(measures::row_of(rows, metric).unit_of(labels)));
  };
  for (const simulation::RunRecord& record : result.records) {
    const std::int64_t replication = record.replication;
    for (const measures::Measurement& m : record.measurements)
      file.insert("result_values", {replication, id(m.metric, m.labels), m.value});
    for (const simulation::SeriesPoint& p : record.series) {
      const std::string date = to_string(p.at);
      file.insert("timeseries_values",
                  {replication, std::string_view(date), id(p.metric, p.labels), p.value});
    }
  }
  for (const experiment::Estimate& e : result.summary.estimates)
    file.insert("summary_values", {id(e.metric, e.labels), static_cast<std::int64_t>(e.n), e.mean,
                                   e.mean - e.half_width, e.mean + e.half_width});
  if (scenario::has_futures(s)) write_draws(file, result);
  file.finish();
}

}  // namespace natgpu::report
