// SPDX-License-Identifier: Apache-2.0
#include "machine_mix.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "machine_layout.hpp"

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

std::vector<std::int64_t> expected_on(std::uint32_t pool, std::int64_t per_node,
                                      const scenario::Scenario& scenario, const JobGroups& groups) {
  std::vector<std::int64_t> tasks(static_cast<std::size_t>(per_node));
  double all = 0;
  for (const demand::BatchClass& c : scenario.demand.batch) all += rate_of(scenario, c.name);
  for (std::size_t c = 0; c < scenario.demand.batch.size(); ++c) {
    if (!accepts(groups.specs[groups.of_class[c]], pool)) continue;
    const demand::BatchClass& job = scenario.demand.batch[c];
    const std::int64_t weight = weight_of(rate_of(scenario, job.name), all);
    for (int i = 0; i < steps && weight > 0; ++i) {
      const double gpus = job.gpus.has_quantile() ? job.gpus.quantile((i + 0.5) / steps) : job.gpus.mean();
      add_parts(demand::whole_gpus(gpus), weight, tasks);
    }
  }
  return tasks;
}

}  // namespace

scheduling::MachineSettings machine_settings(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                                             const JobGroups& groups) {
  const scheduling::Scheduling& s = scenario.scheduling;
  const MachineLayout layout(fleet, scenario.hardware);
  scheduling::MachineSettings settings;
  for (std::uint32_t p = 0; p < layout.pools(); ++p) {
    const std::int64_t per_node = scenario.hardware[fleet.pools()[p].device].per_node;
    // A pool without public machines may be of larger ones than can be placed: it has no part in this.
    const std::int64_t gpus = layout.machines_in(p) > 0 ? per_node : 1;
    settings.pools.push_back(
        {layout.machines_in(p), static_cast<std::int16_t>(gpus), expected_on(p, gpus, scenario, groups)});
  }
  settings.groups = groups.specs;
  settings.placement = s.placement;
  settings.slowdown_milli = static_cast<std::int64_t>(std::lround(s.locality * 1000));
  settings.measures_fragmentation = true;
  return settings;
}

}  // namespace natgpu::simulation
