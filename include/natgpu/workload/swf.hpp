// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

/// Reads the Standard Workload Format, plain or gzip. Processors count as GPUs; the requested number (field
/// 8) is taken, else the allocated one (field 5); the requested time (field 9), else the run time (field 4).
/// Rows with run time < 1, no processors, more processors than `gpus` (0: than the header's MaxProcs), or
/// negative submit are unusable. A line that is no SWF row at all is an error: not 18 numbers, over 64 KiB, a
/// NUL byte. Decimals are read: a fraction of a second is cut off and counted, `4.00` processors are 4, `4.5`
/// are an error. Header keys (MaxProcs, MaxNodes, UnixStartTime, and `Queue: 3 normal`, likewise User and
/// Group) count where they stand before the first row. CR LF is accepted. Source: Chapin et al., "Benchmarks
/// and standards for the evaluation of parallel job schedulers", JSSPP 1999; version 2.2 as the Parallel
/// Workloads Archive describes it.
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401 cannot be read, E0402 not a number,
/// E0403 too few or too many fields, E0404 no text (NUL, line too long), E0405 out of range, E0406 damaged
/// gzip
JobLog read_swf(const std::string& file, std::int64_t gpus = 0);

/// The log as SWF 2.2, jobs in order of submission (stable), unusable rows left out. A header that came with
/// the log is kept line by line, with MaxJobs, MaxRecords, MaxProcs and UnixStartTime brought up to date;
/// without one, these, the names of queues, groups and users, and a note on what SWF has no place for are
/// written. Names of jobs become numbers from 1. Reading the text gives the same jobs, but for what SWF
/// cannot say: cores, memory, shares and types of GPUs, nodes.
std::string swf_text(const JobLog& log);

/// What of this log SWF has no place for: "shares of GPUs", ...; empty: nothing is lost.
std::vector<std::string> lost_in_swf(const JobLog& log);

}  // namespace natgpu::workload
