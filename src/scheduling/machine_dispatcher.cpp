// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/machine_dispatcher.hpp>

#include <algorithm>
#include <utility>

namespace natgpu::scheduling {
namespace {

bool may_spread(const MachineSettings& settings) {
  return scheduling::may_spread(settings.placement, settings.slowdown_milli);
}

MachineTasks tasks_of(const MachinePool& pool, const MachineSettings& settings) {
  return {pool, settings.needs, may_spread(settings)};
}

NodePool pool_of(const MachinePool& from, const MachineSettings& settings) {
  return {settings.placement, std::vector<Node>(from.machines, whole_machine(from, from.gpus)),
          tasks_of(from, settings).mix(), settings.measures_fragmentation};
}

}  // namespace

NodeBooks absent_machines(const MachineSettings& settings, const Stream& chance) {
  std::vector<NodePool> pools;
  for (const MachinePool& pool : settings.pools) pools.push_back(pool_of(pool, settings));
  NodeRules rules;
  rules.gang = {settings.placement, may_spread(settings)};
  rules.slowdown_milli = std::max<std::int64_t>(settings.slowdown_milli, 1000);
  rules.grain = 1;
  rules.departures = true;
  NodeBooks books(std::move(pools), {}, rules, chance);
  for (std::uint32_t p = 0; p < settings.pools.size(); ++p) {
    for (std::uint32_t i = 0; i < settings.pools[p].machines; ++i) books.fail({p, i});
    books.plan_departures(p, no_departures, std::vector<std::uint8_t>(settings.pools[p].machines));
  }
  return books;
}

MachineKinds::MachineKinds(const MachineSettings& settings)
    : groups_(settings.groups), may_spread_(may_spread(settings)), known_(groups_.size()) {
  for (const MachinePool& pool : settings.pools) tasks_.push_back(tasks_of(pool, settings));
  for (const MachineNeed& need : settings.needs) shares_.push_back(need.shares());
}

std::uint32_t MachineKinds::kind_of(NodeBooks& books, std::uint32_t group, std::int32_t gpus) {
  std::vector<std::uint32_t>& known = known_[group];
  const auto at = static_cast<std::size_t>(gpus);
  if (known.size() <= at) known.resize(at + 1, GangKind::none);
  if (known[at] == GangKind::none) known[at] = books.add_kind(make_kind(group, gpus));
  return known[at];
}

NodeKind MachineKinds::make_kind(std::uint32_t group, std::int32_t gpus) const {
  const std::uint32_t need = groups_[group].need;
  NodeKind kind;
  for (const PoolChoice& choice : groups_[group].choices)
    if (const MachineTasks& tasks = tasks_[choice.pool]; tasks.most(need) > 0)
      kind.push_back({gang_in(tasks, need, gpus), choice.pool, choice.speed});
  if (groups_[group].spreads_freely)
    for (NodeChoice& choice : kind) choice.gang.fewest = gpus;
  NATGPU_ENSURE(!kind.empty(), "a job that no machine holds is not submitted");
  return kind;
}

GangKind MachineKinds::gang_in(const MachineTasks& tasks, std::uint32_t need, std::int32_t gpus) const {
  const std::int32_t most = tasks.most(need);
  GangKind gang;
  gang.fewest = (gpus - 1) / most + 1;
  if (shares_[need]) {
    gang.part = tasks.task(need, 1);
    gang.parts = gpus;
    return gang;
  }
  gang.part = tasks.task(need, std::min(gpus, most));
  gang.parts = std::max(gpus / most, 1);
  if (gpus > most && gpus % most > 0) gang.rest = tasks.task(need, gpus % most);
  if (may_spread_ && gpus > 1) {
    gang.unit = tasks.task(need, 1);
    gang.units = gpus;
  }
  return gang;
}

}  // namespace natgpu::scheduling
