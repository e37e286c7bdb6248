// SPDX-License-Identifier: Apache-2.0
// Small random workloads on one pool, on which policies are put to the test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace natgpu::conformance {

/// Instants and lengths are whole seconds in all of this room's workloads, and ticks in what policies see.
struct TrialJob {
  std::int64_t submit = 0;
  std::int64_t requested = 1;
  std::int64_t run = 1;  ///< longer than requested: stopped there
  std::int64_t gpus = 1;
  std::int64_t account = 0;
};

/// GPUs that are gone during [from, until).
struct Outage {
  std::int64_t from = 0, until = 1;
  std::int64_t gpus = 1;
  bool announced = false;  ///< from the start on; otherwise both the loss and the return come as they happen
};

struct TrialWorkload {
  std::int64_t gpus = 1;
  std::vector<TrialJob> jobs;  ///< in order of submission
  std::vector<Outage> outages;
};

/// What a random workload may hold.
struct WorkloadKind {
  bool announced = true;  ///< outages that the policy is told of
  bool losses = true;     ///< outages that it is not
};

/// A pure function of (seed, index). Every job fits the whole machine; some workloads are a stream of small
/// jobs without an end in sight, past which a large one has to come.
TrialWorkload random_workload(std::uint64_t seed, std::uint64_t index, const WorkloadKind& kind);

/// As a table, for people.
std::string in_words(const TrialWorkload& workload);

}  // namespace natgpu::conformance
