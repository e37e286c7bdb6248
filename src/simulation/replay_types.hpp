// SPDX-License-Identifier: Apache-2.0
// GPUs of several types in a replay.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/type_speed.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/speed_list.hpp>

namespace natgpu::simulation {

inline std::int64_t gpus_of(const TypeOptions& types) {
  return std::accumulate(types.gpus.begin(), types.gpus.end(), std::int64_t{0});
}
/// Each type is a pool, and each row of speeds a group of jobs.
inline scheduling::TypedGavelDispatcher typed_dispatcher(scheduling::PreemptiveRule rule,
                                                         const TypeOptions& types) {
  std::vector<std::uint32_t> pools(types.gpus.size());
  std::iota(pools.begin(), pools.end(), 0U);
  std::vector<scheduling::GroupSpec> groups;
  for (const workload::SpeedRow& row : types.speeds.rows) {
    std::vector<scheduling::PoolChoice>& choices = groups.emplace_back().choices;
    for (const std::uint32_t p : pools)
      if (row.speeds[p] > 0)
        choices.push_back({p, static_cast<double>(row.speeds[p]) / scheduling::unit_speed});
    std::stable_sort(choices.begin(), choices.end(),
                     [](const auto& x, const auto& y) { return x.speed > y.speed; });
  }
  scheduling::TypedGavelDispatcher dispatcher(std::move(rule), pools, std::move(groups));
  for (const std::uint32_t p : pools) dispatcher.change_capacity(p, types.gpus[p]);
  return dispatcher;
}

/// Which jobs are on which type, and for how long they were.
class ReplayTypes {
 public:
  /// @throws ScenarioError E0422 where a job has no speeds
  void begin(const workload::JobLog& log, const ReplayOptions& options, ReplayResult& result) {
    classes_ = workload::speed_rows(log, options.types.speeds);
    options_ = &options.types;
    type_.assign(log.jobs.size(), 0);
    types_ = options.types.names.size();
    result_ = &result;
    result.type_ticks.assign(log.jobs.size() * types_, 0);
    result.types.clear();
    for (std::size_t j = 0; j < types_; ++j)
      result.types.push_back({options.types.names[j], options.types.gpus[j], 0});
  }
  std::uint32_t job_class(std::uint32_t i) const { return classes_[i]; }
  /// Of the job where it runs, or last ran, in millionths.
  std::int64_t speed(std::uint32_t i) const { return options_->speeds.rows[classes_[i]].speeds[type_[i]]; }
  /// Whether a gang has a type that can ever hold it.
  bool can_run(std::uint32_t i, std::int64_t gang) const {
    for (std::size_t j = 0; j < types_; ++j)
      if (options_->speeds.rows[classes_[i]].speeds[j] > 0 && gang <= options_->gpus[j]) return true;
    return false;
  }
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
  const TypeOptions* options_ = nullptr;
  ReplayResult* result_ = nullptr;
};

/// In the place of `ReplayTypes` where GPUs are alike.
struct NoTypes {};

}  // namespace natgpu::simulation
