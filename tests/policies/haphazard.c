// SPDX-License-Identifier: Apache-2.0
// Starts and preempts whatever its dice say, and asks for what it cannot have. Whatever a policy tries, the
// host's books must hold: `natgpu policy check` looks on.
#include <natgpu/policy.h>
#include <stdlib.h>

enum { MOST = 8192, TRIES = 12 };
typedef struct {
  int64_t jobs, drawn, last_wake;
} State;

static void* create(const natgpu_host* host) {
  (void)host;
  return calloc(1, sizeof(State));
}
static void on_submit(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  (void)host;
  if (job->id >= s->jobs) s->jobs = job->id + 1;
}
static int64_t below(State* s, const natgpu_host* host, int64_t n) {
  return host->uniform(host, 1, s->drawn++) % n;
}

static void pass(void* state, const natgpu_host* host, int64_t now) {
  State* s = state;
  int64_t job = -1;
  if (s->jobs == 0) return;
  // Until the dice run out: else nothing would come to an end.
  for (int i = 0; i < TRIES && s->drawn < MOST; ++i) {
    const int64_t any = below(s, host, s->jobs + 1);
    if (below(s, host, 3) == 0)
      host->preempt(host, any);
    else
      host->start(host, any, 0);
  }
  while ((job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0) host->start(host, job, 0);
  if (s->drawn < MOST && host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0) >= 0)
    host->wake_at(host, now + NATGPU_TICKS_PER_SECOND * (1 + below(s, host, 3)));
  else if (s->last_wake != now + NATGPU_TICKS_PER_SECOND)  // who was preempted in this pass starts then
    host->wake_at(host, s->last_wake = now + NATGPU_TICKS_PER_SECOND);
}

static const natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .create = create,
    .destroy = free,
    .on_submit = on_submit,
    .pass = pass,
};
NATGPU_POLICY(policy)
