// SPDX-License-Identifier: Apache-2.0
// Column maps as files, read by the reader they are made for.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "column_binding.hpp"
#include "csv_reader.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

enum Part : std::size_t { field, column, unit, per, needed, meaning, parts };
constexpr std::array<const char*, parts> part_names{"field", "column", "unit", "per", "needed", "meaning"};
constexpr std::size_t required_parts = 3;
constexpr std::size_t absent = static_cast<std::size_t>(-1);

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const LogFieldRow& row : log_fields()) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> unit_names(UnitKind kind) {
  std::vector<std::string> names;
  for (const LogUnit& u : log_units())
    if (u.kind == kind) names.emplace_back(u.name);
  return names;
}

class MapReader {
 public:
  explicit MapReader(const std::string& file) : mistakes_(file), csv_(file, mistakes_) {
    map_.name = file;
    map_.title = "columns as " + file + " says";
  }

  ColumnMap read() {
    if (!csv_.next()) mistakes_.add(1, "E0410", "an empty map", "it begins with the line field,column,unit");
    mistakes_.throw_if_any();
    header();
    while (csv_.next()) row();
    complete();
    mistakes_.throw_if_any();
    return std::move(map_);
  }

 private:
  void header() {
    const std::vector<std::string> names = texts_of(csv_);
    for (std::size_t part = 0; part < parts; ++part) {
      const auto found = std::find(names.begin(), names.end(), part_names[part]);
      place_[part] = found == names.end() ? absent : static_cast<std::size_t>(found - names.begin());
      if (place_[part] == absent && part < required_parts)
        csv_.mistake(0, "E0410", fmt::format("a map needs the column `{}`", part_names[part]),
                     "it begins with the line field,column,unit");
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::find(part_names.begin(), part_names.end(), names[i]) == part_names.end())
        csv_.mistake(i, "E0410", "not a column of a map",
                     fmt::format("one of: {}", fmt::join(part_names, ", ")));
    width_ = names.size();
    mistakes_.throw_if_any();
  }

  std::string text(Part part) {
    return place_[part] == absent ? std::string() : std::string(without_blanks(csv_.text(place_[part])));
  }
  void wrong(Part part, std::string message, std::string help) {
    csv_.mistake(place_[part], "E0410", std::move(message), std::move(help));
  }

  void row() {
    if (!csv_.has_fields(width_)) return;
    const std::vector<std::string> names = field_names();
    const std::string name = text(Part::field);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      const std::string near = nearest_name(name, names);
      return wrong(Part::field, "no field of a job log",
                   near.empty() ? fmt::format("one of: {}", fmt::join(names, ", "))
                                : fmt::format("did you mean `{}`?", near));
    }
    Column entry;
    entry.field = log_fields()[static_cast<std::size_t>(found - names.begin())].field;
    entry.column = text(Part::column);
    entry.unit = text(Part::unit);
    entry.meaning = text(Part::meaning);
    check(entry);
    entry.per_node = choice(Part::per, "job", "node");
    entry.needed = !choice(Part::needed, "yes", "no");
    map_.columns.push_back(std::move(entry));
  }

  void check(const Column& entry) {
    const UnitKind kind = row_of(entry.field).kind;
    if (find_unit(entry.field, entry.unit) == nullptr)
      wrong(Part::unit, fmt::format("no unit of `{}`", row_of(entry.field).name),
            fmt::format("one of: {}", fmt::join(unit_names(kind), ", ")));
    if (entry.column.empty())
      wrong(Part::column, "no name of a column", "its name in the header, or its place: #3");
    for (const Column& other : map_.columns)
      if (other.field == entry.field)
        wrong(Part::field, fmt::format("a second column for `{}`", row_of(entry.field).name), "keep one");
    if (!map_.columns.empty() &&
        (map_.columns.front().column.substr(0, 1) == "#") != (entry.column.substr(0, 1) == "#"))
      wrong(Part::column, "names and places in one map", "a log has a header line, or it has none");
  }

  /// False for the first word or none, true for the second.
  bool choice(Part part, const char* usual, const char* other) {
    const std::string word = text(part);
    if (!word.empty() && word != usual && word != other)
      wrong(part, fmt::format("expected {} or {}", usual, other), "leave it empty for the first");
    return word == other;
  }

  void complete() {
    const auto has = [&](LogField f) {
      return std::any_of(map_.columns.begin(), map_.columns.end(),
                         [&](const Column& c) { return c.field == f && c.needed; });
    };
    for (const LogField f : {LogField::submit, LogField::gpus})
      if (!has(f))
        mistakes_.add(1, "E0410", fmt::format("no needed column for `{}`", row_of(f).name),
                      "a job has a submission, GPUs and a run time");
    if (!has(LogField::run) && !(has(LogField::start) && has(LogField::end)))
      mistakes_.add(1, "E0410", "no needed column for `run`, nor for `start` and `end`",
                    "a job has a submission, GPUs and a run time");
  }

  Mistakes mistakes_;
  CsvReader csv_;
  ColumnMap map_;
  std::array<std::size_t, parts> place_{};
  std::size_t width_ = 0;
};

}  // namespace

ColumnMap read_column_map(const std::string& file) {
  return MapReader(file).read();
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

std::string to_csv(const ColumnMap& map) {
  std::string out = "field,column,unit,per,needed,meaning\n";
  for (const Column& c : map.columns)
    out += fmt::format("{},{},{},{},{},{}\n", row_of(c.field).name, csv_cell(c.column), c.unit,
                       c.per_node ? "node" : "job", c.needed ? "yes" : "no", csv_cell(c.meaning));
  return out;
}

}  // namespace natgpu::workload
