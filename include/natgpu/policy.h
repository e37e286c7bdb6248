// SPDX-License-Identifier: Apache-2.0
// A scheduling policy in a shared library: the interface between natgpu and the policy, in C11 and in C++.
// docs/policies.md shows how to write, build and check one; `natgpu policy new NAME` writes the first.
//
// A library exports one function, natgpu_policy_entry, which returns a constant natgpu_policy. The macros
// NATGPU_ORDER and NATGPU_POLICY at the end of this file write it. Of the two levels
//
//   1 (an order)   sets `key` alone: who stands before whom in the queue, settled at submission. natgpu does
//                  the rest, with each of its backfills and at its own speed.
//   2 (a policy)   sets `pass`: who starts now. `key`, if set, is the order of its queue, else that of
//                  submission.
//
// A replay has one pool, 0, which takes every job. The run of a scenario has several: a job may run on some of
// them (`choice`), on some faster than on others (`requested_on`). docs/policies.md says what differs on machines.
//
// All numbers are int64_t: identifiers from 0 on, instants and lengths in ticks of one microsecond since the
// start of the run, GPUs whole. A policy sees what was requested, never how long a job will really run, and
// `now` is the only clock. Equal calls must have equal effects: no clock of the machine, no random numbers
// but those of `uniform`, nothing kept in globals. No call may throw or jump out (natgpu/policy.hpp, for C++,
// sees to that).
#ifndef NATGPU_POLICY_H
#define NATGPU_POLICY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of this interface. Later versions only append fields, and then keep this number; a library made
// for another number is refused.
#define NATGPU_POLICY_ABI 1

#define NATGPU_TICKS_PER_SECOND INT64_C(1000000)
#define NATGPU_ANY INT64_MAX    // a bound that excludes nothing
#define NATGPU_NEVER INT64_MAX  // an instant that does not come

// What a call of the host answers where it has no identifier or number to give.
enum natgpu_code {
  NATGPU_OK = 0,
  NATGPU_NONE = -1,         // there is no such job
  NATGPU_NO_JOB = -2,       // no job has this identifier
  NATGPU_NOT_WAITING = -3,  // the job runs, has ended, or lost its GPUs in this pass
  NATGPU_NO_ROOM = -4,      // its GPUs are not free during all of [now, now + requested)
  NATGPU_NO_POOL = -5,      // no pool has this identifier, or the job may not run there
  NATGPU_BAD_TIME = -6,     // the instant is not ahead, or the stretch is empty
  NATGPU_UNSUPPORTED = -7,  // not in this kind of run
  NATGPU_NOT_NOW = -8,      // outside the calls in which a policy may act
  NATGPU_NOT_RUNNING = -9,  // the job waits, has ended, or is under notice
  NATGPU_TOO_SOON = -10     // the job started in this pass, or is inside the shield
};

typedef struct natgpu_job {
  int64_t id;         // position in the log, or among the submissions of a run, from 0
  int64_t submitted;  // instant
  int64_t requested;  // length at speed 1, as first asked for; once preempted: what is left, and the restart
  int64_t gpus;
  int64_t account;  // who asks: the log's user, the scenario's organisation; -1 where none is named
  int64_t started;  // instant of the present start; -1: waiting, or ended
  int64_t pool;     // in which it runs; -1: none
} natgpu_job;

typedef struct natgpu_account {
  int64_t account;
  int64_t waiting;  // jobs in the queue
  int64_t running;  // jobs that run
  int64_t gpus;     // that these hold
  int64_t used;     // GPU-seconds so far, rounded down, running jobs included
} natgpu_account;

// What natgpu offers to a policy of level 2. Each call takes the host itself first. Pointers that it returns
// are good until the policy's function returns. What acts, acts at once: the next question sees it.
typedef struct natgpu_host natgpu_host;
struct natgpu_host {
  uint32_t abi;   // NATGPU_POLICY_ABI of the program
  uint32_t size;  // of its natgpu_host in bytes; a field beyond is not there

  // --- questions

  // The first waiting job, in queue order behind `from` (-1: of all), that may run in the pool and asks for no
  // more than so many GPUs and so long a time there. Pool NATGPU_NONE: in any pool, lengths at speed 1.
  // NATGPU_NONE, NATGPU_NO_JOB, NATGPU_NO_POOL. O(log n) of n waiting jobs, for each set of pools that jobs
  // accept.
  int64_t (*next_fit)(const natgpu_host*, int64_t from, int64_t max_gpus, int64_t max_requested,
                      int64_t pool);
  // The earliest instant from which the job would have its GPUs for all it requested, if nothing else
  // started; NATGPU_NEVER where nothing announced will hold it. NATGPU_NO_JOB, NATGPU_NO_POOL.
  int64_t (*shadow)(const natgpu_host*, int64_t job, int64_t pool);
  // The least number of GPUs free during [from, until), as running jobs were requested to end and capacity is
  // announced to change. A job whose requested end is now counts as gone, as it does for `shadow`; with a
  // pass for each event (--pass event) its GPUs may come in a later pass of this instant. NATGPU_NO_POOL,
  // NATGPU_BAD_TIME.
  int64_t (*free)(const natgpu_host*, int64_t pool, int64_t from, int64_t until);
  // Null where there is no such job, or account. An account is known once a job of it has been submitted.
  const natgpu_job* (*job)(const natgpu_host*, int64_t job);
  const natgpu_account* (*account)(const natgpu_host*, int64_t account);
  // A number from 0 to 2^63 - 1, each as likely: a pure function of the run's seed and these two.
  int64_t (*uniform)(const natgpu_host*, int64_t entity, int64_t index);

