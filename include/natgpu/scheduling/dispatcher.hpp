// SPDX-License-Identifier: Apache-2.0
// Who runs now, in the pool view: queue order under backfill none, fit, easy and easy-sjbf.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/candidate_search.hpp>
#include <natgpu/scheduling/front_walk.hpp>
#include <natgpu/scheduling/head_of_line.hpp>
#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// Stands where a rule has no part in a policy.
struct NoRule {
  NoRule() = default;
  template <class Books>
  explicit NoRule(const Books&) {}
};

/// Waiting jobs, free GPUs and one scheduling pass over them. Knows requested times only. Decisions go to a
/// sink at once: `sink.start(job, pool, requested_on_pool)`, after the dispatcher's own books have been
/// changed.
///
/// What makes a pass cheap: a job that found no place in the last pass can find one only in a pool that has
/// gained since, or whose reservation holds back less. So only such pools are searched for, through an index
/// over what waits: O((starts + 1) log n), whatever waits (CandidateSearch). easy also brings the
/// reservations of up to BlockedFront::limit blocked jobs up to date (FrontWalk); none goes no further than
/// the first blocked job before each pool (HeadOfLine). Sources: Lifka, JSSPP 1995 (easy); Mu'alem &
/// Feitelson, IEEE TPDS 12(6), 2001.
template <Backfill B>
class Dispatcher {
 public:
  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  Dispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first = false)
      : books_(pools, std::move(groups), arrivals_first), heads_(books_), front_(books_) {}

  // --- what happens between passes

  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t group, const WaitingJob& job) { books_.submit({group, job}); }
  /// A waiting job of so many GPUs leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    if (books_.erase_queued(group, key, gpus)) {
      --books_.queued;
      if constexpr (B == Backfill::none) heads_.note_withdrawal(key);
      if constexpr (reserves_for_blocked(B)) front_.note_withdrawal(key);
    } else if (books_.groups[group].shelf.erase(key, gpus)) {
      --books_.shelved;
    } else if (!books_.erase_submitted(group, key)) {
      return false;
    }
    --books_.waiting;
    return true;
  }
  /// A running job hands its GPUs back, at or before its requested end.
  void finish(std::uint32_t pool, std::int64_t gpus, std::int64_t requested_end) {
    PoolState& p = books_.pools[pool];
    p.free += gpus;
    if (books_.with_profile) p.profile.remove(requested_end, gpus);
    books_.gained(pool);
  }
  /// A running job's requested end moves (a service replica that outlives a change of its curve).
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    if (!books_.with_profile) return;
    PoolState& p = books_.pools[pool];
    p.profile.remove(old_end, gpus);
    p.profile.add(new_end, gpus);
    p.latest_end = std::max(p.latest_end, new_end);
    books_.gained_and_lost(pool);
    // A replica's end is settled as it starts: the pass that started it goes on with the GPUs that come free
    // by the shadow after all, or do not.
    if (!passing_) return;
    extended_.push_back(pool);
    if (reserves_for_blocked(B) && p.blocked)
      p.reservation.spare += gpus * ((old_end > p.reservation.shadow) - (new_end > p.reservation.shadow));
  }
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    PoolState& p = books_.pools[pool];
    p.free += delta;
    p.capacity += delta;
    NATGPU_ENSURE(p.free >= 0 && p.capacity >= 0, "lost GPUs were freed first");
    capacity_changed(pool);
    if (delta > 0) books_.unshelve();
  }
  /// A change foreseen for `at` enters the profile; `withdraw_foreseen` takes it out when it happens or is
  /// off. Must be called before the first pass, or with the profile kept from the start (`keep_profile`).
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    NATGPU_ENSURE(books_.with_profile, "foreseen changes need the profile");
    books_.pools[pool].profile.add(at, delta);
    books_.pools[pool].announce(at, delta);
    capacity_changed(pool);
    if (delta > 0) books_.unshelve();
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    books_.pools[pool].profile.remove(at, delta);
    books_.pools[pool].withdraw(at, delta);
    capacity_changed(pool);
    if (delta < 0) books_.unshelve();
  }
  /// Keeps the profile even where backfill alone would not need it. @pre nothing runs yet
  void keep_profile() { books_.with_profile = true; }

  std::int64_t free(std::uint32_t pool) const { return books_.pools[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return books_.pools[pool].capacity; }
  std::size_t waiting() const { return books_.waiting; }
  /// Waiting jobs that no profile can hold as things stand.
  std::size_t unholdable() const { return books_.shelved; }

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    books_.now = now;
    passing_ = true;
    if (books_.count_due) books_.note_due();
    books_.take_submitted();
    if constexpr (B == Backfill::none) {
      heads_.start_heads(books_, sink);
    } else if constexpr (B == Backfill::fit) {
      search_.start_candidates(books_, books_.changed_pools, sink);
      books_.forget_changes();
    } else if constexpr (B == Backfill::easy_sjbf) {
      const std::vector<std::uint32_t>& changed = front_.renew_reservations(books_, sink);
      search_.start_candidates(books_, changed, sink);
      books_.turn_to_requests();
      search_beside_.start_candidates(books_, changed, sink);
      front_.note_starts(books_.by_request.left);
    } else {
      search_.start_candidates(books_, front_.renew_reservations(books_, sink), sink);
    }
    books_.queue_remaining();
    passing_ = false;
    // Ends that moved while jobs started may let in what the pass had looked at before.
    for (const std::uint32_t pool : extended_) books_.gained_and_lost(pool);
    extended_.clear();
  }

 private:
  void capacity_changed(std::uint32_t pool) {
    books_.gained_and_lost(pool);
    if constexpr (B == Backfill::none) heads_.note_capacity();
    if constexpr (reserves_for_blocked(B)) front_.note_capacity();
  }

  PassBooks<B> books_;
  std::vector<std::uint32_t> extended_;  ///< pools in which an end moved during the pass
  bool passing_ = false;
  std::conditional_t<B == Backfill::none, HeadOfLine, NoRule> heads_;
  std::conditional_t<reserves_for_blocked(B), FrontWalk<B>, NoRule> front_;
  std::conditional_t<B == Backfill::none, NoRule, CandidateSearch<B>> search_;
  std::conditional_t<B == Backfill::easy_sjbf, CandidateSearch<B, ByRequest>, NoRule> search_beside_;
};

}  // namespace natgpu::scheduling
