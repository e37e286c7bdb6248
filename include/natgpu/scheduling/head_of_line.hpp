// SPDX-License-Identifier: Apache-2.0
// Backfill none: the heads of the queue start, until each pool has a blocked job before it.
#pragma once

#include <algorithm>
#include <cstdint>

#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// A job that found no place stands before every pool that can ever hold it, and nobody behind it starts
/// there. Which pools are blocked is kept for the next pass: unless a pool has changed or a job in front of
/// the last blocker has come or gone, only newcomers for pools without a blocker are looked at.
/// All passes must be over the same books.
class HeadOfLine {
 public:
  using Books = PassBooks<Backfill::none>;

  /// A job has left a queue other than by a start.
  void note_withdrawal() { look_again_ = true; }

  template <class Sink>
  void start_heads(Books& b, Sink& sink) {
    const bool ahead = any_blocker_ && !b.taken.empty() && b.taken.front().job.order < last_blocker_;
    if (b.changed_pools.empty() && !look_again_ && !ahead) {  // nothing was freed: what waits goes on waiting
      while (b.newcomers_left() && any_unblocked(b)) take_newcomer(b, b.take_newcomer(), sink);
    } else {
      unblock_all(b);
      while (take_first(b, sink)) {
      }
    }
    b.forget_changes();
  }

 private:
  void unblock_all(Books& b) {
    look_again_ = false;
    for (PoolState& p : b.pools) p.blocked = false;
    any_blocker_ = false;
    for (JobGroup& g : b.groups) {
      g.begun = false;
      note_head(g);
    }
  }
  static void note_head(JobGroup& g) {
    const WaitingJob* head = g.begun ? g.queue.first_after(g.last) : g.queue.front();
    g.has_next = head != nullptr;
    if (g.has_next) g.next = *head;
  }
  /// Starts or blocks the first job, queued or newcomer, that still has a pool. @returns false if none has
  template <class Sink>
  bool take_first(Books& b, Sink& sink) {
    JobGroup* g = nullptr;
    for (JobGroup& candidate : b.groups)
      if (candidate.has_next && b.unblocked(candidate) &&
          (g == nullptr || candidate.next.order < g->next.order))
        g = &candidate;
    if (b.newcomers_left() && (g == nullptr || b.newcomer().job.order < g->next.order)) {
      if (!any_unblocked(b)) return false;
      take_newcomer(b, b.take_newcomer(), sink);
      return true;
    }
    if (g == nullptr) return false;
    take_queued(b, *g, sink);
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
    } else if (!block_pools(b, g, head.job)) {
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
    else if (!b.unblocked(g) || block_pools(b, g, n.job))
      b.remaining.push_back(n);
    else
      b.shelve(n);
  }
  /// A job that could not start stands before every pool that can ever hold it. @returns false if none can
  bool block_pools(Books& b, const JobGroup& g, const WaitingJob& job) {
    bool any = false;
    for (const PoolChoice& c : g.choices) {
      PoolState& p = b.pools[c.pool];
      if (p.blocked || !b.holdable_in(p, job, c.speed)) continue;
      p.blocked = true;
      any = true;
    }
    if (!any && !b.holdable(g, job)) return false;
    if (any && (!any_blocker_ || last_blocker_ < job.order)) {
      any_blocker_ = true;
      last_blocker_ = job.order;
    }
    return true;
  }
  static bool any_unblocked(const Books& b) {
    return std::any_of(b.pools.begin(), b.pools.end(),
                       [](const PoolState& p) { return !p.blocked && p.may_hold(); });
  }

  QueueKey last_blocker_;  ///< the last job in queue order that stands before a pool
  bool any_blocker_ = false;
  bool look_again_ = true;
};

}  // namespace natgpu::scheduling
