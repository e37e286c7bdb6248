// SPDX-License-Identifier: Apache-2.0
// Waiting jobs take GPUs from running ones of lower class.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/claiming_books.hpp>

namespace natgpu::scheduling {

/// Jobs start in queue order, in the first pool they accept that has GPUs for them. One that finds none
/// claims, in the first pool where that suffices, GPUs of running jobs of lower class, all it lacks or none:
/// first of the lowest class, there of the latest start, then of the highest id; then those that turn out not
/// to be needed are spared, the last chosen first. Nobody loses GPUs who is firm, inside the shield or in the
/// pass of its start, and who lost them does not start in that pass. A job that gets none blocks those behind
/// it in the pools it accepts, or with `fit` is passed over. A job's class is the key of its place in the
/// queue; the smallest is the highest.
///
/// A pass is O((s + 1)(R log R + c log n)) for s starts, R running jobs of c classes and n waiting jobs.
class ClassPreemption : public ClaimingBooks<ClassPreemption> {
 public:
  /// Of the rule, only `skips`, shield, notice and round count.
  explicit ClassPreemption(PreemptiveRule rule) : ClaimingBooks(std::move(rule)) {}
  ClassPreemption(PreemptiveRule rule, std::size_t pools, std::vector<GroupSpec> groups)
      : ClaimingBooks(std::move(rule), pools, std::move(groups)) {}

  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested on it)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_claims(now)) return;
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* found = next_claimant(after)) {
      const Job job = jobs_[found->slot];
      last = job.waiting.order;
      after = &last;
      if (serve(job, now, true, sink) != Served::started && !rule_.skips) close_pools_of(job.group);
    }
    end_claims(now);
  }

 private:
  friend ClaimingBooks<ClassPreemption>;
  /// Running jobs of one class that may lose their GPUs, and of all lower ones, by pool.
  struct Claimable {
    std::int64_t job_class;
    std::vector<std::int64_t> gpus;
  };

  /// The next waiting job that may get GPUs; where nobody is passed over, the next one.
  const WaitingJob* next_claimant(const QueueKey* after) {
    if (rule_.skips) sum_claimable();
    const WaitingJob* next = nullptr;
    for (std::uint32_t g = 0; g < queues_.size(); ++g) {
      if (queues_[g].empty() || !has_open_pool(g)) continue;
      const WaitingJob* job = rule_.skips ? first_that_may(g, after) : find(g, forever, after, nullptr);
      if (job != nullptr && (next == nullptr || job->order < next->order)) next = job;
    }
    return next;
  }
  const WaitingJob* find(std::uint32_t group, std::int64_t gpus, const QueueKey* after,
                         const QueueKey* bound) const {
    return queues_[group].find(up_to(gpus), after, bound, [](const WaitingJob&) { return true; }).job;
  }
  const WaitingJob* first_that_may(std::uint32_t group, const QueueKey* after) const {
    for (const Claimable& c : claimable_) {
      // Those above this class may claim it and all below; those above the one before have been looked for.
      const QueueKey bound{c.job_class, 0};
      if (after != nullptr && bound < *after) continue;
      const std::int64_t most = most_in(group, [&](std::uint32_t p) { return left_in(p) + c.gpus[p]; });
      if (const WaitingJob* job = find(group, most, after, &bound)) return job;
    }
    return find(group, most_in(group, [this](std::uint32_t p) { return left_in(p); }), after, nullptr);
  }
  /// From the highest class to the lowest.
  void sum_claimable() {
    claimed_.clear();
    for (const Run& r : running_)
      if (!r.chosen) claimed_.push_back({r.place.key, r.pool, r.gpus});
    std::sort(claimed_.begin(), claimed_.end(),
              [](const Claimed& a, const Claimed& b) { return a.job_class > b.job_class; });
    claimable_.clear();
    for (const Claimed& c : claimed_) {
      if (claimable_.empty())
        claimable_.push_back({c.job_class, std::vector<std::int64_t>(pools_.size())});
      else if (claimable_.back().job_class != c.job_class)
        claimable_.push_back({c.job_class, std::vector<std::int64_t>(claimable_.back().gpus)});
      claimable_.back().gpus[c.pool] += c.gpus;
    }
    std::reverse(claimable_.begin(), claimable_.end());
  }

  std::vector<std::size_t> victims_for(const WaitingJob& job, std::uint32_t pool) const {
    std::vector<std::size_t> victims;
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (!running_[i].chosen && running_[i].pool == pool && running_[i].place.key > job.order.key)
        victims.push_back(i);
    std::sort(victims.begin(), victims.end(), [this](std::size_t a, std::size_t b) {
      const Run &x = running_[a], &y = running_[b];
      return x.place.key != y.place.key ? x.place.key > y.place.key : loses_first(x, y);
    });
    return victims;
  }

  struct Claimed {
    std::int64_t job_class;
    std::uint32_t pool;
    std::int32_t gpus;
  };
  std::vector<Claimed> claimed_;
  std::vector<Claimable> claimable_;
};

}  // namespace natgpu::scheduling
