// SPDX-License-Identifier: Apache-2.0
// One run of a policy over one workload, with books of its own that trust nothing the policy says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/conformance/candidate.hpp>
#include <natgpu/conformance/workload.hpp>

namespace natgpu::conformance {

/// What a policy can be found to do wrong.
enum class Flaw : std::uint8_t {
  over_allocation,     ///< a start without GPUs for it
  no_such_start,       ///< of a job that runs, is over, or was never submitted
  no_such_preemption,  ///< of a job that does not run, or is inside the shield
  lost,                ///< a job that waits for ever while the machine stands idle
  broken_promise,
  other_rule,  ///< a start that the rule does not make, or one that it makes and the policy does not
  starved,
  not_deterministic,
};
inline constexpr std::size_t flaws = 8;

struct Violation {
  Flaw flaw;
  std::string what;  ///< with job and instant
};

struct TrialResult {
  std::vector<std::pair<std::int64_t, std::uint32_t>> starts;  ///< second, job
  std::optional<Violation> violation;                          ///< the first; the run ended there
  std::string starved;  ///< who waited beyond every bound, where the policy does not claim one
  std::uint64_t requeued = 0, rejected = 0, preempted = 0;
};

/// What a preemption costs in a trial, in seconds: work is kept in whole pieces of the first, and each start
/// after it takes the second before work goes on.
inline constexpr std::int64_t trial_checkpoint = 2, trial_restart = 1;

/// Completions, then capacity, then arrivals, then one pass, at each instant of the workload and of the
/// policy's own. A loss takes idle GPUs, then those of the jobs that started last, which rejoin the queue in
/// their place, as those do that the policy preempts: after the pass.
TrialResult run_trial(const Candidate& candidate, const TrialWorkload& workload);

/// The same, twice: what differs is a violation.
TrialResult run_twice(const Candidate& candidate, const TrialWorkload& workload);

}  // namespace natgpu::conformance
