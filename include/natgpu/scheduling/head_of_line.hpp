// SPDX-License-Identifier: Apache-2.0
// Backfill none: the heads of the queue start, until each pool has a blocked job before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// A job that found no place stands before every pool that can ever hold it, and nobody behind it starts
/// there. The jobs that a walk of the queue looked at in vain are kept, in queue order, each with the pools
/// that it blocks: the next pass begins at the first of them whose case has changed, which mostly is none.
/// All passes must be over the same books.
class HeadOfLine {
 public:
  using Books = PassBooks<Backfill::none>;

  explicit HeadOfLine(const Books& b) : blocker_of_(b.pools.size(), none) {}

  /// A job has left a queue other than by a start.
  void note_withdrawal(const QueueKey& key) {
    const std::size_t i = first_not_before(key);
    if (i < seen_.size() && seen_[i].who.job.order == key) stale_from_ = std::min(stale_from_, i);
  }
  /// A pool has gained or lost capacity, at once or as announced: jobs never looked at may have a pool.
  void note_capacity() { stale_from_ = 0, recount_ = true; }

  template <class Sink>
  void start_heads(Books& b, Sink& sink) {
    const std::size_t from = first_to_look_at(b);
    if (from < seen_.size() || recount_) {
      reopen(b, from);
      while (take_first(b, sink)) {
      }
    } else {  // what waits goes on waiting
      while (b.newcomers_left() && open_ > 0) take_newcomer(b, b.take_newcomer(), sink);
    }
    b.forget_changes();
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  /// A job that could not start.
  struct Seen {
    Newcomer who;
    std::size_t first_blocked = 0;  ///< its pools in `blocked_`, to the next one's first
    std::int64_t sure_until = 0;    ///< that the pools it blocks, or else any, can hold it
  };
  /// A pool that a job stands before, because the pool can hold it.
  struct Blocked {
    std::uint32_t pool = 0;
    std::uint32_t losses = 0;     ///< of the pool when that was made sure
    std::int64_t sure_until = 0;  ///< while there are no more
  };

  // --- what stands from the last pass

  std::size_t first_not_before(const QueueKey& key) const {
    const auto it = std::lower_bound(seen_.begin(), seen_.end(), key,
                                     [](const Seen& s, const QueueKey& k) { return s.who.job.order < k; });
    return static_cast<std::size_t>(it - seen_.begin());
  }
  /// The first kept job that must be looked at again, or their number.
  std::size_t first_to_look_at(const Books& b) {
    std::size_t end = std::min(seen_.size(), stale_from_);
    if (b.newcomers_left() && !seen_.empty() && b.newcomer().job.order < seen_.back().who.job.order)
      end = std::min(end, first_not_before(b.newcomer().job.order));
    if (b.changed_pools.empty() && b.now <= sure_until_) return end;
    for (std::size_t i = 0; i < end; ++i)
      if (has_changed(b, i)) return i;
    note_how_long_sure();
    return end;
  }
  void note_how_long_sure() {
    sure_until_ = Profile::forever;
    for (const Seen& s : seen_) sure_until_ = std::min(sure_until_, s.sure_until);
  }
  /// The same of the i-th job. @pre it blocks a pool
  void note_how_long_sure(std::size_t i) {
    seen_[i].sure_until = Profile::forever;
    for (std::size_t k = seen_[i].first_blocked; k < end_of_blocked(i); ++k)
      seen_[i].sure_until = std::min(seen_[i].sure_until, blocked_[k].sure_until);
  }
  std::size_t end_of_blocked(std::size_t i) const {
    return i + 1 < seen_.size() ? seen_[i + 1].first_blocked : blocked_.size();
  }
  bool has_changed(const Books& b, std::size_t i) {
    const Newcomer& who = seen_[i].who;
    const JobGroup& g = b.groups[who.group];
    bool concerned = b.now > seen_[i].sure_until;
    for (const std::uint32_t p : b.changed_pools) concerned |= g.choice_of[p] >= 0;
    if (!concerned) return false;
    for (const PoolChoice& c : g.choices) {
      const bool changed = b.is_changed[c.pool];
      const std::uint32_t blocker = blocker_of_[c.pool];
      if (blocker < i) continue;
      const PoolState& p = b.pools[c.pool];
      if (changed && b.fits_behind_nobody(p, who.job, c.speed)) return true;
      if (blocker == i ? !is_still_before(b, i, c) : changed && b.holdable_in(p, who.job, c.speed))
        return true;
    }
    if (blocks_nothing(i)) return !make_sure_it_can_be_held(b, seen_[i]);
    note_how_long_sure(i);
    return false;
  }
  /// Whether a pool that the i-th job blocks can still hold it.
  bool is_still_before(const Books& b, std::size_t i, const PoolChoice& c) {
    const PoolState& p = b.pools[c.pool];
    Blocked* x = &blocked_[seen_[i].first_blocked];
    while (x->pool != c.pool) ++x;
    if (x->losses == p.losses && b.now <= x->sure_until) return true;
    x->losses = p.losses;
    x->sure_until = b.holdable_until(p, seen_[i].who.job, c.speed);
    return x->sure_until >= b.now;
  }
  /// For a job that blocks no pool. @returns whether any can hold it
  static bool make_sure_it_can_be_held(const Books& b, Seen& s) {
    s.sure_until = -1;
    const JobGroup& g = b.groups[s.who.group];
    for (const PoolChoice& c : g.choices)
      s.sure_until = std::max(s.sure_until, b.holdable_until(b.pools[c.pool], s.who.job, c.speed));
    return s.sure_until >= b.now;
  }
  bool blocks_nothing(std::size_t i) const { return seen_[i].first_blocked == end_of_blocked(i); }
  /// Forgets the kept jobs from the i-th on, and looks for the first ones of each group behind those left.
  void reopen(Books& b, std::size_t i) {
    if (i < seen_.size()) {
      for (std::size_t k = seen_[i].first_blocked; k < blocked_.size(); ++k) {
        b.pools[blocked_[k].pool].blocked = false;
        blocker_of_[blocked_[k].pool] = none;
        ++open_;
      }
      blocked_.resize(seen_[i].first_blocked);
      seen_.resize(i);
    }
    stale_from_ = none;
    if (recount_)
      open_ = std::count_if(b.pools.begin(), b.pools.end(), [](const PoolState& p) { return p.may_hold(); });
    recount_ = false;
    for (JobGroup& g : b.groups) {
      g.begun = !seen_.empty();
      if (g.begun) g.last = seen_.back().who.job.order;
      g.looked_for = false;
    }
  }

  // --- the walk

  static void note_head(JobGroup& g) {
    const WaitingJob* head = g.begun ? g.queue.first_after(g.last) : g.queue.front();
    g.looked_for = true;
    g.has_next = head != nullptr;
    if (g.has_next) g.next = *head;
  }
  /// Starts or blocks the first job, queued or newcomer, that still has a pool. @returns false if none has
  template <class Sink>
  bool take_first(Books& b, Sink& sink) {
    if (open_ == 0) return false;
    JobGroup* first = nullptr;
    for (JobGroup& g : b.groups) {
      if ((g.looked_for && !g.has_next) || !b.unblocked(g)) continue;
      if (!g.looked_for) note_head(g);
      if (g.has_next && (first == nullptr || g.next.order < first->next.order)) first = &g;
    }
    if (b.newcomers_left() && (first == nullptr || b.newcomer().job.order < first->next.order)) {
      take_newcomer(b, b.take_newcomer(), sink);
      return true;
    }
    if (first == nullptr) return false;
    take_queued(b, *first, sink);
    return true;
  }
  template <class Sink>
  void take_queued(Books& b, JobGroup& g, Sink& sink) {
    const Newcomer head{static_cast<std::uint32_t>(&g - b.groups.data()), g.next};
    g.last = head.job.order;
    g.begun = true;
    if (const int choice = b.choose(g, head.job); choice >= 0) {
      b.leave_queue(g, head.job);
      b.start(g, choice, head.job, sink);
    } else if (!block_pools(b, head)) {
      b.leave_queue(g, head.job);
      b.shelve(head);
    }
    note_head(g);
  }
  template <class Sink>
  void take_newcomer(Books& b, const Newcomer& n, Sink& sink) {
    JobGroup& g = b.groups[n.group];
    if (const int choice = b.choose(g, n.job); choice >= 0)
      b.start(g, choice, n.job, sink);
    else if (!b.unblocked(g) || block_pools(b, n))
      b.remaining.push_back(n);
    else
      b.shelve(n);
  }
  /// A job that could not start stands before every pool that can ever hold it. @returns false if none can
  bool block_pools(Books& b, const Newcomer& n) {
    const JobGroup& g = b.groups[n.group];
    Seen s{n, blocked_.size(), Profile::forever};
    for (const PoolChoice& c : g.choices) {
      PoolState& p = b.pools[c.pool];
      if (p.blocked) continue;
      const std::int64_t sure_until = b.holdable_until(p, n.job, c.speed);
      if (sure_until < b.now) continue;
      p.blocked = true;
      blocker_of_[c.pool] = static_cast<std::uint32_t>(seen_.size());
      blocked_.push_back({c.pool, p.losses, sure_until});
      s.sure_until = std::min(s.sure_until, sure_until);
      --open_;
    }
    if (blocked_.size() == s.first_blocked && !make_sure_it_can_be_held(b, s)) return false;
    sure_until_ = std::min(sure_until_, s.sure_until);
    seen_.push_back(s);
    return true;
  }

  std::vector<Seen> seen_;                 ///< in queue order
  std::vector<Blocked> blocked_;           ///< in the order of their blockers
  std::vector<std::uint32_t> blocker_of_;  ///< by pool: index into `seen_`, or none
  std::ptrdiff_t open_ = 0;                ///< pools that may hold a job and have no blocker
  std::size_t stale_from_ = none;          ///< in `seen_`: from here on it no longer stands
  std::int64_t sure_until_ = 0;            ///< until when time alone changes nothing
  bool recount_ = true;
};

}  // namespace natgpu::scheduling
