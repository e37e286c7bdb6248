// SPDX-License-Identifier: Apache-2.0
// Orders by what accounts hold now, which changes with every start: drf and maxmin.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_books.hpp>
#include <natgpu/scheduling/account_reservations.hpp>
#include <natgpu/scheduling/blocked_front.hpp>

namespace natgpu::scheduling {

/// Whoever holds least is next: of the accounts with waiting jobs, the one with the least dominant share over
/// weight (ties by name order), with its first job by (submission, position), in the first pool that has room
/// for it. Shares move with every start, so that accounts rank anew inside a pass. none: a next job that does
/// not fit blocks the pools it accepts; fit: its account drops out of the pass; easy: it claims the pool of
/// its earliest end, gets the reservation there if nobody has it, and its account goes on with its next job
/// that delays nobody. So the first BlockedFront::limit blocked jobs are looked at, until each pool has its
/// reservation. A job that nothing announced will ever hold is passed over; under fit that is looked at as
/// the job becomes its account's next, at each loss, and once the place that it had is over.
///
/// With GPUs alone and no announced outage, none and fit take O((starts + 1) log accounts) a pass in one
/// pool, whatever waits: each account's next job stands in one index, under the account's share. In several
/// pools, accounts are passed by whose next job accepts none that has room. easy asks each account with
/// waiting jobs once while a job is blocked: O((starts + accounts) log n). Sources: Ghodsi et al., Dominant
/// Resource Fairness, NSDI 2011 (drf); Bertsekas & Gallager (maxmin).
template <Backfill B>
class AccountDispatcher : public AccountBooks {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy);

