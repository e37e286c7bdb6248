// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace natgpu::workload {

/// One usable row of a job log. Times in whole seconds as in the log.
struct LogJob {
  std::int64_t id = 0;        ///< job number in the log
  std::int64_t submit_s = 0;
  std::int64_t run_s = 0;     ///< true run time
  std::int64_t requested_s = 0;  ///< the user's limit; the run time where the log has none
  std::int32_t gpus = 0;
  std::int32_t user = -1, group = -1, queue = -1;
};

/// Why rows could not be used, counted and the first of each kind named by line.
struct Unusable {
  std::string reason;
  std::uint64_t rows = 0;
  std::vector<std::uint64_t> first_lines;  ///< up to five
};

/// A log in memory, rows in file order (which breaks ties of submit).
struct JobLog {
  std::string file;
  std::vector<LogJob> jobs;
  std::vector<Unusable> unusable;
  std::int64_t max_procs = 0;         ///< MaxProcs, else MaxNodes, of the header; 0: not stated
  std::int64_t unix_start_time = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;            ///< of text, after decompression
  std::uint64_t fractions_dropped = 0;  ///< times written with a fraction of a second, which is cut off
};

/// Reads the Standard Workload Format, plain or gzip. Processors count as GPUs; the requested number (field 8) is
/// taken, else the allocated one (field 5); the requested time (field 9), else the run time (field 4).
/// Rows with run time < 1, no processors, more processors than `gpus` (0: than the header's MaxProcs), or negative
/// submit are unusable. A line that is no SWF row at all is an error: not 18 numbers, over 64 KiB, a NUL byte.
/// Decimals are read: a fraction of a second is cut off and counted, `4.00` processors are 4, `4.5` are an error.
/// Header keys (MaxProcs, MaxNodes, UnixStartTime) count where they stand before the first row. CR LF is accepted.
/// Source: Chapin et al., "Benchmarks and standards for the evaluation of parallel job schedulers", JSSPP 1999.
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401 cannot be read, E0402 not a number,
/// E0403 too few or too many fields, E0404 no text (NUL, line too long), E0405 out of range, E0406 damaged gzip
JobLog read_swf(const std::string& file, std::int64_t gpus = 0);

}  // namespace natgpu::workload
