// SPDX-License-Identifier: Apache-2.0
// A policy of someone else's behind natgpu/policy.h, in the place of a dispatcher. One pool, for replays.
#pragma once

#include <cstdint>
#include <memory>

#include <natgpu/policy.h>
#include <natgpu/core/random.hpp>
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

/// What `Dispatcher` does, with the decisions made by a policy of level 2. Waiting jobs stand in an index, so
/// that `next_fit` is O(log n); nothing is copied for the policy. A job's record is kept to the end of the
/// run, under its slot, which is its identifier.
class PluggedDispatcher {
 public:
  static constexpr std::int64_t forever = NATGPU_NEVER;

  /// @param draws           of `uniform`
  /// @param arrivals_first  a running job whose requested end is now counts as gone (Ties::arrival_first)
  /// @pre policy.decides(). @throws RunError if the policy cannot begin
  PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, bool arrivals_first = false,
                    const PluggedPreemption& preemption = {});
  PluggedDispatcher(PluggedDispatcher&&) noexcept;
  ~PluggedDispatcher();

  /// A job joins (or, requeued, rejoins) the queue; inside a pass, at its end.
  /// @param submitted  ticks  @param account  of who asks, or -1
  void submit(const WaitingJob& job, std::int64_t submitted, std::int64_t account, const Progress& progress);
  /// The job in this slot hands its GPUs back: it is done, lost them, or its notice is over.
  void finish_job(std::uint32_t slot);
  /// GPUs come or go now. @pre a loss has been made free beforehand: delta >= -free
  void change_capacity(std::uint32_t pool, std::int64_t delta);
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta);
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta);
  void keep_profile() {}  // it is always kept

  std::int64_t free(std::uint32_t) const;
  std::size_t waiting() const;
  /// The next instant at which the policy wants a pass, or `forever`.
  std::int64_t next_start() const;

  /// Decisions go to the sink at once: `start(job, pool, requested)`, `reject(job)` and `preempt(job)`, which
  /// may submit the job anew. What the sink throws of a preemption comes out when the policy has returned.
  /// @throws RunError if the policy keeps waking up and does nothing
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    using S = std::remove_reference_t<Sink>;
    run_pass(now, {const_cast<void*>(static_cast<const void*>(&sink)),
                   [](void* to, const WaitingJob& job) { static_cast<S*>(to)->start(job, 0, job.requested); },
                   [](void* to, const WaitingJob& job) { static_cast<S*>(to)->reject(job); },
                   [](void* to, const WaitingJob& job) { static_cast<S*>(to)->preempt(job); }});
  }

 private:
  struct Decisions {
    void* to;
    void (*start)(void* to, const WaitingJob&);
    void (*reject)(void* to, const WaitingJob&);
    void (*preempt)(void* to, const WaitingJob&);
  };
  void run_pass(std::int64_t now, const Decisions& decisions);

  class Host;
  std::unique_ptr<Host> host_;  // in one place: the policy keeps its address
};

}  // namespace natgpu::scheduling
