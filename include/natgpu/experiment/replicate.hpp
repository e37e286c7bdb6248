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
  /// Called about four times a second from the calling thread: share of the work done, runs finished.
  std::function<void(double share, std::uint32_t finished)> on_progress;
  /// Called for each record by the thread that made it, before others are made: drops what is not wanted of
  /// it.
  std::function<void(simulation::RunRecord& record)> trim;
};

struct Replications {
  std::vector<simulation::RunRecord> records;  ///< those finished, in replication order
  bool interrupted = false;
};

/// Runs replications 0 .. n-1 on `threads` threads. The records do not depend on the number of threads. Where
/// the scenario declares a steady state, its start-up is found over all of them and left out of their
/// measures. The first exception of a replication (in replication order) is thrown again here.
Replications replicate(const scenario::Scenario& scenario, const ReplicateOptions& options);

/// The same replications of several scenarios, all with the seed given: replication 0 of each, then 1 of
/// each. An interrupt leaves those replications that all of them have finished.
/// @returns one for each scenario, with records of the same replications
std::vector<Replications> replicate_all(const std::vector<const scenario::Scenario*>& scenarios,
                                        const ReplicateOptions& options);

}  // namespace natgpu::experiment
