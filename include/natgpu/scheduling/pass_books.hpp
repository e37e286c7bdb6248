// SPDX-License-Identifier: Apache-2.0
// What all rules of a scheduling pass read and change: pools, groups of waiting jobs, newcomers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/pool_state.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// A submitted job that is not in its group's queue yet.
struct Newcomer {
  std::uint32_t group = 0;
  WaitingJob job;
};

/// What easy-sjbf knows of queued jobs beside their queues: each group's jobs by request, and which of them
/// came or left in the pass under way.
struct RequestLines {
  std::vector<WaitingIndex<ByRequest>> lines;  ///< by group; without `fresh`
  std::vector<Newcomer> fresh;                 ///< queued in this pass, yet to be tried beside reservations
  std::vector<QueueKey> left;                  ///< have left a queue in this pass

  void leave(std::uint32_t group, const WaitingJob& job) {
    left.push_back(job.order);
    if (lines[group].erase(ByRequest::key(job), job.gpus)) return;
    const auto it =
        std::find_if(fresh.begin(), fresh.end(), [&](const Newcomer& n) { return n.job.order == job.order; });
    if (it != fresh.end()) fresh.erase(it);
  }
};
struct NoRequestLines {};

/// A waiting job is in one place: among the newcomers, in its group's queue, or on its group's shelf. The
/// functions here keep the counts of these and the pools' free GPUs, profiles and versions in step; which
/// job starts is for the rules to say.
template <Backfill B>
struct PassBooks {
  std::vector<PoolState> pools;
  std::vector<JobGroup> groups;
  std::vector<Newcomer> submitted;  ///< since the last pass
  std::vector<Newcomer> taken;      ///< those of this pass, from `next_taken` on still to be considered
  std::vector<Newcomer> remaining;  ///< those that could not start
  std::size_t next_taken = 0;
  std::vector<std::uint32_t> changed_pools;  ///< since the last walk of the front (easy) or pass
  std::vector<std::uint8_t> is_changed;
  std::int64_t now = 0;
  std::int64_t longest_requested = 0;  ///< of all jobs that were ever submitted
  std::int64_t longest_on_pools = 0;   ///< the same in the slowest pool
  double slowest = 1;
  std::size_t waiting = 0;
  std::size_t queued = 0;   ///< of these, in the groups' queues
  std::size_t shelved = 0;  ///< of these, on the groups' shelves
  bool count_due = false;   ///< a job whose requested end is now counts as gone
  bool with_profile = false;
  std::conditional_t<B == Backfill::easy_sjbf, RequestLines, NoRequestLines> by_request;

  PassBooks(std::size_t pool_count, std::vector<GroupSpec> specs, bool arrivals_first)
      : pools(pool_count),
        is_changed(pool_count),
        count_due(arrivals_first),
        with_profile(reserves_for_blocked(B) || arrivals_first) {
    for (GroupSpec& spec : specs) {
      JobGroup& g = groups.emplace_back();
      g.choices = std::move(spec.choices);
      g.choice_of.assign(pool_count, -1);
      for (std::size_t c = 0; c < g.choices.size(); ++c) {
        g.choice_of[g.choices[c].pool] = static_cast<int>(c);
        slowest = std::min(slowest, g.choices[c].speed);
      }
    }
    if constexpr (B == Backfill::easy_sjbf) by_request.lines.resize(groups.size());
  }

  // --- starting

