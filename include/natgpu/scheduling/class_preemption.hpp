// SPDX-License-Identifier: Apache-2.0
// One pool whose waiting jobs take GPUs from running ones of lower class. For replays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <natgpu/scheduling/preemptive_books.hpp>

namespace natgpu::scheduling {

/// Jobs start in queue order. One that does not fit claims GPUs of running jobs of lower class, all it lacks
/// or none: first of the lowest class, there of the latest start, then of the highest id; then those that
/// turn out not to be needed are spared, the last chosen first. Nobody loses GPUs inside the shield or in the
/// pass of its start, and who lost them does not start in that pass. A job that gets none blocks those behind
/// it, or with `fit` is passed over. A job's class is the key of its place in the queue; the smallest is the
/// highest.
///
/// A pass is O((s + 1)(R log R + c log n)) for s starts, R running jobs of c classes and n waiting jobs.
class ClassPreemption : public PreemptiveBooks {
 public:
  /// Of the rule, only `skips`, shield, notice and round count.
  explicit ClassPreemption(PreemptiveRule rule) : PreemptiveBooks(std::move(rule)) {}

  void submit(const WaitingJob& job, const Progress&, std::int64_t) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    jobs_[job.slot] = job;
    ++waiting_;
    if (passing_)
      returned_.push_back(job);
    else
      queue_.insert(job);
  }

  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now)) return;
    passing_ = true;
    idle_ = free_;
    coming_ = under_notice();
    for (Run& r : running_) r.chosen = shielded(r, now);
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* found = next_claimant(after)) {
      const WaitingJob job = *found;
      last = job.order;
      after = &last;
      if (!serve(job, now, sink) && !rule_.skips) break;
    }
    passing_ = false;
    for (const WaitingJob& job : returned_) queue_.insert(job);
    returned_.clear();
    note_shields(now);
  }

 private:
  /// The next waiting job that may get GPUs; where nobody is passed over, the next one.
  const WaitingJob* next_claimant(const QueueKey* after) const {
    const auto any = [](const WaitingJob&) { return true; };
    if (!rule_.skips) return queue_.find(up_to(forever), after, nullptr, any).job;
    std::vector<std::pair<std::int64_t, std::int64_t>>
        classes;  // class, GPUs that it and lower ones may lose
    for (const Run& r : running_)
      if (!r.chosen) classes.emplace_back(r.place.key, r.gpus);
    std::sort(classes.begin(), classes.end());
    for (std::size_t i = classes.size(); i-- > 1;) classes[i - 1].second += classes[i].second;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (i > 0 && classes[i].first == classes[i - 1].first) continue;
      // Those above this class may claim it and all below; those above the one before have been looked for.
      const QueueKey bound{classes[i].first, 0};
      if (after != nullptr && bound < *after) continue;
      const WaitingJob* job = queue_.find(up_to(idle_ + coming_ + classes[i].second), after, &bound, any).job;
      if (job != nullptr) return job;
    }
    return queue_.find(up_to(idle_ + coming_), after, nullptr, any).job;
  }

  /// @returns whether the job starts
  template <class Sink>
  bool serve(const WaitingJob& job, std::int64_t now, Sink& sink) {
    if (job.gpus > idle_ + coming_ && !claim(job, sink)) return false;
    if (job.gpus > idle_) {  // the rest is under notice, and kept for it
      coming_ -= job.gpus - idle_;
      idle_ = 0;
      return false;
    }
    idle_ -= job.gpus;
    free_ -= job.gpus;
    queue_.erase(job.order, job.gpus);
    --waiting_;
    running_.push_back({job.order, job.slot, job.gpus, now, true});
    sink.start(job, 0, job.requested);
    return true;
  }
  template <class Sink>
  bool claim(const WaitingJob& job, Sink& sink) {
    std::vector<std::size_t> victims;
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (!running_[i].chosen && running_[i].place.key > job.order.key) victims.push_back(i);
    std::sort(victims.begin(), victims.end(), [this](std::size_t a, std::size_t b) {
      const Run &x = running_[a], &y = running_[b];
      if (x.place.key != y.place.key) return x.place.key > y.place.key;
      return x.started != y.started ? x.started > y.started : x.place.id > y.place.id;
    });
    std::int64_t lacking = job.gpus - idle_ - coming_;
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
    std::int64_t& pool = rule_.notice > 0 ? coming_ : idle_;
    take_back([&](const Run& r) {
      pool += r.gpus;
      sink.preempt(WaitingJob(jobs_[r.slot]));
    });
    for (std::size_t i = 0; i < running_.size(); ++i) running_[i].chosen = left[i];
  }

  std::vector<WaitingJob> jobs_;  ///< by slot
  WaitingQueue queue_;
  std::vector<WaitingJob> returned_;    ///< in this pass
  std::int64_t idle_ = 0, coming_ = 0;  ///< GPUs that nobody in this pass has been given or kept
  bool passing_ = false;
};

}  // namespace natgpu::scheduling
