// SPDX-License-Identifier: Apache-2.0
// my_policy: decides who starts (level 2 of natgpu/policy.h). As it stands: first come, first served.
#include <natgpu/policy.h>

#include <cstdint>

namespace {

// What the policy keeps from pass to pass.
class Policy {
 public:
  // Called at each instant at which something has happened. `start` acts at once, and so does `preempt`,
  // which takes the GPUs of a running job back.
  void pass(const natgpu_host* host) {
    std::int64_t head = -1;
    while ((head = host->next_fit(host, head, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)
      if (host->start(host, head, 0) != NATGPU_OK && host->shadow(host, head, 0) != NATGPU_NEVER)
        return;  // it blocks the queue; one that nothing announced will ever hold blocks nobody
  }
};

constexpr natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .create = [](const natgpu_host*) -> void* { return new Policy; },
    .destroy = [](void* state) { delete static_cast<Policy*>(state); },
    .pass = [](void* state, const natgpu_host* host,
               std::int64_t) { static_cast<Policy*>(state)->pass(host); },
};

}  // namespace

NATGPU_POLICY(policy)
