// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>
#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/machine_tasks.hpp>
#include <natgpu/scheduling/node_rules.hpp>
#include <natgpu/supply/fleet.hpp>
#include <natgpu/workload/job_log.hpp>

#include "job_table.hpp"

namespace natgpu::simulation {

/// What a run needs to know of a class of jobs: batch classes in file order, then service classes, project
/// classes and `log`.
struct JobClass {
  std::string name;
  std::int64_t checkpoint_every = 0;  ///< reference ticks; 0: none
  std::int64_t restart_cost = 0;      ///< ticks
};

/// Classes that accept the same pools at the same speeds, and need the same of machines, share a group of the
/// dispatcher. Jobs of a log are of one class, and in the node view of a group for each need.
struct JobGroups {
  std::vector<JobClass> classes;
  std::vector<std::uint32_t> of_class;         ///< group of each class
  std::vector<scheduling::GroupSpec> specs;    ///< choices by speed descending, catalogue, site
  std::vector<scheduling::MachineNeed> needs;  ///< in the pool view one, of a whole GPU
  std::vector<double> speed;                   ///< by (group, pool)
  std::vector<std::int64_t>
      most;  ///< by (group, pool): GPUs, or shares, of the largest job that it ever holds
  std::vector<std::int64_t> on_one_machine;  ///< the same of one machine; counted GPUs are all of one
  std::size_t pools = 0;
  std::uint16_t log_class = 0;            ///< of jobs that come from a log
  std::vector<std::uint32_t> of_log_job;  ///< group of each row of the log; empty: that of its class
  std::int64_t parts_per_gpu = 1;  ///< of which books keep whole numbers: thousandths where GPUs are shared

  double speed_in(std::uint32_t group, std::uint32_t pool) const { return speed[group * pools + pool]; }
  /// Machines that a gang needs when all are empty.
  std::int64_t fewest_machines(std::uint32_t group, std::uint32_t pool, std::int64_t gpus) const {
    return (gpus - 1) / on_one_machine[group * pools + pool] + 1;
  }
  bool ever_fits(std::uint32_t group, std::int64_t gpus) const;
  /// Parts of GPUs that a job of the group asks for.
  std::int64_t parts_of(std::uint32_t group, std::int64_t gpus) const {
    return gpus * needs[specs[group].need].gpu_milli * parts_per_gpu / scheduling::whole_gpu_milli;
  }
  std::uint32_t group_of_log_job(std::size_t row) const {
    return of_log_job.empty() ? of_class[log_class] : of_log_job[row];
  }
};

/// Ticks that so much work (reference ticks) takes the job where it runs.
inline std::int64_t time_for(const JobGroups& groups, const Job& j, std::int64_t work) {
  return scheduling::slowed(scheduling::time_at_speed(work, groups.speed_in(j.group, j.pool)),
                            j.slowdown_milli);
}

/// The most public units that each pool will ever have, as planned.
std::vector<std::int64_t> planned_units(const supply::Fleet& fleet);

/// @param log  null: there is none
JobGroups make_job_groups(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                          const workload::JobLog* log);

}  // namespace natgpu::simulation
