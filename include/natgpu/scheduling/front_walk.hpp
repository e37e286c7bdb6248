// SPDX-License-Identifier: Apache-2.0
// Backfill easy: the blocked jobs at the head of the queue and the reservations that follow from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/blocked_front.hpp>
#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// Walks the queue, over all groups in queue order, until each pool has its reservation or the front is full.
/// What can start does; of the blocked jobs, the first BlockedFront::limit of the queue are looked at, each
/// claims the pool of its earliest end, and the first to claim a pool gets its reservation. A job that no
/// profile can hold goes to the shelf and does not count. The front is kept from pass to pass, so all passes
/// must be over the same books.
class FrontWalk {
 public:
  using Books = PassBooks<Backfill::easy>;
  explicit FrontWalk(const Books& b) {
    std::size_t most = 0;
    for (const JobGroup& g : b.groups) most = std::max(most, g.choices.size());
    front_.reserve(most);
  }

  /// A job has left a queue other than by a start.
  void note_withdrawal(const QueueKey& key) {
    if (front_.empty() || front_.last() < key) return;
    front_.remove(key);
    look_again_ = true;
  }

  /// Brings the reservations up to date, if anything may have changed them.
  /// @returns whether all of them were made anew
  template <class Sink>
  bool renew_reservations(Books& b, Sink& sink) {
    const bool anew = is_stale(b);
    if (anew)
      walk_anew(b, sink);
    else if (may_grow(b))
      walk_from(b, front_.size(), sink);
    return anew;
  }

 private:
  bool is_stale(const Books& b) const {
    if (look_again_ || (!b.taken.empty() && front_.reaches(b.taken.front().job.order))) return true;
    // What starts beside the reservation of the only pool leaves it as it is.
    if (b.pools.size() == 1) return b.pools[0].improved;
    return !b.changed_pools.empty();
  }
  bool may_grow(const Books& b) const {
    return unreserved_ > 0 && !b.taken.empty() && front_.size() < BlockedFront::limit &&
           b.queued == front_.size();
  }
  template <class Sink>
  void walk_anew(Books& b, Sink& sink) {
    ++walk_;
    unreserved_ = 0;
    most_free_ = 0;
    for (PoolState& p : b.pools) {
      p.release_reservation();
      unreserved_ += p.may_hold();
      most_free_ = std::max(most_free_, p.available());
    }
    for (JobGroup& g : b.groups) g.open = b.unblocked(g);
    look_again_ = false;
    std::swap(changing_pools_, b.changed_pools);
    for (const std::uint32_t p : changing_pools_) b.is_changed[p] = false;
    while (b.newcomers_left() && front_.reaches(b.newcomer().job.order)) admit_newcomer(b);
    walk_from(b, 0, sink);
    changing_pools_.clear();
  }
  template <class Sink>
  void walk_from(Books& b, std::size_t i, Sink& sink) {
    for (;; ++i) {
      if (i == front_.size() && !pull_next(b, sink)) break;
      const BlockedFront::Entry& e = front_[i];
      if (e.job.gpus <= most_free_) {
        if (const int choice = b.choose(b.groups[e.group], e.job); choice >= 0) {
          start_from_front(b, i--, choice, sink);
          continue;
        }
      }
      if (unreserved_ > 0 && !reserve_for(b, i)) --i;
    }
  }
  void admit_newcomer(Books& b) {
    const Newcomer& n = b.take_newcomer();
    b.join_queue(n);
    front_.insert(n.group, n.job, b.groups[n.group].choices);
  }
  /// Takes the next job of the queue into the front, while a pool is without a reservation. A newcomer that
  /// can start does so without a stay there.
  template <class Sink>
  bool pull_next(Books& b, Sink& sink) {
    if (front_.size() >= BlockedFront::limit) return false;
    while (unreserved_ > 0) {
      const auto [group, head] = next_behind_front(b);
      if (!b.newcomers_left() || (head != nullptr && !(b.newcomer().job.order < head->order))) {
        if (head != nullptr) front_.insert(group, *head, b.groups[group].choices);
        return head != nullptr;
      }
      const Newcomer& n = b.newcomer();
      const int choice = b.choose(b.groups[n.group], n.job);
      if (choice < 0) {
        admit_newcomer(b);
        return true;
      }
      ++b.next_taken;
      start(b, b.groups[n.group], choice, n.job, sink);
    }
    return false;
  }
  std::pair<std::uint32_t, const WaitingJob*> next_behind_front(const Books& b) const {
    std::pair<std::uint32_t, const WaitingJob*> first{0, nullptr};
    if (b.queued == front_.size()) return first;
    for (std::uint32_t g = 0; g < b.groups.size(); ++g) {
      const WaitingQueue& queue = b.groups[g].queue;
      const WaitingJob* head = front_.empty() ? queue.front() : queue.first_after(front_.last());
      if (head != nullptr && (first.second == nullptr || head->order < first.second->order))
        first = {g, head};
    }
    return first;
  }
  template <class Sink>
  void start_from_front(Books& b, std::size_t i, int choice, Sink& sink) {
    const BlockedFront::Entry e = front_[i];
    b.leave_queue(b.groups[e.group], e.job);
    front_.remove(i);
    start(b, b.groups[e.group], choice, e.job, sink);
  }
  /// A start changes its pool for the rest of this walk, too.
  template <class Sink>
  void start(Books& b, const JobGroup& g, int choice, const WaitingJob& job, Sink& sink) {
    b.start(g, choice, job, sink);
    const std::uint32_t pool = g.choices[static_cast<std::size_t>(choice)].pool;
    if (std::find(changing_pools_.begin(), changing_pools_.end(), pool) == changing_pools_.end())
      changing_pools_.push_back(pool);
  }
  /// A blocked job gets the reservation of the pool of its earliest end, if that is still to be had.
  /// @returns false if no pool can ever hold it: it has left the front
  bool reserve_for(Books& b, std::size_t i) {
    BlockedFront::Entry& e = front_[i];
    const JobGroup& g = b.groups[e.group];
    if (!g.open && b.holdable(g, e.job)) return true;
    if (!g.open || !front_.examine(e, g, b.pools, changing_pools_, walk_, b.now)) {
      b.shelve({e.group, e.job});
      b.leave_queue(b.groups[e.group], e.job);
      front_.remove(i);
      return false;
    }
    look_again_ |= front_.could_start_at_once(e, b.now);
    PoolState& p = b.pools[g.choices[static_cast<std::size_t>(e.best)].pool];
    if (p.blocked) return true;
    p.blocked = true;
    p.reservation = front_.reservation_for(e, b.now);
    --unreserved_;
    for (JobGroup& other : b.groups)
      if (other.open) other.open = b.unblocked(other);
    return true;
  }

  BlockedFront front_;
  std::vector<std::uint32_t> changing_pools_;  ///< those that the walk takes account of
  std::size_t unreserved_ = 0;                 ///< pools with capacity and without a reservation
  std::int64_t most_free_ = 0;                 ///< in any pool, at the start of the walk
  std::uint64_t walk_ = 0;
  bool look_again_ = true;
};

}  // namespace natgpu::scheduling
