// SPDX-License-Identifier: Apache-2.0
// What plugged policies may ask about counted GPUs. Answers and codes are those of natgpu/policy.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <natgpu/policy.h>
#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

#include "plugged_jobs.hpp"

namespace natgpu::scheduling {

class PluggedBooks : public PluggedJobs {
 public:
  /// @param groups          each accepts some of so many pools
  /// @param arrivals_first  a running job whose requested end is now counts as gone
  PluggedBooks(std::size_t pools, const std::vector<GroupSpec>& groups, bool arrivals_first)
      : arrivals_first_(arrivals_first), groups_(groups.begin(), groups.end()), pools_(pools) {}

  // --- jobs

  /// @returns the job, which has joined the queue
  const PluggedJob& join_queue(const PluggedSubmission& s) {
    groups_[s.group].queue.insert(s.job);
    return add(s);
  }
  void leave_queue(PluggedJob& j) {
    groups_[j.asked.group].queue.erase(j.asked.job.order, j.asked.job.gpus);
    note_left(j);
  }

  // --- GPUs

  bool has_pool(std::int64_t pool) const {
    return pool >= 0 && static_cast<std::size_t>(pool) < pools_.size();
  }
  std::int64_t pools() const { return static_cast<std::int64_t>(pools_.size()); }
  std::int64_t free(std::size_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::size_t pool) const { return pools_[pool].up; }
  void change_capacity(std::size_t pool, std::int64_t delta) {
    pools_[pool].up += delta;
    pools_[pool].free += delta;
    NATGPU_ENSURE(pools_[pool].free >= 0 || arrivals_first_, "lost GPUs were freed first");
  }
  void foresee(std::size_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.add(at, delta);
    if (delta > 0) pools_[pool].gains[at] += delta;
  }
  void withdraw_foreseen(std::size_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].profile.remove(at, delta);
    if (delta > 0) pools_[pool].gains[at] -= delta;
  }
  /// A pass begins.
  void begin_pass(std::int64_t now) {
    if (!arrivals_first_) return;
    for (Pool& p : pools_) {
      p.due = p.profile.due(now);
      // What is announced for now and has not come yet is nobody's.
      p.gains.erase(p.gains.begin(), std::find_if(p.gains.begin(), p.gains.end(),
                                                  [](const auto& g) { return g.second != 0; }));
      for (auto g = p.gains.begin(); g != p.gains.end() && g->first <= now; ++g) p.due -= g->second;
    }
  }
  /// The waiting job runs from now on, if its GPUs are free until its requested end.
  /// @returns what it requests there, ticks; else NATGPU_NO_POOL or NATGPU_NO_ROOM
  std::int64_t start(PluggedJob& j, std::int64_t pool, std::int64_t now) {
    const std::int64_t requested = requested_on(j, pool);
    if (requested < 0) return NATGPU_NO_POOL;
    const std::int64_t until = end_after(now, requested);
    if (room_now(pool, now, until) < j.seen.gpus) return NATGPU_NO_ROOM;
    leave_queue(j);
    Pool& p = pools_[static_cast<std::size_t>(pool)];
    p.free -= j.seen.gpus;
    p.profile.add(until, j.seen.gpus);
    note_start(j, pool, until, now);
    return requested;
  }
  /// Its known end moves.
  void move_end(PluggedJob& j, std::int64_t until) {
    Pool& p = pools_[static_cast<std::size_t>(j.seen.pool)];
    p.profile.remove(j.requested_end, j.seen.gpus);
    j.requested_end = until;
    p.profile.add(until, j.seen.gpus);
  }
  /// As note_end().
  void hand_back(PluggedJob& j) {
    Pool& p = pools_[static_cast<std::size_t>(j.seen.pool)];
    p.profile.remove(j.requested_end, j.seen.gpus);
    p.free += j.seen.gpus;
    note_end(j);
  }

  // --- questions, whose pools exist

