// SPDX-License-Identifier: Apache-2.0
// A policy through many random workloads, and the smallest one on which it fails.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include <natgpu/conformance/trial.hpp>

namespace natgpu::conformance {

struct CheckOptions {
  std::uint64_t workloads = 1000;
  std::uint64_t seed = 1;
  const std::atomic<bool>* stop = nullptr;
};

enum class Status : std::uint8_t {
  passed,
  failed,
  not_claimed,  ///< nothing to hold the policy to
  seen,         ///< of starvation: it happens, and the policy does not claim that it cannot
};

struct Finding {
  Status status = Status::passed;
  std::string what;  ///< for people; empty where there is nothing to say
};

struct Failure {
  Violation violation;      ///< on the workload below
  std::uint64_t index = 0;  ///< of the random workload in which it was found
  TrialWorkload workload;   ///< what is left of it after all that makes no difference was taken away
};

struct CheckReport {
  std::array<Finding, flaws> findings;  ///< by Flaw
  std::optional<Failure> failure;       ///< of the first flaw found, on the smallest workload
  std::uint64_t workloads = 0;          ///< tried, the failing one included
  std::uint64_t starts = 0, requeued = 0, rejected = 0, preempted = 0;
  bool stopped = false;  ///< before all were tried
  bool passed() const { return !failure && !stopped; }
};

/// Each workload is run twice. Ends at the first violation.
CheckReport check(const Candidate& candidate, const CheckOptions& options);

/// The smallest workload found that still shows the flaw: jobs and outages are left out and numbers made
/// smaller, as long as it does.
Failure shrink(const Candidate& candidate, Failure failure);

/// The name of a check, as printed and in JSON.
const char* name_of(Flaw flaw);
const char* name_of(Status status);

}  // namespace natgpu::conformance
