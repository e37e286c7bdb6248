// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/machine_tasks.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/node_rules.hpp>

namespace natgpu::scheduling {
namespace {

/// Levels of departure, that of machines that stay among them.
constexpr std::uint32_t levels = most_departures + 1;

/// What so many GPUs, or one share, take of a machine of the pool, wherever it is.
TaskShape shape_on(const MachinePool& pool, const MachineNeed& need, std::int32_t gpus) {
  TaskShape shape;
  shape.cpu_milli = pool.cpu_milli > 0 ? need.cpu_milli * gpus : 0;
  shape.memory_mib = pool.memory_mib > 0 ? need.memory_mib * gpus : 0;
  shape.gpus = gpus;
  shape.gpu_milli = need.gpu_milli;
  return shape;
}

/// Numbers of GPUs on one machine that jobs of the need may come to.
std::vector<std::int32_t> sizes_of(const MachineNeed& need, std::int32_t most, bool in_units) {
  std::vector<std::int32_t> sizes;
  if (most == 0) return sizes;
  if (need.shares()) return {1};
  if (need.gpus.empty()) {
    sizes.resize(static_cast<std::size_t>(most));
    std::iota(sizes.begin(), sizes.end(), 1);
    return sizes;
  }
  if (in_units) sizes.push_back(1);
  for (const std::int32_t gpus : need.gpus) {
    sizes.push_back(std::min(gpus, most));
    if (gpus > most && gpus % most > 0) sizes.push_back(gpus % most);
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

}  // namespace

Node whole_machine(const MachinePool& pool, std::int32_t gpus) {
  Node whole;
  whole.gpus = static_cast<std::int16_t>(gpus);
  whole.cpu_milli = pool.cpu_milli;
  whole.memory_mib = pool.memory_mib;
  whole.type = most_departures;  // the highest level of all, until it is known when the machine leaves
  whole.mig = pool.mig;
  std::fill_n(whole.free_milli.begin(), gpus, static_cast<std::int16_t>(whole_gpu_milli));
  return whole;
}

std::int32_t most_on(const MachinePool& pool, std::int32_t gpus, const MachineNeed& need) {
  return whole_machine(pool, gpus)
      .room_for(shape_on(pool, need, 1), std::numeric_limits<std::int32_t>::max());
}

MachineTasks::MachineTasks(const MachinePool& pool, const std::vector<MachineNeed>& needs, bool in_units) {
  for (std::size_t n = 0; n < needs.size(); ++n) {
    Tasks tasks;
    tasks.most = most_on(pool, pool.gpus, needs[n]);
    tasks.first = static_cast<std::uint32_t>(mix_.kinds.size());
    tasks.sizes = sizes_of(needs[n], tasks.most, in_units);
    for (const std::int32_t gpus : tasks.sizes)
      for (std::uint32_t level = 0; level < levels; ++level) {
        TaskShape shape = shape_on(pool, needs[n], gpus);
        shape.types = (std::uint32_t{2} << level) - 1;
        const bool is_expected = level == most_departures && !pool.expected.empty();
        mix_.kinds.push_back({shape, is_expected ? pool.expected[n][static_cast<std::size_t>(gpus) - 1] : 0});
      }
    of_need_.push_back(std::move(tasks));
  }
}

std::uint32_t MachineTasks::task(std::uint32_t need, std::int32_t gpus) const {
  const Tasks& tasks = of_need_[need];
  const auto it = std::lower_bound(tasks.sizes.begin(), tasks.sizes.end(), gpus);
  NATGPU_ENSURE(it != tasks.sizes.end() && *it == gpus, "jobs come as their need says");
  return tasks.first + static_cast<std::uint32_t>(it - tasks.sizes.begin()) * levels;
}

}  // namespace natgpu::scheduling
