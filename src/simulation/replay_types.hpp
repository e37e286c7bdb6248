// SPDX-License-Identifier: Apache-2.0
// GPUs of several types in a replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/speed_list.hpp>

namespace natgpu::simulation {

inline std::int64_t gpus_of(const TypeOptions& types) {
  return std::accumulate(types.gpus.begin(), types.gpus.end(), std::int64_t{0});
}
inline scheduling::TypedMachine typed_machine(const TypeOptions& types) {
  scheduling::TypedMachine machine{types.gpus, {}};
  for (const workload::SpeedRow& row : types.speeds.rows) machine.speeds.push_back(row.speeds);
  return machine;
}

/// Which jobs are on which type, and for how long they were.
class ReplayTypes {
 public:
  /// @throws ScenarioError E0422 where a job has no speeds
  void begin(const workload::JobLog& log, const ReplayOptions& options, ReplayResult& result) {
    classes_ = workload::speed_rows(log, options.types.speeds);
    type_.assign(log.jobs.size(), 0);
    types_ = options.types.names.size();
    result_ = &result;
    result.type_ticks.assign(log.jobs.size() * types_, 0);
    result.types.clear();
    for (std::size_t j = 0; j < types_; ++j)
      result.types.push_back({options.types.names[j], options.types.gpus[j], 0});
  }
  std::uint32_t job_class(std::uint32_t i) const { return classes_[i]; }
  std::uint32_t type_of(std::uint32_t i) const { return type_[i]; }
  void start(std::uint32_t i, std::uint32_t type) { type_[i] = type; }
  /// What the job has held so far, less what is noted, it held of its type. @param held  ticks, of all types
  void note(std::uint32_t i, std::int64_t held) {
    const auto first = result_->type_ticks.begin() + static_cast<std::ptrdiff_t>(i * types_);
    const auto noted = std::accumulate(first, first + static_cast<std::ptrdiff_t>(types_), std::int64_t{0});
    *(first + type_[i]) += held - noted;
  }
  /// @pre the makespan is known
  void report(const std::vector<workload::LogJob>& jobs) const {
    if (result_->makespan_s == 0) return;
    for (std::size_t j = 0; j < types_; ++j) {
      Area used = 0;
      for (std::size_t i = 0; i < jobs.size(); ++i)
        used += static_cast<Area>(result_->type_ticks[i * types_ + j]) * jobs[i].gpus;
      const double offered = static_cast<double>(result_->types[j].gpus) *
                             static_cast<double>(result_->makespan_s) * ticks_per_second;
      result_->types[j].utilization = static_cast<double>(used) / offered;
    }
  }

 private:
  std::vector<std::uint32_t> classes_;  ///< row of the list of speeds, by job
  std::vector<std::uint32_t> type_;     ///< of the present or last run, by job
  std::size_t types_ = 0;
  ReplayResult* result_ = nullptr;
};

/// In the place of `ReplayTypes` where GPUs are alike.
struct NoTypes {};

}  // namespace natgpu::simulation
