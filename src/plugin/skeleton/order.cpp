// SPDX-License-Identifier: Apache-2.0
// my_policy: a queue order for natgpu (level 1 of natgpu/policy.hpp).
#include <natgpu/policy.hpp>

#include <cstdint>

namespace {

class Order {
 public:
  // The job with the smallest key stands first; ties go to the earlier submission. As it stands: the smallest
  // area first, in GPU-seconds as requested.
  static std::int64_t key(const natgpu::Job& job) noexcept {
    return job.requested / NATGPU_TICKS_PER_SECOND * job.gpus;
  }
};

}  // namespace

NATGPU_POLICY_CLASS(Order)
