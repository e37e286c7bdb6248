// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/class_nodes.hpp>

#include <algorithm>

namespace natgpu::scheduling {

std::vector<std::uint32_t> ClassNodes::victims_for(const WaitingJob& job, std::uint32_t pool,
                                                   std::int64_t now) const {
  const auto class_of = [this](std::uint32_t slot) { return jobs_[slot].waiting.order.key; };
  std::vector<std::uint32_t> victims;
  for (const std::uint32_t slot : running_)
    if (runs_[slot].pool == pool && class_of(slot) > job.order.key && may_lose(slot, now))
      victims.push_back(slot);
  std::sort(victims.begin(), victims.end(), [&](std::uint32_t a, std::uint32_t b) {
    return class_of(a) != class_of(b) ? class_of(a) > class_of(b) : loses_first(a, b);
  });
  return victims;
}

}  // namespace natgpu::scheduling
