// SPDX-License-Identifier: Apache-2.0
// What a trial itself knows of jobs, GPUs and outages, and tells the policy and its rule.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/conformance/trial.hpp>
#include <natgpu/core/time.hpp>

namespace natgpu::conformance {

/// Whether the policy may do what it does is looked at by who derives from it.
class TrialBooks {
 protected:
  TrialBooks(const Candidate& candidate, const TrialWorkload& workload)
      : candidate_(candidate), w_(workload), order_(candidate.order()), subject_(candidate.make()) {
    if (candidate.rule_as_plain_loops) rule_ = candidate.rule_as_plain_loops();
    jobs_.resize(w_.jobs.size());
    taken_.resize(w_.outages.size());
    for (const TrialJob& j : w_.jobs) longest_ = std::max(longest_, ticks(j.requested));
    for (std::uint32_t i = 0; i < w_.jobs.size(); ++i)
      instants_.insert({ticks(w_.jobs[i].submit), submission, i});
    for (std::uint32_t i = 0; i < w_.outages.size(); ++i) {
      const Outage& o = w_.outages[i];
      if (o.announced) announce(o);
      instants_.insert({ticks(o.from), loss, i});
      instants_.insert({ticks(o.until), gain, i});
    }
    change_capacity(w_.gpus);
  }

  enum Kind : std::uint8_t { completion, notice_over, gain, loss, submission };  // in order, at one instant
  /// leaving: it was preempted and holds its GPUs until the notice is over; stopped: until the end of the
  /// pass
  enum class State : std::uint8_t { to_come, waiting, running, leaving, stopped, over };
  struct Instant {
    std::int64_t at;
    Kind kind;
    std::uint32_t index;
    friend bool operator<(const Instant& a, const Instant& b) {
      return std::tie(a.at, a.kind, a.index) < std::tie(b.at, b.kind, b.index);
    }
  };
  struct Job {
    State state = State::to_come;
    WaitingJob waiting;
    std::int64_t started = -1, requested_end = 0;
    std::int64_t bound = 0;  ///< instant by which it should have started
    std::int64_t promise = Profile::forever;
    bool requeued = false;
    scheduling::Progress progress;
    std::int64_t kept = 0;  ///< work that a preemption leaves
  };

  static std::int64_t ticks(std::int64_t s) { return s * ticks_per_second; }

  // --- what the policy does

  /// @pre the job waits, and its GPUs are free
  void begin_run(std::uint32_t slot) {
    Job& j = jobs_[slot];
    j.state = State::running;
    j.started = now_;
    j.requested_end = now_ + j.waiting.requested;
    j.promise = Profile::forever;
    free_ -= j.waiting.gpus;
    running_.push_back(slot);
    result_.starts.emplace_back(now_ / ticks_per_second, slot);
    instants_.insert({end_of(slot), completion, slot});
    idle_wakes_ = 0;
  }
  /// The job is preempted. @pre it runs
  void end_run(std::uint32_t slot) {
    Job& j = jobs_[slot];
    instants_.erase({end_of(slot), completion, slot});
    const std::int64_t done = j.kept + std::max<std::int64_t>(now_ - j.started - j.progress.restart, 0);
    j.kept = std::max(j.kept, done - done % ticks(trial_checkpoint));
    j.progress = {ticks(w_.jobs[slot].requested) - j.kept, j.progress.attained + now_ - j.started,
                  ticks(trial_restart)};
    j.waiting.requested = j.progress.remaining + j.progress.restart;
    stopped_.push_back(slot);
    idle_wakes_ = 0;
    if (candidate_.notice > 0) {
      j.state = State::leaving;
      j.requested_end = now_ + candidate_.notice;
      instants_.insert({j.requested_end, notice_over, slot});
      return;
    }
    j.state = State::stopped;
    free_ += j.waiting.gpus;
    running_.erase(std::find(running_.begin(), running_.end(), slot));
  }

  // --- what happens

  void happen(const Instant& i) {
    switch (i.kind) {
      case completion:
        hand_back(i.index);
        jobs_[i.index].state = State::over;
        return;
      case notice_over:
        hand_back(i.index);
        return submit(i.index);
      case gain:
        return end_outage(i.index);
      case loss:
        return begin_outage(i.index);
      case submission:
        return submit_first(i.index);
    }
  }

