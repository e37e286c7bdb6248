// SPDX-License-Identifier: Apache-2.0
// Backfill conservative and reservations: waiting jobs hold reservations, all of them or the first N.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/reservation_books.hpp>
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
class ConservativeDispatcher : public ReservationBooks {
 public:
  static constexpr std::size_t everyone = std::numeric_limits<std::size_t>::max();

  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  /// @param limit           jobs that hold reservations, from the head of the queue on; at least 1
  ConservativeDispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false,
                         std::size_t limit = everyone)
      : ReservationBooks(pools, arrivals_first), limit_(limit) {
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
      give_up(it->place, it->job.gpus);
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
  /// Waiting jobs come under new keys, all at once. Reservations stay where they are, and the next sweep goes
  /// in the new order; only who no longer stands among the first `limit` gives one up.
  void rank_anew(std::vector<Reranked>& jobs) {
    const auto by_old_key = [](const Reranked& a, const Reranked& b) { return a.was < b.was; };
    std::sort(jobs.begin(), jobs.end(), by_old_key);
    auto next = reserved_.begin();
    for (const Reranked& j : jobs) {
      while (next != reserved_.end() && next->job.order < j.was) ++next;
      if (next != reserved_.end() && next->job.order == j.was)
        (next++)->job.order = j.job.order;
      else
        rank_without_reservation(j);
    }
    std::sort(reserved_.begin(), reserved_.end(),
              [](const Reserved& a, const Reserved& b) { return a.job.order < b.job.order; });
    keep_first();
  }
  /// From how many reservations on a sweep looks only where GPUs were gained. Makes no difference to what it
  /// finds.
  void look_everywhere_below(std::size_t reservations) { few_ = reservations; }

  std::size_t waiting() const { return waiting_; }
  /// Waiting jobs that no profile can hold as things stand.
  std::size_t unholdable() const { return shelf_.size(); }
  /// Reservations that a loss of GPUs has put off.
  std::uint64_t broken_promises() const { return broken_promises_; }

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    begin_pass(now);
    if (gained_) unshelve();
    restore_promises();
    if (limit_ != everyone && !quiet()) join_all();
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
  struct Group {
    std::vector<PoolChoice> choices;
    WaitingQueue queue;  ///< jobs without a reservation
    QueueKey tried;      ///< the scan of candidates has passed this job
  };
  struct Entry {  // a job outside reservations and queues
    std::uint32_t group = 0;
    WaitingJob job;
  };
  struct Reserved {
    WaitingJob job;
    std::uint32_t group = 0;
    ReservedPlace place;
  };
  /// Below so many reservations a look at the profile for each costs less than an account of the gains
  /// (bench/queues.cpp).
  static constexpr std::size_t few_default = 400;

  // --- steps of a pass

  /// With a limit: nothing has changed for those who wait, and who is new stands behind all reservations.
  bool quiet() const {
    return !freed_ && !may_fit_ && next_start_ > now_ && unshelved_.empty() && reserved_.size() >= limit_ &&
           std::none_of(submitted_.begin(), submitted_.end(),
                        [&](const Entry& e) { return e.job.order < reserved_.back().job.order; });
  }
  void join_all() {
    for (std::vector<Entry>* entries : {&unshelved_, &submitted_}) {
      for (const Entry& e : *entries) join_queue(e);
      entries->clear();
    }
    keep_first();
    may_fit_ = true;
  }
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
        r.place = earliest_place(groups_[r.group].choices, r.job);
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
      move(r.place, better_place(groups_[r.group].choices, r.job, r.place), r.job.gpus);
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
  /// Jobs of the queue move up into the first `limit`.
  template <class Sink>
  void fill_front(Sink& sink) {
    while (queued_ > 0 && reserved_.size() < limit_) {
      const Entry e = head_of_queue();
      leave_queue(e);
      settle(e, sink);
    }
  }
  /// Starts the job, gives it a reservation, or puts it on the shelf. @pre it is in no queue
  template <class Sink>
  void settle(const Entry& e, Sink& sink) {
    const ReservedPlace place = earliest_place(groups_[e.group].choices, e.job);
    if (place.start == forever)
      shelf_.push_back(e);
    else if (place.start <= now_ && e.job.gpus <= available(place.pool))
      start(e.job, place, sink);
    else
      reserve(e, place);
  }
  void reserve(const Entry& e, const ReservedPlace& place) {
    take(place, e.job.gpus);
    const auto behind =
        std::upper_bound(reserved_.begin(), reserved_.end(), e.job.order,
                         [](const QueueKey& k, const Reserved& r) { return k < r.job.order; });
    reserved_.insert(behind, {e.job, e.group, place});
  }
  template <class Sink>
  void settle_all(std::vector<Entry>& entries, Sink& sink) {
    const auto in_order = [](const Entry& a, const Entry& b) { return a.job.order < b.job.order; };
    if (!std::is_sorted(entries.begin(), entries.end(), in_order))
      std::sort(entries.begin(), entries.end(), in_order);
    for (const Entry& e : entries) {
      if (limit_ == everyone)
        settle(e, sink);
      else if (ReservedPlace place; fits_now(groups_[e.group].choices, e.job, place))
        start(e.job, place, sink);
      else
        join_queue(e);
    }
    entries.clear();
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
        const Sieve sieve = sieve_for(groups_[g].choices);
        const WaitingQueue::Found next = groups_[g].queue.find(
            sieve, &groups_[g].tried, found ? &best.job.order : nullptr,
            [&](const WaitingJob& job) { return fits_now(groups_[g].choices, job, place); });
        if (next.job == nullptr) continue;
        best = {g, *next.job};
        found = true;
      }
      if (!found || !fits_now(groups_[best.group].choices, best.job, place)) return;
      groups_[best.group].tried = best.job.order;
      leave_queue(best);
      start(best.job, place, sink);
    }
  }
  // --- books

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
  void rank_without_reservation(const Reranked& j) {
    if (groups_[j.group].queue.erase(j.was, j.job.gpus)) {
      groups_[j.group].queue.insert(j.job);
      return;
    }
    for (std::vector<Entry>* entries : {&submitted_, &unshelved_, &shelf_})
      if (const auto it = find_in(*entries, j.was); it != entries->end()) {
        it->job.order = j.job.order;
        return;
      }
  }
  void last_gives_way() {
    const Reserved last = reserved_.back();
    give_up(last.place, last.job.gpus);
    reserved_.pop_back();
    join_queue({last.group, last.job});
    may_fit_ = true;
  }
  /// Reservations of jobs that do not stand among the first `limit` are given up.
  void keep_first() {
    std::vector<Entry> rising;  // queued jobs that stand before the last reservation, for the time being
    while (queued_ > 0 && !reserved_.empty()) {
      const Entry head = head_of_queue();
      if (reserved_.back().job.order < head.job.order) break;
      if (reserved_.size() + rising.size() >= limit_) {
        last_gives_way();
        freed_ = true;
      }
      leave_queue(head);
      rising.push_back(head);
    }
    for (const Entry& e : rising) join_queue(e);
  }
  void unshelve() {
    gained_ = false;
    unshelved_.insert(unshelved_.end(), shelf_.begin(), shelf_.end());
    shelf_.clear();
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
  static std::vector<Entry>::iterator find_in(std::vector<Entry>& entries, const QueueKey& key) {
    return std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.job.order == key; });
  }
  static bool erase_from(std::vector<Entry>& entries, const QueueKey& key) {
    const auto it = find_in(entries, key);
    if (it == entries.end()) return false;
    entries.erase(it);
    return true;
  }

  std::vector<Group> groups_;
  std::vector<Reserved> reserved_;  ///< in queue order; with a limit, all before the queues' jobs
  std::vector<Entry> submitted_;    ///< since the last pass
  std::vector<Entry> unshelved_;    ///< since the last pass
  std::vector<Entry> shelf_;        ///< jobs that no profile can hold: block nobody, wait for a gain
  std::size_t waiting_ = 0;
  std::size_t queued_ = 0;  ///< of these, in the groups' queues
  std::uint64_t broken_promises_ = 0;
  std::size_t limit_;
  std::size_t few_ = few_default;
};

}  // namespace natgpu::scheduling
