// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::simulation {

/// The rows of a log are not in order of submission.
struct OutOfOrder {};

/// Indices of a log's jobs in the order in which they arrive; empty: as they stand in the file.
using ArrivalOrder = std::vector<std::uint32_t>;

inline ArrivalOrder by_submission(const workload::JobLog& log) {
  ArrivalOrder order(log.jobs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return log.jobs[a].submit_s < log.jobs[b].submit_s;
  });
  return order;
}

/// A log's jobs, one after another as they arrive.
class LogArrivals {
 public:
  struct Arrival {
    std::uint32_t job;  ///< index in the log
    std::size_t rank;   ///< rises with submission, unique
  };

  /// @throws OutOfOrder, here or in `take`, if jobs do not arrive in that order
  LogArrivals(const std::vector<workload::LogJob>& jobs, const ArrivalOrder& order)
      : jobs_(jobs), order_(order) {
    note_next();
  }
  /// `never` where all have come.
  Instant next() const { return next_submit_; }
  Arrival take() {
    const Arrival arrival{job_at(next_), next_};
    ++next_;
    note_next();
    return arrival;
  }
  /// Second of the log at which the first job is submitted. @pre there is one
  std::int64_t first_submit_s() const { return jobs_[job_at(0)].submit_s; }

 private:
  std::uint32_t job_at(std::size_t position) const {
    return order_.empty() ? static_cast<std::uint32_t>(position) : order_[position];
  }
  void note_next() {
    const Instant next =
        next_ < jobs_.size() ? Instant{Duration{jobs_[job_at(next_)].submit_s * ticks_per_second}} : never;
    if (next < next_submit_) throw OutOfOrder{};
    next_submit_ = next;
  }

  const std::vector<workload::LogJob>& jobs_;
  const ArrivalOrder& order_;
  std::size_t next_ = 0;
  Instant next_submit_ = Instant::min();
};

}  // namespace natgpu::simulation
