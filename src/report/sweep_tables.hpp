// SPDX-License-Identifier: Apache-2.0
// What the tables of a merged sweep are made from, point by point.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <natgpu/report/sweep.hpp>

namespace natgpu::report {

/// What a point has of one metric and labels.
struct PointSeries {
  std::string key;  ///< "metric,labels,unit" as in results.csv
  std::string metric, labels, unit;
  std::vector<std::int64_t> replications;
  experiment::Estimate estimate;  ///< values by replication, mean and interval; names are left out
};

/// From a point's lines "replication,metric,labels,unit,value", those of one metric and labels together.
std::vector<PointSeries> series_of(std::string_view rows);

}  // namespace natgpu::report
