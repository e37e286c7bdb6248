// SPDX-License-Identifier: Apache-2.0
// results.sqlite of a merged sweep. Its tables stand in docs/sweeps.md.
#pragma once

#include <string>
#include <vector>

#include "metric_table.hpp"
#include "sqlite_file.hpp"
#include "sweep_tables.hpp"

namespace natgpu::report {

class SweepDatabase {
 public:
  /// @param missing  points of the plan that will not be added
  SweepDatabase(const std::string& path, const SweepPlan& plan, std::size_t missing);
  /// Points come in the order of the plan.
  void add(std::size_t point, const std::vector<PointSeries>& series);
  void finish() { file_.finish(); }

 private:
  SqliteFile file_;
  MetricTable metrics_;
};

}  // namespace natgpu::report