  /// @param pool  NATGPU_NONE: jobs of any pool
  std::int64_t next_fit(std::int64_t from, std::int64_t gpus, std::int64_t requested,
                        std::int64_t pool) const {
    const PluggedJob* behind = find(from);
    if (behind == nullptr && from != -1) return NATGPU_NO_JOB;
    if (gpus < 1 || requested < 1) return NATGPU_NONE;
    const QueueKey* after = behind != nullptr ? &behind->asked.job.order : nullptr;
    const WaitingJob* first = nullptr;
    for (const Group& g : groups_) {
      const PoolChoice* choice = pool == NATGPU_NONE ? &any_pool : g.choice(pool);
      if (choice == nullptr) continue;
      const WaitingJob* job = g.first_within(gpus, requested, choice->speed, after);
      if (job != nullptr && (first == nullptr || job->order < first->order)) first = job;
    }
    return first != nullptr ? jobs_[first->slot].seen.id : std::int64_t{NATGPU_NONE};
  }
  /// What the job would request there, in ticks; NATGPU_NONE where it may not run.
  std::int64_t requested_on(const PluggedJob& j, std::int64_t pool) const {
    const PoolChoice* choice = groups_[j.asked.group].choice(pool);
    return choice != nullptr ? time_at_speed(j.requested(), choice->speed) : std::int64_t{NATGPU_NONE};
  }
  /// The pool that the job would rather have than all but so many.
  std::int64_t choice(const PluggedJob& j, std::int64_t rank) const {
    const std::vector<PoolChoice>& choices = groups_[j.asked.group].choices;
    const bool is_one = rank >= 0 && static_cast<std::size_t>(rank) < choices.size();
    return is_one ? std::int64_t{choices[static_cast<std::size_t>(rank)].pool} : std::int64_t{NATGPU_NONE};
  }
  std::int64_t shadow(const PluggedJob& j, std::int64_t pool, std::int64_t now) const {
    const std::int64_t length = requested_on(j, pool);
    if (length < 0) return NATGPU_NO_POOL;
    const Pool& p = pools_[static_cast<std::size_t>(pool)];
    return p.profile.hole(now, p.free, j.seen.gpus, length).at;
  }
  std::int64_t least_free(std::int64_t pool, std::int64_t from, std::int64_t until) const {
    const Pool& p = pools_[static_cast<std::size_t>(pool)];
    return p.profile.least(from, until, p.free);
  }
  std::int64_t remaining(const PluggedJob& j, std::int64_t now) const {
    if (j.state == PluggedState::waiting) return j.asked.progress.remaining;
    if (j.state != PluggedState::running) return NATGPU_NONE;
    const std::int64_t ran = std::max<std::int64_t>(now - j.seen.started - j.asked.progress.restart, 0);
    const PoolChoice* choice = groups_[j.asked.group].choice(j.seen.pool);
    return j.asked.progress.remaining - work_in(ran, choice->speed);
  }

 private:
  static constexpr PoolChoice any_pool{};

  /// What a start may take: GPUs that are idle now, and stay so until then.
  std::int64_t room_now(std::int64_t pool, std::int64_t now, std::int64_t until) const {
    const Pool& p = pools_[static_cast<std::size_t>(pool)];
    return std::min(p.profile.least(now, until, p.free), p.free + p.due);
  }

  struct Pool {
    Profile profile;
    std::int64_t up = 0, free = 0;  ///< GPUs
    std::int64_t due = 0;           ///< held by jobs whose requested end is now (arrivals first only)
    std::map<std::int64_t, std::int64_t> gains;  ///< announced and not yet come, by instant
  };
  struct Group {
    std::vector<PoolChoice> choices;
    WaitingQueue queue;

    explicit Group(const GroupSpec& spec) : choices(spec.choices) {}
    const PoolChoice* choice(std::int64_t pool) const {
      for (const PoolChoice& c : choices)
        if (c.pool == pool) return &c;
      return nullptr;
    }
    /// The first behind `after` that asks for no more GPUs, nor for more time at that speed.
    const WaitingJob* first_within(std::int64_t gpus, std::int64_t requested, double speed,
                                   const QueueKey* after) const {
      const std::int64_t longest = longest_request(requested, speed);
      Sieve sieve;
      sieve.largest = gpus;
      for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= gpus; ++size)
        sieve.admit(size, longest);
      return queue
          .find(sieve, after, nullptr,
                [&](const WaitingJob& job) { return time_at_speed(job.requested, speed) <= requested; })
          .job;
    }
  };

  bool arrivals_first_;
  std::vector<Group> groups_;
  std::vector<Pool> pools_;
};

}  // namespace natgpu::scheduling
