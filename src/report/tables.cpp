// SPDX-License-Identifier: Apache-2.0
// metrics.csv and timeseries.csv: long form, one number a row.
#include <unordered_map>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

#include "escape.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

/// Looked up, never iterated.
class Units {
 public:
  explicit Units(const std::vector<measures::MetricRow>& rows) {
    for (const measures::MetricRow& row : rows) units_.emplace(std::string(row.name), csv_text(row.unit));
  }
  const std::string& of(const std::string& metric) const {
    const auto found = units_.find(metric);
    if (found == units_.end())
      throw InvariantError(fmt::format("metric `{}` is in no table of metrics", metric));
    return found->second;
  }

 private:
  std::unordered_map<std::string, std::string> units_;
};

/// The policy of every row. A row may be read far from its report: that its run was quick goes with it.
std::string policy_column(const RunResult& result) {
  return csv_text(result.scenario->policy + (result.quick ? " --quick" : ""));
}

}  // namespace

std::string metrics_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows) {
  const Units units(rows);
  const std::string policy = policy_column(result);
  std::string out = "policy,replication,metric,labels,unit,value\n";
  for (const simulation::RunRecord& record : result.records)
    for (const measures::Measurement& m : record.measurements)
      out += fmt::format("{},{},{},{},{},{}\n", policy, record.replication, csv_text(m.metric),
                         csv_text(measures::to_string(m.labels)), units.of(m.metric), csv_number(m.value));
  return out;
}

std::string timeseries_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows) {
  const Units units(rows);
  const std::string policy = policy_column(result);
  std::string out = "policy,replication,date,metric,labels,unit,value\n";
  for (const simulation::RunRecord& record : result.records)
    for (const simulation::SeriesPoint& p : record.series)
      out += fmt::format("{},{},{},{},{},{},{}\n", policy, record.replication, to_string(p.at),
                         csv_text(p.metric), csv_text(measures::to_string(p.labels)), units.of(p.metric),
                         csv_number(p.value));
  return out;
}

}  // namespace natgpu::report
