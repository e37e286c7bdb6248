// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <natgpu/scheduling/fair_share.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/sharing.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/workload/share_list.hpp>
#include <natgpu/workload/speed_list.hpp>
#include <natgpu/workload/swf.hpp>

namespace natgpu::simulation {

/// An outage or gain that the scheduler knows of from the start, in seconds of the log.
struct AnnouncedStep {
  std::int64_t at_s = 0;
  std::int64_t delta = 0;  ///< GPUs
};

/// What a preemption costs a job. Times are ticks.
struct SegmentRules {
  std::int64_t checkpoint = 0;  ///< work between two checkpoints, which cost nothing; 0: all work is kept
  std::int64_t restart = 0;     ///< each start after the first takes so long before work goes on
  friend constexpr bool operator==(const SegmentRules&, const SegmentRules&) = default;
};
/// A distance between checkpoints that no job comes to: who is preempted begins anew.
inline constexpr std::int64_t no_checkpoint = std::numeric_limits<std::int64_t>::max();

/// What orders by account and class rank, and who has quotas. The accounts are the log's users, under their
/// groups where it has any; its groups where it names no users.
struct AccountOptions {
  bool by_group = false;                 ///< the groups are the accounts, even where the log names users
  workload::ShareList shares;            ///< accounts that it does not name have one share each
  std::vector<std::string> classes;      ///< queues, the highest first; those not named come last. None:
                                         ///< priority takes them in name order, multifactor weighs none
  scheduling::FairShareRule fair_share;  ///< multifactor and fairtree
  std::int64_t cpu_milli = 0;   ///< of the machine, thousandths of a core: drf counts them; 0: without limit
  std::int64_t memory_mib = 0;  ///< of the machine: drf counts it; 0: without limit
  friend bool operator==(const AccountOptions&, const AccountOptions&) = default;
};

/// GPUs of several types, for gavel-las and gavel-ftf. None: all are alike.
struct TypeOptions {
  std::vector<std::string> names;
  std::vector<std::int64_t> gpus;  ///< by type
  workload::SpeedList speeds;      ///< of classes of jobs, by type
  bool any() const { return !names.empty(); }
};

struct ReplayOptions {
  std::int64_t gpus = 0;  ///< of the machine; 0: the log's MaxProcs, or those of all types
  TypeOptions types;
  scheduling::Order order = scheduling::Order::fcfs;
  scheduling::Backfill backfill = scheduling::Backfill::easy;
  std::int64_t reservations = 0;  ///< with Backfill::reservations; at least 1 there
  std::int64_t recalc_s = 0;      ///< orders that move are ranked anew in each such period; 0: at each pass
  scheduling::Semantics semantics;
  scheduling::EasyRule easy;              ///< other than the usual parts with Backfill::easy alone
  scheduling::PreemptiveRule preemption;  ///< of a preemptive order; its own order and `skips` do not count
  bool by_class = false;       ///< waiting jobs take GPUs of running ones of lower class: whose key is larger
  bool quota_reclaim = false;  ///< accounts take back what others hold beyond their quotas; by `accounts`
  SegmentRules segments;
  bool named = false;                 ///< jobs hold GPUs by number; with Backfill::easy or conservative
  scheduling::PluggedPolicy plugged;  ///< level 1: in place of the order; level 2: and of the backfill (none)
  scheduling::Sharing sharing = scheduling::Sharing::exclusive;  ///< others than exclusive: no queue at all
  std::int64_t quantum = 0;                ///< ticks: of gang scheduling, and with no other
  std::map<std::int32_t, double> weights;  ///< of shares, by the log's queue; 1 where it is not named. Of
                                           ///< Sharing::ps, gavel-las and gavel-ftf
  std::uint64_t seed = 1;                  ///< of the order lottery, and of a plugged policy's draws
  AccountOptions accounts;                 ///< orders by account and class
  bool exact_estimates = false;            ///< policies see true run times in place of requested ones
  std::int64_t slowdown_floor_s = 10;      ///< of bounded slowdown
  std::vector<AnnouncedStep> announced;
  std::atomic<std::int64_t>* jobs_done = nullptr;  ///< for a progress bar
  const std::atomic<bool>* stop = nullptr;
};

/// What became of a job that might lose its GPUs. Instants and lengths are ticks.
struct SegmentedJob {
  std::int64_t start = -1;  ///< first; -1: never
  std::int64_t end = -1;    ///< last
  std::int64_t queued = 0;  ///< all time in the queue, from submission to the last start
  std::int64_t lost = 0;    ///< work that was done and had to be done again
  std::uint32_t preemptions = 0;
};

/// What was used of a type of GPU.
struct TypeUse {
  std::string name;
  std::int64_t gpus = 0;
  double utilization = 0;  ///< used GPU-seconds / (GPUs x makespan)
};

/// What the job weighs where GPUs or their time are divided by weight.
inline double weight_of(const workload::LogJob& job, const ReplayOptions& o) {
  const auto it = o.weights.find(job.queue);
  return it != o.weights.end() ? it->second : 1;
}

/// Whether the order's keys are classes of jobs, of which one may take the GPUs of another.
inline bool has_classes(const ReplayOptions& o) {
  return o.plugged ? o.plugged.table->key != nullptr && !o.plugged.decides()
                   : o.order == scheduling::Order::priority;
}

/// Whether it matters who asks: the order ranks accounts, or they have quotas.
inline bool by_account(const ReplayOptions& o) {
  return by_account(o.order) || o.quota_reclaim;
}

/// Whether running jobs may lose their GPUs to others, by the order or by a mode beside it.
inline bool preempts(const ReplayOptions& o) {
  return preempts(o.order) || o.by_class || o.quota_reclaim;
}
/// The same, or a policy of level 2 decides, which may take GPUs back. What a loss costs is then said by
/// `segments`, for machines that are lost as well.
inline bool may_preempt(const ReplayOptions& o) {
  return preempts(o) || (o.plugged && o.plugged.decides());
}

/// What became of the usable jobs of a log, beside JobLog::jobs.
struct ReplayResult {
  std::int64_t gpus = 0;
  std::vector<std::int64_t> start_s, end_s;  ///< -1: never started; parts of a second cut off
  std::vector<SegmentedJob> segmented;       ///< by job; empty where nobody can lose GPUs
  std::vector<std::uint8_t> killed;          ///< 1: stopped at its requested time
  std::uint64_t started = 0;
  std::uint64_t broken_promises = 0;  ///< reserved starts put off by a loss that nobody knew of
  double mean_wait_s = 0;             ///< over started jobs
  double mean_bounded_slowdown = 0;   ///< dimensionless, over started jobs
  double utilization = 0;             ///< used GPU-seconds / (GPUs x makespan)
  double wasted = 0;         ///< part of utilization: work lost, restarts, and the notice of preemptions
  double mean_queued_s = 0;  ///< of preemptive policies: all time in the queue
  std::uint64_t preemptions = 0;
  std::int64_t makespan_s = 0;           ///< last end - first submission
  std::vector<TypeUse> types;            ///< where GPUs are of several types
  std::vector<std::int64_t> type_ticks;  ///< there: [job x types + type], with GPUs of the type
  std::uint64_t fingerprint = 0;
  std::uint64_t events = 0;
  std::vector<std::string> without_jobs;  ///< accounts that the shares name and the log does not
  std::string semantics;                  ///< the exact rules used, in words
};

/// Replays a log under one policy on one pool of GPUs.
/// A job of the log that asks for more GPUs than there will ever be stays unstarted.
/// @throws RunError on options that contradict each other (ties with one pass per instant; reservations
/// without their backfill; reservations kept in an order that moves; parts of
/// EASY beside another backfill or announced outages; sharing in time beside a queue's rules; weights
/// where nothing is divided by weight; the
/// named view beside a rule that it does not have; a plugged policy beside parts of which it takes the
/// place; types of GPU beside other orders than gavel-las and gavel-ftf; drf or maxmin beside easy-sjbf,
/// parts of EASY or the named view), or where a plugged policy cannot begin
/// @throws ScenarioError E0420 on shares that quotas cannot count, E0421 on a log that lacks what the order
/// ranks by, E0422 where a job has no speeds
/// @throws Interrupted when stopped
ReplayResult replay(const workload::JobLog& log, const ReplayOptions& options);

}  // namespace natgpu::simulation
