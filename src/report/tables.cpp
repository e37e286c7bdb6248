// SPDX-License-Identifier: Apache-2.0
// metrics.csv and timeseries.csv: long form, one number a row.
#include <fmt/format.h>

#include "escape.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

std::string unit_text(const std::vector<measures::MetricRow>& rows, const std::string& metric,
                      const measures::Labels& labels) {
  return csv_text(measures::row_of(rows, metric).unit_of(labels));
}

}  // namespace

std::string policy_column(const RunResult& result) {
  return csv_text(result.scenario->policy + (result.quick ? " --quick" : ""));
}

std::string metrics_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows) {
  const std::string policy = policy_column(result);
  std::string out = "policy,replication,metric,labels,unit,value\n";
  for (const simulation::RunRecord& record : result.records)
    for (const measures::Measurement& m : record.measurements)
      out += fmt::format("{},{},{},{},{},{}\n", policy, record.replication, csv_text(m.metric),
                         csv_text(measures::to_string(m.labels)), unit_text(rows, m.metric, m.labels),
                         csv_number(m.value));
  return out;
}

std::string timeseries_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows) {
  const std::string policy = policy_column(result);
  std::string out = "policy,replication,date,metric,labels,unit,value\n";
  for (const simulation::RunRecord& record : result.records)
    for (const simulation::SeriesPoint& p : record.series)
      out += fmt::format("{},{},{},{},{},{},{}\n", policy, record.replication, to_string(p.at),
                         csv_text(p.metric), csv_text(measures::to_string(p.labels)),
                         unit_text(rows, p.metric, p.labels), csv_number(p.value));
  return out;
}

}  // namespace natgpu::report
