// SPDX-License-Identifier: Apache-2.0
#include "column_binding.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/utf8.hpp>

namespace natgpu::workload {
namespace {

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    parts.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

/// `#3` stands for the third column.
std::optional<std::size_t> position_in(const std::string& column) {
  if (column.size() < 2 || column.size() > 5 || column[0] != '#') return std::nullopt;
  std::size_t number = 0;
  for (const char c : column.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  if (number == 0) return std::nullopt;
  return number - 1;
}

bool by_position(const ColumnMap& map) {
  return !map.columns.empty() && position_in(map.columns.front().column).has_value();
}

void report_missing(const ColumnMap& map, const std::vector<std::string>& header, CsvReader& csv) {
  for (const std::string& name : missing_columns(map, header)) {
    const std::string near = nearest_name(name, header);
    csv.mistake(0, "E0409", fmt::format("the header has no column `{}`, which {} needs", name, map.name),
                near.empty() ? std::string("check --format; `natgpu trace formats` shows what each needs")
                             : fmt::format("is it `{}`? A map of your own can say so", printable(near)));
  }
}

}  // namespace

const LogFieldRow& row_of(LogField field) {
  return log_fields()[static_cast<std::size_t>(field)];
}

const LogUnit* find_unit(LogField field, std::string_view unit) {
  const UnitKind kind = row_of(field).kind;
  const auto found = std::find_if(log_units().begin(), log_units().end(),
                                  [&](const LogUnit& u) { return u.kind == kind && u.name == unit; });
  return found == log_units().end() ? nullptr : &*found;
}

std::vector<std::string> texts_of(CsvReader& csv) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < csv.fields(); ++i) texts.emplace_back(csv.text(i));
  return texts;
}

std::vector<std::string> missing_columns(const ColumnMap& map, const std::vector<std::string>& header) {
  std::vector<std::string> missing;
  for (const Column& c : map.columns)
    if (c.needed && std::find(header.begin(), header.end(), c.column) == header.end() &&
        std::find(missing.begin(), missing.end(), c.column) == missing.end())
      missing.push_back(c.column);
  return missing;
}

Binding bind_columns(const ColumnMap& map, CsvReader& csv, Mistakes& mistakes) {
  Binding binding;
  std::vector<std::string> header = texts_of(csv);
  binding.columns = header.size();
  const bool names_one = std::any_of(map.columns.begin(), map.columns.end(), [&](const Column& c) {
    return std::find(header.begin(), header.end(), c.column) != header.end();
  });
  binding.first_is_data = by_position(map) || (!names_one && !map.header.empty());
  if (binding.first_is_data && !by_position(map)) header = split_at_commas(map.header);
  if (binding.first_is_data && header.size() != binding.columns && !by_position(map)) {
    csv.mistake(0, "E0409",
                fmt::format("{} columns where {} has {}: {}", binding.columns, map.name, header.size(),
                            fmt::join(header, ", ")),
                "check --format; `natgpu trace formats` shows what each needs");
    mistakes.throw_if_any();
  }
  if (!by_position(map)) report_missing(map, header, csv);
  for (const Column& c : map.columns) {
    const auto found = std::find(header.begin(), header.end(), c.column);
    const std::size_t place =
        by_position(map) ? *position_in(c.column) : static_cast<std::size_t>(found - header.begin());
    if (place < header.size())
      binding.bounds.push_back({c.field, place, find_unit(c.field, c.unit), c.per_node});
    else if (by_position(map) && c.needed)
      csv.mistake(place, "E0409", fmt::format("{} columns; the map needs `{}`", header.size(), c.column),
                  "columns are counted from #1");
    if (found != header.end() && std::find(found + 1, header.end(), c.column) != header.end())
      csv.mistake(place, "E0409", fmt::format("the header has two columns `{}`", c.column),
                  "rename or remove one");
  }
  mistakes.throw_if_any();
  return binding;
}

}  // namespace natgpu::workload
