// SPDX-License-Identifier: Apache-2.0
#include "job_groups.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "machine_needs.hpp"

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
  return a.need == b.need && a.spreads_freely == b.spreads_freely &&
         std::equal(a.choices.begin(), a.choices.end(), b.choices.begin(), b.choices.end(),
                    [](const auto& x, const auto& y) { return x.pool == y.pool && x.speed == y.speed; });
}

/// Needs, each once.
class NeedTable {
 public:
  /// Jobs of the need ask for any number of GPUs.
  std::uint32_t any_of(const scheduling::MachineNeed& need) {
    const std::uint32_t place = place_of(need);
    needs_[place].gpus.clear();
    return place;
  }
  /// Jobs of the need ask for so many GPUs, among others.
  std::uint32_t one_of(const scheduling::MachineNeed& need, std::int32_t gpus) {
    const std::size_t known = needs_.size();
    const std::uint32_t place = place_of(need);
    std::vector<std::int32_t>& sizes = needs_[place].gpus;
    const bool any = place < known && sizes.empty();
    if (!any && std::find(sizes.begin(), sizes.end(), gpus) == sizes.end()) sizes.push_back(gpus);
    return place;
  }
  std::vector<scheduling::MachineNeed> take() { return std::move(needs_); }

 private:
  std::uint32_t place_of(const scheduling::MachineNeed& need) {
    const auto [it, is_new] = places_.try_emplace(std::tuple(need.gpu_milli, need.cpu_milli, need.memory_mib),
                                                  static_cast<std::uint32_t>(needs_.size()));
    if (is_new) needs_.push_back(need);
    return it->second;
  }

  std::vector<scheduling::MachineNeed> needs_;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::uint32_t> places_;
};

class GroupsMaker {
 public:
  GroupsMaker(const scenario::Scenario& scenario, const supply::Fleet& fleet)
      : scenario_(scenario), fleet_(fleet), on_machines_(scenario.scheduling.view == scheduling::View::node) {
    groups_.pools = fleet.pools().size();
    needs_.any_of({});
  }

  /// @param wall_time  jobs last as long on any device
  void add_class(JobClass job_class, const std::vector<std::string>& devices, bool wall_time,
                 const scheduling::MachineNeed& need) {
    add_group(std::move(job_class), spec_for(job_class.name, devices, scenario_, fleet_.pools()), wall_time,
              need);
  }
  /// Blocks last their months whatever they are of, and on however many machines.
  void add_blocks(const demand::ProjectClass& c) {
    scheduling::GroupSpec spec = spec_for(c.name, c.devices, scenario_, fleet_.pools());
    spec.spreads_freely = on_machines_;
    add_group({c.name, 0, 0}, std::move(spec), true, need_of(demand::needs_of_block(scenario_.demand, c)));
  }
  void add_log(const workload::JobLog* log) {
    groups_.log_class = static_cast<std::uint16_t>(groups_.classes.size());
    add_class({"log", 0, 0}, {}, false, {});
    if (!on_machines_ || log == nullptr) return;
    scheduling::GroupSpec spec = groups_.specs[groups_.of_class.back()];
    for (const workload::LogJob& job : log->jobs) {
      spec.need = needs_.one_of(need_of(job), job.gpus);
      groups_.of_log_job.push_back(group_of(spec));
    }
  }
  JobGroups finish() {
    groups_.needs = needs_.take();
    if (std::any_of(groups_.needs.begin(), groups_.needs.end(), [](const auto& n) { return n.shares(); }))
      groups_.parts_per_gpu = scheduling::whole_gpu_milli;
    tabulate();
    return std::move(groups_);
  }

 private:
  void add_group(JobClass job_class, scheduling::GroupSpec spec, bool wall_time,
                 const scheduling::MachineNeed& need) {
    if (wall_time)
      for (scheduling::PoolChoice& c : spec.choices) c.speed = 1.0;
    if (on_machines_) spec.need = needs_.any_of(need);
    groups_.classes.push_back(std::move(job_class));
    groups_.of_class.push_back(group_of(spec));
  }
  std::uint32_t group_of(const scheduling::GroupSpec& spec) {
    std::uint32_t group = 0;
    while (group < groups_.specs.size() && !same(groups_.specs[group], spec)) ++group;
    if (group == groups_.specs.size()) groups_.specs.push_back(spec);
    return group;
  }
  void tabulate() {
    const std::vector<std::int64_t> planned = planned_units(fleet_);
    groups_.speed.assign(groups_.specs.size() * groups_.pools, 1.0);
    groups_.most.assign(groups_.speed.size(), 0);
    groups_.on_one_machine.assign(groups_.speed.size(), std::numeric_limits<std::int64_t>::max());
    for (std::size_t g = 0; g < groups_.specs.size(); ++g)
      for (const auto& c : groups_.specs[g].choices) {
        const std::size_t at = g * groups_.pools + c.pool;
        groups_.speed[at] = c.speed;
        if (!on_machines_) {
          groups_.most[at] = planned[c.pool];
          continue;
        }
        const scheduling::MachineNeed& need = groups_.needs[groups_.specs[g].need];
        groups_.most[at] = most_in_pool(scenario_, fleet_, c.pool, need);
        groups_.on_one_machine[at] = most_on_machine(scenario_, fleet_, c.pool, need);
      }
  }

  const scenario::Scenario& scenario_;
  const supply::Fleet& fleet_;
  bool on_machines_;
  NeedTable needs_;
  JobGroups groups_;
};

}  // namespace

bool JobGroups::ever_fits(std::uint32_t group, std::int64_t gpus) const {
  const std::vector<scheduling::PoolChoice>& choices = specs[group].choices;
  return std::any_of(choices.begin(), choices.end(),
                     [&](const scheduling::PoolChoice& c) { return gpus <= most[group * pools + c.pool]; });
}

std::vector<std::int64_t> planned_units(const supply::Fleet& fleet) {
  std::vector<std::int64_t> planned(fleet.pools().size());
  for (std::uint32_t t = 0; t < fleet.tranches(); ++t) planned[fleet.pool_of(t)] += fleet.public_units_of(t);
  return planned;
}

JobGroups make_job_groups(const scenario::Scenario& scenario, const supply::Fleet& fleet,
                          const workload::JobLog* log) {
  GroupsMaker maker(scenario, fleet);
  for (const demand::BatchClass& c : scenario.demand.batch)
    maker.add_class({c.name, c.checkpoint_every.count(), c.restart_cost.count()}, c.devices, false,
                    need_of(c));
  // A service lasts its months whatever the device, and served hours are served: it keeps all its work.
  for (const demand::ServiceClass& c : scenario.demand.service)
    maker.add_class({c.name, 1, 0}, c.devices, true, need_of(c));
  for (const demand::ProjectClass& c : scenario.demand.project) maker.add_blocks(c);
  maker.add_log(log);
  return maker.finish();
}

}  // namespace natgpu::simulation
