// SPDX-License-Identifier: Apache-2.0
#include "departures.hpp"

#include <algorithm>

namespace natgpu::simulation {

std::vector<std::int64_t> leave_with(const std::vector<CapacityStep>& windows,
                                     const std::vector<SupplyNode>& nodes) {
  std::vector<std::int64_t> leave_at(nodes.size(), stays);
  std::int64_t units = 0;
  std::size_t w = 0;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    units += nodes[i].units;
    while (w < windows.size() && windows[w].units < units) ++w;
    if (w == windows.size()) break;
    leave_at[i] = windows[w].at;
  }
  return leave_at;
}

void leave_with_tranche(std::vector<CapacityStep> steps, const std::vector<SupplyNode>& nodes,
                        std::size_t first, std::size_t last, std::vector<std::int64_t>& leave_at) {
  std::stable_sort(steps.begin(), steps.end(),
                   [](const CapacityStep& a, const CapacityStep& b) { return a.at < b.at; });
  std::int64_t units = 0;
  for (std::size_t i = first; i < last; ++i) units += nodes[i].units;
  std::int64_t left = units;  // the fewest that there will have been
  std::int64_t kept = units;  // by the nodes that have not left
  for (std::size_t s = 0, i = last; s < steps.size(); ++s) {
    left += steps[s].units;
    if (s + 1 < steps.size() && steps[s + 1].at == steps[s].at) continue;
    for (; i > first && kept > left; --i) {
      leave_at[i - 1] = std::min(leave_at[i - 1], steps[s].at);
      kept -= nodes[i - 1].units;
    }
  }
}

DepartureLevels levels_of(const std::vector<std::int64_t>& leave_at) {
  std::vector<std::int64_t> instants = leave_at;
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  if (!instants.empty() && instants.back() == stays) instants.pop_back();
  DepartureLevels levels;
  const std::size_t told = std::min(instants.size(), levels.leave_at.size());
  for (std::size_t k = 0; k < told; ++k) levels.leave_at[levels.leave_at.size() - 1 - k] = instants[k];
  for (const std::int64_t at : leave_at) {
    std::uint8_t level = 0;
    while (level < levels.leave_at.size() && at != stays && levels.leave_at[level] > at) ++level;
    levels.of.push_back(at == stays ? 0 : static_cast<std::uint8_t>(level + 1));
  }
  return levels;
}

}  // namespace natgpu::simulation
