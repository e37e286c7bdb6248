// SPDX-License-Identifier: Apache-2.0
// What plugged policies may ask about machines. Answers and codes are those of natgpu/policy.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/policy.h>
#include <natgpu/scheduling/plugged_nodes.hpp>

#include "plugged_jobs.hpp"

namespace natgpu::scheduling {

/// Jobs go by their kind, in the place of a group. Who waits and what is free stands in the dispatcher's own
/// books.
class PluggedNodeBooks : public PluggedJobs {
 public:
  /// The dispatcher has moved.
  void look_at(PluggedNodes& nodes) { nodes_ = &nodes; }

  // --- jobs

  /// @returns the job, which has joined the queue
  const PluggedJob& join_queue(const PluggedSubmission& s) {
    nodes_->NodeBooks::submit(s.group, s.job);
    nodes_->take_submitted();
    return add(s);
  }
  void leave_queue(PluggedJob& j) {
    nodes_->NodeBooks::withdraw(j.asked.group, j.asked.job.order, j.asked.job.gpus);
    note_left(j);
  }
  /// The waiting job runs from now on, if it finds a place in the pool.
  /// @returns what it requests there, ticks; else NATGPU_NO_POOL or NATGPU_NO_ROOM
  std::int64_t start(PluggedJob& j, std::int64_t pool, std::int64_t now) {
    const NodeChoice* choice = choice_of(j, pool);
    if (choice == nullptr) return NATGPU_NO_POOL;
    const WaitingJob job = j.asked.job;
    if (is_known_to_fail(j, *choice)) return NATGPU_NO_ROOM;
    nodes_->make_room_for(job.slot);
    if (!nodes_->place(*choice, job, now, found_)) {
      note_failure(j, *choice);
      return NATGPU_NO_ROOM;
    }
    const std::int64_t requested = found_.requested;
    leave_queue(j);
    nodes_->NodeBooks::note_start(job, found_, now);
    note_start(j, pool, end_after(now, requested), now);
    return requested;
  }
  void move_end(PluggedJob& j, std::int64_t until) {
    nodes_->NodeBooks::extend_job(j.asked.job.slot, until);
    j.requested_end = until;
  }
  /// As note_end().
  void hand_back(PluggedJob& j) {
    nodes_->NodeBooks::finish_job(j.asked.job.slot);
    note_end(j);
  }

  // --- machines

  bool has_pool(std::int64_t pool) const {
    return pool >= 0 && static_cast<std::size_t>(pool) < nodes_->pools();
  }
  std::int64_t pools() const { return static_cast<std::int64_t>(nodes_->pools()); }
  /// The dispatcher knows already.
  static void change_capacity(std::uint32_t, std::int64_t) {}
  /// A pass begins.
  void begin_pass(std::int64_t) {
    gains_ += nodes_->gained_.size();
    nodes_->gained_.clear();
  }

  // --- questions, whose pools exist

  /// @param gpus  that a job holds at most, parts of GPUs added up and rounded up
  /// @param pool  NATGPU_NONE: jobs of any pool
  std::int64_t next_fit(std::int64_t from, std::int64_t gpus, std::int64_t requested, std::int64_t pool) {
    const PluggedJob* behind = find(from);
    if (behind == nullptr && from != -1) return NATGPU_NO_JOB;
    if (gpus < 0 || requested < 1) return NATGPU_NONE;
    const QueueKey* after = behind != nullptr ? &behind->asked.job.order : nullptr;
    const WaitingJob* first = nullptr;
    for (const auto& [front, kind] : nodes_->fronts_) {
      if (first != nullptr && first->order < front) break;  // nobody of the kinds to come stands before it
      if (gpus_of(kind) > gpus) continue;
      const NodeChoice* choice = choice_in(kind, pool);
      if (pool != NATGPU_NONE && choice == nullptr) continue;
      const WaitingJob* job = first_within(kind, requested, choice != nullptr ? choice->speed : 1.0, after);
      if (job != nullptr && (first == nullptr || job->order < first->order)) first = job;
    }
    return first != nullptr ? jobs_[first->slot].seen.id : std::int64_t{NATGPU_NONE};
  }
  /// On the fewest machines; NATGPU_NONE where it may not run.
  std::int64_t requested_on(const PluggedJob& j, std::int64_t pool) const {
    const NodeChoice* choice = choice_of(j, pool);
    return choice != nullptr ? time_at_speed(j.requested(), choice->speed) : std::int64_t{NATGPU_NONE};
  }
  std::int64_t choice(const PluggedJob& j, std::int64_t rank) const {
    const NodeKind& kind = nodes_->kinds_[j.asked.group];
    const bool is_one = rank >= 0 && static_cast<std::size_t>(rank) < kind.size();
    return is_one ? std::int64_t{kind[static_cast<std::size_t>(rank)].pool} : std::int64_t{NATGPU_NONE};
  }
  std::int64_t shadow(const PluggedJob& j, std::int64_t pool, std::int64_t now) {
    const NodeChoice* choice = choice_of(j, pool);
    if (choice == nullptr) return NATGPU_NO_POOL;
    const auto place = static_cast<std::size_t>(choice - nodes_->kinds_[j.asked.group].data());
    const auto earliest = nodes_->earliest_on(j.asked.group, place, j.asked.job, now);
    if (!earliest.could) return NATGPU_NEVER;
    return earliest.at == NATGPU_NEVER ? std::int64_t{NATGPU_NEVER / 2} : earliest.at;
  }
  /// Thousandths added up over all machines, rounded up.
  std::int64_t least_free(std::int64_t pool, std::int64_t from, std::int64_t until) const {
    const auto p = static_cast<std::size_t>(pool);
    std::int64_t least = nodes_->free_milli_at(p, from);
    for (const std::int64_t leaves : nodes_->sites_[p].leave_at)
      if (from < leaves && leaves < until) least = std::min(least, nodes_->free_milli_at(p, leaves));
    return (least + whole_gpu_milli - 1) / whole_gpu_milli;
  }
  std::int64_t remaining(const PluggedJob& j, std::int64_t now) const {
    if (j.state == PluggedState::waiting) return j.asked.progress.remaining;
    if (j.state != PluggedState::running) return NATGPU_NONE;
    std::int64_t ran = std::max<std::int64_t>(now - j.seen.started - j.asked.progress.restart, 0);
    if (nodes_->spread(j.asked.job.slot))
      ran = static_cast<std::int64_t>(static_cast<Area>(ran) * 1000 / nodes_->rules_.slowdown_milli);
    return j.asked.progress.remaining - work_in(ran, choice_of(j, j.seen.pool)->speed);
  }

