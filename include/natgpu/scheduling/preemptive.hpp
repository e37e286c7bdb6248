// SPDX-License-Identifier: Apache-2.0
// One pass under an order that takes GPUs back: srtf, srsf, las, las2d.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>

namespace natgpu::scheduling {

/// Ranks running and waiting jobs together and gives GPUs in that order while they last, of the first pool
/// that a job accepts and that has enough left; running jobs have their own pool alone. Running jobs that get
/// none are preempted, then those that wait start. Firm jobs, and those inside the shield, keep theirs ahead
/// of all. Where nobody is passed over (`skips` false), a job that gets none ends the choice in the pools it
/// accepts.
///
/// While a job waits its rank stands still, so that it has a place in an index; only running jobs are ranked
/// anew. A pass is O(R log R + (R + s) log n) for R running jobs, s starts and n waiting jobs.
class PreemptiveDispatcher : public PreemptiveBooks {
 public:
  explicit PreemptiveDispatcher(PreemptiveRule rule) : PreemptiveBooks(std::move(rule)) { check(); }
  PreemptiveDispatcher(PreemptiveRule rule, std::size_t pools, std::vector<GroupSpec> groups)
      : PreemptiveBooks(std::move(rule), pools, std::move(groups)) {
    check();
  }

  /// A job joins the queue, or rejoins it after it lost its GPUs.
  /// @param now   ticks
  /// @param firm  once it runs, nobody takes its GPUs
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now, std::uint32_t group = 0,
              bool firm = false) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    Job& j = jobs_[job.slot];
    if (!(j.waiting.order == job.order)) j = {};  // the slot was another's
    j.waiting = job;
    j.progress = progress;
    j.group = group;
    j.firm = firm;
    enqueue(j);
    if (rule_.promote == 0 || j.place.key == 0) return;
    j.promotion = now + rule_.promote * (progress.attained - j.forgiven);
    promotions_.insert({j.promotion, job.slot});
    note_wake(j.promotion);
  }
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot) { leave_queue(jobs_[slot]); }

  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested on it)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now)) return;
    promote(now);
    if (waiting_ > 0) {
      choose(now);
      take_back([&](const Run& r) { sink.preempt(WaitingJob(jobs_[r.slot].waiting)); });
      start_chosen(now, sink);
    }
    note_changes(now);
  }

 private:
  struct Job {
    WaitingJob waiting;  ///< as submitted
    Progress progress;
    QueueKey place;             ///< in the queue
    std::int64_t forgiven = 0;  ///< service attained before the last promotion
    std::int64_t promotion = 0;
    std::uint32_t group = 0;
    bool firm = false;
  };
  struct Start {
    std::uint32_t slot;
    PoolChoice where;
  };
  /// The next waiting job to be considered.
  struct Next {
    const WaitingJob* job = nullptr;
    std::uint32_t group = 0;
  };

  void check() const { NATGPU_ENSURE(rule_.order != Order::las || rule_.quantum > 0, "las needs a quantum"); }
  void enqueue(Job& j) {
    j.place = {rank(rule_, j.progress.remaining, j.progress.attained - j.forgiven, j.waiting.gpus),
               j.waiting.order.id};
    queues_[j.group].insert({j.place, j.waiting.requested, j.waiting.gpus, j.waiting.slot});
    ++waiting_;
  }
  void leave_queue(const Job& j) {
    queues_[j.group].erase(j.place, j.waiting.gpus);
    promotions_.erase({j.promotion, j.waiting.slot});
    --waiting_;
  }
  void promote(std::int64_t now) {
    while (!promotions_.empty() && promotions_.begin()->first <= now) {
      Job& j = jobs_[promotions_.begin()->second];
      leave_queue(j);
      j.forgiven = j.progress.attained;
      enqueue(j);
    }
  }
  std::int64_t served(const Run& r, std::int64_t now) const {
    const Job& j = jobs_[r.slot];
    return j.progress.attained - j.forgiven + now - r.started;
  }
  /// Sets `chosen` of running jobs, and `starts_` to the waiting jobs that are chosen.
  void choose(std::int64_t now) {
    starts_.clear();
    rank_running(now);
    QueueKey last;
    Next next = first_fitting(nullptr);
    const auto consider_next = [&] {
      last = next.job->order;
      consider(next);
      next = first_fitting(&last);
    };
    for (Run& r : running_) {
      while (next.job != nullptr && next.job->order < r.place) consider_next();
      Pool& p = pools_[r.pool];
      if (r.chosen || p.closed) continue;
      r.chosen = r.gpus <= p.left;
      if (r.chosen)
        p.left -= r.gpus;
      else if (!rule_.skips)
        p.closed = true;
    }
    while (next.job != nullptr) consider_next();
  }
  void rank_running(std::int64_t now) {
    for (Pool& p : pools_) p.left = p.free + p.under_notice;
    for (Run& r : running_) {
      r.chosen = keeps(r, now);
      if (!r.chosen) pools_[r.pool].left += r.gpus;
      const Progress& p = jobs_[r.slot].progress;
      const std::int64_t worked = work_in(std::max<std::int64_t>(now - r.started - p.restart, 0), r.speed);
      r.place.key = rank(rule_, p.remaining - worked, served(r, now), r.gpus);
    }
    std::sort(running_.begin(), running_.end(), [](const Run& a, const Run& b) { return a.place < b.place; });
    renumber();
  }
  void consider(const Next& next) {
    for (const PoolChoice& c : groups_[next.group].choices) {
      Pool& p = pools_[c.pool];
      if (p.closed || next.job->gpus > p.left) continue;
      p.left -= next.job->gpus;
      starts_.push_back({next.job->slot, c});
      return;
    }
    if (!rule_.skips) close_pools_of(next.group);
  }
  /// The next waiting job that could be chosen, or, where nobody is passed over, the next one.
  Next first_fitting(const QueueKey* after) const {
    Next next;
    for (std::uint32_t g = 0; g < queues_.size(); ++g) {
      if (queues_[g].empty() || !has_open_pool(g)) continue;
      const std::int64_t most =
          rule_.skips ? most_in(g, [this](std::uint32_t p) { return pools_[p].left; }) : forever;
      const QueueKey* bound = next.job != nullptr ? &next.job->order : nullptr;
      const WaitingJob* job =
          queues_[g].find(up_to(most), after, bound, [](const WaitingJob&) { return true; }).job;
      if (job != nullptr) next = {job, g};
    }
    return next;
  }

  template <class Sink>
  void start_chosen(std::int64_t now, Sink& sink) {
    for (const Start& s : starts_) {
      const Job& j = jobs_[s.slot];
      if (j.waiting.gpus > pools_[s.where.pool].free) continue;  // its GPUs are under notice
      leave_queue(j);
      const WaitingJob job = j.waiting;
      begin_run(job, s.where, now, {0, job.order.id}, j.firm, false);
      sink.start(job, s.where.pool, time_at_speed(job.requested, s.where.speed));
    }
  }
  /// Ranks get worse with service, shields end, promotions come.
  void note_changes(std::int64_t now) {
    for (const Run& r : running_)
      if (const std::int64_t worse = until_worse(rule_, served(r, now), r.gpus); !r.firm && worse != forever)
        note_wake(now + worse);
    note_shields(now);
    if (!promotions_.empty()) note_wake(promotions_.begin()->first);
  }

  std::vector<Job> jobs_;                                        ///< by slot
  std::set<std::pair<std::int64_t, std::uint32_t>> promotions_;  ///< instant, slot
  std::vector<Start> starts_;
};

}  // namespace natgpu::scheduling
