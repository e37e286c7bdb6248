// SPDX-License-Identifier: Apache-2.0
#include "log_format.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/trace.hpp>

namespace natgpu::cli {

std::string log_format(const Arguments& arguments) {
  if (!arguments.has("--format")) return {};
  const std::vector<std::string> names = workload::log_format_names();
  const std::string written = arguments.text("--format");
  if (std::find(names.begin(), names.end(), written) != names.end()) return written;
  struct stat facts {};
  if (::stat(written.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) return written;
  throw UsageError(
      fmt::format("--format: unknown value `{}`{}", printable(written), did_you_mean(written, names)),
      fmt::format("one of: {}, or the file of a column map", fmt::join(names, ", ")));
}

std::string log_format_help() {
  return fmt::format("of the log: {}, or the file of a column map; by default told from its first line",
                     fmt::join(workload::log_format_names(), ", "));
}

std::string tasks_file(const Arguments& arguments) {
  if (arguments.has("--tasks") && arguments.has("--format"))
    throw UsageError("--tasks says what the log is: Alibaba PAI's table of jobs", "leave --format out");
  return arguments.text("--tasks");
}

std::vector<Option> log_options() {
  return {{"--format", "F", log_format_help()},
          {"--tasks", "FILE", "the log is Alibaba PAI's pai_job_table.csv, and this its pai_task_table.csv"}};
}

std::string rows_left_out(const workload::JobLog& log) {
  std::string out;
  for (const workload::Unusable& u : log.unusable)
    out += fmt::format("warning: {} rows left out: {} (line{} {}{})\n", u.rows, u.reason,
                       u.first_lines.size() > 1 ? "s" : "", fmt::join(u.first_lines, ", "),
                       u.rows > u.first_lines.size() ? ", ..." : "");
  if (log.fractions_dropped > 0)
    out += fmt::format("warning: {} times had a fraction of a second, which was cut off\n",
                       log.fractions_dropped);
  return out;
}

std::string log_notes(const workload::JobLog& log, bool counts) {
  std::string out = rows_left_out(log);
  if (log.retried > 0)
    out += fmt::format("note: {} jobs have several attempts, whose run times are added up{}\n", log.retried,
                       log.resized > 0
                           ? fmt::format("; {} of them held other numbers of GPUs than in the first, which "
                                         "counts",
                                         log.resized)
                           : "");
  if (counts && log.shared_gpus > 0)
    out += fmt::format("note: {} jobs ask for a share of a GPU; counted GPUs are whole, so each takes one\n",
                       log.shared_gpus);
  if (!log.jobs.empty() && log.without_request == log.jobs.size())
    out += "note: the log states no requested times; true run times stand in for them\n";
  return out;
}

}  // namespace natgpu::cli
