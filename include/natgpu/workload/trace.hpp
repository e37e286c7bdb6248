// SPDX-License-Identifier: Apache-2.0
// The front door for job logs of any format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/workload/column_map.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

struct ReadOptions {
  std::string
      format;  ///< swf, the name of a shipped map, or the file of one's own; empty: told from the file
  std::int64_t gpus = 0;  ///< of the machine: jobs that need more are unusable; 0: what the log states
  /// Also rows without GPUs or without a run time (run_s is 0 then): what was asked for, for packing
  /// experiments.
  bool keep_all_requests = false;
  bool keep_cpu_jobs = false;  ///< also rows without GPUs, which hold cores and memory of machines
};

/// "swf" and the names of the shipped maps.
std::vector<std::string> log_format_names();

/// The format of a file, from its first line: comments with `;` or 18 numbers are SWF; a header line belongs
/// to the map that finds all its columns there. @throws ScenarioError E0409 where none or several fit
std::string guess_log_format(const std::string& file);

/// Reads a CSV job log, plain or gzip: quoted fields (RFC 4180), LF or CR LF, a byte order mark. Missing
/// values are empty, None, NaN, NaT, NULL or \N. Dates without a time zone are taken as UTC; where
/// submissions are dates, second 0 is the first usable one. Rows that lack a submission, GPUs, a start or an
/// end, run less than a second, or ask for more GPUs than `gpus` are unusable: counted and named by line. The
/// requested time, where there is none, is the run time.
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401 to E0406 as read_swf, E0408 broken
/// quotes, E0409 the header lacks a column of the map
JobLog read_csv_log(const std::string& file, const ColumnMap& map, const ReadOptions& options = {});

/// Reads a job log of any format. @throws as the functions above
JobLog read_log(const std::string& file, const ReadOptions& options = {});

}  // namespace natgpu::workload
