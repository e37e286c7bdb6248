// SPDX-License-Identifier: Apache-2.0
// Shortest remaining time first by level 2: running and waiting jobs are ranked together, who gets no GPUs in
// that order loses its own. With one mistake planted where MUTANT says: what `natgpu policy check` must find.
#include <natgpu/policy.h>
#include <stdlib.h>

#ifndef MUTANT
#define MUTANT 0
#endif
enum { NO_MISTAKE, FORGETS_PREEMPTED, PREEMPTS_TOO_MANY, INSIDE_SHIELD, SLEEPS_LONG, SLEEPS };

// Seconds after a start during which nobody may be preempted; as --shield says.
#ifndef SHIELD
#define SHIELD 0
#endif
// Whether a job that does not fit ends the choice, as under backfill none.
#ifndef STRICT
#define STRICT 0
#endif

// Jobs of the log at most.
#ifndef MOST
#define MOST 8192
#endif
typedef struct {
  int64_t id, gpus, started;
  int stopping;  // under notice
} Running;
typedef struct {
  int64_t id, gpus, left;
  int runs;
} Claim;
typedef struct {
  Running running[MOST];
  int64_t runs;
  char was_preempted[MOST];
  Claim claims[MOST];
} State;

static void* create(const natgpu_host* host) {
  (void)host;
  return calloc(1, sizeof(State));
}
static void on_start(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  (void)host;
  s->running[s->runs++] = (Running){job->id, job->gpus, job->started, 0};
}
static void on_end(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  int64_t i = 0;
  (void)host;
  while (s->running[i].id != job->id) ++i;
  s->running[i] = s->running[--s->runs];
}

static int by_rank(const void* a, const void* b) {
  const Claim *x = a, *y = b;
  if (x->left != y->left) return (x->left > y->left) - (x->left < y->left);
  return (x->id > y->id) - (x->id < y->id);
}
static void stop(State* s, const natgpu_host* host, int64_t id) {
  for (int64_t i = 0; i < s->runs; ++i)
    if (s->running[i].id == id) s->running[i].stopping = 1;
  host->preempt(host, id);  // without notice, on_end follows at once
  s->was_preempted[id] = 1;
}

static void pass(void* state, const natgpu_host* host, int64_t now) {
  State* s = state;
  const int64_t shield = MUTANT == INSIDE_SHIELD ? 0 : SHIELD * NATGPU_TICKS_PER_SECOND;
  int64_t n = 0, left = host->free(host, 0, now, now + 1), job = -1;
  while ((job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)
    if (MUTANT != FORGETS_PREEMPTED || !s->was_preempted[job])
      s->claims[n++] = (Claim){job, host->job(host, job)->gpus, host->remaining(host, job), 0};
  if (n == 0) return;
  for (int64_t i = 0; i < s->runs; ++i) {
    const Running* r = &s->running[i];
    if (now - r->started < shield && !r->stopping) {
      if (MUTANT != SLEEPS)
        host->wake_at(host, r->started + shield + (MUTANT == SLEEPS_LONG ? NATGPU_TICKS_PER_SECOND : 0));
      continue;
    }
    left += r->gpus;
    if (!r->stopping) s->claims[n++] = (Claim){r->id, r->gpus, host->remaining(host, r->id), 1};
  }
  qsort(s->claims, (size_t)n, sizeof(Claim), by_rank);
  int64_t kept = 0, ended = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Claim c = s->claims[i];
    const int chosen = !ended && c.gpus <= left;
    if (chosen) left -= c.gpus;
    if (!chosen && STRICT) ended = 1;
    if (chosen && !c.runs) s->claims[kept++] = c;
    if (c.runs && (!chosen || (MUTANT == PREEMPTS_TOO_MANY && i + 1 == n))) stop(s, host, c.id);
  }
  for (int64_t i = 0; i < kept; ++i) host->start(host, s->claims[i].id, 0);  // or waits for GPUs under notice
}

static const natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .create = create,
    .destroy = free,
    .on_start = on_start,
    .on_end = on_end,
    .pass = pass,
};
NATGPU_POLICY(policy)