  bool fits_in(const PoolState& p, const WaitingJob& job, double speed) const {
    return job.gpus <= p.available() &&
           fits<B>(p, now, job.gpus, time_at_speed(job.requested, speed), with_profile);
  }
  /// The same, whoever stands before the pool (none).
  bool fits_behind_nobody(const PoolState& p, const WaitingJob& job, double speed) const {
    return job.gpus <= p.available() &&
           fits<Backfill::fit>(p, now, job.gpus, time_at_speed(job.requested, speed), with_profile);
  }
  /// The same beside the pool's reservation. @pre there is one
  bool fits_beside(const PoolState& p, const WaitingJob& job, double speed) const {
    return job.gpus <= p.available() &&
           fits<Backfill::easy>(p, now, job.gpus, time_at_speed(job.requested, speed), with_profile);
  }
  /// Index into the group's choices, or -1.
  int choose(const JobGroup& g, const WaitingJob& job) const {
    for (std::size_t i = 0; i < g.choices.size(); ++i)
      if (fits_in(pools[g.choices[i].pool], job, g.choices[i].speed)) return static_cast<int>(i);
    return -1;
  }
  /// The same of pools with a reservation, beside it.
  int choose_beside(const JobGroup& g, const WaitingJob& job) const {
    for (std::size_t i = 0; i < g.choices.size(); ++i) {
      const PoolState& p = pools[g.choices[i].pool];
      if (p.blocked && fits_beside(p, job, g.choices[i].speed)) return static_cast<int>(i);
    }
    return -1;
  }
  /// Gives the job its GPUs and tells the sink. @pre it is neither in a queue nor on a shelf
  template <class Sink>
  void start(const JobGroup& g, int choice, const WaitingJob& job, Sink& sink) {
    const PoolChoice& c = g.choices[static_cast<std::size_t>(choice)];
    PoolState& p = pools[c.pool];
    const std::int64_t requested = time_at_speed(job.requested, c.speed);
    p.free -= job.gpus;
    if (with_profile) {
      p.profile.add(now + requested, job.gpus);
      p.latest_end = std::max(p.latest_end, now + requested);
    }
    if constexpr (reserves_for_blocked(B)) {
      if (p.blocked && now + requested > p.reservation.shadow) p.reservation.spare -= job.gpus;
    }
    p.worsened = true;
    ++p.losses;
    note_change(c.pool);
    --waiting;
    sink.start(job, c.pool, requested);
  }
  /// Whether some profile can hold the job at some time.
  bool holdable(const JobGroup& g, const WaitingJob& job) const {
    for (const PoolChoice& c : g.choices)
      if (holdable_in(pools[c.pool], job, c.speed)) return true;
    return false;
  }
  bool holdable_in(const PoolState& p, const WaitingJob& job, double speed) const {
    return holdable_until(p, job, speed) >= now;
  }
  /// Until when, if the pool only gains, it is sure to hold the job at some time: `forever` where the plan
  /// alone leaves room, the start of a hole where there is one, and -1 if it cannot.
  std::int64_t holdable_until(const PoolState& p, const WaitingJob& job, double speed) const {
    if (p.plan.empty()) return job.gpus <= p.capacity ? Profile::forever : -1;
    if (job.gpus > p.most_planned()) return -1;
    const std::int64_t requested = time_at_speed(job.requested, speed);
    if (p.holds_when_all_is_over(now, job.gpus, requested)) return Profile::forever;
    const std::int64_t at = p.profile.hole(now, p.free, job.gpus, requested).at;
    return at == Profile::forever ? -1 : at;
  }
  /// Whether a pool that the group accepts is, or is to be, there and has no blocked job before it.
  bool unblocked(const JobGroup& g) const {
    for (const PoolChoice& c : g.choices)
      if (!pools[c.pool].blocked && pools[c.pool].may_hold()) return true;
    return false;
  }

  // --- changes of pools

  void note_change(std::uint32_t pool) {
    ++pools[pool].version;
    if (is_changed[pool]) return;
    is_changed[pool] = true;
    changed_pools.push_back(pool);
  }
  void gained_and_lost(std::uint32_t pool) {
    pools[pool].worsened = true;
    ++pools[pool].losses;
    gained(pool);
  }
  void gained(std::uint32_t pool) {
    pools[pool].improved = true;
    note_change(pool);
  }
  void forget_changes() {
    for (const std::uint32_t p : changed_pools) is_changed[p] = false;
    changed_pools.clear();
  }
  void note_due() {
    for (std::uint32_t i = 0; i < pools.size(); ++i) {
      PoolState& p = pools[i];
      const std::int64_t due = p.profile.due(now) - p.gains_due(now);
      if (due > p.due) gained(i);
      p.due = due;
    }
  }

  // --- newcomers

