// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/plugged.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/scheduling/profile.hpp>

#include "plugged_accounts.hpp"

namespace natgpu::scheduling {
namespace {

/// More passes in a row that nothing but `wake_at` asked for, and that did nothing, than any rule needs.
constexpr std::uint64_t most_idle_wakes = 1'000'000;

Sieve admit_up_to(std::int64_t gpus, std::int64_t requested) {
  Sieve sieve;
  sieve.largest = gpus;
  for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= gpus; ++size)
    sieve.admit(size, requested);
  return sieve;
}

}  // namespace

/// The books behind the host table, and the policy that asks them.
class PluggedDispatcher::Host {
 public:
  Host(const PluggedPolicy& policy, const Stream& draws, bool arrivals_first,
       const PluggedPreemption& preemption)
      : face_{calls(), this},
        policy_(*policy.table),
        name_(policy.name),
        draws_(draws),
        arrivals_first_(arrivals_first),
        preemption_(preemption) {
    if (policy_.create != nullptr) state_ = policy_.create(&face_);
    begun_ = policy_.create == nullptr || state_ != nullptr;
    if (failure_ && begun_ && policy_.destroy != nullptr) policy_.destroy(state_);
    if (failure_) std::rethrow_exception(failure_);
    if (!begun_)
      throw RunError(fmt::format(
          "{}: the policy cannot begin: its `create` returned null; its author says when it does", name_));
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    if (begun_ && policy_.destroy != nullptr) policy_.destroy(state_);
  }

  // --- what happens between passes

  void submit(const WaitingJob& job, std::int64_t submitted, std::int64_t account, const Progress& progress) {
    if (decisions_ != nullptr) {
      rejoining_.push_back({job, submitted, account, progress});
      return;
    }
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    Record& r = jobs_[job.slot];
    r.state = State::waiting;
    r.waiting = job;
    r.progress = progress;
    r.seen = {job.slot, submitted, job.requested, job.gpus, account, -1, -1};
    queue_.insert(job);
    ++waiting_;
    accounts_.queue(account);
    happened(Happened::submitted, job.slot);
  }
  void finish(std::uint32_t slot) {
    Record& r = jobs_[slot];
    NATGPU_ENSURE(r.state == State::running || r.state == State::stopping,
                  "only a running job hands GPUs back");
    hand_back(r);
    happened(Happened::ended, slot);
  }
  void change_capacity(std::int64_t delta) {
    free_ += delta;
    NATGPU_ENSURE(free_ >= 0 || arrivals_first_, "lost GPUs were freed first");
    events_.push_back({Happened::capacity, 0, delta, at_once});
  }
  void foresee(std::int64_t at, std::int64_t delta) {
    profile_.add(at, delta);
    events_.push_back({Happened::capacity, 0, delta, at});
  }
  void withdraw_foreseen(std::int64_t at, std::int64_t delta) {
    profile_.remove(at, delta);
    // What comes true before the first pass since it was announced is told once, as it happens.
    const auto untold = std::find_if(events_.begin(), events_.end(), [&](const Happened& e) {
      return e.kind == Happened::capacity && e.at == at && e.gpus == delta;
    });
    if (untold != events_.end()) events_.erase(untold);
  }

  std::int64_t free_now() const { return free_; }
  std::size_t waiting() const { return waiting_; }
  std::int64_t next_wake() const { return wakes_.empty() ? forever : *wakes_.begin(); }

  // --- the pass

  void pass(std::int64_t now, const Decisions& decisions) {
    now_ = now;
    decisions_ = &decisions;
    acted_ = !events_.empty();
    due_ = arrivals_first_ ? profile_.due(now) : 0;
    tell_events();
    const bool woken = next_wake() <= now;
    wakes_.erase(wakes_.begin(), wakes_.upper_bound(now));
    if (woken && policy_.on_timer != nullptr && !failure_) policy_.on_timer(state_, &face_, now);
    if (!failure_) policy_.pass(state_, &face_, now);
    decisions_ = nullptr;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    for (const Rejoining& r : rejoining_) submit(r.job, r.submitted, r.account, r.progress);
    rejoining_.clear();
    idle_wakes_ = acted_ ? 0 : idle_wakes_ + 1;
    if (idle_wakes_ > most_idle_wakes)
      throw RunError(fmt::format(
          "{}: the policy has woken itself {} times in a row and done nothing; it should call `wake_at` only "
          "for instants at which it may act",
          name_, most_idle_wakes));
  }

 private:
  enum class State : std::uint8_t { unknown, waiting, running, stopping, gone };
  struct Record {
    State state = State::unknown;
    WaitingJob waiting;
    natgpu_job seen{};
    Progress progress;
    std::int64_t requested_end = 0;  ///< of one that is stopping: when it hands its GPUs back
  };
  /// A job that lost its GPUs in this pass.
  struct Rejoining {
    WaitingJob job;
    std::int64_t submitted, account;
    Progress progress;
  };
  struct Happened {
    enum Kind : std::uint8_t { submitted, ended, capacity } kind;
    std::uint32_t slot;
    std::int64_t gpus, at;
  };
  static constexpr std::int64_t at_once = -1;

