// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/gains.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/reservation_profile.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Where and when a job is to run.
struct ReservedPlace {
  static constexpr std::int64_t forever = ReservationProfile::forever;

  std::uint32_t pool = 0;
  std::int64_t length = 0;  ///< requested, on that pool; ticks
  std::int64_t start = forever;
  std::int64_t end() const { return start + length; }
};

/// Pools whose future is promised: what is free when, beside running jobs, foreseen changes and reservations;
/// and where something has come free since reservations were last looked at.
class ReservationBooks {
 public:
  static constexpr std::int64_t forever = ReservationProfile::forever;

  /// @param count_due  a running job whose requested end is now counts as gone (Ties::arrival_first)
  ReservationBooks(std::size_t pools, bool count_due) : pools_(pools), count_due_(count_due) {}

  // --- what happens between passes

  /// A running job hands its GPUs back, at or before its requested end.
  void finish(std::uint32_t pool, std::int64_t gpus, std::int64_t requested_end) {
    pools_[pool].free += gpus;
    pools_[pool].profile.add(requested_end, -gpus);
    pools_[pool].gains.note(now_, requested_end);
    note_end(pools_[pool], requested_end, -gpus);
    freed_ = true;
  }
  /// A running job's requested end moves.
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    pools_[pool].profile.add(old_end, -gpus);
    pools_[pool].profile.add(new_end, gpus);
    note_end(pools_[pool], old_end, -gpus);
    note_end(pools_[pool], new_end, gpus);
    if (new_end > old_end) {
      pools_[pool].doubtful = true;
    } else {
      pools_[pool].gains.note(new_end, old_end);
      freed_ = true;
    }
  }
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    Pool& p = pools_[pool];
    p.free += delta;
    p.capacity += delta;
    NATGPU_ENSURE(p.free >= 0 && p.capacity >= 0, "lost GPUs were freed first");
    // What was announced and happens changes nothing of what was planned.
    const bool as_announced = (delta > 0) == (p.unsettled > 0) && std::abs(delta) <= std::abs(p.unsettled);
    if (as_announced) p.unsettled -= delta;
    if (!as_announced || delta > 0) note_change(p, now_, delta);
  }
  /// A change foreseen for `at` enters the profile; `withdraw_foreseen` takes it out when it happens or is
  /// off.
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.add(at, delta);
    note_change(pools_[pool], at, delta);
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.add(at, -delta);
    pools_[pool].unsettled += delta;
    if (delta < 0) {
      pools_[pool].gains.note(at, forever);
      loss_off_at_ = std::max(loss_off_at_, at);
    }
  }
  /// The profile is always kept.
  void keep_profile() {}

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].capacity; }
  /// The next instant at which a reserved job is to start, or `forever`: a pass is due then.
  std::int64_t next_start() const { return next_start_; }

 protected:
  // --- at the beginning of a pass

  void begin_pass(std::int64_t now) {
    now_ = now;
    if (loss_off_at_ > now) freed_ = gained_ = true;  // otherwise it has happened, and nobody gained
    loss_off_at_ = never;
    if (!count_due_) return;
    for (Pool& p : pools_) {
      const std::int64_t due = p.ends.due(now_);
      may_fit_ |= due > p.due;
      p.due = due;
    }
  }
  /// Pools whose profile a loss that nobody knew of has left short. @returns whether there are any
  bool find_short_pools() {
    bool any = false;
    for (Pool& p : pools_) {
      p.short_of_promises = (p.doubtful || p.unsettled > 0) && p.free + p.profile.lowest() < 0;
      p.doubtful = false;
      p.unsettled = 0;
      any |= p.short_of_promises;
    }
    return any;
  }
  bool short_of_promises(std::uint32_t pool) const { return pools_[pool].short_of_promises; }
  /// Reservations there have been dropped, all of them: whoever comes next may look everywhere.
  void clear_short_pools() {
    for (Pool& p : pools_)
      if (p.short_of_promises) p.gains.note(now_, forever);
  }

  // --- places

  /// Where the job would end earliest; `start` is `forever` where no pool can hold it.
  ReservedPlace earliest_place(const std::vector<PoolChoice>& choices, const WaitingJob& job) const {
    ReservedPlace best;
    for (const PoolChoice& c : choices) {
      const Pool& p = pools_[c.pool];
      ReservedPlace here{c.pool, time_at_speed(job.requested, c.speed), 0};
      here.start = p.profile.earliest(now_, p.free, job.gpus, here.length);
      if (here.start != forever && (best.start == forever || here.end() < best.end())) best = here;
    }
    return best;
  }
  /// The same for a job that holds a place: a start no later than there, with that place as its own room.
  ReservedPlace better_place(const std::vector<PoolChoice>& choices, const WaitingJob& job,
                             const ReservedPlace& held) const {
    ReservedPlace best = held;
    bool found = false;
    for (const PoolChoice& c : choices) {
      const Pool& p = pools_[c.pool];
      ReservedPlace here = held;
      if (c.pool == held.pool) {
        const std::int64_t before = std::max(held.start, now_);
        const std::int64_t start =
            p.gains.earliest(now_, p.profile, p.free, job.gpus, here.length, before, before);
        if (start != forever) here.start = start;
      } else {
        here = {c.pool, time_at_speed(job.requested, c.speed), 0};
        here.start =
            p.gains.earliest(now_, p.profile, p.free, job.gpus, here.length, held.start + 1, forever);
        if (here.start == forever) continue;
      }
      if (found && here.end() >= best.end()) continue;
      best = here;
      found = true;
    }
    return best;
  }
  /// Whether a job may start beside all reservations; `place` is where.
  bool fits_now(const std::vector<PoolChoice>& choices, const WaitingJob& job, ReservedPlace& place) const {
    for (const PoolChoice& c : choices) {
      const Pool& p = pools_[c.pool];
      if (job.gpus > available(c.pool)) continue;
      place = {c.pool, time_at_speed(job.requested, c.speed), now_};
      if (p.profile.fits(now_, p.free, job.gpus, place.length)) return true;
    }
    return false;
  }
  /// Per size class the longest request that may start now in some pool.
  Sieve sieve_for(const std::vector<PoolChoice>& choices) const {
    Sieve sieve;
    for (const PoolChoice& c : choices) {
      const Pool& p = pools_[c.pool];
      const std::int64_t idle = available(c.pool);
      sieve.largest = std::max(sieve.largest, idle);
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= idle; ++size) {
        const std::int64_t fall = p.profile.first_below(now_, p.free, std::int64_t{1} << size);
        if (fall > now_) sieve.admit(size, longest_request(fall == forever ? forever : fall - now_, c.speed));
      }
    }
    return sieve;
  }
  /// GPUs that a job could have at this instant, reservations aside.
  std::int64_t available(std::uint32_t pool) const { return pools_[pool].free + pools_[pool].due; }

  // --- reservations

  void take(const ReservedPlace& place, std::int64_t gpus) {
    pools_[place.pool].profile.hold(place.start, place.end(), gpus);
    next_start_ = std::min(next_start_, place.start);
  }
  void drop(const ReservedPlace& place, std::int64_t gpus) {
    pools_[place.pool].profile.release(place.start, place.end(), gpus);
  }
  /// The same where the job goes and others may use its room.
  void give_up(const ReservedPlace& place, std::int64_t gpus) {
    drop(place, gpus);
    pools_[place.pool].gains.note(place.start, place.end());
  }
  /// @param everywhere  the sweep looks at all of the profile, not only where GPUs were gained
  void begin_sweep(bool everywhere) {
    for (Pool& p : pools_) p.gains.begin_sweep(now_, p.profile, p.free, everywhere);
  }
  /// In a sweep.
  void move(ReservedPlace& place, const ReservedPlace& to, std::int64_t gpus) {
    const ReservedPlace from = place;
    if (to.start == from.start && to.pool == from.pool) return;
    drop(from, gpus);
    place = to;
    take(to, gpus);
    Pool& p = pools_[from.pool];
    const std::int64_t vacated = to.pool == from.pool ? std::max(from.start, to.end()) : from.start;
    p.gains.moved(vacated, from.end(), now_, p.profile, p.free);
  }
  /// A job starts now. @pre it holds no reservation
  void occupy(const ReservedPlace& place, std::int64_t gpus) {
    Pool& p = pools_[place.pool];
    p.free -= gpus;
    p.profile.add(place.end(), gpus);
    note_end(p, place.end(), gpus);
  }

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();
  std::int64_t now_ = 0;
  std::int64_t next_start_ = forever;
  bool freed_ = false;    ///< since the last sweep GPUs came free or were gained, or a reservation vanished
  bool gained_ = false;   ///< since the last pass capacity was gained, or a loss is off
  bool may_fit_ = false;  ///< for a job without a reservation something may have come free

 private:
  struct Pool {
    std::int64_t free = 0;
    std::int64_t due = 0;  ///< held by jobs whose requested end is now (arrival_first only)
    std::int64_t capacity = 0;
    bool doubtful = false;  ///< the profile may be short of what reservations take
    bool short_of_promises = false;
    std::int64_t unsettled = 0;  ///< announced changes taken out of the plan and not made since
    ReservationProfile profile;
    Gains gains;
    Profile ends;  ///< requested ends alone, with arrivals_first
  };

  void note_end(Pool& p, std::int64_t at, std::int64_t gpus) {
    if (count_due_) p.ends.add(at, gpus);
  }
  /// @param at  from when on
  void note_change(Pool& p, std::int64_t at, std::int64_t delta) {
    if (delta > 0) {
      p.gains.note(at, forever);
      freed_ = gained_ = true;
    } else if (delta < 0) {
      p.doubtful = true;
    }
  }

  std::vector<Pool> pools_;
  std::int64_t loss_off_at_ = never;  ///< the latest announced loss that was taken back since the last pass
  bool count_due_;
};

}  // namespace natgpu::scheduling