  void submit(const Newcomer& n) {
    submitted.push_back(n);
    ++waiting;
    if (n.job.requested <= longest_requested) return;
    longest_requested = n.job.requested;
    longest_on_pools = time_at_speed(longest_requested, slowest);
  }
  /// Takes what was submitted into the pass, in queue order.
  void take_submitted() {
    next_taken = 0;
    if (submitted.empty()) return;
    std::swap(submitted, taken);
    if (!std::is_sorted(taken.begin(), taken.end(), in_order))
      std::sort(taken.begin(), taken.end(), in_order);
  }
  bool newcomers_left() const { return next_taken < taken.size(); }
  const Newcomer& newcomer() const { return taken[next_taken]; }
  const Newcomer& take_newcomer() { return taken[next_taken++]; }
  /// Ends the pass: newcomers that could not start, or were not considered, join the queues.
  void queue_remaining() {
    keep_the_rest();
    for (const Newcomer& n : remaining) {
      if constexpr (B == Backfill::easy_sjbf)
        by_request.lines[n.group].insert(n.job);  // the queue has it already
      else
        join_queue(n);
    }
    remaining.clear();
    taken.clear();
  }
  /// Between the two halves of a pass under easy-sjbf: newcomers that could not start have joined the queues
  /// and are to be considered again, by request.
  void turn_to_requests() {
    keep_the_rest();
    for (const Newcomer& n : remaining) join_queue(n);
    remaining.clear();
    taken.clear();
    std::swap(taken, by_request.fresh);
    next_taken = 0;
    std::sort(taken.begin(), taken.end(), [](const Newcomer& a, const Newcomer& b) {
      return ByRequest::key(a.job) < ByRequest::key(b.job);
    });
    by_request.left.clear();
  }
  /// @returns false if it is not among those submitted since the last pass
  bool erase_submitted(std::uint32_t group, const QueueKey& key) {
    const auto it = std::find_if(submitted.begin(), submitted.end(),
                                 [&](const Newcomer& n) { return n.group == group && n.job.order == key; });
    if (it == submitted.end()) return false;
    submitted.erase(it);
    return true;
  }

  // --- queues and shelves

  void join_queue(const Newcomer& n) {
    groups[n.group].queue.insert(n.job);
    ++queued;
    if constexpr (B == Backfill::easy_sjbf) by_request.fresh.push_back(n);
  }
  void leave_queue(JobGroup& g, const WaitingJob& job) {
    g.queue.erase(job.order, job.gpus);
    --queued;
    if constexpr (B == Backfill::easy_sjbf) by_request.leave(index_of(g), job);
  }
  /// Between passes. @returns false if the group's queue has no such job
  bool erase_queued(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    if constexpr (B == Backfill::easy_sjbf) {
      const WaitingJob* job = groups[group].queue.look_up(key, gpus);
      if (job != nullptr) by_request.lines[group].erase(ByRequest::key(*job), gpus);
    }
    return groups[group].queue.erase(key, gpus);
  }
  const WaitingIndex<ByRequest>& line_of(const JobGroup& g) const { return by_request.lines[index_of(g)]; }
  /// Sets a job aside that no profile can hold. @pre it is not in a queue
  void shelve(const Newcomer& n) {
    groups[n.group].shelf.insert(n.job);
    ++shelved;
  }
  /// Capacity has been gained or announced: what was set aside is considered anew.
  void unshelve() {
    if (shelved == 0) return;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      WaitingQueue& shelf = groups[g].shelf;
      while (const WaitingJob* job = shelf.front()) {
        submitted.push_back({g, *job});
        shelf.erase(job->order, job->gpus);
      }
    }
    shelved = 0;
  }

 private:
  std::uint32_t index_of(const JobGroup& g) const { return static_cast<std::uint32_t>(&g - groups.data()); }
  void keep_the_rest() {
    if (newcomers_left())
      remaining.insert(remaining.end(), taken.begin() + static_cast<std::ptrdiff_t>(next_taken), taken.end());
  }
  static bool in_order(const Newcomer& a, const Newcomer& b) { return a.job.order < b.job.order; }
};

}  // namespace natgpu::scheduling