 private:
  /// A try that found no place: none does that requests as long or longer, until machines have gained.
  struct Failure {
    std::uint64_t gains = ~std::uint64_t{0};
    std::int64_t requested = 0;
  };

  const NodeChoice* choice_in(std::uint32_t kind, std::int64_t pool) const {
    for (const NodeChoice& c : nodes_->kinds_[kind])
      if (c.pool == pool) return &c;
    return nullptr;
  }
  const NodeChoice* choice_of(const PluggedJob& j, std::int64_t pool) const {
    return choice_in(j.asked.group, pool);
  }
  const WaitingJob* first_within(std::uint32_t kind, std::int64_t requested, double speed,
                                 const QueueKey* after) const {
    Sieve sieve;
    sieve.largest = Sieve::any;
    for (std::size_t size = 0; size < size_classes; ++size)
      sieve.admit(size, longest_request(requested, speed));
    return nodes_->queues_[kind]
        .find(sieve, after, nullptr,
              [&](const WaitingJob& job) { return time_at_speed(job.requested, speed) <= requested; })
        .job;
  }
  /// What jobs of the kind hold, in GPUs, rounded up.
  std::int64_t gpus_of(std::uint32_t kind) {
    if (gpus_.size() <= kind) gpus_.resize(kind + std::size_t{1}, -1);
    if (gpus_[kind] < 0) {
      const NodeChoice& c = nodes_->kinds_[kind].front();
      const NodePool& machines = nodes_->sites_[c.pool].pool;
      std::int64_t milli = std::int64_t{c.gang.parts} * machines.shape(c.gang.part).total_milli();
      if (c.gang.rest != GangKind::none) milli += machines.shape(c.gang.rest).total_milli();
      gpus_[kind] = (milli + whole_gpu_milli - 1) / whole_gpu_milli;
    }
    return gpus_[kind];
  }

  std::uint64_t gains() const { return gains_ + nodes_->gained_.size(); }
  Failure& failure_of(const PluggedJob& j, const NodeChoice& choice) {
    const std::uint32_t kind = j.asked.group;
    const NodeKind& choices = nodes_->kinds_[kind];
    if (failures_.size() <= kind) failures_.resize(kind + std::size_t{1});
    if (failures_[kind].size() < choices.size()) failures_[kind].resize(choices.size());
    return failures_[kind][static_cast<std::size_t>(&choice - choices.data())];
  }
  bool is_known_to_fail(const PluggedJob& j, const NodeChoice& choice) {
    const Failure& f = failure_of(j, choice);
    return f.gains == gains() && f.requested <= j.requested();
  }
  void note_failure(const PluggedJob& j, const NodeChoice& choice) {
    failure_of(j, choice) = {gains(), j.requested()};
  }

  PluggedNodes* nodes_ = nullptr;
  Attempt found_;
  std::vector<std::int64_t> gpus_;              ///< by kind; -1: not asked yet
  std::uint64_t gains_ = 0;                     ///< of machines, before this pass
  std::vector<std::vector<Failure>> failures_;  ///< by kind and choice
};

}  // namespace natgpu::scheduling
