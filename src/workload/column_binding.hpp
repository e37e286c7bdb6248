// SPDX-License-Identifier: Apache-2.0
// Where the columns of a map stand in a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/workload/column_map.hpp>

#include "csv_reader.hpp"

namespace natgpu::workload {

struct Bound {
  LogField field = LogField::id;
  std::size_t column = 0;
  const LogUnit* unit = nullptr;
  bool per_node = false;
};

struct Binding {
  std::vector<Bound> bounds;
  std::size_t columns = 0;     ///< of each record
  bool first_is_data = false;  ///< the file has no header line
};

/// @returns null where the field has no such unit
const LogUnit* find_unit(LogField field, std::string_view unit);
const LogFieldRow& row_of(LogField field);

/// The fields of the record that is out.
std::vector<std::string> texts_of(CsvReader& csv);

/// Needed columns of the map that the header does not have.
std::vector<std::string> missing_columns(const ColumnMap& map, const std::vector<std::string>& header);

/// Ties the map to the first record of a file, which is the header or, where there is none, data.
/// Reports E0409 for columns that are not there or there twice.
Binding bind_columns(const ColumnMap& map, CsvReader& csv, Mistakes& mistakes);

}  // namespace natgpu::workload
