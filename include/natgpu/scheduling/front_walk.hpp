// SPDX-License-Identifier: Apache-2.0
// Backfill easy and easy-sjbf: the blocked jobs at the head of the queue and the reservations that follow
// from them.
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
///
/// Under easy-sjbf what can start in a pool without a reservation does. One of the front that can start
/// beside a reservation claims none: it is a candidate, whose turn comes by its request.
template <Backfill B>
class FrontWalk {
 public:
  using Books = PassBooks<B>;
  explicit FrontWalk(const Books& b) {
    std::size_t most = 0;
    for (const JobGroup& g : b.groups) most = std::max(most, g.choices.size());
    front_.reserve(most);
    holder_.assign(b.pools.size(), nobody);
    for (std::uint32_t p = 0; p < b.pools.size(); ++p) all_pools_.push_back(p);
  }

  /// A pool has gained or lost capacity, at once or as announced.
  void note_capacity() { look_again_ = true; }
  /// A job has left a queue other than by a start.
  void note_withdrawal(const QueueKey& key) {
    if (front_.empty() || front_.last() < key) return;
    front_.remove(key);
    look_again_ = true;
  }

  /// Jobs that started behind the walk.
  void note_starts(const std::vector<QueueKey>& keys) {
    for (const QueueKey& key : keys)
      if (!front_.empty() && !(front_.last() < key)) front_.remove(key);
  }

  /// Brings the reservations up to date, if anything may have changed them.
  /// @returns the pools that have changed since, or whose reservations were made anew
  template <class Sink>
  const std::vector<std::uint32_t>& renew_reservations(Books& b, Sink& sink) {
    const bool disturbed = look_again_ || (b.newcomers_left() && front_.reaches(b.newcomer().job.order));
    changing_pools_.clear();
    if (disturbed || has_changed(b)) {
      ++walk_;
      take_changes(b);
      if (disturbed || B == Backfill::easy_sjbf || !reservations_stand(b)) {
        walk_anew(b, sink);
        return all_pools_;
      }
    }
    if (may_grow(b)) walk_from(b, front_.size(), sink);
    return changing_pools_;
  }

 private:
  static constexpr std::uint32_t nobody = BlockedFront::nobody;

