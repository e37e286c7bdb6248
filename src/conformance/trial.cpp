// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/trial.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include <natgpu/core/time.hpp>

#include "between.hpp"

namespace natgpu::conformance {
namespace {

/// Passes in a row that only the policy asked for, and that did nothing, after which it is taken to sleep.
constexpr int most_idle_wakes = 1000;
/// Preemptions of one trial after which its jobs are taken never to end.
constexpr std::uint64_t most_preempted = 100'000;

std::string at(std::int64_t ticks) {
  return fmt::format("{}", static_cast<double>(ticks) / static_cast<double>(ticks_per_second));
}

/// Ends a trial at the first violation.
struct Found {
  Violation violation;
};
[[noreturn]] void found(Flaw flaw, std::string what) {
  throw Found{{flaw, std::move(what)}};
}

class Trial {
 public:
  Trial(const Candidate& candidate, const TrialWorkload& workload)
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

  TrialResult run() {
    try {
      while (step()) {
      }
      look_for_lost();
    } catch (const Found& f) {
      result_.violation = f.violation;
    }
    return result_;
  }

 private:
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

  // --- the run

  /// All of one instant. @returns false if nothing is left
  bool step() {
    const std::int64_t event = instants_.empty() ? Profile::forever : instants_.begin()->at;
    const std::int64_t wake = subject_->next_start();
    if (wake != Profile::forever && wake <= now_)
      found(Flaw::lost,
            fmt::format("at {}: the policy asks for a pass at {}, which is over", at(now_), at(wake)));
    const std::int64_t next = std::min(event, wake);
    if (next == Profile::forever) return false;
    look_for_late(next);
    now_ = next;
    if (event == next) idle_wakes_ = 0;
    if (++idle_wakes_ > most_idle_wakes) return false;
    while (!instants_.empty() && instants_.begin()->at == now_) {
      const Instant i = *instants_.begin();
      instants_.erase(instants_.begin());
      happen(i);
    }
    pass();
    return true;
  }
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

  /// Starts of one pass. Those of the policy are carried out. A violation waits until the policy has
  /// returned: its frames may be C's, which no exception may cross.
  class Acts : public Decisions {
   public:
    Acts(Trial& trial, std::vector<std::uint32_t>& starts) : trial_(trial), starts_(starts) {}
    void start(std::uint32_t slot) override {
      guarded([&] { trial_.start(slot); });
      starts_.push_back(slot);
    }
    void reject(std::uint32_t slot) override {
      guarded([&] { trial_.reject(slot); });
    }
    void preempt(std::uint32_t slot) override {
      guarded([&] { trial_.preempt(slot); });
    }
    void raise_if_any() const {
      if (first_) throw Found{*first_};
    }

   private:
    template <class Act>
    void guarded(Act&& act) {
      if (first_) return;
      try {
        act();
      } catch (const Found& f) {
        first_ = f.violation;
      }
    }
    Trial& trial_;
    std::vector<std::uint32_t>& starts_;
    std::optional<Violation> first_;
  };
  void pass() {
    std::vector<std::uint32_t> starts;
    Notes by_rule;
    stopped_.clear();
    Acts acts(*this, starts);
    subject_->pass(now_, acts);
    acts.raise_if_any();
    if (rule_ != nullptr) rule_->pass(now_, by_rule);
    check_promises();
    check_rule("preempted", stopped_, std::move(by_rule.preempted));
    check_rule("started", std::move(starts), std::move(by_rule.started));
    for (const std::uint32_t slot : stopped_)
      if (jobs_[slot].state == State::stopped) submit(slot);
    check_waits();
  }
  void start(std::uint32_t slot) {
    if (slot >= jobs_.size() || jobs_[slot].state != State::waiting)
      found(Flaw::no_such_start,
            fmt::format("at {}: the policy starts job {}, which {}", at(now_), slot,
                        slot >= jobs_.size()                  ? "there is not"
                        : jobs_[slot].state == State::running ? "runs already"
                        : jobs_[slot].state == State::over    ? "is over"
                        : jobs_[slot].state == State::stopped ? "it has preempted in this pass"
                        : jobs_[slot].state == State::leaving ? "is under notice"
                                                              : "has not been submitted"));
    Job& j = jobs_[slot];
    if (j.waiting.gpus > free_)
      found(Flaw::over_allocation, fmt::format("at {}: the policy starts job {} of {} GPUs while {} are free",
                                               at(now_), slot, j.waiting.gpus, free_));
    const std::uint32_t head = candidate_.claims.promise == Promise::head ? first_waiting() : nobody_;
    const std::int64_t before = hole_for(head);
    j.state = State::running;
    j.started = now_;
    j.requested_end = now_ + j.waiting.requested;
    j.promise = Profile::forever;
    free_ -= j.waiting.gpus;
    running_.push_back(slot);
    result_.starts.emplace_back(now_ / ticks_per_second, slot);
    instants_.insert({end_of(slot), completion, slot});
    idle_wakes_ = 0;
    if (head != slot && hole_for(head) > before)
      found(Flaw::broken_promise,
            fmt::format("at {}: job {} starts ahead of job {}, which could start at {} without it and at {} "
                        "beside it",
                        at(now_), slot, head, at(before), at(hole_for(head))));
  }
  void reject(std::uint32_t slot) {
    if (slot >= jobs_.size() || jobs_[slot].state != State::waiting)
      found(Flaw::no_such_start,
            fmt::format("at {}: the policy rejects job {}, which does not wait", at(now_), slot));
    jobs_[slot].state = State::over;
    ++result_.rejected;
  }

