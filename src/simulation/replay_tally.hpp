// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <natgpu/core/time.hpp>
#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// Sums over started jobs, taken while a job's row is at hand: a second walk over the log costs 5 ns a job.
class ReplayTally {
 public:
  explicit ReplayTally(std::int64_t slowdown_floor_s) : floor_s_(slowdown_floor_s) {}

  /// A job that keeps all of its GPUs from its start to its end.
  void start(const workload::LogJob& job, std::int64_t start_s, std::int64_t end_s) {
    record(job, start_s, end_s, end_s - start_s);
  }
  /// @param service_s  what it would take with all of its GPUs to itself
  void record(const workload::LogJob& job, std::int64_t start_s, std::int64_t end_s, std::int64_t service_s) {
    waited_ += start_s - job.submit_s;
    used_ += static_cast<Area>(service_s) * job.gpus;
    last_end_s_ = std::max(last_end_s_, end_s);
    const auto turnaround = static_cast<double>(end_s - job.submit_s);
    slowdown_ += std::max(1.0, turnaround / static_cast<double>(std::max(service_s, floor_s_)));
  }
  void report(std::int64_t first_submit_s, ReplayResult& r) const {
    if (r.started == 0) return;
    const auto jobs = static_cast<double>(r.started);
    r.makespan_s = last_end_s_ - first_submit_s;
    r.mean_wait_s = static_cast<double>(waited_) / jobs;
    r.mean_bounded_slowdown = slowdown_ / jobs;
    const double offered = static_cast<double>(r.gpus) * static_cast<double>(r.makespan_s);
    r.utilization = offered > 0 ? static_cast<double>(used_) / offered : 0;
  }

 private:
  std::int64_t floor_s_, last_end_s_ = 0;
  Area waited_ = 0, used_ = 0;
  double slowdown_ = 0;
};

}  // namespace natgpu::simulation
