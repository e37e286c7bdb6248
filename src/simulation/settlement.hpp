// SPDX-License-Identifier: Apache-2.0
// What the GPU-time of a job turned out to be: useful, stalled, lost by cause, or unfinished.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "accounts.hpp"
#include "job_groups.hpp"
#include "job_table.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// Books GPU-time in the quarters in which it was spent. What a job did before its last checkpoint is kept
/// aside until the job's end tells what it was.
class Settlement {
 public:
  Settlement(const World& world, const JobGroups& groups, DispatchBooks& books)
      : world_(world), groups_(groups), books_(books) {}

  /// Books GPU-time of one quarter under one use.
  void book(const Job& j, std::uint16_t quarter, Area area, Use use) {
    give_to_organisation(j, quarter, area);
    books_.gpu_time.at(quarter, j.pool, j.sector, use) += area;
  }
  /// Books the job's GPU-time of [from, until), when it had all its GPUs.
  void spend(const Job& j, std::int64_t from, std::int64_t until, Use use) {
    for_quarters(from, until, [&](std::uint16_t quarter, std::int64_t length) {
      book(j, quarter, static_cast<Area>(length) * j.parts, use);
    });
  }
  /// Settles the stretch of running that ends now, in which the job had all its GPUs.
  void close_segment(Job& j, Use use, bool lose_all, bool goes_on = false) {
    close_course(j, WallTime{*this, j, world_.now - j.started}, use, lose_all, goes_on);
  }
  /// Settles what the job has had since it last started: stalled, then work that is kept, then work that is
  /// not.
  ///
  /// @param had        had.ticks(): of the job's service, and had.each(from, until, take): the GPU-time of a
  ///                   part of them, in their order, as take(quarter, area)
  /// @param use        what the work since the last checkpoint is (all of it where there are no checkpoints)
  /// @param lose_all   the job's earlier checkpoints are worth nothing either
  /// @param goes_on    the job will be continued from its last checkpoint: what is kept waits for the job's
  /// end
  template <class Had>
  void close_course(Job& j, Had had, Use use, bool lose_all, bool goes_on = false) {
    const auto as = [&](Use what) {
      return [this, &j, what](std::uint16_t quarter, Area area) { book(j, quarter, area, what); };
    };
    const std::int64_t work_from = std::min(j.stall, had.ticks());
    had.each(0, work_from, as(Use::stalled));
    std::int64_t kept_until = work_from;
    if (use == Use::useful) {
      kept_until = had.ticks();
    } else if (!lose_all) {
      kept_until += advance_checkpoint(j, had.ticks() - work_from);
    }
    if (goes_on) {
      had.each(work_from, kept_until,
               [this, &j](std::uint16_t quarter, Area area) { save(j, quarter, area); });
    } else {
      had.each(work_from, kept_until, as(Use::useful));
      close_saved(j, lose_all ? use : Use::useful);
    }
    had.each(kept_until, had.ticks(), as(use));
  }
  /// Settles the work that was kept aside.
  void close_saved(Job& j, Use use) {
    while (j.settled != no_index) {
      const Part& s = saved_[j.settled];
      books_.gpu_time.at(s.quarter, s.pool, j.sector, use) += s.area;
      spare_saved_.push_back(j.settled);
      j.settled = s.next;
    }
  }

 private:
  /// GPU-time behind a checkpoint.
  struct Part {
    std::uint16_t quarter;
    std::uint16_t pool;
    Area area;
    std::uint32_t next;
  };

  /// A job that has all its GPUs all the time.
  struct WallTime {
    const Settlement& settlement;
    const Job& job;
    std::int64_t length;

    std::int64_t ticks() const { return length; }
    template <class Take>
    void each(std::int64_t from, std::int64_t until, Take&& take) const {
      settlement.for_quarters(job.started + from, job.started + until,
                              [&](std::uint16_t quarter, std::int64_t part) {
                                take(quarter, static_cast<Area>(part) * job.parts);
                              });
    }
  };

  /// Periods are cut where measuring begins and ends.
  void give_to_organisation(const Job& j, std::uint16_t quarter, Area area) {
    if (j.organisation != no_index && world_.stretch.measures(quarter))
      books_.of_organisation[j.organisation] += area;
  }
  template <class Take>
  void for_quarters(std::int64_t from, std::int64_t until, Take&& take) const {
    if (until <= from) return;
    for (std::uint16_t q = world_.quarter_of(from); from < until; ++q) {
      const std::int64_t stop =
          q + 1U < world_.quarters.size() ? std::min(until, ticks(world_.quarters[q].to)) : until;
      if (stop > from) take(q, stop - from);
      from = stop;
    }
  }
  /// Moves the job's checkpoint as far as `elapsed` ticks of work carried it. @returns the ticks behind it
  std::int64_t advance_checkpoint(Job& j, std::int64_t elapsed) {
    const std::int64_t every = groups_.classes[j.job_class].checkpoint_every;
    if (every == 0) return 0;
    const double speed = groups_.speed_in(j.group, j.pool);
    const std::int64_t at_best = elapsed * 1000 / j.slowdown_milli;  // had it been on the fewest machines
    const auto progress = static_cast<std::int64_t>(std::floor(static_cast<double>(at_best) * speed));
    const std::int64_t reached = std::min((j.done + progress) / every * every, j.run_time);
    const std::int64_t gained = std::max<std::int64_t>(reached - j.done, 0);
    if (gained == 0) return 0;
    j.done += gained;
    return std::min(elapsed, time_for(groups_, j, gained));
  }
  void save(Job& j, std::uint16_t quarter, Area area) {
    give_to_organisation(j, quarter, area);
    std::uint32_t at;
    if (!spare_saved_.empty()) {
      at = spare_saved_.back();
      spare_saved_.pop_back();
    } else {
      at = static_cast<std::uint32_t>(saved_.size());
      saved_.emplace_back();
    }
    saved_[at] = {quarter, static_cast<std::uint16_t>(j.pool), area, j.settled};
    j.settled = at;
  }

  const World& world_;
  const JobGroups& groups_;
  DispatchBooks& books_;
  std::vector<Part> saved_;
  std::vector<std::uint32_t> spare_saved_;
};

}  // namespace natgpu::simulation