  void take_changes(Books& b) {
    std::swap(changing_pools_, b.changed_pools);
    for (const std::uint32_t p : changing_pools_) {
      b.is_changed[p] = false;
      b.pools[p].worse = b.pools[p].worsened;
      b.pools[p].worsened = false;
    }
  }
  static bool has_changed(const Books& b) {
    // What starts beside the reservation of the only pool leaves it as it is.
    return b.pools.size() == 1 ? b.pools[0].improved : !b.changed_pools.empty();
  }
  /// Whether a walk would find nobody to start and the same holders. Reservations of the pools that have
  /// changed are then up to date; otherwise nothing is different.
  bool reservations_stand(Books& b) {
    for (const std::uint32_t p : changing_pools_) {
      PoolState& pool = b.pools[p];
      pool.release_reservation();
      if (!pool.improved) pool.restore_reservation();  // what started beside it has been taken off its spare
    }
    std::size_t i = 0;
    while (i < front_.size() && stands(b, i)) ++i;
    if (i == front_.size()) return true;
    for (const std::uint32_t p : changing_pools_) b.pools[p].restore_reservation();
    return false;
  }
  bool stands(Books& b, std::size_t i) {
    BlockedFront::Entry& e = front_[i];
    const JobGroup& g = b.groups[e.group];
    bool concerned = false;
    for (const std::uint32_t p : changing_pools_) {
      const int c = g.choice_of[p];
      if (c < 0 || !(b.pools[p].improved || c == e.best)) continue;
      if (b.fits_in(b.pools[p], e.job, g.choices[static_cast<std::size_t>(c)].speed)) return false;
      concerned = true;
    }
    if (!e.looked_at) return !concerned || i >= idle_from_ || b.holdable(g, e.job);
    if (!concerned) {
      e.seen = walk_;
      return true;
    }
    if (!front_.examine(e, g, b.pools, changing_pools_, walk_, b.now)) return false;
    if (front_.could_start_at_once(e, b.now)) return false;
    const std::uint32_t best = g.choices[static_cast<std::size_t>(e.best)].pool;
    if (e.holds != nobody && e.holds != best) return false;
    if (e.holds == nobody) return holder_[best] < i;
    PoolState& p = b.pools[best];
    if (p.blocked) return true;
    p.blocked = true;
    p.reservation = front_.reservation_for(e, b.now);
    return true;
  }
  bool may_grow(const Books& b) const {
    return unreserved_ > 0 && !b.taken.empty() && front_.size() < BlockedFront::limit &&
           b.queued == front_.size();
  }
  template <class Sink>
  void walk_anew(Books& b, Sink& sink) {
    unreserved_ = 0;
    idle_from_ = BlockedFront::limit;
    std::fill(holder_.begin(), holder_.end(), nobody);
    most_free_ = 0;
    for (PoolState& p : b.pools) {
      p.release_reservation();
      unreserved_ += p.may_hold();
      most_free_ = std::max(most_free_, p.available());
    }
    for (JobGroup& g : b.groups) g.open = b.unblocked(g);
    look_again_ = false;
    while (b.newcomers_left() && front_.reaches(b.newcomer().job.order)) admit_newcomer(b);
    walk_from(b, 0, sink);
  }
  template <class Sink>
  void walk_from(Books& b, std::size_t i, Sink& sink) {
    for (;; ++i) {
      if (i == front_.size() && !pull_next(b, sink)) break;
      BlockedFront::Entry& e = front_[i];
      e.looked_at = false;
      e.holds = nobody;
      if (e.job.gpus <= most_free_) {
        if (const int choice = b.choose(b.groups[e.group], e.job); choice >= 0) {
          start_from_front(b, i--, choice, sink);
          continue;
        }
        // Whether it or a shorter one starts there, that pool changes, and the next walk is another.
        if constexpr (B == Backfill::easy_sjbf) {
          if (unreserved_ > 0 && b.choose_beside(b.groups[e.group], e.job) >= 0) continue;
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
    b.pools[pool].worse = true;
    if (std::find(changing_pools_.begin(), changing_pools_.end(), pool) == changing_pools_.end())
      changing_pools_.push_back(pool);
  }
  /// A blocked job gets the reservation of the pool of its earliest end, if that is still to be had.
  /// @returns false if no pool can ever hold it: it has left the front
  bool reserve_for(Books& b, std::size_t i) {
    BlockedFront::Entry& e = front_[i];
    const JobGroup& g = b.groups[e.group];
    if (!g.open && b.holdable(g, e.job)) return true;
    if (!g.open || !front_.examine(e, g, b.pools, changing_pools_, walk_, b.now, true)) {
      b.shelve({e.group, e.job});
      b.leave_queue(b.groups[e.group], e.job);
      front_.remove(i);
      return false;
    }
    e.looked_at = true;
    look_again_ |= front_.could_start_at_once(e, b.now);
    const std::uint32_t best = g.choices[static_cast<std::size_t>(e.best)].pool;
    PoolState& p = b.pools[best];
    if (p.blocked) return true;
    p.blocked = true;
    p.reservation = front_.reservation_for(e, b.now);
    e.holds = best;
    holder_[best] = static_cast<std::uint32_t>(i);
    if (--unreserved_ == 0) idle_from_ = i + 1;
    for (JobGroup& other : b.groups)
      if (other.open) other.open = b.unblocked(other);
    return true;
  }

  BlockedFront front_;
  std::vector<std::uint32_t> changing_pools_;  ///< those that the walk takes account of
  std::vector<std::uint32_t> all_pools_;
  std::vector<std::uint32_t> holder_;  ///< by pool: who in the front has the reservation
  std::size_t idle_from_ = 0;          ///< in the front: from here on no pool was left to reserve
  std::size_t unreserved_ = 0;         ///< pools with capacity and without a reservation
  std::int64_t most_free_ = 0;         ///< in any pool, at the start of the walk
  std::uint64_t walk_ = 0;
  bool look_again_ = true;
};

}  // namespace natgpu::scheduling
