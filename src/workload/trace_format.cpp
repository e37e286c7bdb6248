// SPDX-License-Identifier: Apache-2.0
// Which reader a log is for.
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/workload/swf.hpp>
#include <natgpu/workload/trace.hpp>

#include "column_binding.hpp"
#include "csv_reader.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// The first line that is not blank, of the first chunk.
std::string first_line(const std::string& file) {
  TextSource source(file);
  std::string text(line_limit, '\0');
  text.resize(source.read(text.data(), text.size()));
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find_first_of("\r\n", from), text.size());
    const std::string_view line = without_blanks(std::string_view(text).substr(from, to - from));
    if (!line.empty()) return std::string(line);
    from = to + 1;
  }
  return {};
}

[[noreturn]] void refuse_header(const std::string& file, const std::vector<std::string>& header,
                                const std::vector<std::string>& fitting) {
  Mistakes mistakes(file);
  std::string message = "the header line belongs to none of the formats known";
  std::string help = fmt::format(
      "name the format with --format ({}), or give a map of the columns (`natgpu trace "
      "formats NAME` writes one to start from)",
      fmt::join(log_format_names(), ", "));
  const auto has = [&](const char* column) {
    return std::find(header.begin(), header.end(), column) != header.end();
  };
  if (has("job_name") && has("inst_id") && has("user") && !has("task_name"))
    help =
        "this is Alibaba PAI's table of jobs: give the table of their tasks with --tasks pai_task_table.csv";
  if (!fitting.empty())
    message = fmt::format("the header line fits several formats: {}", fmt::join(fitting, ", "));
  const ColumnMap* nearest = nullptr;
  std::size_t fewest = 0;
  for (const ColumnMap& map : shipped_maps()) {
    const std::size_t missing = missing_columns(map, header).size();
    if (2 * missing <= map.columns.size() && (nearest == nullptr || missing < fewest)) {
      nearest = &map;
      fewest = missing;
    }
  }
  if (fitting.empty() && nearest != nullptr)
    help += fmt::format("; the nearest is {}, which also needs {}", nearest->name,
                        fmt::join(missing_columns(*nearest, header), ", "));
  mistakes.add(1, "E0409", std::move(message), std::move(help));
  mistakes.throw_if_any();
  throw ScenarioError({});
}

}  // namespace

std::vector<std::string> log_format_names() {
  std::vector<std::string> names{"swf", "philly-json"};
  for (const ColumnMap& map : shipped_maps()) names.push_back(map.name);
  return names;
}

std::string guess_log_format(const std::string& file) {
  if (ends_with(file, ".swf") || ends_with(file, ".swf.gz")) return "swf";
  const std::string line = first_line(file);
  if (!line.empty() && (line[0] == '[' || line[0] == '{')) return "philly-json";
  if (line.empty() || line[0] == ';' || line.find(',') == std::string::npos) return "swf";
  Mistakes mistakes(file);
  CsvReader csv(file, mistakes);
  std::vector<std::string> header;
  if (csv.next()) header = texts_of(csv);
  std::vector<std::string> fitting;
  for (const ColumnMap& map : shipped_maps())
    if (missing_columns(map, header).empty()) fitting.push_back(map.name);
  if (fitting.size() != 1) refuse_header(file, header, fitting);
  return fitting.front();
}

JobLog read_log(const std::string& file, const ReadOptions& options) {
  if (!options.tasks.empty()) return read_pai_jobs(file, options);
  const std::string format = options.format.empty() ? guess_log_format(file) : options.format;
  if (format == "swf") return read_swf(file, options.gpus);
  if (format == "philly-json") return read_philly_json(file, options);
  const auto shipped = std::find_if(shipped_maps().begin(), shipped_maps().end(),
                                    [&](const ColumnMap& map) { return map.name == format; });
  if (shipped != shipped_maps().end()) return read_csv_log(file, *shipped, options);
  return read_csv_log(file, read_column_map(format), options);
}

}  // namespace natgpu::workload
