// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>
#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/scheduling/node_rules.hpp>
#include <natgpu/supply/fleet.hpp>

#include "job_table.hpp"

namespace natgpu::simulation {

/// What a run needs to know of a class of jobs: batch classes in file order, then service classes, then
/// `log`.
struct JobClass {
  std::string name;
  std::int64_t checkpoint_every = 0;  ///< reference ticks; 0: none
  std::int64_t restart_cost = 0;      ///< ticks
};

/// Classes that accept the same pools at the same speeds share a group of the dispatcher.
struct JobGroups {
  std::vector<JobClass> classes;
  std::vector<std::uint32_t> of_class;       ///< group of each class
  std::vector<scheduling::GroupSpec> specs;  ///< choices by speed descending, catalogue, site
  std::vector<double> speed;                 ///< by (group, pool)
  std::size_t pools = 0;
  std::uint16_t log_class = 0;  ///< of jobs that come from a log

  double speed_in(std::uint32_t group, std::uint32_t pool) const { return speed[group * pools + pool]; }
};

/// Ticks that so much work (reference ticks) takes the job where it runs.
inline std::int64_t time_for(const JobGroups& groups, const Job& j, std::int64_t work) {
  return scheduling::slowed(scheduling::time_at_speed(work, groups.speed_in(j.group, j.pool)),
                            j.slowdown_milli);
}

JobGroups make_job_groups(const scenario::Scenario& scenario, const std::vector<supply::Pool>& pools);

}  // namespace natgpu::simulation
