// SPDX-License-Identifier: Apache-2.0
// Waiting jobs take GPUs from running ones of lower class.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/preemptive_books.hpp>

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
class ClassPreemption : public PreemptiveBooks {
 public:
  /// Of the rule, only `skips`, shield, notice and round count.
  explicit ClassPreemption(PreemptiveRule rule) : PreemptiveBooks(std::move(rule)) {}
  ClassPreemption(PreemptiveRule rule, std::size_t pools, std::vector<GroupSpec> groups)
      : PreemptiveBooks(std::move(rule), pools, std::move(groups)) {}

  /// @param firm  once it runs, nobody takes its GPUs
  void submit(const WaitingJob& job, const Progress&, std::int64_t, std::uint32_t group = 0,
              bool firm = false) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    jobs_[job.slot] = {job, group, firm};
    ++waiting_;
    if (passing_)
      returned_.push_back(job.slot);
    else
      queues_[group].insert(job);
  }
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    queues_[j.group].erase(j.waiting.order, j.waiting.gpus);
    --waiting_;
  }

  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested on it)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now)) return;
    passing_ = true;
    idle_.resize(pools_.size());
    coming_.resize(pools_.size());
    for (std::size_t p = 0; p < pools_.size(); ++p) {
      idle_[p] = pools_[p].free;
      coming_[p] = pools_[p].under_notice;
    }
    for (Run& r : running_) r.chosen = keeps(r, now);
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* found = next_claimant(after)) {
      const Job job = jobs_[found->slot];
      last = job.waiting.order;
      after = &last;
      if (!serve(job, now, sink) && !rule_.skips) close_pools_of(job.group);
    }
    passing_ = false;
    for (const std::uint32_t slot : returned_) queues_[jobs_[slot].group].insert(jobs_[slot].waiting);
    returned_.clear();
    note_shields(now);
  }

 private:
  struct Job {
    WaitingJob waiting;
    std::uint32_t group = 0;
    bool firm = false;
  };
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
      const std::int64_t most =
          most_in(group, [&](std::uint32_t p) { return idle_[p] + coming_[p] + c.gpus[p]; });
      if (const WaitingJob* job = find(group, most, after, &bound)) return job;
    }
    return find(group, most_in(group, [this](std::uint32_t p) { return idle_[p] + coming_[p]; }), after,
                nullptr);
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

  /// @returns whether the job starts
  template <class Sink>
  bool serve(const Job& job, std::int64_t now, Sink& sink) {
    const std::int64_t gpus = job.waiting.gpus;
    for (const PoolChoice& c : groups_[job.group].choices) {
      if (pools_[c.pool].closed || gpus > idle_[c.pool]) continue;
      start(job, c, now, sink);
      return true;
    }
    for (const PoolChoice& c : groups_[job.group].choices) {
      if (pools_[c.pool].closed) continue;
      if (gpus > idle_[c.pool] + coming_[c.pool] && !claim(job.waiting, c.pool, sink)) continue;
      if (gpus <= idle_[c.pool]) {
        start(job, c, now, sink);
        return true;
      }
      coming_[c.pool] -= gpus - idle_[c.pool];  // the rest is under notice, and kept for it
      idle_[c.pool] = 0;
      return false;
    }
    return false;
  }
  template <class Sink>
  void start(const Job& job, const PoolChoice& where, std::int64_t now, Sink& sink) {
    idle_[where.pool] -= job.waiting.gpus;
    queues_[job.group].erase(job.waiting.order, job.waiting.gpus);
    --waiting_;
    begin_run(job.waiting, where, now, job.waiting.order, job.firm, true);
    sink.start(job.waiting, where.pool, time_at_speed(job.waiting.requested, where.speed));
  }
  template <class Sink>
  bool claim(const WaitingJob& job, std::uint32_t pool, Sink& sink) {
    std::vector<std::size_t> victims;
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (!running_[i].chosen && running_[i].pool == pool && running_[i].place.key > job.order.key)
        victims.push_back(i);
    std::sort(victims.begin(), victims.end(), [this](std::size_t a, std::size_t b) {
      const Run &x = running_[a], &y = running_[b];
      if (x.place.key != y.place.key) return x.place.key > y.place.key;
      return x.started != y.started ? x.started > y.started : x.place.id > y.place.id;
    });
    std::int64_t lacking = job.gpus - idle_[pool] - coming_[pool];
    std::size_t taken = 0;
    while (taken < victims.size() && lacking > 0) lacking -= running_[victims[taken++]].gpus;
    if (lacking > 0) return false;
    victims.resize(taken);
    for (std::size_t i = taken; i-- > 0;)
      if (lacking + running_[victims[i]].gpus <= 0) {
        lacking += running_[victims[i]].gpus;
        victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
      }
    take_from(victims, sink);
    return true;
  }
  template <class Sink>
  void take_from(const std::vector<std::size_t>& victims, Sink& sink) {
    std::vector<bool> kept;
    for (Run& r : running_) {
      kept.push_back(r.chosen);
      r.chosen = true;
    }
    for (const std::size_t v : victims) running_[v].chosen = false;
    std::vector<bool> left;  // `kept` of those that stay
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (running_[i].chosen) left.push_back(kept[i]);
    std::vector<std::int64_t>& gained = rule_.notice > 0 ? coming_ : idle_;
    take_back([&](const Run& r) {
      gained[r.pool] += r.gpus;
      sink.preempt(WaitingJob(jobs_[r.slot].waiting));
    });
    for (std::size_t i = 0; i < running_.size(); ++i) running_[i].chosen = left[i];
  }

  struct Claimed {
    std::int64_t job_class;
    std::uint32_t pool;
    std::int32_t gpus;
  };
  std::vector<Job> jobs_;                ///< by slot
  std::vector<std::uint32_t> returned_;  ///< slots of jobs that lost their GPUs in this pass
  std::vector<std::int64_t> idle_,
      coming_;  ///< by pool: GPUs that nobody in this pass has been given or kept
  std::vector<Claimed> claimed_;
  std::vector<Claimable> claimable_;
  bool passing_ = false;
};

}  // namespace natgpu::scheduling