  std::int64_t end_of(std::uint32_t slot) const {
    const TrialJob& j = w_.jobs[slot];
    return jobs_[slot].started + ticks(std::min(j.run, j.requested)) - jobs_[slot].kept +
           jobs_[slot].progress.restart;
  }
  void submit_first(std::uint32_t i) {
    const TrialJob& j = w_.jobs[i];
    Job& job = jobs_[i];
    job.waiting = {order_.key(now_, ticks(j.requested), j.gpus, i, i, j.account, j.account),
                   ticks(j.requested), static_cast<std::int32_t>(j.gpus), i};
    job.progress.remaining = ticks(j.requested);
    const auto ahead = std::count_if(jobs_.begin(), jobs_.end(), [](const Job& other) {
      return other.state == State::waiting || other.state == State::running;
    });
    job.bound = now_ + (ahead + 1) * longest_;
    submit(i);
  }
  void submit(std::uint32_t i) {
    jobs_[i].state = State::waiting;
    if (head_ != nobody_ && jobs_[i].waiting.order < jobs_[head_].waiting.order)
      head_ = nobody_;  // who stands before it may take its place
    const Submitted s{jobs_[i].waiting, ticks(w_.jobs[i].submit), w_.jobs[i].account, now_,
                      jobs_[i].progress};
    for_both([&](Subject& of) { of.submit(s); });
  }
  void hand_back(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    for_both([&](Subject& of) { of.finish(j.waiting, j.requested_end); });
    free_ += j.waiting.gpus;
    running_.erase(std::find(running_.begin(), running_.end(), slot));
  }
  void announce(const Outage& o) {
    for_both([&](Subject& of) {
      of.foresee(ticks(o.from), -o.gpus);
      of.foresee(ticks(o.until), o.gpus);
    });
    foreseen_.push_back({ticks(o.from), -o.gpus});
    foreseen_.push_back({ticks(o.until), o.gpus});
  }
  void comes_true(std::int64_t delta) {
    for_both([&](Subject& of) { of.withdraw_foreseen(now_, delta); });
    const auto it = std::find(foreseen_.begin(), foreseen_.end(), std::pair{now_, delta});
    foreseen_.erase(it);
  }
  void begin_outage(std::uint32_t i) {
    const Outage& o = w_.outages[i];
    if (o.announced) comes_true(-o.gpus);
    taken_[i] = std::min(o.gpus, capacity_);
    if (!o.announced || taken_[i] != o.gpus) forget_promises();
    while (free_ < taken_[i]) requeue(running_.back());
    change_capacity(-taken_[i]);
  }
  void end_outage(std::uint32_t i) {
    const Outage& o = w_.outages[i];
    if (o.announced) comes_true(o.gpus);
    if (o.announced && taken_[i] != o.gpus) forget_promises();
    change_capacity(taken_[i]);
  }
  void requeue(std::uint32_t slot) {
    forget_promises();
    Job& j = jobs_[slot];
    if (j.state == State::leaving) {
      instants_.erase({j.requested_end, notice_over, slot});
    } else {
      instants_.erase({end_of(slot), completion, slot});
      j.progress.attained += now_ - j.started;
    }
    hand_back(slot);
    jobs_[slot].requeued = true;
    ++result_.requeued;
    submit(slot);
  }
  void change_capacity(std::int64_t delta) {
    if (delta == 0) return;
    free_ += delta;
    capacity_ += delta;
    for_both([&](Subject& of) { of.change_capacity(delta); });
  }
  template <class Tell>
  void for_both(Tell&& tell) {
    tell(*subject_);
    if (rule_ != nullptr) tell(*rule_);
  }

  void forget_promises() {
    for (Job& j : jobs_) j.promise = Profile::forever;
    head_ = nobody_;
  }

  // --- who is first, and when it could start

  std::uint32_t first_waiting() const {
    std::uint32_t first = nobody_;
    for (std::uint32_t i = 0; i < jobs_.size(); ++i)
      if (jobs_[i].state == State::waiting &&
          (first == nobody_ || jobs_[i].waiting.order < jobs_[first].waiting.order))
        first = i;
    return first;
  }
  /// The earliest hole for a job beside what runs and is announced; for nobody, none.
  std::int64_t hole_for(std::uint32_t slot) const {
    if (slot == nobody_) return Profile::forever;
    const WaitingJob& job = jobs_[slot].waiting;
    std::map<std::int64_t, std::int64_t> steps;
    for (const std::uint32_t r : running_) steps[jobs_[r].requested_end] += jobs_[r].waiting.gpus;
    for (const auto& [when, delta] : foreseen_) steps[when] += delta;
    std::int64_t free = free_, start = free_ >= job.gpus ? now_ : Profile::forever;
    for (const auto& [when, delta] : steps) {
      if (start != Profile::forever && when >= start + job.requested) return start;
      free += delta;
      if (free < job.gpus)
        start = Profile::forever;
      else if (start == Profile::forever)
        start = when;
    }
    return start;
  }
  static constexpr std::uint32_t nobody_ = 0xffffffff;

  const Candidate& candidate_;
  const TrialWorkload& w_;
  scheduling::StaticOrder order_;
  std::unique_ptr<Subject> subject_, rule_;
  std::vector<Job> jobs_;
  std::vector<std::int64_t> taken_;  ///< GPUs, by outage
  std::set<Instant> instants_;
  std::vector<std::uint32_t> stopped_;  ///< by the policy in this pass
  std::vector<std::uint32_t> running_;  ///< in the order of their starts, those under notice included
  std::vector<std::pair<std::int64_t, std::int64_t>> foreseen_;
  std::int64_t now_ = -1, free_ = 0, capacity_ = 0, longest_ = 0;
  std::uint32_t head_ = nobody_;
  std::int64_t promise_ = Profile::forever;  ///< to `head_`
  int idle_wakes_ = 0;
  TrialResult result_;
};

}  // namespace natgpu::conformance
