// SPDX-License-Identifier: Apache-2.0
#include "job_groups.hpp"

#include <algorithm>

namespace natgpu::simulation {
namespace {

double speed_of(const supply::Device& device, const std::string& job_class) {
  for (const supply::ClassSpeed& s : device.speeds)
    if (s.name == job_class) return s.speed;
  return device.speed;
}

bool accepts(const std::vector<std::string>& devices, const std::string& name) {
  return devices.empty() || std::find(devices.begin(), devices.end(), name) != devices.end();
}

scheduling::GroupSpec spec_for(const std::string& job_class, const std::vector<std::string>& devices,
                               const scenario::Scenario& scenario, const std::vector<supply::Pool>& pools) {
  scheduling::GroupSpec spec;
  for (std::uint32_t p = 0; p < pools.size(); ++p) {
    const supply::Device& device = scenario.hardware[pools[p].device];
    const double speed = speed_of(device, job_class);
    if (accepts(devices, device.name) && speed > 0) spec.choices.push_back({p, speed});
  }
  std::stable_sort(spec.choices.begin(), spec.choices.end(),
                   [&](const scheduling::PoolChoice& a, const scheduling::PoolChoice& b) {
                     if (a.speed != b.speed) return a.speed > b.speed;
                     if (pools[a.pool].device != pools[b.pool].device)
                       return pools[a.pool].device < pools[b.pool].device;
                     return pools[a.pool].site < pools[b.pool].site;
                   });
  return spec;
}

bool same(const scheduling::GroupSpec& a, const scheduling::GroupSpec& b) {
  return std::equal(a.choices.begin(), a.choices.end(), b.choices.begin(), b.choices.end(),
                    [](const auto& x, const auto& y) { return x.pool == y.pool && x.speed == y.speed; });
}

}  // namespace

JobGroups make_job_groups(const scenario::Scenario& scenario, const std::vector<supply::Pool>& pools) {
  JobGroups groups;
  const auto add = [&](JobClass job_class, const std::vector<std::string>& devices, bool wall_time) {
    scheduling::GroupSpec spec = spec_for(job_class.name, devices, scenario, pools);
    if (wall_time)
      for (scheduling::PoolChoice& c : spec.choices) c.speed = 1.0;
    std::uint32_t group = 0;
    while (group < groups.specs.size() && !same(groups.specs[group], spec)) ++group;
    if (group == groups.specs.size()) groups.specs.push_back(std::move(spec));
    groups.classes.push_back(std::move(job_class));
    groups.of_class.push_back(group);
  };
  for (const demand::BatchClass& c : scenario.demand.batch)
    add({c.name, c.checkpoint_every.count(), c.restart_cost.count()}, c.devices, false);
  // A service lasts its months whatever the device, and served hours are served: it keeps all its work.
  for (const demand::ServiceClass& c : scenario.demand.service) add({c.name, 1, 0}, c.devices, true);
  groups.log_class = static_cast<std::uint16_t>(groups.classes.size());
  add({"log", 0, 0}, {}, false);
  groups.pools = pools.size();
  groups.speed.assign(groups.specs.size() * pools.size(), 1.0);
  for (std::size_t g = 0; g < groups.specs.size(); ++g)
    for (const auto& c : groups.specs[g].choices) groups.speed[g * pools.size() + c.pool] = c.speed;
  return groups;
}

}  // namespace natgpu::simulation
