// SPDX-License-Identifier: Apache-2.0
// Who runs now, in the pool view: SEMANTICS of fcfs order under backfill none, fit and easy.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// One pool that a group of jobs accepts.
struct PoolChoice {
  std::uint32_t pool = 0;
  double speed = 1.0;  ///< against the reference device
};

/// Time on a device of that speed, rounded up to a tick, at least one.
inline std::int64_t time_at_speed(std::int64_t reference_ticks, double speed) {
  if (speed == 1.0) return reference_ticks;
  const double t = std::ceil(static_cast<double>(reference_ticks) / speed);
  return t < 1.0 ? 1 : static_cast<std::int64_t>(t);
}

/// Jobs that accept the same pools at the same speeds share a group; its choices stand in the order in which
/// pools are tried: speed descending, catalogue, site.
struct GroupSpec {
  std::vector<PoolChoice> choices;
};

/// Waiting jobs, free GPUs and one scheduling pass over them. Knows requested times only. Decisions go to a
/// sink at once: `sink.start(job, pool, requested_on_pool)`, after the dispatcher's own books have been
/// changed.
///
/// Cost: what waits is looked at through an index, so a pass takes O((starts + 1) log n) for one pool; with
/// several pools easy also looks at up to `examination_limit` blocked jobs for their reservations. Sources:
/// Lifka, JSSPP 1995 (easy); Mu'alem & Feitelson, IEEE TPDS 12(6), 2001.
template <Backfill B>
class Dispatcher {
 public:
  /// Blocked jobs looked at per pass in search of a reservation for each pool (docs/decisions/0005).
  static constexpr int examination_limit = 16;

  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  Dispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false)
      : pools_(pools), count_due_(arrivals_first), keep_profile_(B == Backfill::easy || arrivals_first) {
    for (GroupSpec& g : groups) groups_.emplace_back().choices = std::move(g.choices);
  }

  // --- what happens between passes
  // -------------------------------------------------------------------------------

  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t group, const WaitingJob& job) {
    fresh_.push_back({group, job});
    longest_requested_ = std::max(longest_requested_, job.requested);
    ++waiting_;
  }
  /// A waiting job leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t group, const QueueKey& key) {
    const bool found =
        erase_fresh(group, key) || groups_[group].queue.erase(key) || erase_shelved(group, key);
    if (found) {
      --waiting_;
      changed_ = true;
    }
    return found;
  }
  /// A running job hands its GPUs back, at or before its requested end.
  void finish(std::uint32_t pool, std::int64_t gpus, std::int64_t requested_end) {
    Pool& p = pools_[pool];
    p.free += gpus;
    if (keep_profile_) p.profile.remove(requested_end, gpus);
    changed_ = true;
  }
  /// A running job's requested end moves (a service replica that outlives a change of its curve).
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    if (!keep_profile_) return;
    pools_[pool].profile.remove(old_end, gpus);
    pools_[pool].profile.add(new_end, gpus);
    changed_ = true;
  }
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    Pool& p = pools_[pool];
    p.free += delta;
    p.capacity += delta;
    NATGPU_ENSURE(p.free >= 0 && p.capacity >= 0, "lost GPUs were freed first");
    changed_ = true;
    if (delta > 0) unshelve();
  }
  /// A change foreseen for `at` enters the profile; `withdraw_foreseen` takes it out when it happens or is
  /// off. Must be called before the first pass, or with the profile kept from the start (`keep_profile`).
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    NATGPU_ENSURE(keep_profile_, "foreseen changes need the profile");
    pools_[pool].profile.add(at, delta);
    ++pools_[pool].foreseen;
    changed_ = true;
    if (delta > 0) unshelve();
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.remove(at, delta);
    --pools_[pool].foreseen;
    changed_ = true;
  }
  /// Keeps the profile even where backfill alone would not need it. @pre nothing runs yet
  void keep_profile() { keep_profile_ = true; }

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].capacity; }
  std::size_t waiting() const { return waiting_; }
  std::size_t unholdable() const {
    return shelf_.size();
  }  ///< waiting jobs that no profile can hold as things stand

  // --- the pass
  // --------------------------------------------------------------------------------------------------

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    now_ = now;
    if (count_due_) note_due();
    sort_fresh();
    if (!changed_) {  // nothing was freed, so what waits goes on waiting: only newcomers matter
      for (const Fresh& f : take_fresh()) consider_or_queue(f, sink);
      return;
    }
    changed_ = false;
    examined_ = 0;
    for (Pool& p : pools_) p.forget_pass();
    if (waiting_ == fresh_.size() + shelf_.size()) {  // nothing queued
      for (const Fresh& f : take_fresh()) consider_or_queue(f, sink);
      return;
    }
    for (const Fresh& f : take_fresh()) groups_[f.group].queue.insert(f.job);
    scan(sink);
  }

 private:
  struct Pool {
    std::int64_t free = 0;      ///< idle now
    std::int64_t capacity = 0;  ///< idle or held by jobs
    std::int64_t due = 0;       ///< held by jobs whose requested end is now (arrival_first only)
    std::int64_t foreseen = 0;  ///< announced changes still to come
    Profile profile;
    bool blocked = false;  ///< none: a blocked job stands before it; easy: a reservation is held
    std::int64_t shadow = 0, reserved_until = 0, reserved = 0, spare = 0;
    void forget_pass() { blocked = false; }
    std::int64_t available() const { return free + due; }
  };
  struct Group {
    std::vector<PoolChoice> choices;
    WaitingQueue queue;
    // The group's place in a scan.
    WaitingJob next;
    bool has_next = false;
    bool next_fits = false;  ///< found by the index, so it passes the test
    bool done = false;
    QueueKey last;         ///< examined so far
    bool started = false;  ///< whether `last` holds anything
  };
  struct Fresh {
    std::uint32_t group = 0;
    WaitingJob job;
  };

  // --- tests
  // -----------------------------------------------------------------------------------------------------

  /// The test of a start: fits during all of [now, now + requested), beside the pool's reservation if there
  /// is one.
  bool fits(const Pool& p, std::int32_t gpus, std::int64_t requested) const {
    if (gpus > p.available()) return false;
    if constexpr (B == Backfill::none) {
      if (p.blocked) return false;
    }
    const std::int64_t end = now_ + requested;
    const bool dips = keep_profile_ && p.profile.first_dip() < end;
    if (dips && p.profile.least(now_, end, p.free) < gpus) return false;
    if constexpr (B == Backfill::easy) {
      if (p.blocked && end > p.shadow) {
        if (gpus > p.spare) return false;
        if (dips) {
          const std::int64_t until = std::min(end, p.reserved_until);
          if (p.profile.least(p.shadow, until, p.free) - p.reserved < gpus) return false;
        }
      }
    }
    return true;
  }
  /// Index into the group's choices, or -1.
  int choose(const Group& g, const WaitingJob& job) const {
    for (std::size_t i = 0; i < g.choices.size(); ++i)
      if (fits(pools_[g.choices[i].pool], job.gpus, time_at_speed(job.requested, g.choices[i].speed)))
        return static_cast<int>(i);
    return -1;
  }
  template <class Sink>
  void start(const Group& g, int choice, const WaitingJob& job, Sink& sink) {
    const PoolChoice& c = g.choices[static_cast<std::size_t>(choice)];
    Pool& p = pools_[c.pool];
    const std::int64_t requested = time_at_speed(job.requested, c.speed);
    p.free -= job.gpus;
    if (keep_profile_) p.profile.add(now_ + requested, job.gpus);
    if constexpr (B == Backfill::easy) {
      if (p.blocked && now_ + requested > p.shadow) p.spare -= job.gpus;
    }
    --waiting_;
    sink.start(job, c.pool, requested);
  }

  // --- blocked jobs
  // ----------------------------------------------------------------------------------------------

  /// Earliest start of a job in a pool by the running jobs' requests and foreseen capacity.
  Profile::Hole hole(const Pool& p, std::int32_t gpus, std::int64_t requested) const {
    if (keep_profile_) return p.profile.hole(now_, p.free, gpus, requested);
    return gpus <= p.capacity ? Profile::Hole{now_, 0} : Profile::Hole{};
  }
  /// A job could not start. none: it blocks the pools that can ever hold it; easy: it gets the reservation of
  /// the pool of its earliest end, if that is still to be had. @returns false if no profile can hold it
  bool block(const Group& g, const WaitingJob& job) {
    ++examined_;
    std::int64_t best_end = Profile::forever;
    std::uint32_t best_pool = 0;
    Profile::Hole best;
    bool holdable = false;
    for (const PoolChoice& c : g.choices) {
      Pool& p = pools_[c.pool];
      const std::int64_t requested = time_at_speed(job.requested, c.speed);
      if (B == Backfill::easy && holdable && now_ + requested >= best_end)
        continue;  // cannot end earlier there
      const Profile::Hole h = hole(p, job.gpus, requested);
      if (h.at == Profile::forever) continue;
      holdable = true;
      if constexpr (B == Backfill::none) p.blocked = true;
      if (h.at + requested < best_end) {
        best_end = h.at + requested;
        best_pool = c.pool;
        best = h;
      }
    }
    if constexpr (B == Backfill::easy) {
      Pool& p = pools_[best_pool];
      if (holdable && !p.blocked) {
        p.blocked = true;
        p.shadow = best.at;
        p.reserved = job.gpus;
        p.spare = best.free - job.gpus;
        p.reserved_until = best_end;
      }
    }
    return holdable;
  }
  /// Whether a blocked job of the group would still change anything.
  bool worth_examining(const Group& g) const {
    if constexpr (B == Backfill::fit) return false;
    if (B == Backfill::easy && examined_ >= examination_limit) return false;
    for (const PoolChoice& c : g.choices)
      if (!pools_[c.pool].blocked && pools_[c.pool].capacity > 0) return true;
    return false;
  }

  // --- newcomers
  // -------------------------------------------------------------------------------------------------

  template <class Sink>
  void consider_or_queue(const Fresh& f, Sink& sink) {
    Group& g = groups_[f.group];
    if (const int choice = choose(g, f.job); choice >= 0) {
      start(g, choice, f.job, sink);
      return;
    }
    const bool examine = B == Backfill::fit ? false : worth_examining(g);
    if (examine ? block(g, f.job) : ever_holdable(g, f.job))
      g.queue.insert(f.job);
    else
      shelf_.push_back(f);
  }
  bool ever_holdable(const Group& g, const WaitingJob& job) const {
    for (const PoolChoice& c : g.choices) {
      const Pool& p = pools_[c.pool];
      if (p.foreseen == 0 ? job.gpus <= p.capacity
                          : hole(p, job.gpus, time_at_speed(job.requested, c.speed)).at != Profile::forever)
        return true;
    }
    return false;
  }

  // --- the scan of the queue
  // -------------------------------------------------------------------------------------

  /// Takes jobs in queue order: one by one while a blocked job may still matter, then through the index.
  template <class Sink>
  void scan(Sink& sink) {
    for (Group& g : groups_) {
      g.done = g.queue.empty();
      g.has_next = g.started = false;
    }
    for (;;) {
      Group* first = nullptr;
      for (Group& g : groups_) {
        if (g.done) continue;
        refresh_next(g);
        if (g.has_next && (first == nullptr || g.next.order < first->next.order)) first = &g;
      }
      if (first == nullptr) return;
      Group& g = *first;
      const WaitingJob job = g.next;
      g.has_next = false;
      g.last = job.order;
      g.started = true;
      if (const int choice = choose(g, job); choice >= 0) {
        g.queue.erase(job.order);
        start(g, choice, job, sink);
      } else if (!g.next_fits && !block(g, job)) {
        g.queue.erase(job.order);
        shelf_.push_back({static_cast<std::uint32_t>(&g - groups_.data()), job});
      }
    }
  }
  /// Finds the group's next job to look at, or marks the group done.
  void refresh_next(Group& g) {
    const bool one_by_one = worth_examining(g);
    if (g.has_next) {
      if (!g.next_fits && one_by_one) return;
      if (g.next_fits && choose(g, g.next) >= 0) return;
      if (g.next_fits) g.last = g.next.order, g.started = true;  // what started meanwhile took its place
    }
    g.has_next = false;
    auto cursor = g.started ? g.queue.after(g.last) : g.queue.begin();
    const WaitingJob* found = nullptr;
    if (one_by_one) {
      found = g.queue.walk(
          cursor, [](const auto& s) { return s == WaitingTraits::Summary{}; },
          [](const WaitingJob&) { return true; });
    } else if constexpr (B != Backfill::none) {
      Sieve sieve;
      if (fill(sieve, g))
        found = g.queue.walk(
            cursor, [&](const auto& s) { return !s.may_hold(sieve); },
            [&](const WaitingJob& job) {
              return static_cast<float>(job.requested) <= sieve.longest[size_class(job.gpus)] &&
                     choose(g, job) >= 0;
            });
    }
    if (found == nullptr) {
      g.done = true;
      return;
    }
    g.next = *found;
    g.has_next = true;
    g.next_fits = !one_by_one;
  }
  /// Per size class the longest request that may start now in any pool of the group. @returns false if none
  /// may
  bool fill(Sieve& sieve, const Group& g) const {
    bool any = false;
    for (const PoolChoice& c : g.choices) {
      const Pool& p = pools_[c.pool];
      const std::int64_t available = p.available();
      const bool dips =
          keep_profile_ && p.profile.first_dip() - now_ < time_at_speed(longest_requested_, c.speed);
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= available; ++size) {
        std::int64_t room = Profile::forever;
        if (B == Backfill::easy && p.blocked && (std::int64_t{1} << size) > p.spare) room = p.shadow - now_;
        if (dips) room = std::min(room, p.profile.first_below(std::int64_t{1} << size, p.free) - now_);
        if (room <= 0) continue;
        any = true;
        // One part in a million up: the sieve may let through too much, never too little.
        sieve.admit(size, room == Profile::forever
                              ? Sieve::any
                              : static_cast<float>(static_cast<double>(room) * c.speed * 1.000001));
      }
    }
    return any;
  }

  // --- small parts
  // -----------------------------------------------------------------------------------------------

  void note_due() {
    for (Pool& p : pools_) {
      p.due = p.profile.due(now_);
      changed_ |= p.due != 0;
    }
  }
  const std::vector<Fresh>& take_fresh() {
    std::swap(fresh_, taken_);
    fresh_.clear();
    return taken_;
  }
  void sort_fresh() {
    if (!std::is_sorted(fresh_.begin(), fresh_.end(), in_order))
      std::sort(fresh_.begin(), fresh_.end(), in_order);
  }
  static bool in_order(const Fresh& a, const Fresh& b) { return a.job.order < b.job.order; }
  static bool erase_from(std::vector<Fresh>& list, std::uint32_t group, const QueueKey& key) {
    const auto it = std::find_if(list.begin(), list.end(),
                                 [&](const Fresh& f) { return f.group == group && f.job.order == key; });
    if (it == list.end()) return false;
    list.erase(it);
    return true;
  }
  bool erase_fresh(std::uint32_t group, const QueueKey& key) { return erase_from(fresh_, group, key); }
  bool erase_shelved(std::uint32_t group, const QueueKey& key) { return erase_from(shelf_, group, key); }
  void unshelve() {
    for (const Fresh& f : shelf_) groups_[f.group].queue.insert(f.job);
    shelf_.clear();
  }

  std::vector<Pool> pools_;
  std::vector<Group> groups_;
  std::vector<Fresh> fresh_, taken_;  ///< submitted since the last pass; swapped so that nothing is allocated
  std::vector<Fresh> shelf_;  ///< jobs that no profile can hold: block nobody, wait for a gain of capacity
  std::int64_t now_ = 0;
  std::int64_t longest_requested_ = 0;
  std::size_t waiting_ = 0;
  int examined_ = 0;
  bool changed_ = true;  ///< something other than an arrival happened since the last pass
  bool count_due_ = false;
  bool keep_profile_ = false;
};

}  // namespace natgpu::scheduling
