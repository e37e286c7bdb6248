// SPDX-License-Identifier: Apache-2.0
// One pool under an order that takes GPUs back: srtf, srsf, las, las2d. For replays.
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

/// Ranks running and waiting jobs together and gives GPUs in that order while they last; running jobs that
/// get none are preempted, then those that wait start. Jobs inside the shield keep theirs ahead of all.
///
/// While a job waits its rank stands still, so that it has a place in an index; only running jobs are ranked
/// anew. A pass is O(R log R + (R + s) log n) for R running jobs, s starts and n waiting jobs.
class PreemptiveDispatcher : public PreemptiveBooks {
 public:
  explicit PreemptiveDispatcher(PreemptiveRule rule) : PreemptiveBooks(std::move(rule)) {
    NATGPU_ENSURE(rule_.order != Order::las || rule_.quantum > 0, "las needs a quantum");
  }

  /// A job joins the queue, or rejoins it after it lost its GPUs. @param now  ticks
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    Job& j = jobs_[job.slot];
    j.waiting = job;
    j.progress = progress;
    enqueue(j);
    if (rule_.promote == 0 || j.place.key == 0) return;
    j.promotion = now + rule_.promote * (progress.attained - j.forgiven);
    promotions_.insert({j.promotion, job.slot});
    note_wake(j.promotion);
  }
  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now)) return;
    promote(now);
    if (waiting_ > 0) {
      choose(now);
      take_back([&](const Run& r) { sink.preempt(jobs_[r.slot].waiting); });
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
  };
  void enqueue(Job& j) {
    j.place = {rank(rule_, j.progress.remaining, j.progress.attained - j.forgiven, j.waiting.gpus),
               j.waiting.order.id};
    queue_.insert({j.place, j.waiting.requested, j.waiting.gpus, j.waiting.slot});
    ++waiting_;
  }
  void leave_queue(const Job& j) {
    queue_.erase(j.place, j.waiting.gpus);
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
    std::int64_t left = free_ + under_notice();
    for (Run& r : running_) {
      r.chosen = shielded(r, now);
      if (!r.chosen) left += r.gpus;
      const Progress& p = jobs_[r.slot].progress;
      const std::int64_t worked = std::max<std::int64_t>(now - r.started - p.restart, 0);
      r.place.key = rank(rule_, p.remaining - worked, served(r, now), r.gpus);
    }
    std::sort(running_.begin(), running_.end(), [](const Run& a, const Run& b) { return a.place < b.place; });
    QueueKey last;
    const WaitingJob* next = first_fitting(nullptr, left);
    const auto consider_next = [&] {
      if (next->gpus <= left) {
        starts_.push_back(*next);
        left -= next->gpus;
      }
      last = next->order;
      next = first_fitting(&last, left);
    };
    for (Run& r : running_) {
      while (next != nullptr && next->order < r.place) {
        if (next->gpus > left && !rule_.skips) return;
        consider_next();
      }
      if (r.chosen) continue;
      r.chosen = r.gpus <= left;
      if (r.chosen)
        left -= r.gpus;
      else if (!rule_.skips)
        return;
    }
    while (next != nullptr && (rule_.skips || next->gpus <= left)) consider_next();
  }
  /// The next waiting job that could be chosen, or, where nobody is passed over, the next one.
  const WaitingJob* first_fitting(const QueueKey* after, std::int64_t left) const {
    return queue_
        .find(up_to(rule_.skips ? left : forever), after, nullptr, [](const WaitingJob&) { return true; })
        .job;
  }

  template <class Sink>
  void start_chosen(std::int64_t now, Sink& sink) {
    for (const WaitingJob& w : starts_) {
      if (w.gpus > free_) continue;  // its GPUs are under notice
      const Job& j = jobs_[w.slot];
      leave_queue(j);
      free_ -= w.gpus;
      running_.push_back({{0, w.order.id}, w.slot, w.gpus, now});
      const WaitingJob job = j.waiting;
      sink.start(job, 0, job.requested);
    }
  }
  /// Ranks get worse with service, shields end, promotions come.
  void note_changes(std::int64_t now) {
    for (const Run& r : running_)
      if (const std::int64_t worse = until_worse(rule_, served(r, now), r.gpus); worse != forever)
        note_wake(now + worse);
    note_shields(now);
    if (!promotions_.empty()) note_wake(promotions_.begin()->first);
  }

  std::vector<Job> jobs_;  ///< by slot
  WaitingQueue queue_;
  std::set<std::pair<std::int64_t, std::uint32_t>> promotions_;  ///< instant, slot
  std::vector<WaitingJob> starts_;
};

}  // namespace natgpu::scheduling
