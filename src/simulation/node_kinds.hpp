// SPDX-License-Identifier: Apache-2.0
// From a list of machines and a log to nodes and kinds of jobs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <natgpu/scheduling/gang.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/workload/job_log.hpp>
#include <natgpu/workload/node_list.hpp>

namespace natgpu::simulation {

/// @throws ScenarioError E0411 if no machine has a GPU, one does not state its cores or memory or has more
/// GPUs than most_gpus_per_node, or there are more than 31 types of GPU
std::vector<scheduling::Node> nodes_of(const workload::NodeList& cluster, bool gpu_nodes_only,
                                       const MigUse& mig);

/// The GPU types that each entry of the log's list (`a|b|c`) names, as bits; 0: any, where the machines have
/// no types. A type that no machine has is no bit; a bit that no machine has stands for none of them.
std::vector<std::uint32_t> types_of(const workload::JobLog& log, const workload::NodeList& cluster);
inline constexpr std::uint32_t no_such_type = std::uint32_t{1} << 31;

/// Thousandths that a job asks of each of its GPUs. Only one GPU of a machine is shared: a job of several takes
/// whole ones, unless it says on how many nodes it runs, so that a part may have one GPU.
inline std::int32_t asked_of_a_gpu(const workload::LogJob& job) {
  if (job.gpus == 0) return 0;
  return job.gpus > 1 && job.nodes <= 0 ? scheduling::whole_gpu_milli : job.gpu_milli;
}

/// What a log asks of machines.
struct NodeWorkload {
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  scheduling::TaskMix mix;
  std::vector<scheduling::GangKind> kinds;
  std::vector<std::uint32_t> kind_of_job;  ///< nowhere: not even on empty machines
  std::vector<NeverFits> never_fit;
};
NodeWorkload workload_on(const std::vector<scheduling::Node>& nodes, const workload::NodeList& cluster,
                         const workload::JobLog& log);

}  // namespace natgpu::simulation