  // --- acts

  // The waiting job starts now. NATGPU_NO_JOB, NATGPU_NOT_WAITING, NATGPU_NO_POOL, NATGPU_NO_ROOM.
  int64_t (*start)(const natgpu_host*, int64_t job, int64_t pool);
  // The running job stops. It hands its GPUs back at once, or under a notice (--notice) when that is over;
  // then it goes back to its place in the queue, behind its last checkpoint, where the next pass finds it.
  // NATGPU_NO_JOB, NATGPU_NOT_RUNNING, NATGPU_TOO_SOON; NATGPU_UNSUPPORTED with a pass for each event, and of
  // a scenario's services.
  int64_t (*preempt)(const natgpu_host*, int64_t job);
  // The waiting job leaves for good. NATGPU_NO_JOB, NATGPU_NOT_WAITING; NATGPU_UNSUPPORTED of a scenario's
  // services, and of its jobs that have run before.
  int64_t (*reject)(const natgpu_host*, int64_t job);
  // A pass at that instant, whatever else happens then. NATGPU_BAD_TIME.
  int64_t (*wake_at)(const natgpu_host*, int64_t instant);

  // --- a further question

  // The work that a waiting or running job still has to do, of what it first requested: less what it has done
  // or, where it was preempted, kept; restarts are no work. NATGPU_NO_JOB; NATGPU_NONE of one that neither
  // waits nor runs.
  int64_t (*remaining)(const natgpu_host*, int64_t job);

  // --- giving up

  // The policy cannot go on: the run ends with this message (exit 4) as soon as the function that calls it
  // has returned; nothing else is called but `destroy`, and what is asked until then is answered
  // NATGPU_NOT_NOW. Also for `create`, which then returns null.
  void (*fail)(const natgpu_host*, const char* message);

  // --- of several pools

  // How many there are: 0 to one less.
  int64_t (*pools)(const natgpu_host*);
  // The pool in which the job would rather run than in all but `rank` others, from rank 0 on: the fastest
  // first. NATGPU_NONE beyond the last that it accepts; NATGPU_NO_JOB.
  int64_t (*choice)(const natgpu_host*, int64_t job, int64_t rank);
  // The length that the job requests in that pool. NATGPU_NONE where it may not run; NATGPU_NO_JOB.
  int64_t (*requested_on)(const natgpu_host*, int64_t job, int64_t pool);
};

// What a library offers to natgpu. A null function is not called. At an instant at which anything happens the
// calls come in one go: one for each event in the order of events, then on_timer if an instant of wake_at has
// come, then pass. The host shows the state at the pass in all of them, and all of them may act.
typedef struct natgpu_policy {
  uint32_t abi;   // NATGPU_POLICY_ABI
  uint32_t size;  // sizeof(natgpu_policy)

  // Level 1. The smallest key stands first; ties go to the earlier submission. Called from several threads,
  // and again for the same job: it must be a pure function of the job.
  int64_t (*key)(const natgpu_job*);

  // Level 2. `create` begins a run and returns the policy's own state, null if it cannot; without it the
  // state is null. The host's questions and acts are not for `create` and `destroy`.
  void* (*create)(const natgpu_host*);
  void (*destroy)(void* state);
  // The job has joined the queue, or rejoined it after it lost its GPUs.
  void (*on_submit)(void* state, const natgpu_host*, const natgpu_job*);
  // The job has started, by this policy's own `start`. Called at once.
  void (*on_start)(void* state, const natgpu_host*, const natgpu_job*);
  // The job has handed its GPUs back: done, stopped at its requested time, or about to rejoin the queue.
  // Called at once where this policy's own `preempt` takes them without notice.
  void (*on_end)(void* state, const natgpu_host*, const natgpu_job*);
  // GPUs have come (positive) or gone, or are announced to at a later instant `at`.
  void (*on_capacity)(void* state, const natgpu_host*, int64_t pool, int64_t gpus, int64_t at);
  void (*on_timer)(void* state, const natgpu_host*, int64_t now);
  void (*pass)(void* state, const natgpu_host*, int64_t now);

  // The job has left the queue without a start, and not by `reject`: its patience is over, or its service
  // wants it no more. In replays nobody does.
  void (*on_withdraw)(void* state, const natgpu_host*, const natgpu_job*);
} natgpu_policy;

typedef const natgpu_policy* (*natgpu_policy_entry_function)(void);

#ifdef __cplusplus
}
#define NATGPU_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define NATGPU_EXPORT __attribute__((visibility("default")))
#endif

// Exports a natgpu_policy of static storage. Stands once in a library, behind its definition.
#define NATGPU_POLICY(policy)                                    \
  NATGPU_EXPORT const natgpu_policy* natgpu_policy_entry(void);  \
  NATGPU_EXPORT const natgpu_policy* natgpu_policy_entry(void) { \
    return &(policy);                                            \
  }

// Exports an order: a policy of level 1 with this key.
#define NATGPU_ORDER(function)                                                          \
  static const natgpu_policy natgpu_order_ = {                                          \
      NATGPU_POLICY_ABI, sizeof(natgpu_policy), (function), 0, 0, 0, 0, 0, 0, 0, 0, 0}; \
  NATGPU_POLICY(natgpu_order_)

#endif
