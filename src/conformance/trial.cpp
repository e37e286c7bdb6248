// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/trial.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/time.hpp>

#include "between.hpp"
#include "trial_books.hpp"

namespace natgpu::conformance {
namespace {

/// Passes in a row that only the policy asked for, and that did nothing, after which it is taken to sleep.
constexpr int most_idle_wakes = 1000;
/// Preemptions of one trial after which its jobs are taken never to end.
constexpr std::uint64_t most_preempted = 100'000;

std::string at(std::int64_t instant) {
  return fmt::format("{}", static_cast<double>(instant) / static_cast<double>(ticks_per_second));
}

/// Ends a trial at the first violation.
struct Found {
  Violation violation;
};
[[noreturn]] void found(Flaw flaw, std::string what) {
  throw Found{{flaw, std::move(what)}};
}

class Trial : private TrialBooks {
 public:
  Trial(const Candidate& candidate, const TrialWorkload& workload) : TrialBooks(candidate, workload) {}

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
    begin_run(slot);
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
    end_run(slot);
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
