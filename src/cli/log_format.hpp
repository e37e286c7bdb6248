// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <natgpu/workload/job_log.hpp>

#include "command.hpp"

namespace natgpu::cli {

/// What --format says: a known format, the file of a column map, or nothing. @throws UsageError for anything
/// else
std::string log_format(const Arguments& arguments);
/// The doc of the option.
std::string log_format_help();

/// Rows left out and times cut off, one line each; empty where all is well.
std::string rows_left_out(const workload::JobLog& log);
/// The same, and what becomes of values where GPUs are counted.
std::string log_notes(const workload::JobLog& log);

}  // namespace natgpu::cli
