// SPDX-License-Identifier: Apache-2.0
// my_policy: decides who starts (level 2 of natgpu/policy.h). As it stands: first come, first served.
#include <natgpu/policy.h>

// Called at each instant at which something has happened. `start` acts at once, and so does `preempt`, which
// takes the GPUs of a running job back.
static void pass(void *state, const natgpu_host *host, int64_t now) {
  (void)state;
  (void)now;
  int64_t head = -1;
  while ((head = host->next_fit(host, head, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)
    if (host->start(host, head, 0) != NATGPU_OK && host->shadow(host, head, 0) != NATGPU_NEVER)
      return;  // it blocks the queue; one that nothing announced will ever hold blocks nobody
}

static const natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .pass = pass,
};

NATGPU_POLICY(policy)
