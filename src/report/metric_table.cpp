// SPDX-License-Identifier: Apache-2.0
#include "metric_table.hpp"

#include <natgpu/report/build_info.hpp>

namespace natgpu::report {

MetricTable::MetricTable(SqliteFile& file, const std::vector<std::pair<std::string, Cell>>& about)
    : file_(&file) {
  file.run(
      "PRAGMA user_version = 1;"
      "CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
      "CREATE TABLE metrics (id INTEGER PRIMARY KEY, metric TEXT NOT NULL, labels TEXT NOT NULL,"
      " unit TEXT NOT NULL)");
  file.insert("about", {std::string_view("natgpu"), std::string_view(build_info().version)});
  for (const auto& [key, value] : about) file.insert("about", {std::string_view(key), value});
}

std::int64_t MetricTable::id_of(const std::string& metric, const std::string& labels,
                                const std::string& unit) {
  const auto [found, is_new] = ids_.try_emplace({metric, labels}, static_cast<std::int64_t>(ids_.size()) + 1);
  if (is_new)
    file_->insert("metrics", {found->second, std::string_view(metric), std::string_view(labels),
                              std::string_view(unit)});
  return found->second;
}

}  // namespace natgpu::report
