// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/machine_dispatcher.hpp>

#include <algorithm>
#include <utility>

namespace natgpu::scheduling {
namespace {

/// Levels of departure, that of machines that stay among them.
constexpr std::uint32_t levels = most_departures + 1;

/// The task of so many GPUs on one machine, on those that stay.
std::uint32_t task_of(std::int64_t gpus) {
  return static_cast<std::uint32_t>(gpus - 1) * levels;
}

/// One task for each number of GPUs and each level that it may go up to. Only those that may go anywhere are
/// expected.
TaskMix mix_of(const MachinePool& pool) {
  TaskMix mix;
  for (std::int32_t gpus = 1; gpus <= pool.gpus; ++gpus)
    for (std::uint32_t level = 0; level < levels; ++level) {
      const TaskShape shape{0, 0, gpus, whole_gpu_milli, (std::uint32_t{2} << level) - 1};
      const bool any = level == most_departures && !pool.expected.empty();
      mix.kinds.push_back({shape, any ? pool.expected[static_cast<std::size_t>(gpus) - 1] : 0});
    }
  return mix;
}

NodePool pool_of(const MachinePool& from, const MachineSettings& settings) {
  Node whole;
  whole.gpus = from.gpus;
  whole.type = most_departures;  // the highest level of all, until it is known when the machine leaves
  std::fill_n(whole.free_milli.begin(), from.gpus, static_cast<std::int16_t>(whole_gpu_milli));
  return {settings.placement, std::vector<Node>(from.machines, whole), mix_of(from),
          settings.measures_fragmentation};
}

bool may_spread(const MachineSettings& settings) {
  return settings.slowdown_milli > 0 || settings.placement == Placement::lowest_id;
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
  for (const MachinePool& pool : settings.pools) gpus_.push_back(pool.gpus);
}

std::uint32_t MachineKinds::kind_of(NodeBooks& books, std::uint32_t group, std::int32_t gpus) {
  std::vector<std::uint32_t>& known = known_[group];
  const auto at = static_cast<std::size_t>(gpus);
  if (known.size() <= at) known.resize(at + 1, GangKind::none);
  if (known[at] == GangKind::none) known[at] = books.add_kind(make_kind(group, gpus));
  return known[at];
}

NodeKind MachineKinds::make_kind(std::uint32_t group, std::int32_t gpus) const {
  NodeKind kind;
  for (const PoolChoice& choice : groups_[group].choices) {
    const std::int32_t most = gpus_[choice.pool];
    GangKind gang;
    gang.part = task_of(std::min(gpus, most));
    gang.parts = std::max(gpus / most, 1);
    if (gpus > most && gpus % most > 0) gang.rest = task_of(gpus % most);
    gang.fewest = (gpus - 1) / most + 1;
    if (may_spread_ && gpus > 1) {
      gang.unit = task_of(1);
      gang.units = gpus;
    }
    kind.push_back({gang, choice.pool, choice.speed});
  }
  return kind;
}

}  // namespace natgpu::scheduling
