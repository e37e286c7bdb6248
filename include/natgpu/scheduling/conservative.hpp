// SPDX-License-Identifier: Apache-2.0
// Backfill conservative and reservations: waiting jobs hold reservations, all of them or the first N.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/reservation_books.hpp>
#include <natgpu/scheduling/reservation_queue.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// The same books and the same calls as `Dispatcher`, with a reservation for every waiting job (Mu'alem &
/// Feitelson, IEEE TPDS 12(6), 2001) or for the first `limit` of the queue. One pass, in this order:
///
/// 1. If a loss that nobody knew of left the profile short, that pool's reservations are removed and made
///    anew in queue order; each that starts later than before is a broken promise, and counted.
/// 2. With a limit: new jobs join the queue, and reserved jobs that no longer stand among its first `limit`
///    give their reservations up.
/// 3. If GPUs came free or were gained, or a reservation vanished, one sweep: each reserved job, in queue
///    order, is lifted out and put back at its earliest hole. So a start only ever moves forward.
/// 4. Reserved jobs whose time has come start.
/// 5. After a gain of capacity, jobs that no profile could hold are tried again, in queue order.
/// 6. With a limit: the queue moves up into the first `limit`, then jobs behind them start if they fit beside
///    all reservations, in queue order.
/// 7. Without: new jobs, in queue order, get their earliest hole and start if that is now.
///
/// Of several pools a job takes the one in which it ends earliest, the first in the order in which they are
/// tried among equals; a sweep moves it to another only for a start within its promise.
class ConservativeDispatcher : public ReservationBooks,
                               public ReservationQueue<ConservativeDispatcher, ReservedPlace> {
 public:
  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  /// @param limit           jobs that hold reservations, from the head of the queue on; at least 1
  ConservativeDispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false,
                         std::size_t limit = everyone)
      : ReservationBooks(pools, arrivals_first), ReservationQueue(limit) {
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
    if (!leave(group, key, gpus)) return false;
    --waiting_;
    return true;
  }
  /// From how many reservations on a sweep looks only where GPUs were gained. Makes no difference to what it
  /// finds.
  void look_everywhere_below(std::size_t reservations) { few_ = reservations; }

  std::size_t waiting() const { return waiting_; }

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    begin_pass(now);
    if (gained_) unshelve();
    gained_ = false;
    restore_promises();
    hold_first();
    if (freed_) {
      sweep();
      freed_ = false;
      may_fit_ = true;
    }
    if (next_start_ <= now_) start_due(sink);
    settle_all(unshelved_, sink);
    fill_front(sink);
    if (may_fit_) start_candidates(sink);
    settle_all(submitted_, sink);
  }

 private:
  friend class ReservationQueue<ConservativeDispatcher, ReservedPlace>;
  struct Group {
    std::vector<PoolChoice> choices;
    WaitingQueue queue;  ///< jobs without a reservation
    QueueKey tried;      ///< the scan of candidates has passed this job
  };
  /// Below so many reservations a look at the profile for each costs less than an account of the gains
  /// (bench/queues.cpp).
  static constexpr std::size_t few_default = 400;

  // --- the queue

  void enqueue(const Entry& e) { groups_[e.group].queue.insert(e.job); }
  bool dequeue(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    return groups_[group].queue.erase(key, gpus);
  }
  /// @pre a job is queued
  Entry head_of_queue() const {
    Entry head;
    bool any = false;
    for (std::uint32_t g = 0; g < groups_.size(); ++g) {
      const WaitingJob* job = groups_[g].queue.front();
      if (job == nullptr || (any && head.job.order < job->order)) continue;
      head = {g, *job};
      any = true;
    }
    return head;
  }
  const std::vector<PoolChoice>& choices_of(std::uint32_t group) const { return groups_[group].choices; }
  void give_up(const Reserved& r) { ReservationBooks::give_up(r.place, r.job.gpus); }

  // --- steps of a pass

  void restore_promises() {
    if (!find_short_pools()) return;
    may_fit_ = true;  // what is put off leaves room
    next_start_ = forever;
    for (const Reserved& r : reserved_)
      if (short_of_promises(r.place.pool)) drop(r.place, r.job.gpus);
    clear_short_pools();
    std::size_t kept = 0;
    for (Reserved& r : reserved_) {
      if (short_of_promises(r.place.pool)) {
        const std::int64_t promised = r.place.start;
        r.place = earliest_place(choices_of(r.group), r.job);
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
  }
  void sweep() {
    begin_sweep(reserved_.size() < few_);
    next_start_ = forever;
    for (Reserved& r : reserved_) {
      move(r.place, better_place(choices_of(r.group), r.job, r.place), r.job.gpus);
      next_start_ = std::min(next_start_, r.place.start);
    }
  }
  /// A reserved job whose GPUs are still held at this instant starts in a later pass of it.
  template <class Sink>
  void start_due(Sink& sink) {
    next_start_ = forever;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < reserved_.size(); ++i) {
      const Reserved r = reserved_[i];
      if (r.place.start <= now_ && r.job.gpus <= available(r.place.pool)) {
        drop(r.place, r.job.gpus);
        start(r.job, {r.place.pool, r.place.length, now_}, sink);
      } else {
        next_start_ = std::min(next_start_, r.place.start);
        reserved_[kept++] = r;
      }
    }
    reserved_.resize(kept);
  }
  template <class Sink>
  void start(const WaitingJob& job, const ReservedPlace& place, Sink& sink) {
    occupy(place, job.gpus);
    --waiting_;
    sink.start(job, place.pool, place.length);
  }
  /// Starts the job, gives it a reservation, or puts it on the shelf. @pre it is in no queue
  template <class Sink>
  void settle(const Entry& e, Sink& sink) {
    ReservedPlace place = earliest_place(choices_of(e.group), e.job);
    if (place.start == forever) {
      shelf_.push_back(e);
    } else if (place.start <= now_ && e.job.gpus <= available(place.pool)) {
      start(e.job, place, sink);
    } else {
      take(place, e.job.gpus);
      reserve(e, std::move(place));
    }
  }
  template <class Sink>
  bool start_beside(const Entry& e, Sink& sink) {
    ReservedPlace place;
    if (!fits_now(choices_of(e.group), e.job, place)) return false;
    start(e.job, place, sink);
    return true;
  }
  /// Jobs behind the first `limit` that fit, in queue order. What did not fit in the last pass can fit only
  /// if something has come free since.
  template <class Sink>
  void start_candidates(Sink& sink) {
    may_fit_ = false;
    if (queued_ == 0) return;
    for (Group& g : groups_) g.tried = {never, 0};
    for (;;) {
      Entry best;
      ReservedPlace place;
      bool found = false;
      for (std::uint32_t g = 0; g < groups_.size(); ++g) {
        const Sieve sieve = sieve_for(choices_of(g));
        const WaitingQueue::Found next =
            groups_[g].queue.find(sieve, &groups_[g].tried, found ? &best.job.order : nullptr,
                                  [&](const WaitingJob& job) { return fits_now(choices_of(g), job, place); });
        if (next.job == nullptr) continue;
        best = {g, *next.job};
        found = true;
      }
      if (!found || !fits_now(choices_of(best.group), best.job, place)) return;
      groups_[best.group].tried = best.job.order;
      leave_queue(best);
      start(best.job, place, sink);
    }
  }

  std::vector<Group> groups_;
  std::size_t waiting_ = 0;
  std::size_t few_ = few_default;
};

}  // namespace natgpu::scheduling