  void preempt(std::uint32_t slot) {
    if (slot >= jobs_.size() || jobs_[slot].state != State::running)
      found(Flaw::no_such_preemption,
            fmt::format("at {}: the policy preempts job {}, which {}", at(now_), slot,
                        slot < jobs_.size() && jobs_[slot].state == State::leaving ? "is under notice already"
                                                                                   : "does not run"));
    Job& j = jobs_[slot];
    if (j.started == now_ || now_ - j.started < candidate_.shield)
      found(Flaw::no_such_preemption,
            fmt::format(
                "at {}: the policy preempts job {}, which started at {} and is inside the shield of {} s",
                at(now_), slot, at(j.started), at(candidate_.shield)));
    if (++result_.preempted > most_preempted)
      found(Flaw::lost,
            fmt::format("at {}: job {} is preempted, the {}th time that a job is: they do not come "
                        "to an end",
                        at(now_), slot, result_.preempted));
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

  // --- events

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

  // --- a check between passes

  void look_for_late(std::int64_t next) const {
    if (rule_ == nullptr || candidate_.ranks_by_instant || first_waiting() == nobody_) return;
    if (const std::optional<Slept> slept = slept_through(*rule_, now_, next, candidate_.round))
      found(Flaw::other_rule,
            fmt::format("at {}: by the rule of {}, {}; the policy asks for no pass before {}", at(slept->at),
                        candidate_.rule, slept->does, at(next)));
  }

  // --- checks after a pass

  void check_rule(const char* what, std::vector<std::uint32_t> starts,
                  std::vector<std::uint32_t> by_rule) const {
    if (rule_ == nullptr) return;
    std::sort(starts.begin(), starts.end());
    std::sort(by_rule.begin(), by_rule.end());
    if (starts != by_rule)
      found(Flaw::other_rule, fmt::format("at {}: jobs {}: {}; by the rule of {}: {}", at(now_), what,
                                          listed(starts), candidate_.rule, listed(by_rule)));
  }
  void forget_promises() {
    for (Job& j : jobs_) j.promise = Profile::forever;
    head_ = nobody_;
  }
  void check_promises() {
    if (candidate_.claims.promise == Promise::head) check_head();
    if (candidate_.claims.promise != Promise::holders || rule_ == nullptr) return;
    for (std::uint32_t i = 0; i < jobs_.size(); ++i)
      if (jobs_[i].state == State::waiting) {
        keep_promise(i, jobs_[i].promise, now_ + 1);
        jobs_[i].promise = rule_->promised(i);
      }
  }
  /// Of the first job of the queue alone, from what this trial itself knows.
  void check_head() {
    const std::uint32_t head = first_waiting();
    const std::int64_t shadow = hole_for(head);
    if (head != nobody_ && head == head_) keep_promise(head, promise_, shadow);
    head_ = head;
    promise_ = shadow;
  }
  void keep_promise(std::uint32_t job, std::int64_t promise, std::int64_t next) const {
    if (promise == Profile::forever || next <= promise) return;
    found(
        Flaw::broken_promise,
        fmt::format("at {}: job {} was to start at {} at the latest, and {}", at(now_), job, at(promise),
                    next > now_ + 1 && next != Profile::forever ? fmt::format("can start at {} now", at(next))
                                                                : std::string("still waits")));
  }
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
  void check_waits() {
    if (!w_.outages.empty() || !result_.starved.empty()) return;
    for (std::uint32_t i = 0; i < jobs_.size(); ++i) {
      const Job& j = jobs_[i];
      if (j.state != State::waiting || now_ <= j.bound) continue;
      const std::string what = fmt::format(
          "at {}: job {}, submitted at {}, still waits; all that were before it, one after "
          "another, would have been done by {}",
          at(now_), i, w_.jobs[i].submit, at(j.bound));
      if (candidate_.claims.bounded_wait) found(Flaw::starved, what);
      result_.starved = what;
      return;
    }
  }
  void look_for_lost() const {
    for (std::uint32_t i = 0; i < jobs_.size(); ++i)
      if (jobs_[i].state == State::waiting)
        found(Flaw::lost,
              fmt::format("at {}: job {}{} waits for ever, {} of {} GPUs idle and nothing to come", at(now_),
                          i, jobs_[i].requeued ? ", which lost its GPUs and rejoined the queue," : "", free_,
                          w_.gpus));
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

}  // namespace

TrialResult run_trial(const Candidate& candidate, const TrialWorkload& workload) {
  return Trial(candidate, workload).run();
}

TrialResult run_twice(const Candidate& candidate, const TrialWorkload& workload) {
  TrialResult first = run_trial(candidate, workload);
  if (first.violation) return first;
  const TrialResult second = run_trial(candidate, workload);
  if (second.starts == first.starts && second.preempted == first.preempted && !second.violation) return first;
  std::size_t i = 0;
  while (i < first.starts.size() && i < second.starts.size() && first.starts[i] == second.starts[i]) ++i;
  const auto said = [i](const TrialResult& r) {
    return i < r.starts.size() ? fmt::format("job {} at {}", r.starts[i].second, r.starts[i].first)
                               : std::string("nothing more");
  };
  first.violation = Violation{
      Flaw::not_deterministic,
      fmt::format("start {} of the same workload: first {}, then {}", i + 1, said(first), said(second))};
  return first;
}

}  // namespace natgpu::conformance
