// SPDX-License-Identifier: Apache-2.0
// The accounts and classes of a log's jobs, for orders that rank by them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scheduling/account_tree.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// By job, in log order. Empty where the order asks for neither.
struct ReplayAccounts {
  scheduling::AccountTree tree;           ///< accounts in name order; those without a name last
  std::vector<double> weights;            ///< by node: its share times those of the nodes above it
  std::vector<std::uint32_t> node_of;     ///< the account of a job
  std::vector<std::int32_t> class_of;     ///< 0: the highest
  std::vector<double> queue_factor;       ///< by class: 1 for the first, 0 for those not stated
  std::vector<std::string> without_jobs;  ///< accounts that the shares name and the log does not

  std::int64_t job_class(std::uint32_t job) const { return class_of.empty() ? 0 : class_of[job]; }
  scheduling::Claimant claimant(std::uint32_t i, const workload::LogJob& job) const {
    return {node_of[i], class_of.empty() ? 0.0 : queue_factor[static_cast<std::size_t>(class_of[i])],
            std::max(job.cpu_milli, 0), std::max(job.memory_mib, 0)};
  }
};

/// @throws ScenarioError E0421 where the log lacks what the options rank by
ReplayAccounts accounts_of(const workload::JobLog& log, const ReplayOptions& options);

}  // namespace natgpu::simulation