 public:
  /// One pool.
  /// @param machine  drf: of what the log and the machine state, GPUs first; maxmin: {1, 0, 0}
  /// @param weights  by account, positive
  AccountDispatcher(const Amounts& machine, const std::vector<double>& weights, bool arrivals_first = false)
      : AccountBooks(B, machine, weights, arrivals_first),
        closed_(pools_.size()),
        reserved_(pools_.size(), groups_) {}
  AccountDispatcher(SharedResources shared, std::vector<GroupSpec> groups, const std::vector<double>& weights,
                    bool arrivals_first = false)
      : AccountBooks(B, std::move(shared), std::move(groups), weights, arrivals_first),
        closed_(pools_.size()),
        reserved_(pools_.size(), groups_) {}

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    begin_pass(now);
    if constexpr (B == Backfill::fit) {
      start_what_fits(sink);
    } else {
      start_heads(sink);
      if (B == Backfill::easy && blocked_) start_beside(sink);
    }
  }

 private:
  /// An account's turn among others: the one with the least share first, then by name order.
  struct Turn {
    double share;
    std::uint32_t account;
    WaitingJob job;                                        ///< that it would start
    friend bool operator<(const Turn& a, const Turn& b) {  // std::push_heap keeps the greatest at the front
      return a.share != b.share ? a.share > b.share : a.account > b.account;
    }
  };

  // --- who may start

  /// The first pool that has room for it now, or null.
  const PoolChoice* place(const WaitingJob& job) const {
    for (const PoolChoice& c : choices(job))
      if (!closed_[c.pool] && fits(job, c)) return &c;
    return nullptr;
  }
  bool fits(const WaitingJob& job, const PoolChoice& c) const {
    const Amounts& asked = amounts(job);
    const AccountedMachine& pool = pools_[c.pool];
    const std::int64_t requested = time_at_speed(job.requested, c.speed);
    if (!pool.fits(asked, requested)) return false;
    return B != Backfill::easy || reserved_.leaves(pools_, c.pool, asked, requested);
  }
  template <class Sink>
  void start(const WaitingJob job, const PoolChoice where, Sink& sink) {
    const std::int64_t requested = time_at_speed(job.requested, where.speed);
    run(job, where.pool, requested);
    sink.start(job, where.pool, requested);
  }

  // --- passes

  /// The job that stands behind an entry of the index.
  const WaitingJob& front_of(const WaitingJob& entry) const {
    return *queues_[accounts_[static_cast<std::size_t>(entry.order.id)].queue].front();
  }
  /// none: until every pool is blocked; easy: until the next job does not fit.
  template <class Sink>
  void start_heads(Sink& sink) {
    if constexpr (B == Backfill::easy) {
      blocked_.reset();
      reserved_.clear();
    }
    closed_.assign(pools_.size(), false);
    QueueKey blocked;  // the account that was blocked last: who starts only moves further behind it
    bool any_blocked = false;
    while (std::count(closed_.begin(), closed_.end(), true) < std::ssize(closed_)) {
      const WaitingJob* entry = first_listed(any_blocked ? &blocked : nullptr);
      if (entry == nullptr) break;
      const auto a = static_cast<std::uint32_t>(entry->order.id);
      const WaitingJob head = front_of(*entry);
      if (const PoolChoice* where = place(head)) {
        start(head, *where, sink);
      } else if (!holdable(head)) {
        set_aside(a, head);
      } else if (B == Backfill::easy) {
        blocked_ = head;
        break;
      } else {
        blocked = entry->order;
        any_blocked = true;
        for (const PoolChoice& c : choices(head)) closed_[c.pool] = true;
        continue;
      }
      list_touched(a);
    }
    closed_.assign(pools_.size(), false);
  }
  /// The next account in order whose job accepts a pool that is not blocked.
  const WaitingJob* first_listed(const QueueKey* after) const {
    const WaitingJob* first = nullptr;
    for (std::uint32_t g = 0; g < next_.size(); ++g) {
      const bool open = std::any_of(groups_[g].choices.begin(), groups_[g].choices.end(),
                                    [this](const PoolChoice& c) { return !closed_[c.pool]; });
      if (!open || next_[g].empty()) continue;
      const WaitingJob* entry = after != nullptr ? next_[g].first_after(*after) : next_[g].front();
      if (entry != nullptr && (first == nullptr || entry->order < first->order)) first = entry;
    }
    return first;
  }
  /// fit: who stands first in the index and fits. Who does not fit now does not fit later in the pass, and
  /// who starts moves further behind, or, if its dominant share is of another resource, stays.
  template <class Sink>
  void start_what_fits(Sink& sink) {
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* entry = first_that_fits(after)) {
      const QueueKey here = entry->order;
      const auto a = static_cast<std::uint32_t>(here.id);
      const WaitingJob job = front_of(*entry);
      start(job, *place(job), sink);
      list_touched(a);
      if (accounts_[a].is_listed && accounts_[a].listed.order == here) continue;
      last = here;
      after = &last;
    }
  }
  const WaitingJob* first_that_fits(const QueueKey* after) const {
    const WaitingJob* first = nullptr;
    for (std::uint32_t g = 0; g < next_.size(); ++g) {
      if (next_[g].empty()) continue;
      const QueueKey* bound = first != nullptr ? &first->order : nullptr;
      const WaitingJob* entry = next_[g]
                                    .find(sieve(g), after, bound,
                                          [&](const WaitingJob& e) { return place(front_of(e)) != nullptr; })
                                    .job;
      if (entry != nullptr) first = entry;
    }
    return first;
  }
  /// easy: the rest in order, each beside the reservations. What does not fit now does not fit later in a
  /// pass.
  template <class Sink>
  void start_beside(Sink& sink) {
    if (!any_available()) return;
    reserve_for(*blocked_);
    turns_.clear();
    const bool looks_on = reserved_.any_open(pools_);
    if (looks_on) look_on(sink);
    Sieve admitted = reserved_.sieve(pools_);
    if (looks_on) {
      std::swap(turns_, looked_at_);
      turns_.clear();
      for (const Turn& turn : looked_at_)
        if (place(turn.job) != nullptr)
          offer(turn.account, turn.job);
        else
          offer_fitting(turn.account, admitted, &turn.job.order);
    } else {
      for (const std::uint32_t a : present_)
        offer_fitting(a, admitted, a == asked_[blocked_->slot].account ? &blocked_->order : nullptr);
    }
    while (!turns_.empty()) {
      const Turn turn = take_turn();
      if (const PoolChoice* where = place(turn.job)) {
        start(turn.job, *where, sink);
        list_touched(turn.account);
        admitted = reserved_.sieve(pools_);
      }
      offer_fitting(turn.account, admitted, &turn.job.order);
    }
  }
  /// Behind the first blocked job, one by one, until enough have been looked at, every pool is reserved, or
  /// no GPU is left. The rest stands in turns_ then.
  template <class Sink>
  void look_on(Sink& sink) {
    for (const std::uint32_t a : present_)
      offer_next(a, a == asked_[blocked_->slot].account ? &blocked_->order : nullptr);
    for (std::size_t looked = 1;
         looked < BlockedFront::limit && !turns_.empty() && reserved_.any_open(pools_) && any_available();) {
      const Turn turn = take_turn();
      if (const PoolChoice* where = place(turn.job)) {
        start(turn.job, *where, sink);
        list_touched(turn.account);
      } else if (holdable(turn.job)) {
        reserve_for(turn.job);
        ++looked;
      } else {
        set_aside(turn.account, turn.job);
        list_touched(turn.account);
      }
      offer_next(turn.account, &turn.job.order);
    }
  }
  bool any_available() const {
    return std::any_of(pools_.begin(), pools_.end(),
                       [](const AccountedMachine& p) { return p.available_gpus() > 0; });
  }
  void reserve_for(const WaitingJob& job) {
    reserved_.claim(pools_, choices(job), amounts(job), job.requested);
  }
  void offer_next(std::uint32_t a, const QueueKey* after) {
    if (accounts_[a].queue == no_queue) return;
    const WaitingQueue& queue = queues_[accounts_[a].queue];
    const WaitingJob* job = after != nullptr ? queue.first_after(*after) : queue.front();
    if (job != nullptr) offer(a, *job);
  }
  void offer_fitting(std::uint32_t a, const Sieve& admitted, const QueueKey* after) {
    if (accounts_[a].queue == no_queue) return;
    const WaitingQueue& queue = queues_[accounts_[a].queue];
    if ((queue.occupied() & admitted.admitted) == 0) return;
    const WaitingQueue::Found found =
        queue.find(admitted, after, nullptr, [&](const WaitingJob& job) { return place(job) != nullptr; });
    if (found.job != nullptr) offer(a, *found.job);
  }
  void offer(std::uint32_t a, const WaitingJob& job) {
    turns_.push_back({share(a), a, job});
    std::push_heap(turns_.begin(), turns_.end());
  }
  Turn take_turn() {
    std::pop_heap(turns_.begin(), turns_.end());
    const Turn turn = turns_.back();
    turns_.pop_back();
    return turn;
  }
  /// What is worth looking at of a group: no more GPUs than are free in a pool it accepts.
  Sieve sieve(std::uint32_t group) const {
    Sieve s;
    for (const PoolChoice& c : groups_[group].choices)
      s.largest = std::max(s.largest, pools_[c.pool].available_gpus());
    for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= s.largest; ++size)
      s.admit(size, Sieve::any);
    return s;
  }

  std::vector<bool> closed_;  ///< by pool, in a pass under none: a job that stands before blocks it
  // of easy alone
  std::optional<WaitingJob> blocked_;  ///< the first blocked job of the pass
  AccountReservations reserved_;
  std::vector<Turn> turns_;  ///< a heap
  std::vector<Turn> looked_at_;
};

}  // namespace natgpu::scheduling
