// SPDX-License-Identifier: Apache-2.0
// Who runs now, in the pool view: queue order under backfill none, fit and easy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/blocked_front.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/pool_state.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// Waiting jobs, free GPUs and one scheduling pass over them. Knows requested times only. Decisions go to a
/// sink at once: `sink.start(job, pool, requested_on_pool)`, after the dispatcher's own books have been
/// changed.
///
/// What makes a pass cheap: a job that found no place in the last pass can find one only in a pool that has
/// gained since, or whose reservation holds back less. So only such pools are searched for, through an index
/// over what waits: O((starts + 1) log n), whatever waits. easy also brings the reservations of up to
/// BlockedFront::limit blocked jobs up to date. Sources: Lifka, JSSPP 1995 (easy); Mu'alem & Feitelson, IEEE
/// TPDS 12(6), 2001.
template <Backfill B>
class Dispatcher {
 public:
  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  Dispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false)
      : pools_(pools), count_due_(arrivals_first), keep_profile_(B == Backfill::easy || arrivals_first) {
    std::size_t most = 0;
    for (GroupSpec& spec : groups) {
      JobGroup& g = groups_.emplace_back();
      g.choices = std::move(spec.choices);
      g.choice_of.assign(pools, -1);
      for (std::size_t c = 0; c < g.choices.size(); ++c) g.choice_of[g.choices[c].pool] = static_cast<int>(c);
      most = std::max(most, g.choices.size());
    }
    front_.reserve(most);
    is_changed_.resize(pools);
  }

  // --- what happens between passes

  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t group, const WaitingJob& job) {
    fresh_.push_back({group, job});
    longest_requested_ = std::max(longest_requested_, job.requested);
    ++waiting_;
  }
  /// A waiting job of so many GPUs leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    if (groups_[group].queue.erase(key, gpus)) {
      --queued_;
      if (B == Backfill::easy && !front_.empty() && !(front_.last() < key)) {
        front_.remove(key);
        look_again_ = true;
      }
      look_again_ |= B == Backfill::none;
    } else if (groups_[group].shelf.erase(key, gpus)) {
      --shelved_;
    } else if (!erase_fresh(group, key)) {
      return false;
    }
    --waiting_;
    return true;
  }
  /// A running job hands its GPUs back, at or before its requested end.
  void finish(std::uint32_t pool, std::int64_t gpus, std::int64_t requested_end) {
    PoolState& p = pools_[pool];
    p.free += gpus;
    if (keep_profile_) p.profile.remove(requested_end, gpus);
    gained(pool);
  }
  /// A running job's requested end moves (a service replica that outlives a change of its curve).
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    if (!keep_profile_) return;
    pools_[pool].profile.remove(old_end, gpus);
    pools_[pool].profile.add(new_end, gpus);
    pools_[pool].latest_end = std::max(pools_[pool].latest_end, new_end);
    gained(pool);
  }
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    PoolState& p = pools_[pool];
    p.free += delta;
    p.capacity += delta;
    NATGPU_ENSURE(p.free >= 0 && p.capacity >= 0, "lost GPUs were freed first");
    gained(pool);
    if (delta > 0) unshelve();
  }
  /// A change foreseen for `at` enters the profile; `withdraw_foreseen` takes it out when it happens or is
  /// off. Must be called before the first pass, or with the profile kept from the start (`keep_profile`).
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    NATGPU_ENSURE(keep_profile_, "foreseen changes need the profile");
    pools_[pool].profile.add(at, delta);
    pools_[pool].announce(at, delta);
    gained(pool);
    if (delta > 0) unshelve();
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.remove(at, delta);
    pools_[pool].withdraw(at, delta);
    gained(pool);
    if (delta < 0) unshelve();
  }
  /// Keeps the profile even where backfill alone would not need it. @pre nothing runs yet
  void keep_profile() { keep_profile_ = true; }

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].capacity; }
  std::size_t waiting() const { return waiting_; }
  /// Waiting jobs that no profile can hold as things stand.
  std::size_t unholdable() const { return shelved_; }

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    now_ = now;
    if (count_due_) note_due();
    take_fresh();
    if constexpr (B == Backfill::none) {
      take_heads(sink);
    } else {
      if constexpr (B == Backfill::easy) walk_front(sink);
      search(sink);
    }
    queue_remaining();
  }

 private:
  struct Fresh {
    std::uint32_t group = 0;
    WaitingJob job;
  };

  // --- starting

  bool fits_in(const PoolState& p, const WaitingJob& job, double speed) const {
    return job.gpus <= p.available() &&
           fits<B>(p, now_, job.gpus, time_at_speed(job.requested, speed), keep_profile_);
  }
  /// Index into the group's choices, or -1.
  int choose(const JobGroup& g, const WaitingJob& job) const {
    for (std::size_t i = 0; i < g.choices.size(); ++i)
      if (fits_in(pools_[g.choices[i].pool], job, g.choices[i].speed)) return static_cast<int>(i);
    return -1;
  }
  template <class Sink>
  void start(const JobGroup& g, int choice, const WaitingJob& job, Sink& sink) {
    const PoolChoice& c = g.choices[static_cast<std::size_t>(choice)];
    PoolState& p = pools_[c.pool];
    const std::int64_t requested = time_at_speed(job.requested, c.speed);
    p.free -= job.gpus;
    if (keep_profile_) {
      p.profile.add(now_ + requested, job.gpus);
      p.latest_end = std::max(p.latest_end, now_ + requested);
    }
    if constexpr (B == Backfill::easy) {
      if (p.blocked && now_ + requested > p.reservation.shadow) p.reservation.spare -= job.gpus;
    }
    note_change(c.pool);
    --waiting_;
    sink.start(job, c.pool, requested);
  }
  /// Whether some profile can hold the job at some time.
  bool holdable(const JobGroup& g, const WaitingJob& job) const {
    for (const PoolChoice& c : g.choices)
      if (holdable_in(pools_[c.pool], job, c.speed)) return true;
    return false;
  }
  bool holdable_in(const PoolState& p, const WaitingJob& job, double speed) const {
    if (p.plan.empty()) return job.gpus <= p.capacity;
    const std::int64_t requested = time_at_speed(job.requested, speed);
    if (p.holds_when_all_is_over(now_, job.gpus, requested)) return true;
    return p.profile.hole(now_, p.free, job.gpus, requested).at != Profile::forever;
  }
  void shelve(const Fresh& f) {
    groups_[f.group].shelf.insert(f.job);
    ++shelved_;
  }

  // --- none: the heads of the queue, until each pool has a blocked job before it

  template <class Sink>
  void take_heads(Sink& sink) {
    const bool ahead = any_blocker_ && !taken_.empty() && taken_.front().job.order < last_blocker_;
    if (changed_pools_.empty() && !look_again_ && !ahead) {  // nothing was freed: what waits goes on waiting
      while (next_fresh_ < taken_.size() && any_unblocked()) take_head(taken_[next_fresh_++], sink);
      forget_changes();
      return;
    }
    look_again_ = false;
    for (PoolState& p : pools_) p.blocked = false;
    any_blocker_ = false;
    for (JobGroup& g : groups_) {
      g.begun = false;
      note_head(g);
    }
    for (;;) {
      JobGroup* g = nullptr;
      for (JobGroup& candidate : groups_)
        if (candidate.has_next && unblocked(candidate) &&
            (g == nullptr || candidate.next.order < g->next.order))
          g = &candidate;
      const bool newcomer =
          next_fresh_ < taken_.size() && (g == nullptr || taken_[next_fresh_].job.order < g->next.order);
      if (newcomer) {
        if (!any_unblocked()) break;
        take_head(taken_[next_fresh_++], sink);
        continue;
      }
      if (g == nullptr) break;
      const Fresh head{static_cast<std::uint32_t>(g - groups_.data()), g->next};
      g->last = head.job.order;
      g->begun = true;
      if (const int choice = choose(*g, head.job); choice >= 0) {
        leave_queue(*g, head.job);
        start(*g, choice, head.job, sink);
      } else if (!block_pools(*g, head.job)) {
        leave_queue(*g, head.job);
        shelve(head);
      }
      note_head(*g);
    }
    forget_changes();
  }
  void note_head(JobGroup& g) {
    const WaitingJob* head = g.begun ? g.queue.first_after(g.last) : g.queue.front();
    g.has_next = head != nullptr;
    if (g.has_next) g.next = *head;
  }
  template <class Sink>
  void take_head(const Fresh& f, Sink& sink) {
    JobGroup& g = groups_[f.group];
    if (const int choice = choose(g, f.job); choice >= 0)
      start(g, choice, f.job, sink);
    else if (!unblocked(g) || block_pools(g, f.job))
      remaining_.push_back(f);
    else
      shelve(f);
  }
  /// A job that could not start stands before every pool that can ever hold it. @returns false if none can
  bool block_pools(const JobGroup& g, const WaitingJob& job) {
    bool any = false;
    for (const PoolChoice& c : g.choices) {
      if (pools_[c.pool].blocked || !holdable_in(pools_[c.pool], job, c.speed)) continue;
      pools_[c.pool].blocked = true;
      any = true;
    }
    if (!any && !holdable(g, job)) return false;
    if (any && (!any_blocker_ || last_blocker_ < job.order)) {
      any_blocker_ = true;
      last_blocker_ = job.order;
    }
    return true;
  }
  bool unblocked(const JobGroup& g) const {
    for (const PoolChoice& c : g.choices)
      if (!pools_[c.pool].blocked && pools_[c.pool].may_hold()) return true;
    return false;
  }
  bool any_unblocked() const {
    return std::any_of(pools_.begin(), pools_.end(),
                       [](const PoolState& p) { return !p.blocked && p.may_hold(); });
  }

  // --- easy: the blocked jobs at the head of the queue and their reservations

  template <class Sink>
  void walk_front(Sink& sink) {
    if (front_is_stale())
      walk_front_anew(sink);
    else if (front_may_grow())
      walk_front_from(front_.size(), sink);
  }
  bool front_is_stale() const {
    if (look_again_ || (!taken_.empty() && front_.reaches(taken_.front().job.order))) return true;
    // What starts beside the reservation of the only pool leaves it as it is.
    if (pools_.size() == 1) return pools_[0].improved;
    return !changed_pools_.empty();
  }
  template <class Sink>
  void walk_front_anew(Sink& sink) {
    ++walk_;
    unreserved_ = 0;
    most_free_ = 0;
    for (PoolState& p : pools_) {
      p.release_reservation();
      unreserved_ += p.may_hold();
      most_free_ = std::max(most_free_, p.available());
    }
    for (JobGroup& g : groups_) g.open = unblocked(g);
    look_again_ = false;
    std::swap(changing_pools_, changed_pools_);
    for (const std::uint32_t p : changing_pools_) is_changed_[p] = false;
    while (next_fresh_ < taken_.size() && front_.reaches(taken_[next_fresh_].job.order)) admit_newcomer();
    walk_front_from(0, sink);
    anew_ = true;
    changing_pools_.clear();
  }
  template <class Sink>
  void walk_front_from(std::size_t i, Sink& sink) {
    for (;; ++i) {
      if (i == front_.size() && !pull_next(sink)) break;
      const BlockedFront::Entry& e = front_[i];
      if (e.job.gpus <= most_free_) {
        if (const int choice = choose(groups_[e.group], e.job); choice >= 0) {
          start_from_front(i--, choice, sink);
          continue;
        }
      }
      if (unreserved_ > 0 && !reserve_for(i)) --i;
    }
  }
  void admit_newcomer() {
    const Fresh& f = taken_[next_fresh_++];
    groups_[f.group].queue.insert(f.job);
    ++queued_;
    front_.insert(f.group, f.job, groups_[f.group].choices);
  }
  /// Takes the next job of the queue into the front, while a pool is without a reservation. A newcomer that
  /// can start does so without a stay there.
  template <class Sink>
  bool pull_next(Sink& sink) {
    if (front_.size() >= BlockedFront::limit) return false;
    while (unreserved_ > 0) {
      const auto [group, head] = next_behind_front();
      const bool newcomer =
          next_fresh_ < taken_.size() && (head == nullptr || taken_[next_fresh_].job.order < head->order);
      if (!newcomer) {
        if (head != nullptr) front_.insert(group, *head, groups_[group].choices);
        return head != nullptr;
      }
      const Fresh& f = taken_[next_fresh_];
      const int choice = choose(groups_[f.group], f.job);
      if (choice < 0) {
        admit_newcomer();
        return true;
      }
      ++next_fresh_;
      start_while_walking(groups_[f.group], choice, f.job, sink);
    }
    return false;
  }
  std::pair<std::uint32_t, const WaitingJob*> next_behind_front() const {
    std::pair<std::uint32_t, const WaitingJob*> first{0, nullptr};
    if (queued_ == front_.size()) return first;
    for (std::uint32_t g = 0; g < groups_.size(); ++g) {
      const WaitingQueue& queue = groups_[g].queue;
      const WaitingJob* head = front_.empty() ? queue.front() : queue.first_after(front_.last());
      if (head != nullptr && (first.second == nullptr || head->order < first.second->order))
        first = {g, head};
    }
    return first;
  }
  bool front_may_grow() const {
    return unreserved_ > 0 && !taken_.empty() && front_.size() < BlockedFront::limit &&
           queued_ == front_.size();
  }
  template <class Sink>
  void start_from_front(std::size_t i, int choice, Sink& sink) {
    const BlockedFront::Entry e = front_[i];
    leave_queue(groups_[e.group], e.job);
    front_.remove(i);
    start_while_walking(groups_[e.group], choice, e.job, sink);
  }
  template <class Sink>
  void start_while_walking(const JobGroup& g, int choice, const WaitingJob& job, Sink& sink) {
    start(g, choice, job, sink);
    const std::uint32_t pool = g.choices[static_cast<std::size_t>(choice)].pool;
    if (std::find(changing_pools_.begin(), changing_pools_.end(), pool) == changing_pools_.end())
      changing_pools_.push_back(pool);
  }
  /// A blocked job gets the reservation of the pool of its earliest end, if that is still to be had.
  /// @returns false if no pool can ever hold it: it has left the front
  bool reserve_for(std::size_t i) {
    BlockedFront::Entry& e = front_[i];
    const JobGroup& g = groups_[e.group];
    if (!g.open && holdable(g, e.job)) return true;
    if (!g.open || !front_.examine(e, g, pools_, changing_pools_, walk_, now_)) {
      shelve({e.group, e.job});
      leave_queue(groups_[e.group], e.job);
      front_.remove(i);
      return false;
    }
    look_again_ |= front_.could_start_at_once(e, now_);
    PoolState& p = pools_[g.choices[static_cast<std::size_t>(e.best)].pool];
    if (p.blocked) return true;
    p.blocked = true;
    p.reservation = front_.reservation_for(e, now_);
    --unreserved_;
    for (JobGroup& other : groups_)
      if (other.open) other.open = unblocked(other);
    return true;
  }

  // --- fit and easy: who else may start

  /// Merges, in queue order, the first candidate of each group, found by the index, with the newcomers.
  template <class Sink>
  void search(Sink& sink) {
    note_gains();
    if (gains_.empty()) {
      while (next_fresh_ < taken_.size()) consider(taken_[next_fresh_++], sink);
      return;
    }
    for (JobGroup& g : groups_) {
      g.live = !g.queue.empty() && std::any_of(gains_.begin(), gains_.end(),
                                               [&g](std::uint32_t p) { return g.choice_of[p] >= 0; });
      g.has_next = g.begun = false;
    }
    for (;;) {
      const bool newcomers = next_fresh_ < taken_.size();
      const QueueKey* bound = newcomers ? &taken_[next_fresh_].job.order : nullptr;
      JobGroup* first = nullptr;
      for (JobGroup& g : groups_) {
        if (!g.live) continue;
        find_candidate(g, bound);
        if (!g.has_next || (bound != nullptr && *bound < g.next.order)) continue;
        first = &g;
        bound = &g.next.order;
      }
      if (first != nullptr) {
        const WaitingJob job = first->next;
        first->has_next = false;
        first->last = job.order;
        first->begun = true;
        leave_queue(*first, job);
        start(*first, choose(*first, job), job, sink);
      } else if (newcomers) {
        consider(taken_[next_fresh_++], sink);
      } else {
        break;
      }
    }
  }
  /// Pools in which a job that found no place before may find one.
  void note_gains() {
    gains_.clear();
    for (std::uint32_t i = 0; i < pools_.size(); ++i) {
      PoolState& p = pools_[i];
      if (p.available() > 0 && (p.improved || (anew_ && p.holds_back_less()))) gains_.push_back(i);
      p.improved = false;
    }
    anew_ = false;
    if constexpr (B == Backfill::fit) forget_changes();
  }
  template <class Sink>
  void consider(const Fresh& f, Sink& sink) {
    const JobGroup& g = groups_[f.group];
    if (const int choice = choose(g, f.job); choice >= 0)
      start(g, choice, f.job, sink);
    else
      remaining_.push_back(f);
  }
  /// Finds the group's first job that may start, if it stands before `bound`.
  void find_candidate(JobGroup& g, const QueueKey* bound) {
    if (g.has_next) {
      if (choose(g, g.next) >= 0) return;
      g.last = g.next.order;  // what started meanwhile took its place
      g.begun = true;
      g.has_next = false;
    }
    const Sieve sieve = sieve_for(g);
    if (sieve.admitted == 0) {
      g.live = false;
      return;
    }
    const WaitingQueue::Found found =
        g.queue.find(sieve, g.begun ? &g.last : nullptr, bound,
                     [&](const WaitingJob& job) { return choose(g, job) >= 0; });
    g.has_next = found.job != nullptr;
    g.live = g.has_next || found.more;
    if (g.has_next) g.next = *found.job;
  }
  /// Per size class the longest request that may start now in any pool that may take more.
  Sieve sieve_for(const JobGroup& g) {
    Sieve sieve;
    for (const std::uint32_t pool : gains_) {
      if (g.choice_of[pool] < 0) continue;
      const double speed = g.choices[static_cast<std::size_t>(g.choice_of[pool])].speed;
      PoolState& p = pools_[pool];
      const std::int64_t available = p.available();
      sieve.largest = std::max(sieve.largest, available);
      const std::int64_t first_dip = keep_profile_ ? p.profile.first_dip() : Profile::forever;
      const std::int64_t until_dip = first_dip - now_;
      const bool dips = until_dip < time_at_speed(longest_requested_, speed);
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= available; ++size) {
        std::int64_t room = Profile::forever;
        if (B == Backfill::easy && p.blocked && (std::int64_t{1} << size) > p.reservation.spare)
          room = p.reservation.shadow - now_;
        if (dips && until_dip < room) {
          const std::int64_t fall = p.falls.below(p.profile, p.version, p.free, size);
          if (fall != Profile::forever) room = std::min(room, fall - now_);
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

  // --- small parts

  void note_change(std::uint32_t pool) {
    ++pools_[pool].version;
    if (is_changed_[pool]) return;
    is_changed_[pool] = true;
    changed_pools_.push_back(pool);
  }
  void gained(std::uint32_t pool) {
    pools_[pool].improved = true;
    note_change(pool);
  }
  void forget_changes() {
    for (const std::uint32_t p : changed_pools_) is_changed_[p] = false;
    changed_pools_.clear();
  }
  void note_due() {
    for (std::uint32_t i = 0; i < pools_.size(); ++i) {
      PoolState& p = pools_[i];
      const std::int64_t due = p.profile.due(now_);
      if (due > p.due) gained(i);
      p.due = due;
    }
  }
  /// Newcomers in queue order.
  void take_fresh() {
    std::swap(fresh_, taken_);
    fresh_.clear();
    next_fresh_ = 0;
    if (!std::is_sorted(taken_.begin(), taken_.end(), in_order))
      std::sort(taken_.begin(), taken_.end(), in_order);
  }
  void queue_remaining() {
    remaining_.insert(remaining_.end(), taken_.begin() + static_cast<std::ptrdiff_t>(next_fresh_),
                      taken_.end());
    for (const Fresh& f : remaining_) {
      groups_[f.group].queue.insert(f.job);
      ++queued_;
    }
    remaining_.clear();
    taken_.clear();
  }
  void leave_queue(JobGroup& g, const WaitingJob& job) {
    g.queue.erase(job.order, job.gpus);
    --queued_;
  }
  /// They are considered anew.
  void unshelve() {
    if (shelved_ == 0) return;
    for (std::uint32_t g = 0; g < groups_.size(); ++g) {
      WaitingQueue& shelf = groups_[g].shelf;
      while (const WaitingJob* job = shelf.front()) {
        fresh_.push_back({g, *job});
        shelf.erase(job->order, job->gpus);
      }
    }
    shelved_ = 0;
  }
  static bool in_order(const Fresh& a, const Fresh& b) { return a.job.order < b.job.order; }
  bool erase_fresh(std::uint32_t group, const QueueKey& key) {
    const auto it = std::find_if(fresh_.begin(), fresh_.end(),
                                 [&](const Fresh& f) { return f.group == group && f.job.order == key; });
    if (it == fresh_.end()) return false;
    fresh_.erase(it);
    return true;
  }

  std::vector<PoolState> pools_;
  std::vector<JobGroup> groups_;
  BlockedFront front_;
  std::vector<Fresh> fresh_;      ///< submitted since the last pass
  std::vector<Fresh> taken_;      ///< those of this pass, from next_fresh_ on still to be considered
  std::vector<Fresh> remaining_;  ///< those that could not start
  std::size_t next_fresh_ = 0;
  std::vector<std::uint32_t> changed_pools_;   ///< since the last walk of the front (easy) or pass
  std::vector<std::uint32_t> changing_pools_;  ///< those that a walk takes account of
  std::vector<std::uint8_t> is_changed_;
  std::vector<std::uint32_t> gains_;  ///< pools that the search looks for candidates for
  std::int64_t now_ = 0;
  std::int64_t longest_requested_ = 0;
  std::size_t waiting_ = 0;
  std::size_t queued_ = 0;      ///< of these, in the groups' queues
  std::size_t shelved_ = 0;     ///< of these, on the groups' shelves
  std::size_t unreserved_ = 0;  ///< pools with capacity and without a reservation
  std::uint64_t walk_ = 0;
  QueueKey last_blocker_;  ///< none: the last job in queue order that stands before a pool
  bool any_blocker_ = false;
  std::int64_t most_free_ = 0;  ///< in any pool, at the start of the walk
  bool anew_ = false;           ///< reservations were made anew since the last search
  bool look_again_ = true;
  bool count_due_ = false;
  bool keep_profile_ = false;
};

}  // namespace natgpu::scheduling
