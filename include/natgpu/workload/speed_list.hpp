// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

/// What of a job its speeds go by.
enum class SpeedKey : std::uint8_t { queue, group, user, gpu_type };

struct SpeedRow {
  std::string name;                  ///< as the log has it; `*`: all that no other row names
  std::vector<std::int64_t> speeds;  ///< millionths, by type; 0: cannot run there
  friend bool operator==(const SpeedRow&, const SpeedRow&) = default;
};

/// How fast jobs are on types of GPU; at 1 a job takes the time that the log says.
struct SpeedList {
  std::string file;
  SpeedKey key = SpeedKey::queue;
  std::vector<SpeedRow> rows;
  friend bool operator==(const SpeedList&, const SpeedList&) = default;
};

/// Reads a CSV file: a column `queue`, `group`, `user` or `gpu_type` and one for each type of GPU, in any
/// order. A speed is a number from 0 to a million with up to six decimals; 0 or nothing: such jobs cannot run
/// there.
/// @param types  of GPU
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401, E0403, E0404, E0406 and E0408 as
/// logs; E0422 a column that is missing or unknown, no speed, a row stated twice, a row without any speed
SpeedList read_speed_list(const std::string& file, const std::vector<std::string>& types);

/// The row of each job. @throws ScenarioError E0422 where a job has none
std::vector<std::uint32_t> speed_rows(const JobLog& log, const SpeedList& list);

}  // namespace natgpu::workload
