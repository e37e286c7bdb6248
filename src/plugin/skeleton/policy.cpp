// SPDX-License-Identifier: Apache-2.0
// my_policy: decides who starts (level 2 of natgpu/policy.hpp). As it stands: first come, first served.
#include <natgpu/policy.hpp>

#include <cstdint>

namespace {

// What its members hold is kept from pass to pass. It may override on_submit, on_start, on_end, on_capacity
// and on_timer as well; what it throws ends the run with its message.
class Policy : public natgpu::Policy {
 public:
  // Called at each instant at which something has happened. `start` acts at once, and so does `preempt`,
  // which takes the GPUs of a running job back.
  void pass(natgpu::Host host, std::int64_t) override {
    std::int64_t head = -1;
    while ((head = host.next_fit(head)) >= 0)
      if (host.start(head) != NATGPU_OK && host.shadow(head) != NATGPU_NEVER)
        return;  // it blocks the queue; one that nothing announced will ever hold blocks nobody
  }
};

}  // namespace

NATGPU_POLICY_CLASS(Policy)
