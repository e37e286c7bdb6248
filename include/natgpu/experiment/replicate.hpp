// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::experiment {

struct ReplicateOptions {
  std::uint64_t seed = 1;
  std::uint32_t replications = 1;
  unsigned threads = 1;
  const std::atomic<bool>* stop = nullptr;
  /// Called about four times a second from the calling thread: share of the work done, replications finished.
  std::function<void(double share, std::uint32_t finished)> on_progress;
};

struct Replications {
  std::vector<simulation::RunRecord> records;  ///< those finished, in replication order
  bool interrupted = false;
};

/// Runs replications 0 .. n-1 on `threads` threads. The records do not depend on the number of threads.
/// The first exception of a replication (in replication order) is thrown again here.
Replications replicate(const scenario::Scenario& scenario, const ReplicateOptions& options);

}  // namespace natgpu::experiment
