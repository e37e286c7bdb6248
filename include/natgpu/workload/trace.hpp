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
  /// swf, philly-json, the name of a shipped map, or the file of one's own; empty: told from the file
  std::string format;
  std::int64_t gpus = 0;  ///< of the machine: jobs that need more are unusable; 0: what the log states
  /// Also rows without GPUs or without a run time (run_s is 0 then): what was asked for, for packing
  /// experiments.
  bool keep_all_requests = false;
  bool keep_cpu_jobs = false;  ///< also rows without GPUs, which hold cores and memory of machines
  std::string tasks{};         ///< Alibaba PAI's table of tasks, where the log is its table of jobs
};

/// "swf", "philly-json" and the names of the shipped maps.
std::vector<std::string> log_format_names();

/// The format of a file, from its first line: comments with `;` or 18 numbers are SWF; a bracket or brace
/// begins Philly's JSON; a header line belongs to the map that finds all its columns there. @throws
/// ScenarioError E0409 where none or several fit
std::string guess_log_format(const std::string& file);

/// Reads a CSV job log, plain or gzip: quoted fields (RFC 4180), LF or CR LF, a byte order mark. Missing
/// values are empty, None, NaN, NaT, NULL or \N. Dates without a time zone are taken as UTC; where
/// submissions are dates, second 0 is the first usable one. Rows that lack a submission, GPUs, a start or an
/// end, run less than a second, or ask for more GPUs than `gpus` are unusable: counted and named by line. The
/// requested time, where there is none, is the run time.
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401 to E0406 as read_swf, E0408 broken
/// quotes, E0409 the header lacks a column of the map
JobLog read_csv_log(const std::string& file, const ColumnMap& map, const ReadOptions& options = {});

/// Reads Microsoft Philly's `cluster_job_log`, plain or gzip: an array of jobs, each with its attempts to
/// run. Memory follows the jobs, not the text. A job's run time is the sum of its attempts, its GPUs and
/// machines are those of the first. Missing values are null and those of read_csv_log. Jobs without attempts,
/// without GPUs, or with an attempt that lacks its start or end are unusable, named by the line on which they
/// begin.
/// @throws ScenarioError with line, up to 20 mistakes: E0401, E0402, E0405, E0406; E0409 a job without
/// `submitted_time` or `attempts`; E0413 broken JSON, or another structure
JobLog read_philly_json(const std::string& file, const ReadOptions& options = {});

/// Reads Alibaba PAI's pai_job_table.csv together with its pai_task_table.csv (`options.tasks`): one row a
/// job, with the job's submission and user and the sum of what its tasks asked for. It runs from the first
/// start of a task to the last end of one. Jobs that have no task, or one that never started or has no end,
/// are unusable.
/// @throws ScenarioError as read_csv_log, in either file
JobLog read_pai_jobs(const std::string& file, const ReadOptions& options);

/// Reads a job log of any format. @throws as the functions above
JobLog read_log(const std::string& file, const ReadOptions& options = {});

}  // namespace natgpu::workload
