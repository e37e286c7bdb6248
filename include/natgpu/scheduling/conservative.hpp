// SPDX-License-Identifier: Apache-2.0
// Backfill conservative and reservations: waiting jobs hold reservations, all of them or the first N.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/gains.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/reservation_profile.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// The same books and the same calls as `Dispatcher`, with a reservation for every waiting job (Mu'alem &
/// Feitelson, IEEE TPDS 12(6), 2001) or for the first `limit` of the queue. One pass, in this order:
///
/// 1. If a loss that nobody knew of left the profile short, that pool's reservations are removed and made
///    anew in queue order; each that starts later than before is a broken promise, and counted.
/// 2. If GPUs came free or were gained, or a reservation vanished, one sweep: each reserved job, in queue
///    order, is lifted out and put back at its earliest hole. So a start only ever moves forward.
/// 3. Reserved jobs whose time has come start.
/// 4. After a gain of capacity, jobs that no profile could hold are tried again, in queue order.
/// 5. With a limit: the queue moves up into the first `limit`, then jobs behind them start if they fit beside
///    all reservations.
/// 6. New jobs, in queue order, get their earliest hole and start if that is now. With a limit, the last
///    reservation gives way to one that stands before it in the queue.
///
/// Of several pools a job takes the one in which it ends earliest, the first in the order in which they are
/// tried among equals; a sweep moves it to another only for a start within its promise.
class ConservativeDispatcher {
 public:
  static constexpr std::size_t everyone = std::numeric_limits<std::size_t>::max();
  static constexpr std::int64_t forever = ReservationProfile::forever;

  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  /// @param limit           jobs that hold reservations, from the head of the queue on; at least 1
  ConservativeDispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false,
                         std::size_t limit = everyone)
      : pools_(pools), count_due_(arrivals_first), limit_(limit) {
    for (GroupSpec& spec : groups) groups_.emplace_back().choices = std::move(spec.choices);
  }

  // --- what happens between passes

  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t group, const WaitingJob& job) {
    submitted_.push_back({group, job});
    ++waiting_;
  }
  /// A waiting job of so many GPUs leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    if (const auto it = find_reserved(key); it != reserved_.end()) {
      give_up(*it);
      reserved_.erase(it);
      freed_ = true;
    } else if (groups_[group].queue.erase(key, gpus)) {
      --queued_;
    } else if (!erase_from(shelf_, key) && !erase_from(unshelved_, key) && !erase_from(submitted_, key)) {
      return false;
    }
    --waiting_;
    return true;
  }
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
  /// From how many reservations on a sweep looks only where GPUs were gained. Makes no difference to what it
  /// finds.
  void look_everywhere_below(std::size_t reservations) { few_ = reservations; }

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].capacity; }
  std::size_t waiting() const { return waiting_; }
  /// Waiting jobs that no profile can hold as things stand.
  std::size_t unholdable() const { return shelf_.size(); }
  /// Reservations that a loss of GPUs has put off.
  std::uint64_t broken_promises() const { return broken_promises_; }
  /// The next instant at which a reserved job is to start, or `forever`: a pass is due then.
  std::int64_t next_start() const { return next_start_; }

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    now_ = now;
    if (loss_off_at_ > now) note_gain();  // otherwise it has happened, and nobody gained
    loss_off_at_ = never_;
    note_due();
    restore_promises();
    if (freed_) {
      sweep();
      freed_ = false;
      may_fit_ = true;
    }
    if (next_start_ <= now_) start_due(sink);
    take(unshelved_, sink);
    fill_front(sink);
    if (may_fit_) start_candidates(sink);
    take(submitted_, sink);
  }

 private:
  struct Pool {
    std::int64_t free = 0;
    std::int64_t due = 0;  ///< held by jobs whose requested end is now (arrival_first only)
    std::int64_t capacity = 0;
    bool doubtful = false;       ///< the profile may be short of what reservations take
    std::int64_t unsettled = 0;  ///< announced changes taken out of the plan and not made since
    ReservationProfile profile;
    Gains gains;
    Profile ends;  ///< requested ends alone, with arrivals_first
  };
  struct Group {
    std::vector<PoolChoice> choices;
    WaitingQueue queue;  ///< jobs without a reservation
    QueueKey tried;      ///< the scan of candidates has passed this job
  };
  struct Entry {  // a job outside reservations and queues
    std::uint32_t group = 0;
    WaitingJob job;
  };
  struct Place {
    std::uint32_t pool = 0;
    std::int64_t length = 0;  ///< requested, on that pool
    std::int64_t start = forever;
    std::int64_t end() const { return start + length; }
  };
  struct Reserved {
    WaitingJob job;
    std::uint32_t group = 0;
    Place place;
  };
  /// Below so many reservations a look at the profile for each costs less than an account of the gains
  /// (bench/queues.cpp).
  static constexpr std::size_t few_default = 400;
  static constexpr std::int64_t never_ = std::numeric_limits<std::int64_t>::min();

  // --- places

  /// Where the job would end earliest; `start` is `forever` where no pool can hold it.
  Place earliest_place(const Group& g, const WaitingJob& job) const {
    Place best;
    for (const PoolChoice& c : g.choices) {
      const Pool& p = pools_[c.pool];
      Place here{c.pool, time_at_speed(job.requested, c.speed), 0};
      here.start = p.profile.earliest(now_, p.free, job.gpus, here.length);
      if (here.start != forever && (best.start == forever || here.end() < best.end())) best = here;
    }
    return best;
  }
  /// The same for a job that holds a place: a start no later than there, with that place as its own room.
  Place better_place(const Reserved& r) const {
    Place best = r.place;
    bool found = false;
    for (const PoolChoice& c : groups_[r.group].choices) {
      const Pool& p = pools_[c.pool];
      Place here = r.place;
      if (c.pool == r.place.pool) {
        const std::int64_t before = std::max(r.place.start, now_);
        const std::int64_t start =
            p.gains.earliest(now_, p.profile, p.free, r.job.gpus, here.length, before, before);
        if (start != forever) here.start = start;
      } else {
        here = {c.pool, time_at_speed(r.job.requested, c.speed), 0};
        here.start =
            p.gains.earliest(now_, p.profile, p.free, r.job.gpus, here.length, r.place.start + 1, forever);
        if (here.start == forever) continue;
      }
      if (found && here.end() >= best.end()) continue;
      best = here;
      found = true;
    }
    return best;
  }
  void take(const Place& place, std::int64_t gpus) {
    pools_[place.pool].profile.hold(place.start, place.end(), gpus);
    next_start_ = std::min(next_start_, place.start);
  }
  void drop(const Reserved& r) {
    pools_[r.place.pool].profile.release(r.place.start, r.place.end(), r.job.gpus);
  }
  /// The same where the job goes and others may use its room.
  void give_up(const Reserved& r) {
    drop(r);
    pools_[r.place.pool].gains.note(r.place.start, r.place.end());
  }
  std::int64_t available(const Pool& p) const { return p.free + p.due; }

  // --- steps of a pass

  void note_due() {
    if (!count_due_) return;
    for (Pool& p : pools_) {
      const std::int64_t due = p.ends.due(now_);
      may_fit_ |= due > p.due;
      p.due = due;
    }
  }
  void restore_promises() {
    bool any = false;
    for (Pool& p : pools_) {
      p.doubtful = (p.doubtful || p.unsettled > 0) && p.free + p.profile.lowest() < 0;
      p.unsettled = 0;
      any |= p.doubtful;
    }
    if (!any) return;
    may_fit_ = true;  // what is put off leaves room
    next_start_ = forever;
    for (const Reserved& r : reserved_)
      if (pools_[r.place.pool].doubtful) drop(r);
    for (Pool& p : pools_)
      if (p.doubtful) p.gains.note(now_, forever);
    std::size_t kept = 0;
    for (Reserved& r : reserved_) {
      if (pools_[r.place.pool].doubtful) {
        const std::int64_t promised = r.place.start;
        r.place = earliest_place(groups_[r.group], r.job);
        broken_promises_ += r.place.start > promised;
        if (r.place.start == forever) {
          shelf_.push_back({r.group, r.job});
          continue;
        }
        take(r.place, r.job.gpus);
      }
      next_start_ = std::min(next_start_, r.place.start);
      reserved_[kept++] = r;
    }
    reserved_.resize(kept);
    for (Pool& p : pools_) p.doubtful = false;
  }
  void sweep() {
    for (Pool& p : pools_) p.gains.begin_sweep(now_, p.profile, p.free, reserved_.size() < few_);
    next_start_ = forever;
    for (Reserved& r : reserved_) {
      move(r, better_place(r));
      next_start_ = std::min(next_start_, r.place.start);
    }
  }
  void move(Reserved& r, const Place& to) {
    const Place from = r.place;
    if (to.start == from.start && to.pool == from.pool) return;
    drop(r);
    r.place = to;
    take(to, r.job.gpus);
    Pool& p = pools_[from.pool];
    const std::int64_t vacated = to.pool == from.pool ? std::max(from.start, to.end()) : from.start;
    p.gains.moved(vacated, from.end(), now_, p.profile, p.free);
  }
  /// A reserved job whose GPUs are still held at this instant starts in a later pass of it.
  template <class Sink>
  void start_due(Sink& sink) {
    next_start_ = forever;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < reserved_.size(); ++i) {
      const Reserved r = reserved_[i];
      if (r.place.start <= now_ && r.job.gpus <= available(pools_[r.place.pool])) {
        drop(r);
        start(r.job, {r.place.pool, r.place.length, now_}, sink);
      } else {
        next_start_ = std::min(next_start_, r.place.start);
        reserved_[kept++] = r;
      }
    }
    reserved_.resize(kept);
  }
  template <class Sink>
  void start(const WaitingJob& job, const Place& place, Sink& sink) {
    Pool& p = pools_[place.pool];
    p.free -= job.gpus;
    p.profile.add(place.end(), job.gpus);
    note_end(p, place.end(), job.gpus);
    --waiting_;
    sink.start(job, place.pool, place.length);
  }
  /// Jobs of the queue move up into the first `limit`.
  template <class Sink>
  void fill_front(Sink& sink) {
    while (queued_ > 0 && reserved_.size() < limit_) {
      std::uint32_t first = 0;
      const WaitingJob* head = nullptr;
      for (std::uint32_t g = 0; g < groups_.size(); ++g) {
        const WaitingJob* job = groups_[g].queue.front();
        if (job != nullptr && (head == nullptr || job->order < head->order)) {
          head = job;
          first = g;
        }
      }
      const Entry e{first, *head};
      leave_queue(e);
      settle(e, sink);
    }
  }
  /// Starts the job, gives it a reservation, or puts it on the shelf. @pre it is in no queue
  template <class Sink>
  void settle(const Entry& e, Sink& sink) {
    const Place place = earliest_place(groups_[e.group], e.job);
    if (place.start == forever)
      shelf_.push_back(e);
    else if (place.start <= now_ && e.job.gpus <= available(pools_[place.pool]))
      start(e.job, place, sink);
    else
      reserve(e, place);
  }
  void reserve(const Entry& e, const Place& place) {
    if (reserved_.size() >= limit_) {  // the last gives way
      const Reserved last = reserved_.back();
      give_up(last);
      reserved_.pop_back();
      join_queue({last.group, last.job});
      may_fit_ = true;
    }
    take(place, e.job.gpus);
    const auto behind =
        std::upper_bound(reserved_.begin(), reserved_.end(), e.job.order,
                         [](const QueueKey& k, const Reserved& r) { return k < r.job.order; });
    reserved_.insert(behind, {e.job, e.group, place});
  }
  template <class Sink>
  void take(std::vector<Entry>& entries, Sink& sink) {
    const auto in_order = [](const Entry& a, const Entry& b) { return a.job.order < b.job.order; };
    if (!std::is_sorted(entries.begin(), entries.end(), in_order))
      std::sort(entries.begin(), entries.end(), in_order);
    for (const Entry& e : entries) {
      if (reserved_.size() < limit_ || e.job.order < reserved_.back().job.order) {
        settle(e, sink);
      } else if (Place place; fits_now(e, place)) {
        start(e.job, place, sink);
      } else {
        join_queue(e);
      }
    }
    entries.clear();
  }
  /// Whether a job without a reservation may start beside all of them; `place` is where.
  bool fits_now(const Entry& e, Place& place) const {
    for (const PoolChoice& c : groups_[e.group].choices) {
      const Pool& p = pools_[c.pool];
      if (e.job.gpus > available(p)) continue;
      place = {c.pool, time_at_speed(e.job.requested, c.speed), now_};
      if (p.profile.fits(now_, p.free, e.job.gpus, place.length)) return true;
    }
    return false;
  }
  /// Jobs behind the first `limit` that fit, in queue order. What did not fit in the last pass can fit only
  /// if something has come free since.
  template <class Sink>
  void start_candidates(Sink& sink) {
    may_fit_ = false;
    if (queued_ == 0) return;
    for (Group& g : groups_) g.tried = {never_, 0};
    for (;;) {
      Entry best;
      Place place;
      bool found = false;
      for (std::uint32_t g = 0; g < groups_.size(); ++g) {
        const Sieve sieve = sieve_for(groups_[g]);
        const WaitingQueue::Found next = groups_[g].queue.find(
            sieve, &groups_[g].tried, found ? &best.job.order : nullptr, [&](const WaitingJob& job) {
              return fits_now({g, job}, place);
            });
        if (next.job == nullptr) continue;
        best = {g, *next.job};
        found = true;
      }
      if (!found || !fits_now(best, place)) return;
      groups_[best.group].tried = best.job.order;
      leave_queue(best);
      start(best.job, place, sink);
    }
  }
  /// Per size class the longest request that may start now in some pool.
  Sieve sieve_for(const Group& g) const {
    Sieve sieve;
    for (const PoolChoice& c : g.choices) {
      const Pool& p = pools_[c.pool];
      sieve.largest = std::max(sieve.largest, available(p));
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= available(p); ++size) {
        const std::int64_t fall = p.profile.first_below(now_, p.free, std::int64_t{1} << size);
        if (fall > now_) sieve.admit(size, longest_request(fall == forever ? forever : fall - now_, c.speed));
      }
    }
    return sieve;
  }

  // --- books

  void note_gain() {
    freed_ = true;
    unshelved_.insert(unshelved_.end(), shelf_.begin(), shelf_.end());
    shelf_.clear();
  }
  void note_end(Pool& p, std::int64_t at, std::int64_t gpus) {
    if (count_due_) p.ends.add(at, gpus);
  }
  /// @param at  from when on
  void note_change(Pool& p, std::int64_t at, std::int64_t delta) {
    if (delta > 0) {
      p.gains.note(at, forever);
      note_gain();
    } else if (delta < 0) {
      p.doubtful = true;
    }
  }
  void join_queue(const Entry& e) {
    groups_[e.group].queue.insert(e.job);
    ++queued_;
  }
  void leave_queue(const Entry& e) {
    groups_[e.group].queue.erase(e.job.order, e.job.gpus);
    --queued_;
  }
  std::vector<Reserved>::iterator find_reserved(const QueueKey& key) {
    const auto it = std::lower_bound(reserved_.begin(), reserved_.end(), key,
                                     [](const Reserved& r, const QueueKey& k) { return r.job.order < k; });
    return it != reserved_.end() && it->job.order == key ? it : reserved_.end();
  }
  static bool erase_from(std::vector<Entry>& entries, const QueueKey& key) {
    const auto it =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.job.order == key; });
    if (it == entries.end()) return false;
    entries.erase(it);
    return true;
  }

  std::vector<Pool> pools_;
  std::vector<Group> groups_;
  std::vector<Reserved> reserved_;  ///< in queue order; with a limit, all before the queues' jobs
  std::vector<Entry> submitted_;    ///< since the last pass
  std::vector<Entry> unshelved_;    ///< since the last pass
  std::vector<Entry> shelf_;        ///< jobs that no profile can hold: block nobody, wait for a gain
  std::int64_t now_ = 0;
  std::int64_t next_start_ = forever;
  std::int64_t loss_off_at_ = never_;  ///< the latest announced loss that was taken back since the last pass
  std::size_t waiting_ = 0;
  std::size_t queued_ = 0;  ///< of these, in the groups' queues
  std::uint64_t broken_promises_ = 0;
  bool freed_ = false;    ///< since the last sweep
  bool may_fit_ = false;  ///< for a job without a reservation something may have come free
  bool count_due_;
  std::size_t limit_;
  std::size_t few_ = few_default;
};

}  // namespace natgpu::scheduling