  /// What the policy holds, and the way back from there.
  struct Face : natgpu_host {
    Host* host;
  };
  static Host& of(const natgpu_host* face) { return *static_cast<const Face*>(face)->host; }
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
              const Record* r = of(h).record(job);
              return r != nullptr ? &r->seen : nullptr;
            },
            [](const natgpu_host* h, std::int64_t account) {
              return of(h).accounts_.settled(account, of(h).now_);
            },
            [](const natgpu_host* h, std::int64_t entity, std::int64_t index) {
              return of(h).uniform(entity, index);
            },
            [](const natgpu_host* h, std::int64_t job, std::int64_t pool) { return of(h).start(job, pool); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).preempt(job); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).reject(job); },
            [](const natgpu_host* h, std::int64_t instant) { return of(h).wake_at(instant); },
            [](const natgpu_host* h, std::int64_t job) { return of(h).remaining(job); },
            [](const natgpu_host* h, const char* message) { of(h).fail(message); }};
  }

  // --- questions

  std::int64_t next_fit(std::int64_t from, std::int64_t gpus, std::int64_t requested,
                        std::int64_t pool) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (pool != 0) return NATGPU_NO_POOL;
    const Record* behind = record(from);
    if (behind == nullptr && from != -1) return NATGPU_NO_JOB;
    if (gpus < 1 || requested < 1) return NATGPU_NONE;
    const WaitingQueue::Found found =
        queue_.find(admit_up_to(gpus, requested), behind != nullptr ? &behind->waiting.order : nullptr,
                    nullptr, [](const WaitingJob&) { return true; });
    return found.job != nullptr ? found.job->slot : std::int64_t{NATGPU_NONE};
  }
  std::int64_t shadow(std::int64_t job, std::int64_t pool) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (pool != 0) return NATGPU_NO_POOL;
    const Record* r = record(job);
    if (r == nullptr) return NATGPU_NO_JOB;
    return profile_.hole(now_, free_, r->seen.gpus, r->seen.requested).at;
  }
  std::int64_t least_free(std::int64_t pool, std::int64_t from, std::int64_t until) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (pool != 0) return NATGPU_NO_POOL;
    if (from < now_ || until <= from) return NATGPU_BAD_TIME;
    return profile_.least(from, until, free_);
  }
  std::int64_t uniform(std::int64_t entity, std::int64_t index) const {
    const auto i = static_cast<std::uint64_t>(index);
    const Block b = draws_.block(static_cast<std::uint64_t>(entity), static_cast<std::uint32_t>(i),
                                 static_cast<std::uint32_t>(i >> 32));
    return static_cast<std::int64_t>(b.wide(0) >> 1);
  }

  std::int64_t remaining(std::int64_t job) const {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    const Record* r = record(job);
    if (r == nullptr) return NATGPU_NO_JOB;
    if (r->state == State::waiting) return r->progress.remaining;
    if (r->state != State::running) return NATGPU_NONE;
    return r->progress.remaining - std::max<std::int64_t>(now_ - r->seen.started - r->progress.restart, 0);
  }

  // --- acts

  std::int64_t start(std::int64_t job, std::int64_t pool) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    if (pool != 0) return NATGPU_NO_POOL;
    Record* r = record(job);
    if (r == nullptr) return NATGPU_NO_JOB;
    if (r->state != State::waiting) return NATGPU_NOT_WAITING;
    if (room_now(now_ + r->waiting.requested) < r->seen.gpus) return NATGPU_NO_ROOM;
    leave_queue(*r);
    r->state = State::running;
    r->seen.started = now_;
    r->seen.pool = 0;
    r->requested_end = now_ + r->waiting.requested;
    free_ -= r->seen.gpus;
    profile_.add(r->requested_end, r->seen.gpus);
    accounts_.hold(r->seen, 1, now_);
    decisions_->start(decisions_->to, r->waiting);
    if (policy_.on_start != nullptr) policy_.on_start(state_, &face_, &r->seen);
    return NATGPU_OK;
  }
  std::int64_t preempt(std::int64_t job) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    Record* r = record(job);
    if (r == nullptr) return NATGPU_NO_JOB;
    if (!preemption_.possible) return NATGPU_UNSUPPORTED;
    if (r->state != State::running) return NATGPU_NOT_RUNNING;
    const std::int64_t ran = now_ - r->seen.started;
    if (ran == 0 || ran < preemption_.shield) return NATGPU_TOO_SOON;
    acted_ = true;
    if (preemption_.notice > 0) {
      profile_.remove(r->requested_end, r->seen.gpus);
      r->requested_end = now_ + preemption_.notice;
      profile_.add(r->requested_end, r->seen.gpus);
      r->state = State::stopping;
    } else {
      hand_back(*r);
      accounts_.hold(r->seen, -1, now_);
    }
    try {
      decisions_->preempt(decisions_->to, r->waiting);
    } catch (...) {  // the policy's frames may be C's, which no exception may cross
      failure_ = std::current_exception();
      decisions_ = nullptr;
      return NATGPU_NOT_NOW;
    }
    if (r->state == State::gone && policy_.on_end != nullptr) policy_.on_end(state_, &face_, &r->seen);
    return NATGPU_OK;
  }
  std::int64_t reject(std::int64_t job) {
    if (decisions_ == nullptr) return NATGPU_NOT_NOW;
    Record* r = record(job);
    if (r == nullptr) return NATGPU_NO_JOB;
    if (r->state != State::waiting) return NATGPU_NOT_WAITING;
    leave_queue(*r);
    r->state = State::gone;
    decisions_->reject(decisions_->to, r->waiting);
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

  // --- books

  void hand_back(Record& r) {
    r.state = State::gone;
    profile_.remove(r.requested_end, r.seen.gpus);
    free_ += r.seen.gpus;
    r.seen.started = r.seen.pool = -1;
  }
  void happened(Happened::Kind kind, std::uint32_t slot) { events_.push_back({kind, slot, 0, at_once}); }
  void tell_events() {
    // The books of accounts move first: what is told of one event may be asked of another.
    for (const Happened& e : events_)
      if (e.kind == Happened::ended) accounts_.hold(jobs_[e.slot].seen, -1, now_);
    for (const Happened& e : events_) {
      if (failure_) break;
      if (e.kind == Happened::capacity) {
        if (policy_.on_capacity != nullptr)
          policy_.on_capacity(state_, &face_, 0, e.gpus, e.at == at_once ? now_ : e.at);
      } else {
        const auto tell = e.kind == Happened::submitted ? policy_.on_submit : policy_.on_end;
        if (tell != nullptr) tell(state_, &face_, &jobs_[e.slot].seen);
      }
    }
    events_.clear();
  }
  const Record* record(std::int64_t job) const {
    const bool known = job >= 0 && static_cast<std::size_t>(job) < jobs_.size() &&
                       jobs_[static_cast<std::size_t>(job)].state != State::unknown;
    return known ? &jobs_[static_cast<std::size_t>(job)] : nullptr;
  }
  Record* record(std::int64_t job) { return const_cast<Record*>(std::as_const(*this).record(job)); }
  /// What a start may take: GPUs that are idle now, and stay so until then.
  std::int64_t room_now(std::int64_t until) const {
    return std::min(profile_.least(now_, until, free_), free_ + due_);
  }
  void leave_queue(Record& r) {
    queue_.erase(r.waiting.order, r.waiting.gpus);
    --waiting_;
    accounts_.leave_queue(r.seen.account);
    acted_ = true;
  }

  Face face_;
  const natgpu_policy& policy_;
  std::string name_;
  Stream draws_;
  void* state_ = nullptr;
  bool begun_ = false;
  bool arrivals_first_;
  PluggedPreemption preemption_;
  std::vector<Rejoining> rejoining_;
  std::exception_ptr failure_;  ///< of the sink, in this pass, or the policy's own
  std::vector<Record> jobs_;    ///< by slot
  PluggedAccounts accounts_;
  WaitingQueue queue_;
  std::size_t waiting_ = 0;
  Profile profile_;
  std::int64_t free_ = 0;
  std::int64_t due_ = 0;          ///< held by jobs whose requested end is now (arrivals first only)
  std::vector<Happened> events_;  ///< since the last pass
  std::set<std::int64_t> wakes_;
  std::int64_t now_ = 0;
  const Decisions* decisions_ = nullptr;  ///< while a pass lasts
  bool acted_ = false;
  std::uint64_t idle_wakes_ = 0;
};

