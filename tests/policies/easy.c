// SPDX-License-Identifier: Apache-2.0
// EASY backfilling by plain loops, with one mistake planted where MUTANT says. What `natgpu policy check`
// must find, and, with MUTANT 0, must not.
#include <natgpu/policy.h>
#include <stdlib.h>

#ifndef MUTANT
#define MUTANT 0
#endif
enum { NONE, LESS_AT_SHADOW, SPARE_KEPT, SHADOW_BY_LENGTH, LOST_REQUEUE };

enum { MOST = 4096 };
typedef struct {
  int64_t id, gpus, end, length;
} Running;
typedef struct {
  int64_t waiting[MOST], count;  // in queue order
  Running running[MOST];
  int64_t runs;
  char seen[MOST];
} State;

static void* create(const natgpu_host* host) {
  (void)host;
  return calloc(1, sizeof(State));
}

static void on_submit(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  (void)host;
  if (MUTANT == LOST_REQUEUE && s->seen[job->id]) return;
  s->seen[job->id] = 1;
  int64_t i = s->count++;
  for (; i > 0 && s->waiting[i - 1] > job->id; --i) s->waiting[i] = s->waiting[i - 1];
  s->waiting[i] = job->id;
}

static void on_start(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  (void)host;
  s->running[s->runs++] = (Running){job->id, job->gpus, job->started + job->requested, job->requested};
}

static void on_end(void* state, const natgpu_host* host, const natgpu_job* job) {
  State* s = state;
  int64_t i = 0;
  (void)host;
  while (s->running[i].id != job->id) ++i;
  s->running[i] = s->running[--s->runs];
}

static int by_length(const void* a, const void* b) {
  const Running *x = a, *y = b;
  return (x->length > y->length) - (x->length < y->length);
}

// The head's earliest start as requested ends add up, in the wrong order: with the shortest job first.
static int64_t shadow_by_length(const State* s, int64_t free, int64_t gpus, int64_t otherwise) {
  Running sorted[MOST];
  for (int64_t i = 0; i < s->runs; ++i) sorted[i] = s->running[i];
  qsort(sorted, (size_t)s->runs, sizeof(Running), by_length);
  for (int64_t i = 0; i < s->runs; ++i)
    if ((free += sorted[i].gpus) >= gpus) return sorted[i].end;
  return otherwise;
}

static void drop(State* s, int64_t i) {
  for (--s->count; i < s->count; ++i) s->waiting[i] = s->waiting[i + 1];
}

static void pass(void* state, const natgpu_host* host, int64_t now) {
  State* s = state;
  int64_t first = 0;  // blocked; one that nothing will ever hold blocks nobody
  while (first < s->count) {
    if (host->start(host, s->waiting[first], 0) == NATGPU_OK)
      drop(s, first);
    else if (host->shadow(host, s->waiting[first], 0) == NATGPU_NEVER)
      ++first;
    else
      break;
  }
  if (first == s->count) return;
  const natgpu_job head = *host->job(host, s->waiting[first]);
  const int64_t idle = host->free(host, 0, now, now + 1);
  const int64_t by_rule = host->shadow(host, head.id, 0);
  const int64_t shadow = MUTANT == SHADOW_BY_LENGTH ? shadow_by_length(s, idle, head.gpus, by_rule) : by_rule;
  const int64_t until = shadow + head.requested;
  const int64_t kept = host->free(host, 0, shadow, shadow + 1) - head.gpus;
  for (int64_t i = first + 1; i < s->count;) {
    const natgpu_job* job = host->job(host, s->waiting[i]);
    const int64_t end = now + job->requested;
    int fits = MUTANT == LESS_AT_SHADOW ? end < shadow : end <= shadow;
    if (!fits) {
      const int64_t spare =
          MUTANT == SPARE_KEPT
              ? kept
              : host->free(host, 0, shadow, end > shadow && end < until ? end : until) - head.gpus;
      fits = job->gpus <= spare;
    }
    if (fits && host->start(host, job->id, 0) == NATGPU_OK)
      drop(s, i);
    else
      ++i;
  }
}

static const natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .create = create,
    .destroy = free,
    .on_submit = on_submit,
    .on_start = on_start,
    .on_end = on_end,
    .pass = pass,
};
NATGPU_POLICY(policy)
