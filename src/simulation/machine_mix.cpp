// SPDX-License-Identifier: Apache-2.0
#include "machine_mix.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "machine_layout.hpp"
#include "machine_needs.hpp"

namespace natgpu::simulation {
namespace {

constexpr int steps = 1000;  // through the law of a class's GPUs, and of the share of a class

/// Requests of the class a second, if all organisations asked.
double rate_of(const scenario::Scenario& scenario, const std::string& job_class) {
  double rate = 0;
  for (const demand::Sector& s : scenario.demand.sectors)
    for (const demand::BatchShare& share : s.mix)
      if (share.name == job_class)
        rate += static_cast<double>(s.organisations) * s.request_rate * share.share;
  return rate;
}

bool accepts(const scheduling::GroupSpec& group, std::uint32_t pool) {
  return std::any_of(group.choices.begin(), group.choices.end(),
                     [pool](const scheduling::PoolChoice& c) { return c.pool == pool; });
}

/// A class that no organisation asks for counts for nothing, any other at least once.
std::int64_t weight_of(double rate, double all) {
  if (rate <= 0 || all <= 0) return 0;
  return std::max<std::int64_t>(static_cast<std::int64_t>(rate / all * steps + 0.5), 1);
}

/// Adds the parts of a job of so many GPUs.
void add_parts(std::int64_t gpus, std::int64_t weight, std::vector<std::int64_t>& tasks) {
  const auto most = static_cast<std::int64_t>(tasks.size());
  tasks.back() += weight * (gpus / most);
  if (gpus % most > 0) tasks[static_cast<std::size_t>(gpus % most) - 1] += weight;
}

/// Batch classes that ask for the need: their parts on machines that hold so many of its GPUs, or shares.
std::vector<std::int64_t> expected_of(std::uint32_t need, std::int32_t most, std::uint32_t pool,
                                      const scenario::Scenario& scenario, const JobGroups& groups) {
  std::vector<std::int64_t> tasks(static_cast<std::size_t>(most));
  double all = 0;
  for (const demand::BatchClass& c : scenario.demand.batch) all += rate_of(scenario, c.name);
  for (std::size_t c = 0; c < scenario.demand.batch.size() && most > 0; ++c) {
    const scheduling::GroupSpec& group = groups.specs[groups.of_class[c]];
    if (group.need != need || !accepts(group, pool)) continue;
    const demand::BatchClass& job = scenario.demand.batch[c];
    const std::int64_t weight = weight_of(rate_of(scenario, job.name), all);
    for (int i = 0; i < steps && weight > 0; ++i) {
      const double gpus = job.gpus.has_quantile() ? job.gpus.quantile((i + 0.5) / steps) : job.gpus.mean();
      if (groups.needs[need].shares())
        tasks.front() += weight;
      else
        add_parts(demand::whole_gpus(gpus), weight, tasks);
    }
  }
  return tasks;
}

scheduling::MachinePool pool_of(std::uint32_t p, std::uint32_t machines, const scenario::Scenario& scenario,
                                const supply::Fleet& fleet, const JobGroups& groups) {
  scheduling::MachinePool pool =
      machines_of(scenario.hardware[fleet.pools()[p].device], scenario.scheduling.mig_positions);
  pool.machines = machines;
  // A pool without public machines may be of larger ones than can be placed: it has no part in this.
  if (machines == 0) pool.gpus = 1;
  for (std::uint32_t n = 0; n < groups.needs.size(); ++n)
    pool.expected.push_back(expected_of(n, most_on(pool, pool.gpus, groups.needs[n]), p, scenario, groups));
  return pool;
}

}  // namespace

std::int64_t stated_slowdown(const scheduling::Scheduling& s) {
  return static_cast<std::int64_t>(std::lround(s.locality * 1000));
}

scheduling::MachineSettings machine_settings(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                                             const JobGroups& groups) {
  const scheduling::Scheduling& s = scenario.scheduling;
  const MachineLayout layout(fleet, scenario.hardware);
  scheduling::MachineSettings settings;
  for (std::uint32_t p = 0; p < layout.pools(); ++p)
    settings.pools.push_back(pool_of(p, layout.machines_in(p), scenario, fleet, groups));
  settings.groups = groups.specs;
  settings.needs = groups.needs;
  settings.placement = s.placement;
  settings.slowdown_milli = stated_slowdown(s);
  settings.measures_fragmentation = true;
  return settings;
}

}  // namespace natgpu::simulation
