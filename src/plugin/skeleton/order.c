// SPDX-License-Identifier: Apache-2.0
// my_policy: a queue order for natgpu (level 1 of natgpu/policy.h).
#include <natgpu/policy.h>

// The job with the smallest key stands first; ties go to the earlier submission. As it stands: the smallest
// area first, in GPU-seconds as requested.
static int64_t key(const natgpu_job *job) {
  return job->requested / NATGPU_TICKS_PER_SECOND * job->gpus;
}

NATGPU_ORDER(key)
