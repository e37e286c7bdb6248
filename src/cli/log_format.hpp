// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/workload/job_log.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// What --format says: a known format, the file of a column map, or nothing. @throws UsageError for anything
/// else
std::string log_format(const Arguments& arguments);
/// The doc of the option.
std::string log_format_help();
/// What --tasks says: a table of tasks, or nothing. @throws UsageError beside --format
std::string tasks_file(const Arguments& arguments);
/// Both options.
std::vector<Option> log_options();

/// Rows left out and times cut off, one line each; empty where all is well.
std::string rows_left_out(const workload::JobLog& log);
/// The same, and what stands in for values that the log lacks, or that the view does not have.
/// @param counts  GPUs are counted, so that none is shared
std::string log_notes(const workload::JobLog& log, bool counts = true);

}  // namespace natgpu::cli
