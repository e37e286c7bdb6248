// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace natgpu::workload {

/// What a column of a job log can be.
enum class LogField : std::uint8_t {
  id,
  submit,
  start,
  end,
  run,
  requested,
  gpus,
  gpu_share,
  gpu_type,
  nodes,
  cpu,
  memory,
  user,
  group,
  queue,
  status
};
inline constexpr std::size_t log_field_count = 16;

/// Columns of a field share the units of its kind.
enum class UnitKind : std::uint8_t { instant, span, gpus, cores, memory, count, label, word };

struct LogFieldRow {
  LogField field;
  std::string_view name;
  UnitKind kind;
  std::string_view doc;
};
const std::vector<LogFieldRow>& log_fields();

/// A way to write a value: multiplied by numerator / denominator it is in seconds, thousandths (of a GPU, of
/// a core), MiB, or a number.
struct LogUnit {
  std::string_view name;
  UnitKind kind;
  enum class Form : std::uint8_t { scaled, number, datetime, name, word } form;
  std::int64_t numerator = 1, denominator = 1;
};
const std::vector<LogUnit>& log_units();

/// One column and what it means. The same column may feed several fields.
struct Column {
  LogField field = LogField::id;
  std::string column;     ///< its name in the header, or `#3`: the third
  std::string unit;       ///< a name among log_units() of the field's kind
  bool per_node = false;  ///< the value is for each of `nodes`
  std::string meaning;
  bool needed = true;  ///< a file without this column is another format
};

/// How the columns of a CSV job log are to be read. A map is data: the shipped ones are a table, a user's is
/// a file.
struct ColumnMap {
  std::string name, title, source;
  std::vector<Column> columns;
  std::string header;  ///< column names where the published file has no header line; else empty
};

/// Philly, Helios, Acme, Alibaba PAI (tasks, and the jobs of its simulator) and openb.
const std::vector<ColumnMap>& shipped_maps();

/// A map written as CSV with the columns field, column, unit and, where wanted, per (job | node),
/// needed (yes | no) and meaning; other columns are ignored.
/// @throws ScenarioError E0410 for what is no field, no column, no unit of the field, or for a missing field
ColumnMap read_column_map(const std::string& file);

/// The text as a field of CSV, in quotes where it holds a comma, a quote or a line break (RFC 4180).
std::string csv_cell(std::string_view text);

/// The map as the file that read_column_map reads.
std::string to_csv(const ColumnMap& map);

}  // namespace natgpu::workload
