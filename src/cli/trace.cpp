// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/swf.hpp>
#include <natgpu/workload/trace.hpp>

#include "command.hpp"
#include "log_format.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

constexpr std::int64_t most_gpus = 1'000'000'000;

/// Width of the columns of the list, in characters.
constexpr int name_width = 13;

int formats(const Arguments& arguments) {
  const std::vector<workload::ColumnMap>& maps = workload::shipped_maps();
  if (arguments.positional.size() == 1) {
    std::string out = fmt::format("{:<{}}{}\n", "swf", name_width, "Standard Workload Format 2.2");
    out += fmt::format("{:<{}}{}\n{:<{}}{}\n", "philly-json", name_width, "Microsoft Philly, cluster_job_log",
                       "", name_width, "msr-fiddle/philly-traces; Jeon et al., USENIX ATC 2019");
    for (const workload::ColumnMap& map : maps)
      out += fmt::format("{:<{}}{}\n{:<{}}{}\n", map.name, name_width, map.title, "", name_width, map.source);
    put_out(out +
            "\n`natgpu trace formats NAME` writes the map of a CSV format; edit it and give it as --format "
            "FILE.\n");
    return Exit::done;
  }
  const std::string& name = arguments.positional[1];
  if (name == "swf" || name == "philly-json")
    throw UsageError(fmt::format("{} is no CSV format and has no column map", name),
                     "docs/traces.md says what is read of it");
  const auto found =
      std::find_if(maps.begin(), maps.end(), [&](const auto& map) { return map.name == name; });
  if (arguments.positional.size() > 2 || found == maps.end()) {
    std::vector<std::string> names;
    for (const workload::ColumnMap& map : maps) names.push_back(map.name);
    throw UsageError(fmt::format("no column map `{}`{}", printable(name), did_you_mean(name, names)),
                     fmt::format("one of: {}", fmt::join(names, ", ")));
  }
  put_out(workload::to_csv(*found));
  return Exit::done;
}

bool ends_in_gz(const std::string& path) {
  return path.size() > 3 && path.compare(path.size() - 3, 3, ".gz") == 0;
}

int convert(const Arguments& arguments) {
  if (arguments.positional.size() != 3)
    throw UsageError("trace convert needs a log and the file to write",
                     "natgpu trace convert jobs.csv jobs.swf");
  arguments.choice("--to", {"swf"}, 0);
  const std::string& to = arguments.positional[2];
  if (ends_in_gz(to))
    throw UsageError("the log is written as plain text", "write it without .gz, then compress it with gzip");
  const std::int64_t gpus = arguments.whole("--gpus", 0, 1, most_gpus);
  workload::JobLog log = workload::read_log(
      arguments.positional[1], {log_format(arguments), gpus, false, false, tasks_file(arguments)});
  if (gpus > 0) log.max_procs = gpus;
  put_err(log_notes(log));
  for (const std::string& lost : workload::lost_in_swf(log))
    put_err(fmt::format("note: SWF has no place for {}\n", lost));
  write_file_whole(to, workload::swf_text(log));
  put_out(fmt::format("{}: {} jobs{}\n", printable(to), log.jobs.size(),
                      log.max_procs > 0 ? fmt::format(" of a machine with {} processors", log.max_procs)
                                        : "; name the machine with --gpus N to write MaxProcs"));
  return Exit::done;
}

std::vector<Option> convert_options() {
  std::vector<Option> all = log_options();
  all.push_back({"--to", "F", "what to write: swf (default)"});
  all.push_back({"--gpus", "N", "of the machine: becomes MaxProcs, and larger jobs are left out"});
  return all;
}

constexpr Action actions[] = {{"convert", convert}, {"formats", formats}};

int trace(const Arguments& arguments) {
  return run_action("trace", actions, arguments);
}

}  // namespace

const Command& trace_command() {
  static const Command command{"trace",
                               "Convert job logs, and show the formats that are read.",
                               "convert LOG OUT | formats [NAME]",
                               1,
                               3,
                               convert_options(),
                               {"natgpu trace convert cluster_log.csv helios.swf --gpus 1064",
                                "natgpu trace formats", "natgpu trace formats philly > my-columns.csv"},
                               trace};
  return command;
}

}  // namespace natgpu::cli
