// SPDX-License-Identifier: Apache-2.0
// Whatever decides who starts, behind one interface: natgpu's dispatchers, plugged policies, plain loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/conformance/plain_dispatcher.hpp>
#include <natgpu/conformance/trial_accounts.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>

namespace natgpu::conformance {

/// Takes decisions at once, by slot.
class Decisions {
 public:
  virtual ~Decisions() = default;
  virtual void start(std::uint32_t slot) = 0;
  virtual void reject(std::uint32_t slot) = 0;
  virtual void preempt(std::uint32_t slot) = 0;
};

/// A waiting job, and what only some policies see of it. Times are ticks.
struct Submitted {
  WaitingJob job;
  std::int64_t at = 0;  ///< instant of its submission
  std::int64_t account = -1;
  std::int64_t now = 0;  ///< instant at which it joins, or rejoins, the queue
  scheduling::Progress progress;
};

/// One pool, one policy, one run. Times are ticks.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void submit(const Submitted& job) = 0;
  virtual void finish(const WaitingJob& job, std::int64_t requested_end) = 0;
  virtual void change_capacity(std::int64_t delta) = 0;
  virtual void foresee(std::int64_t at, std::int64_t delta) = 0;
  virtual void withdraw_foreseen(std::int64_t at, std::int64_t delta) = 0;
  virtual void pass(std::int64_t now, Decisions& decisions) = 0;
  /// The next instant at which it wants a pass.
  virtual std::int64_t next_start() const { return Profile::forever; }
  /// The start that it has promised to a waiting job, where it says.
  virtual std::int64_t promised(std::uint32_t /*slot*/) const { return Profile::forever; }
  /// Another in the same state; null where there cannot be one.
  virtual std::unique_ptr<Subject> copy() const { return nullptr; }
};

/// What natgpu's dispatchers and the plain loops have in common.
template <class Dispatcher>
class DispatcherSubject : public Subject {
 public:
  explicit DispatcherSubject(Dispatcher dispatcher) : dispatcher_(std::move(dispatcher)) {
    if constexpr (!preemptive) dispatcher_.keep_profile();
  }
  void submit(const Submitted& s) override {
    if constexpr (has_quotas) dispatcher_.attribute(s.job.slot, trial_node(s.account));
    if constexpr (preemptive)
      dispatcher_.submit(s.job, s.progress, s.now);
    else if constexpr (plugged)
      dispatcher_.submit({s.job, s.job.slot, s.at, s.account, s.progress});
    else if constexpr (scheduling::RanksAccounts<Dispatcher>)
      dispatcher_.submit(trial_claimant(s.account, s.job.slot), s.job);
    else
      dispatcher_.submit(0, s.job);
  }
  void finish(const WaitingJob& job, std::int64_t requested_end) override {
    if constexpr (plugged || preemptive)
      dispatcher_.finish_job(job.slot);
    else if constexpr (scheduling::RanksAccounts<Dispatcher>)
      dispatcher_.finish_of(job, requested_end);
    else
      dispatcher_.finish(0, job.gpus, requested_end);
  }
  void change_capacity(std::int64_t delta) override { dispatcher_.change_capacity(0, delta); }
  void foresee(std::int64_t at, std::int64_t delta) override {
    if constexpr (!preemptive) dispatcher_.foresee(0, at, delta);
  }
  void withdraw_foreseen(std::int64_t at, std::int64_t delta) override {
    if constexpr (!preemptive) dispatcher_.withdraw_foreseen(0, at, delta);
  }
  void pass(std::int64_t now, Decisions& decisions) override {
    Sink sink{decisions};
    dispatcher_.pass(now, sink);
  }
  std::int64_t next_start() const override {
    if constexpr (requires { dispatcher_.next_start(); }) return dispatcher_.next_start();
    return Profile::forever;
  }
  std::int64_t promised(std::uint32_t slot) const override {
    if constexpr (requires { dispatcher_.promised(slot); }) return dispatcher_.promised(slot);
    return Profile::forever;
  }
  std::unique_ptr<Subject> copy() const override {
    if constexpr (std::is_copy_constructible_v<Dispatcher>)
      return std::make_unique<DispatcherSubject>(*this);
    else
      return nullptr;
  }

 private:
  /// Knows nothing of announced outages.
  static constexpr bool preemptive = requires(Dispatcher & d, const Submitted& s) {
    d.submit(s.job, s.progress, s.now);
  };
  static constexpr bool plugged = std::is_same_v<Dispatcher, scheduling::PluggedDispatcher>;
  static constexpr bool has_quotas = requires(Dispatcher & d) { d.attribute(0U, 0U); };
  struct Sink {
    Decisions& decisions;
    void start(const WaitingJob& job, std::uint32_t, std::int64_t) { decisions.start(job.slot); }
    void reject(const WaitingJob& job) { decisions.reject(job.slot); }
    void preempt(const WaitingJob& job) { decisions.preempt(job.slot); }
  };
  Dispatcher dispatcher_;
};

template <class Dispatcher>
std::unique_ptr<Subject> subject_of(Dispatcher dispatcher) {
  return std::make_unique<DispatcherSubject<Dispatcher>>(std::move(dispatcher));
}

/// Plain loops under the calls of a dispatcher, for one pool.
template <class Plain>
class PlainAsDispatcher {
 public:
  explicit PlainAsDispatcher(Plain plain) : plain_(std::move(plain)) {}

  void submit(std::uint32_t group, const WaitingJob& job) { plain_.submit({group, job}); }
  bool withdraw(std::uint32_t, const scheduling::QueueKey& key, std::int32_t) {
    for (std::size_t i = 0; i < plain_.waiting.size(); ++i) {
      if (!(plain_.waiting[i].job.order == key)) continue;
      plain_.withdraw(i);
      return true;
    }
    return false;
  }
  void rank_anew(const std::vector<scheduling::Reranked>& jobs) requires requires(Plain& p) {
    p.keep_first();
  }
  {
    for (const scheduling::Reranked& j : jobs)
      for (Queued& q : plain_.waiting)
        if (q.job.order == j.was) q.job.order = j.job.order;
    plain_.keep_first();
  }
  void finish(std::uint32_t, std::int64_t gpus, std::int64_t requested_end) {
    std::size_t i = 0;  // which of several with the same GPUs and end makes no difference
    while (plain_.running[i].gpus != gpus || plain_.running[i].end != requested_end) ++i;
    plain_.finish(i);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) { plain_.change_capacity(pool, delta); }
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) { plain_.foresee(pool, {at, delta}); }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    const auto& foreseen = plain_.pools[pool].foreseen;
    std::size_t i = 0;
    while (foreseen[i].at != at || foreseen[i].delta != delta) ++i;
    plain_.withdraw_foreseen(pool, i, at);
  }
  void keep_profile() {}
  std::int64_t promised(std::uint64_t id) const requires requires(const Plain& p) { p.promised(0); }
  { return plain_.promised(id); }
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    const std::vector<Queued> waiting = plain_.waiting;
    for (const auto& [id, pool] : plain_.pass(now))
      for (const Queued& q : waiting)
        if (q.job.order.id == id) sink.start(q.job, pool, q.job.requested);
  }

 private:
  Plain plain_;
};

}  // namespace natgpu::conformance
