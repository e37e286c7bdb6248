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

  /// Books GPU-time of [from, until) under one use, in the quarters in which it was spent.
  void spend(const Job& j, std::int64_t from, std::int64_t until, Use use) {
    if (until <= from) return;
    give_to_organisation(j, from, until);
    for_quarters(from, until, [&](std::uint16_t quarter, std::int64_t length) {
      books_.gpu_time.at(quarter, j.pool, j.sector, use) += static_cast<Area>(length) * j.parts;
    });
  }
  /// Settles the stretch of running that ends now: stalled, then work that is kept, then work that is not.
  ///
  /// @param use        what the work since the last checkpoint is (all of it where there are no checkpoints)
  /// @param lose_all   the job's earlier checkpoints are worth nothing either
  /// @param goes_on    the job will be continued from its last checkpoint: what is kept waits for the job's
  /// end
  void close_segment(Job& j, Use use, bool lose_all, bool goes_on = false) {
    const std::int64_t work_from = std::min(plus(j.started, j.stall), world_.now);
    spend(j, j.started, work_from, Use::stalled);
    std::int64_t kept_until = work_from;
    if (use == Use::useful) {
      kept_until = world_.now;
    } else if (!lose_all) {
      kept_until = plus(work_from, advance_checkpoint(j, world_.now - work_from));
    }
    if (goes_on) {
      save(j, work_from, kept_until);
    } else {
      spend(j, work_from, kept_until, Use::useful);
      close_saved(j, lose_all ? use : Use::useful);
    }
    spend(j, kept_until, world_.now, use);
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

  void give_to_organisation(const Job& j, std::int64_t from, std::int64_t until) {
    const std::int64_t measured = std::min(until, world_.stretch.until) - std::max(from, world_.stretch.from);
    if (j.organisation != no_index && measured > 0)
      books_.of_organisation[j.organisation] += static_cast<Area>(measured) * j.parts;
  }
  template <class Take>
  void for_quarters(std::int64_t from, std::int64_t until, Take&& take) const {
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
  void save(Job& j, std::int64_t from, std::int64_t until) {
    if (until <= from) return;
    give_to_organisation(j, from, until);
    for_quarters(from, until, [&](std::uint16_t quarter, std::int64_t length) {
      std::uint32_t at;
      if (!spare_saved_.empty()) {
        at = spare_saved_.back();
        spare_saved_.pop_back();
      } else {
        at = static_cast<std::uint32_t>(saved_.size());
        saved_.emplace_back();
      }
      saved_[at] = {quarter, static_cast<std::uint16_t>(j.pool), static_cast<Area>(length) * j.parts,
                    j.settled};
      j.settled = at;
    });
  }

  const World& world_;
  const JobGroups& groups_;
  DispatchBooks& books_;
  std::vector<Part> saved_;
  std::vector<std::uint32_t> spare_saved_;
};

}  // namespace natgpu::simulation
