// SPDX-License-Identifier: Apache-2.0
// What stands behind the host table of natgpu/policy.h, whatever the policy is asked about: counted GPUs, or
// machines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/scheduling/plugged.hpp>

#include "plugged_jobs.hpp"

namespace natgpu::scheduling {

/// More passes in a row that nothing but `wake_at` asked for, and that did nothing, than any rule needs.
inline constexpr std::uint64_t most_idle_wakes = 1'000'000;

/// The books behind the host table, and the policy that asks them.
/// @tparam Books  PluggedBooks of counted GPUs, or PluggedNodeBooks of machines
template <class Books>
class PluggedHost {
 public:
  /// @param books  what the books are made of
  template <class... Parts>
  PluggedHost(const PluggedPolicy& policy, const Stream& draws, const PluggedPreemption& preemption,
              Parts&&... books)
      : face_{calls(), this},
        policy_(*policy.table),
        name_(policy.name),
        draws_(draws),
        preemption_(preemption),
        books_(std::forward<Parts>(books)...) {
    if (policy_.create != nullptr) state_ = policy_.create(&face_);
    begun_ = policy_.create == nullptr || state_ != nullptr;
    if (failure_ && begun_ && policy_.destroy != nullptr) policy_.destroy(state_);
    if (failure_) std::rethrow_exception(failure_);
    if (!begun_)
      throw RunError(fmt::format(
          "{}: the policy cannot begin: its `create` returned null; its author says when it does", name_));
  }
  PluggedHost(const PluggedHost&) = delete;
  PluggedHost& operator=(const PluggedHost&) = delete;
  ~PluggedHost() {
    if (begun_ && policy_.destroy != nullptr) policy_.destroy(state_);
  }

  // --- what happens between passes

  void submit(const PluggedSubmission& job) {
    if (decisions_ != nullptr)
      rejoining_.push_back(job);
    else
      happened(Happened::submitted, books_.join_queue(job).seen);
  }
  void withdraw(std::uint32_t slot) {
    PluggedJob& j = books_.at(slot);
    NATGPU_ENSURE(j.state == PluggedState::waiting, "a job that is withdrawn waits");
    books_.leave_queue(j);
    happened(Happened::withdrawn, j.seen);
  }
  void finish(std::uint32_t slot) {
    PluggedJob& j = books_.at(slot);
    NATGPU_ENSURE(j.state == PluggedState::running || j.state == PluggedState::stopping,
                  "only a running job hands GPUs back");
    books_.hand_back(j);
    happened(Happened::ended, j.seen);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    books_.change_capacity(pool, delta);
    events_.push_back({Happened::resized, {}, pool, delta, at_once});
  }
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    books_.foresee(pool, at, delta);
    events_.push_back({Happened::resized, {}, pool, delta, at});
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    books_.withdraw_foreseen(pool, at, delta);
    // What comes true before the first pass since it was announced is told once, as it happens.
    const auto untold = std::find_if(events_.begin(), events_.end(), [&](const Happened& e) {
      return e.kind == Happened::resized && e.pool == pool && e.at == at && e.gpus == delta;
    });
    if (untold != events_.end()) events_.erase(untold);
  }

  Books& books() { return books_; }
  const Books& books() const { return books_; }
  std::int64_t next_wake() const { return wakes_.empty() ? NATGPU_NEVER : *wakes_.begin(); }

  // --- the pass

  void pass(std::int64_t now, const PluggedDecisions& decisions) {
    now_ = now;
    decisions_ = &decisions;
    acted_ = !events_.empty();
    books_.begin_pass(now);
    tell_events();
    const bool woken = next_wake() <= now;
    wakes_.erase(wakes_.begin(), wakes_.upper_bound(now));
    if (woken && policy_.on_timer != nullptr && !failure_) policy_.on_timer(state_, &face_, now);
    if (!failure_) policy_.pass(state_, &face_, now);
    decisions_ = nullptr;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    for (const PluggedSubmission& job : rejoining_) submit(job);
    rejoining_.clear();
    idle_wakes_ = acted_ ? 0 : idle_wakes_ + 1;
    if (idle_wakes_ > most_idle_wakes)
      throw RunError(fmt::format(
          "{}: the policy has woken itself {} times in a row and done nothing; it should call `wake_at` only "
          "for instants at which it may act",
          name_, most_idle_wakes));
  }

