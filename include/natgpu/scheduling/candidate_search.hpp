// SPDX-License-Identifier: Apache-2.0
// Backfill fit and easy: who else may start, found by an index over what waits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// Merges, in queue order, the first candidate of each group with the newcomers, and starts what fits. A
/// queued job found no place in the last pass, so it is searched for only where that may have changed: in
/// pools that have gained since, or whose reservation holds back less. Newcomers are tried everywhere.
/// O((starts + 1) log n) with n jobs waiting, but for false alarms of the sieve.
template <Backfill B>
class CandidateSearch {
 public:
  /// @param reserved_anew  reservations were made anew in this pass
  template <class Sink>
  void start_candidates(PassBooks<B>& b, bool reserved_anew, Sink& sink) {
    note_gains(b, reserved_anew);
    if (gains_.empty()) {
      while (b.newcomers_left()) consider(b, b.take_newcomer(), sink);
      return;
    }
    for (JobGroup& g : b.groups) {
      g.live = !g.queue.empty() && std::any_of(gains_.begin(), gains_.end(),
                                               [&g](std::uint32_t p) { return g.choice_of[p] >= 0; });
      g.has_next = g.begun = false;
    }
    for (;;) {
      if (JobGroup* first = find_first(b); first != nullptr)
        start_candidate(b, *first, sink);
      else if (b.newcomers_left())
        consider(b, b.take_newcomer(), sink);
      else
        break;
    }
  }

 private:
  /// Pools in which a job that found no place before may find one.
  void note_gains(PassBooks<B>& b, bool reserved_anew) {
    gains_.clear();
    for (std::uint32_t i = 0; i < b.pools.size(); ++i) {
      PoolState& p = b.pools[i];
      if (p.available() > 0 && (p.improved || (reserved_anew && p.holds_back_less()))) gains_.push_back(i);
      p.improved = false;
    }
    if constexpr (B == Backfill::fit) b.forget_changes();
  }
  template <class Sink>
  void consider(PassBooks<B>& b, const Newcomer& n, Sink& sink) {
    const JobGroup& g = b.groups[n.group];
    if (const int choice = b.choose(g, n.job); choice >= 0)
      b.start(g, choice, n.job, sink);
    else
      b.remaining.push_back(n);
  }
  template <class Sink>
  void start_candidate(PassBooks<B>& b, JobGroup& g, Sink& sink) {
    const WaitingJob job = g.next;
    g.has_next = false;
    g.last = job.order;
    g.begun = true;
    b.leave_queue(g, job);
    b.start(g, b.choose(g, job), job, sink);
  }
  /// The group of the first queued job that may start, if it stands before the next newcomer, or null.
  JobGroup* find_first(PassBooks<B>& b) {
    const QueueKey* bound = b.newcomers_left() ? &b.newcomer().job.order : nullptr;
    JobGroup* first = nullptr;
    for (JobGroup& g : b.groups) {
      if (!g.live) continue;
      find_candidate(b, g, bound);
      if (!g.has_next || (bound != nullptr && *bound < g.next.order)) continue;
      first = &g;
      bound = &g.next.order;
    }
    return first;
  }
  /// Finds the group's first job that may start, if it stands before `bound`.
  void find_candidate(PassBooks<B>& b, JobGroup& g, const QueueKey* bound) {
    if (g.has_next) {
      if (b.choose(g, g.next) >= 0) return;
      g.last = g.next.order;  // what started meanwhile took its place
      g.begun = true;
      g.has_next = false;
    }
    const Sieve sieve = sieve_for(b, g);
    if (sieve.admitted == 0) {
      g.live = false;
      return;
    }
    const WaitingQueue::Found found =
        g.queue.find(sieve, g.begun ? &g.last : nullptr, bound,
                     [&](const WaitingJob& job) { return b.choose(g, job) >= 0; });
    g.has_next = found.job != nullptr;
    g.live = g.has_next || found.more;
    if (g.has_next) g.next = *found.job;
  }
  /// Per size class the longest request that may start now in any pool that may take more.
  Sieve sieve_for(PassBooks<B>& b, const JobGroup& g) {
    Sieve sieve;
    for (const std::uint32_t pool : gains_) {
      if (g.choice_of[pool] < 0) continue;
      const double speed = g.choices[static_cast<std::size_t>(g.choice_of[pool])].speed;
      PoolState& p = b.pools[pool];
      const std::int64_t available = p.available();
      sieve.largest = std::max(sieve.largest, available);
      const std::int64_t first_dip = b.with_profile ? p.profile.first_dip() : Profile::forever;
      const std::int64_t until_dip = first_dip - b.now;
      const bool dips = until_dip < time_at_speed(b.longest_requested, speed);
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= available; ++size) {
        std::int64_t room = Profile::forever;
        if (B == Backfill::easy && p.blocked && (std::int64_t{1} << size) > p.reservation.spare)
          room = p.reservation.shadow - b.now;
        if (dips && until_dip < room) {
          const std::int64_t fall = p.falls.below(p.profile, p.version, p.free, size);
          if (fall != Profile::forever) room = std::min(room, fall - b.now);
        }
        if (room > 0) sieve.admit(size, on_reference(room, speed));
      }
    }
    return sieve;
  }
  /// A bound on the requested times that take no more than `room` at that speed. Too much does no harm.
  static std::int64_t on_reference(std::int64_t room, double speed) {
    if (speed == 1.0) return room;
    const double bound = static_cast<double>(room) * speed * (1 + 1e-9);
    return bound < 9e18 ? static_cast<std::int64_t>(bound) + 1 : Sieve::any;
  }

  std::vector<std::uint32_t> gains_;  ///< pools that are searched for
};

}  // namespace natgpu::scheduling
