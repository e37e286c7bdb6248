// SPDX-License-Identifier: Apache-2.0
// A policy of someone else's behind natgpu/policy.h, on machines.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <natgpu/scheduling/node_books.hpp>
#include <natgpu/scheduling/plugged.hpp>

namespace natgpu::scheduling {

/// What PluggedDispatcher does, on machines: the policy says who starts and in which pool, the rule of
/// placement on which machines. What it is answered there is in docs/policies.md.
///
/// `next_fit` is O(log n) for each kind of job that waits. A start that finds no place costs nothing until
/// machines of the pool gain. `shadow` and `free` ahead of now look at running jobs.
class PluggedNodes : public NodeBooks {
 public:
  /// @pre policy.decides(). @throws RunError if the policy cannot begin
  PluggedNodes(NodeBooks&& books, const PluggedPolicy& policy, const Stream& draws,
               const PluggedPreemption& preemption);
  PluggedNodes(PluggedNodes&& other) noexcept;
  ~PluggedNodes();

  /// As PluggedDispatcher::submit, of a job of that kind: its group does not count.
  void submit(std::uint32_t kind, PluggedSubmission s);
  void withdraw_job(std::uint32_t slot);
  void finish_job(std::uint32_t slot);
  void extend_job(std::uint32_t slot, std::int64_t new_end);
  void forget_job(std::uint32_t slot);
  /// @pre nothing runs on the machine
  std::vector<std::uint32_t> fail(const Machine& machine);
  void repair(const Machine& machine);

  /// The next instant at which the policy wants a pass, or PluggedDispatcher::forever.
  std::int64_t next_start() const;
  /// As PluggedDispatcher::pass. Nobody is preempted under notice.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    run_pass(now, PluggedDecisions::into(sink));
  }

 private:
  friend class PluggedNodeBooks;
  void run_pass(std::int64_t now, const PluggedDecisions& decisions);

  class Host;
  std::unique_ptr<Host> host_;  // in one place: the policy keeps its address
};

}  // namespace natgpu::scheduling