 private:
  struct Happened {
    enum Kind : std::uint8_t { submitted, withdrawn, ended, resized } kind;
    natgpu_job job;  ///< as it was then: its slot may be another's when the policy is told
    std::int64_t pool, gpus, at;
  };
  static constexpr std::int64_t at_once = -1;

  /// What the policy holds, and the way back from there.
  struct Face : natgpu_host {
    PluggedHost* host;
  };
  static PluggedHost& of(const natgpu_host* face) { return *static_cast<const Face*>(face)->host; }
  static natgpu_host calls() {
    return {NATGPU_POLICY_ABI,
            sizeof(natgpu_host),
            [](const natgpu_host* h, std::int64_t from, std::int64_t gpus, std::int64_t requested,
               std::int64_t pool) { return of(h).next_fit(from, gpus, requested, pool); },
            [](const natgpu_host* h, std::int64_t job, std::int64_t pool) { return of(h).shadow(job, pool); },
            [](const natgpu_host* h, std::int64_t pool, std::int64_t from, std::int64_t until) {
              return of(h).least_free(pool, from, until);
            },
            [](const natgpu_host* h, std::int64_t job) -> const natgpu_job* {
              const PluggedJob* j = of(h).books_.find(job);
              return j != nullptr ? &j->seen : nullptr;
            },
            [](const natgpu_host* h, std::int64_t account) {
              return of(h).books_.accounts().settled(account, of(h).now_);
            },
            [](const natgpu_host* h, std::int64_t entity, std::int64_t index) {
              return of(h).uniform(entity, index);
            },
            [](const natgpu_host* h, std::int64_t job, std::int64_t pool) { return of(h).start(job, pool); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).preempt(job); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).reject(job); },
            [](const natgpu_host* h, std::int64_t instant) { return of(h).wake_at(instant); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).remaining(job); },
            [](const natgpu_host* h, const char* message) { of(h).fail(message); },
            [](const natgpu_host* h) { return of(h).books_.pools(); },
            [](const natgpu_host* h, std::int64_t job, std::int64_t rank) { return of(h).choice(job, rank); },
            [](const natgpu_host* h, std::int64_t job, std::int64_t pool) {
              return of(h).requested_on(job, pool);
            }};
  }

  // --- questions

  std::int64_t next_fit(std::int64_t from, std::int64_t gpus, std::int64_t requested, std::int64_t pool) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (pool != NATGPU_NONE && !books_.has_pool(pool)) return NATGPU_NO_POOL;
    return books_.next_fit(from, gpus, requested, pool);
  }
  std::int64_t shadow(std::int64_t job, std::int64_t pool) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (!books_.has_pool(pool)) return NATGPU_NO_POOL;
    const PluggedJob* j = books_.find(job);
    return j != nullptr ? books_.shadow(*j, pool, now_) : std::int64_t{NATGPU_NO_JOB};
  }
  std::int64_t least_free(std::int64_t pool, std::int64_t from, std::int64_t until) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (!books_.has_pool(pool)) return NATGPU_NO_POOL;
    if (from < now_ || until <= from) return NATGPU_BAD_TIME;
    return books_.least_free(pool, from, until);
  }
  std::int64_t uniform(std::int64_t entity, std::int64_t index) const {
    const auto i = static_cast<std::uint64_t>(index);
    const Block b = draws_.block(static_cast<std::uint64_t>(entity), static_cast<std::uint32_t>(i),
                                 static_cast<std::uint32_t>(i >> 32));
    return static_cast<std::int64_t>(b.wide(0) >> 1);
  }

  std::int64_t remaining(std::int64_t job) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    const PluggedJob* j = books_.find(job);
    return j != nullptr ? books_.remaining(*j, now_) : std::int64_t{NATGPU_NO_JOB};
  }
  std::int64_t choice(std::int64_t job, std::int64_t rank) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    const PluggedJob* j = books_.find(job);
    return j != nullptr ? books_.choice(*j, rank) : std::int64_t{NATGPU_NO_JOB};
  }
  std::int64_t requested_on(std::int64_t job, std::int64_t pool) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    const PluggedJob* j = books_.find(job);
    return j != nullptr ? books_.requested_on(*j, pool) : std::int64_t{NATGPU_NO_JOB};
  }

  // --- acts

  std::int64_t start(std::int64_t job, std::int64_t pool) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (!books_.has_pool(pool)) return NATGPU_NO_POOL;
    PluggedJob* j = books_.find(job);
    if (j == nullptr) return NATGPU_NO_JOB;
    if (j->state != PluggedState::waiting) return NATGPU_NOT_WAITING;
    const std::int64_t requested = books_.start(*j, pool, now_);
    if (requested < 0) return requested;
    acted_ = true;
    decisions_->start(decisions_->to, j->asked.job, static_cast<std::uint32_t>(pool), requested);
    if (policy_.on_start != nullptr) policy_.on_start(state_, &face_, &j->seen);
    return NATGPU_OK;
  }
  std::int64_t preempt(std::int64_t job) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    PluggedJob* j = books_.find(job);
    if (j == nullptr) return NATGPU_NO_JOB;
    if (!preemption_.possible || !j->asked.may_preempt) return NATGPU_UNSUPPORTED;
    if (j->state != PluggedState::running) return NATGPU_NOT_RUNNING;
    const std::int64_t ran = now_ - j->seen.started;
    if (ran == 0 || ran < preemption_.shield) return NATGPU_TOO_SOON;
    acted_ = true;
    if (preemption_.notice > 0) {
      books_.move_end(*j, now_ + preemption_.notice);
      j->state = PluggedState::stopping;
    } else {
      books_.hand_back(*j);
      books_.accounts().hold(j->seen, -1, now_);
    }
    try {
      decisions_->preempt(decisions_->to, j->asked.job);
    } catch (...) {  // the policy's frames may be C's, which no exception may cross
      failure_ = std::current_exception();
      decisions_ = nullptr;
      return NATGPU_NOT_NOW;
    }
    if (j->state == PluggedState::gone && policy_.on_end != nullptr) policy_.on_end(state_, &face_, &j->seen);
    return NATGPU_OK;
  }
  std::int64_t reject(std::int64_t job) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    PluggedJob* j = books_.find(job);
    if (j == nullptr) return NATGPU_NO_JOB;
    if (j->state != PluggedState::waiting) return NATGPU_NOT_WAITING;
    if (!j->asked.may_reject) return NATGPU_UNSUPPORTED;
    acted_ = true;
    books_.leave_queue(*j);
    decisions_->reject(decisions_->to, j->asked.job);
    return NATGPU_OK;
  }
  std::int64_t wake_at(std::int64_t instant) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (instant <= now_) return NATGPU_BAD_TIME;
    if (instant != NATGPU_NEVER) wakes_.insert(instant);
    return NATGPU_OK;
  }

  /// The first failure counts. It comes out when the policy has returned.
  void fail(const char* message) {
    if (failure_) return;
    failure_ = std::make_exception_ptr(RunError(
        fmt::format("{}: the policy gives up: {}", name_,
                    message != nullptr && *message != '\0' ? printable(message) : "it does not say why")));
    decisions_ = nullptr;
  }

  // --- what the policy is told

  void happened(typename Happened::Kind kind, const natgpu_job& job) {
    events_.push_back({kind, job, 0, 0, at_once});
  }
  void tell_events() {
    // The books of accounts move first: what is told of one event may be asked of another.
    for (const Happened& e : events_)
      if (e.kind == Happened::ended) books_.accounts().hold(e.job, -1, now_);
    for (const Happened& e : events_) {
      if (failure_) break;
      tell(e);
    }
    events_.clear();
  }
  void tell(const Happened& e) {
    if (e.kind == Happened::resized) {
      if (policy_.on_capacity != nullptr)
        policy_.on_capacity(state_, &face_, e.pool, e.gpus, e.at == at_once ? now_ : e.at);
      return;
    }
    const auto call = e.kind == Happened::submitted ? policy_.on_submit
                      : e.kind == Happened::ended   ? policy_.on_end
                                                    : policy_.on_withdraw;
    if (call == nullptr) return;
    // Who is still there is shown as it is, others as they were.
    const PluggedJob* j = books_.find(e.job.id);
    call(state_, &face_, j != nullptr ? &j->seen : &e.job);
  }

  Face face_;
  const natgpu_policy& policy_;
  std::string name_;
  Stream draws_;
  void* state_ = nullptr;
  bool begun_ = false;
  PluggedPreemption preemption_;
  std::vector<PluggedSubmission> rejoining_;  ///< lost their GPUs in this pass
  std::exception_ptr failure_;                ///< of the sink, in this pass, or the policy's own
  Books books_;
  std::vector<Happened> events_;  ///< since the last pass
  std::set<std::int64_t> wakes_;
  std::int64_t now_ = 0;
  const PluggedDecisions* decisions_ = nullptr;  ///< while a pass lasts
  bool acted_ = false;
  std::uint64_t idle_wakes_ = 0;
};

}  // namespace natgpu::scheduling
