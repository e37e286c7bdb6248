// SPDX-License-Identifier: Apache-2.0
// How full can a cluster get? Tasks of a log arrive, drawn anew and again, and never leave.
#pragma once

#include <cstdint>

#include <natgpu/scheduling/placement.hpp>
#include <natgpu/simulation/mig_use.hpp>
#include <natgpu/workload/job_log.hpp>
#include <natgpu/workload/node_list.hpp>

namespace natgpu::simulation {

struct PackingOptions {
  scheduling::Placement placement = scheduling::Placement::best;
  double until = 1.3;  ///< GPUs asked for, as a share of those there are
  std::uint64_t seed = 1;
  bool gpu_nodes_only = false;  ///< leaves out nodes without GPUs, so that CPU tasks go where the GPUs are
  MigUse mig{};
};

struct Packing {
  std::uint64_t tasks = 0;              ///< that arrived
  std::uint64_t unplaced = 0;           ///< of these, found no node
  std::uint64_t never = 0;              ///< of these, would find none in the empty cluster
  double gpus = 0;                      ///< of the cluster
  double asked = 0;                     ///< GPUs, over all tasks that arrived
  double allocated = 0;                 ///< GPUs
  std::vector<MigStarts> instances;     ///< placed on GPUs that MIG cuts, by profile
  double mig_asked = 0, mig_given = 0;  ///< GPUs that their tasks asked for, and hold
  double fragmented = 0;                ///< share of the free GPUs that an expected task cannot use
  double allocated_share() const { return gpus > 0 ? allocated / gpus : 0; }
};

/// Every task of the log arrives once, and tasks drawn from it with replacement, each row as likely as any
/// other, until all together ask for `until` times the cluster's GPUs (at least: the log's own are all
/// there); they come in random order, never leave, and a task that no node can take is counted and gone.
/// Tasks and their order depend on the seed alone, not on the rule of placement. Protocol: Weng et al.,
/// USENIX ATC 2023, section 6 (inflation of the workload by resampling).
/// @throws ScenarioError E0411 if no task asks for a GPU, no machine has one, a machine does not state its
/// cores or memory or has more GPUs than most_gpus_per_node, or there are more than 31 types of GPU
Packing pack(const workload::NodeList& cluster, const workload::JobLog& log, const PackingOptions& options);

}  // namespace natgpu::simulation
