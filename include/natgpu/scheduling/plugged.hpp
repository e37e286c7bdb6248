// SPDX-License-Identifier: Apache-2.0
// A policy of someone else's behind natgpu/policy.h, in the place of a dispatcher.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <natgpu/policy.h>
#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/plugged_policy.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// What a policy of level 2 may do to running jobs. Times are ticks.
struct PluggedPreemption {
  bool possible = true;
  std::int64_t shield = 0;  ///< nobody is preempted before so long after a start
  std::int64_t notice = 0;  ///< from a preemption to the return of the GPUs
};

/// A job joins, or rejoins, the queue of a policy.
struct PluggedSubmission {
  WaitingJob job;
  std::int64_t id = 0;         ///< for the policy, from 0; no other job of the run has it
  std::int64_t submitted = 0;  ///< ticks
  std::int64_t account = -1;   ///< of who asks, or -1
  Progress progress;
  std::uint32_t group = 0;
  bool may_preempt = true;  ///< or the policy is told that it cannot
  bool may_reject = true;   ///< the same
};

/// Where a policy's decisions go.
struct PluggedDecisions {
  void* to;
  void (*start)(void* to, const WaitingJob&, std::uint32_t pool, std::int64_t requested);
  void (*reject)(void* to, const WaitingJob&);
  void (*preempt)(void* to, const WaitingJob&);

  /// @param sink  has `start(job, pool, requested)`, `reject(job)` and `preempt(job)`, and stays while this
  /// does
  template <class Sink>
  static PluggedDecisions into(Sink& sink) {
    return {const_cast<void*>(static_cast<const void*>(&sink)),
            [](void* receiver, const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
              static_cast<Sink*>(receiver)->start(job, pool, requested);
            },
            [](void* receiver, const WaitingJob& job) { static_cast<Sink*>(receiver)->reject(job); },
            [](void* receiver, const WaitingJob& job) { static_cast<Sink*>(receiver)->preempt(job); }};
  }
};

/// What `Dispatcher` does, with the decisions made by a policy of level 2. Waiting jobs stand in an index, so
/// that `next_fit` is O(log n) in each group; nothing is copied for the policy.
class PluggedDispatcher {
 public:
  static constexpr std::int64_t forever = NATGPU_NEVER;

  /// @param draws           of `uniform`
  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  /// @pre policy.decides(). @throws RunError if the policy cannot begin
  PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, std::size_t pools,
                    const std::vector<GroupSpec>& groups, bool arrivals_first = false,
                    const PluggedPreemption& preemption = {});
  /// One pool, which all jobs accept.
  PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, bool arrivals_first = false,
                    const PluggedPreemption& preemption = {});
  PluggedDispatcher(PluggedDispatcher&&) noexcept;
  ~PluggedDispatcher();

  /// Inside a pass the job comes at its end.
  void submit(const PluggedSubmission& s);
  /// A waiting job leaves without having started, not by the policy's own will. @pre no pass is under way
  void withdraw_job(std::uint32_t slot);
  /// The job in this slot hands its GPUs back: it is done, lost them, or its notice is over.
  void finish_job(std::uint32_t slot);
  /// A running job's known end moves.
  void extend_job(std::uint32_t slot, std::int64_t new_end);
  /// The job in this slot is gone for good: its slot may be another's, its identifier is nobody's.
  void forget_job(std::uint32_t slot);
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta);
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta);
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta);
  void keep_profile() {}  // it is always kept

  std::int64_t free(std::uint32_t pool) const;
  /// GPUs that are up, idle or not.
  std::int64_t capacity(std::uint32_t pool) const;
  std::size_t waiting() const;
  /// The next instant at which the policy wants a pass, or `forever`.
  std::int64_t next_start() const;

  /// Decisions go to the sink at once: `start(job, pool, requested)`, `reject(job)` and `preempt(job)`, which
  /// may submit the job anew. What the sink throws of a preemption comes out when the policy has returned.
  /// @throws RunError if the policy keeps waking up and does nothing
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    run_pass(now, PluggedDecisions::into(sink));
  }

 private:
  void run_pass(std::int64_t now, const PluggedDecisions& decisions);

  class Host;
  std::unique_ptr<Host> host_;  // in one place: the policy keeps its address
};

}  // namespace natgpu::scheduling
