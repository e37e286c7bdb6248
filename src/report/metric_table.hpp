// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sqlite_file.hpp"

namespace natgpu::report {

/// Tables that every results.sqlite has: `about`, what it comes from, and `metrics`, one row for each metric
/// and labels, so that no value carries their text.
class MetricTable {
 public:
  MetricTable(SqliteFile& file, const std::vector<std::pair<std::string, Cell>>& about);
  /// The row's id, numbered from 1 as they come.
  std::int64_t id_of(const std::string& metric, const std::string& labels, const std::string& unit);

 private:
  SqliteFile* file_;
  std::map<std::pair<std::string, std::string>, std::int64_t> ids_;
};

}  // namespace natgpu::report
