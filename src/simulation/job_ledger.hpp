// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <natgpu/scheduling/job_group.hpp>

#include "accounts.hpp"
#include "job_groups.hpp"
#include "job_table.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// Counts what becomes of jobs, in two books at once: by cohort and sector, and by class.
class JobLedger {
 public:
  JobLedger(const World& world, const JobGroups& groups, DispatchBooks& books)
      : world_(world), groups_(groups), books_(books) {}

  /// One more of what the member counts, for a job submitted in that quarter.
  void count(std::uint16_t quarter, std::uint16_t sector, std::uint16_t job_class,
             std::uint64_t JobCounts::*what) {
    for_both(quarter, sector, job_class, [what](JobCounts& c) { ++(c.*what); });
  }
  void count(const Job& j, std::uint64_t JobCounts::*what) { count(j.cohort, j.sector, j.job_class, what); }

  void first_start(const Job& j) {
    const std::int64_t wait = world_.now - j.submitted;
    for_both(j, [wait](JobCounts& c) {
      ++c.started;
      c.waited += wait;
      c.wait_s.add(wait / ticks_per_second);
    });
  }
  /// The job is done, or killed at its requested time.
  void end(const Job& j, bool killed) {
    const std::int64_t turnaround = world_.now - j.submitted;
    const double speed = groups_.speed_in(j.group, j.pool);
    const std::int64_t service = scheduling::time_at_speed(std::min(j.run_time, j.requested), speed);
    const std::int64_t floor = std::max(service, world_.scenario.scheduling.slowdown_floor.count());
    const double slowdown = std::max(1.0, static_cast<double>(turnaround) / static_cast<double>(floor));
    for_both(j, [&](JobCounts& c) {
      ++(killed                               ? c.killed
         : j.fate == demand::Fate::completes  ? c.finished
         : j.fate == demand::Fate::user_error ? c.failed
                                              : c.cancelled);
      c.turnaround += turnaround;
      c.slowdown += slowdown;
    });
  }
  /// At the end of the run.
  void still_there(const Job& j) {
    for_both(j, [&](JobCounts& c) {
      ++(j.state == JobState::running ? c.running : c.queued);
      if (j.has_started) return;
      ++c.censored;
      c.censored_wait += world_.now - j.submitted;
    });
  }

 private:
  template <class Change>
  void for_both(std::uint16_t quarter, std::uint16_t sector, std::uint16_t job_class, Change&& change) {
    const std::size_t of_class = world_.stretch.measures(quarter) ? job_class : books_.by_class.size() - 1;
    change(books_.cohorts[quarter * books_.sectors + sector]);
    change(books_.by_class[of_class]);
  }
  template <class Change>
  void for_both(const Job& j, Change&& change) {
    for_both(j.cohort, j.sector, j.job_class, std::forward<Change>(change));
  }

  const World& world_;
  const JobGroups& groups_;
  DispatchBooks& books_;
};

}  // namespace natgpu::simulation