PluggedDispatcher::PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, bool arrivals_first,
                                     const PluggedPreemption& preemption)
    : host_(std::make_unique<Host>(policy, draws, arrivals_first, preemption)) {}
PluggedDispatcher::PluggedDispatcher(PluggedDispatcher&&) noexcept = default;
PluggedDispatcher::~PluggedDispatcher() = default;

void PluggedDispatcher::submit(const WaitingJob& job, std::int64_t submitted, std::int64_t account,
                               const Progress& progress) {
  host_->submit(job, submitted, account, progress);
}
void PluggedDispatcher::finish_job(std::uint32_t slot) {
  host_->finish(slot);
}
void PluggedDispatcher::change_capacity(std::uint32_t, std::int64_t delta) {
  host_->change_capacity(delta);
}
void PluggedDispatcher::foresee(std::uint32_t, std::int64_t at, std::int64_t delta) {
  host_->foresee(at, delta);
}
void PluggedDispatcher::withdraw_foreseen(std::uint32_t, std::int64_t at, std::int64_t delta) {
  host_->withdraw_foreseen(at, delta);
}
std::int64_t PluggedDispatcher::free(std::uint32_t) const {
  return host_->free_now();
}
std::size_t PluggedDispatcher::waiting() const {
  return host_->waiting();
}
std::int64_t PluggedDispatcher::next_start() const {
  return host_->next_wake();
}
void PluggedDispatcher::run_pass(std::int64_t now, const Decisions& decisions) {
  host_->pass(now, decisions);
}

}  // namespace natgpu::scheduling
