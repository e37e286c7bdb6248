// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/dominant_share.hpp>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

std::vector<std::size_t> progressive_picks(const Amounts& machine, const std::vector<TaskUser>& users) {
  std::vector<std::size_t> picks;
  std::vector<Amounts> held(users.size());
  std::vector<std::size_t> in;
  for (std::size_t u = 0; u < users.size(); ++u) {
    NATGPU_ENSURE(dominant_share(users[u].task, machine, 1.0) > 0, "a task takes something of the machine");
    in.push_back(u);
  }
  Amounts free = machine;
  while (!in.empty()) {
    const auto share = [&](std::size_t u) { return dominant_share(held[u], machine, users[u].weight); };
    const auto least = std::min_element(in.begin(), in.end(),
                                        [&](std::size_t a, std::size_t b) { return share(a) < share(b); });
    const Amounts& task = users[*least].task;
    bool fits = true;
    for (std::size_t r = 0; r < resources; ++r) fits = fits && (machine[r] == 0 || task[r] <= free[r]);
    if (!fits) {
      in.erase(least);
      continue;
    }
    for (std::size_t r = 0; r < resources; ++r) {
      free[r] -= task[r];
      held[*least][r] += task[r];
    }
    picks.push_back(*least);
  }
  return picks;
}

}  // namespace natgpu::scheduling
