// SPDX-License-Identifier: Apache-2.0
// One pool, one log, one policy: the model that the engine runs in a replay.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/easy_variant.hpp>
#include <natgpu/scheduling/named.hpp>
#include <natgpu/scheduling/named_conservative.hpp>
#include <natgpu/scheduling/order.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>
#include <natgpu/scheduling/type_speed.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>
#include <natgpu/simulation/replay.hpp>

#include "fifo_dispatcher.hpp"
#include "log_arrivals.hpp"
#include "replay_accounts.hpp"
#include "replay_segments.hpp"
#include "replay_tally.hpp"
#include "replay_types.hpp"
#include "replay_watch.hpp"

namespace natgpu::simulation {

/// Kinds of events, in the order of their phases.
enum ReplayEvent : std::uint8_t { completion, capacity_step, submission, reserved_start, notice_over };

/// One pool, one log, one policy: the model that the engine runs.
template <class Dispatcher>
class Replay {
 public:
  struct Payload {
    std::uint32_t subject = 0;  ///< index of a job, or of an announced step
    std::int32_t gpus = 0;      ///< that a completion frees
  };

  /// @throws OutOfOrder, here or later, if jobs do not arrive in that order
  Replay(const workload::JobLog& log, const ArrivalOrder& order, const ReplayOptions& options,
         const ReplayAccounts& accounts, ReplayResult& result, Dispatcher dispatcher)
      : jobs_(log.jobs),
        options_(options),
        accounts_(accounts),
        result_(result),
        dispatcher_(std::move(dispatcher)),
        queue_order_(queue_order_of(options)),
        arrivals_(log.jobs, order),
        tally_(options.slowdown_floor_s),
        segments_(log.jobs, options),
        completions_in_start_order_(options.semantics.pass == scheduling::PassRule::event) {
    largest_ = result.gpus;
    if constexpr (foresees) announce(result.gpus);
    if constexpr (typed)
      types_.begin(log, options, result);
    else
      dispatcher_.change_capacity(0, result.gpus);
  }

  engine::EventList<Payload>& events() { return events_; }
  Instant next_arrival() const { return arrivals_.next(); }

  engine::Rank arrive(Instant now) {
    const LogArrivals::Arrival arrival = arrivals_.take();
    const std::uint32_t i = arrival.job;
    const workload::LogJob& job = jobs_[i];
    if (fits_machine(i, job)) {
      const std::int64_t asked = requested(job), submitted = now.time_since_epoch().count();
      const scheduling::WaitingJob waiting{
          queue_order_.key(submitted, asked, job.gpus, arrival.rank, i, job.user, job_class(i)),
          believed(job), job.gpus, i};
      if constexpr (in_segments) {
        segments_.queue(waiting, submitted);
        if constexpr (has_quotas) dispatcher_.attribute(i, accounts_.node_of[i]);
        if constexpr (weighs) dispatcher_.entitle(i, weight_of(job, options_));
        submit_segment(waiting, submitted);
      } else if constexpr (ranks_accounts)
        dispatcher_.submit(accounts_.claimant(i, job), waiting);
      else
        dispatcher_.submit(0, waiting);
    }
    return engine::rank_of(engine::Phase::arrive, submission, i);
  }

  void handle(const engine::Event<Payload>& event) {
    const std::uint32_t i = event.payload.subject;
    if constexpr (wakes)
      if (event.phase() == engine::Phase::decide) return;  // the pass is all that is wanted
    if constexpr (foresees) {
      if (event.kind() == capacity_step) {
        const AnnouncedStep& step = options_.announced[i];
        dispatcher_.withdraw_foreseen(0, ticks(step.at_s), step.delta);
        dispatcher_.change_capacity(0, step.delta);
        return;
      }
    }
    if constexpr (in_segments) {
      give_back(i, event.kind());
    } else if constexpr (names) {
      dispatcher_.finish_job(i);
    } else if constexpr (ranks_accounts) {
      dispatcher_.finish_of({{}, 0, event.payload.gpus, i}, ticks(result_.start_s[i]) + requested(jobs_[i]));
    } else if constexpr (foresees) {
      dispatcher_.finish(0, event.payload.gpus, ticks(result_.start_s[i]) + requested(jobs_[i]));
    } else {
      dispatcher_.finish(0, event.payload.gpus, 0);
    }
  }

  void decide(Instant now) {
    dispatcher_.pass(now.time_since_epoch().count(), *this);
    if constexpr (wakes) wake_at_next_start();
  }

  /// The dispatchers' sink. Nothing in a log can change a job's end, so it is known here.
  void start(const scheduling::WaitingJob& waiting, std::uint32_t pool, std::int64_t) {
    if constexpr (typed) types_.start(waiting.slot, pool);
    start(waiting.slot);
  }
  void start(std::uint32_t i) {
    if constexpr (in_segments) return start_segment(i);
    const workload::LogJob& job = jobs_[i];
    const std::int64_t now_s = now_.time_since_epoch().count() / ticks_per_second;
    result_.start_s[i] = now_s;
    result_.end_s[i] = now_s + std::min(job.run_s, job.requested_s);
    result_.killed[i] = job.run_s > job.requested_s;
    tally_.start(job, now_s, result_.end_s[i]);
    if constexpr (varies)
      dispatcher_.extend(0, job.gpus, ticks(now_s) + believed(job), ticks(now_s) + requested(job));
    const std::uint64_t entity = completions_in_start_order_ ? result_.started : i;
    ++result_.started;
    events_.schedule(Instant{Duration{ticks(result_.end_s[i])}},
                     engine::rank_of(engine::Phase::release, completion, entity), Payload{i, job.gpus});
  }

  /// The job loses its GPUs: at once, or after the notice.
  void preempt(const scheduling::WaitingJob& waiting) {
    const std::uint32_t i = waiting.slot;
    const std::int64_t now = now_.time_since_epoch().count();
    events_.cancel(segments_.end_of(i));
    segments_.stop(i, now);
    if constexpr (typed) types_.note(i, segments_.held(i));
    if (options_.preemption.notice == 0) return requeue(i, now);
    events_.schedule(Instant{Duration{now + options_.preemption.notice}},
                     engine::rank_of(engine::Phase::release, notice_over, i), Payload{i, waiting.gpus});
  }

  /// A plugged policy turns a job away: it stays unstarted.
  void reject(const scheduling::WaitingJob&) {}

  void report() const {
    if constexpr (in_segments) {
      if (preempts || segments_.preemptions() > 0) {
        if (!jobs_.empty()) segments_.report(arrivals_.first_submit_s(), result_);
        if constexpr (typed) types_.report(jobs_);
        return;
      }
    }
    if constexpr (reserves) result_.broken_promises = dispatcher_.broken_promises();
    if (!jobs_.empty()) tally_.report(arrivals_.first_submit_s(), result_);
  }

  bool keep_going(Instant now) {
    now_ = now;
    watch_.look(result_.started);
    return true;
  }

 private:
  static constexpr bool preempts = std::is_base_of_v<scheduling::PreemptiveBooks, Dispatcher>;
  static constexpr bool typed = std::is_same_v<Dispatcher, scheduling::TypedGavelDispatcher>;
  static constexpr bool names = std::is_base_of_v<scheduling::NamedBooks, Dispatcher>;
  static constexpr bool foresees = !names && !preempts && !std::is_same_v<Dispatcher, FifoDispatcher>;
  static constexpr bool varies = std::is_base_of_v<scheduling::EasyVariant, Dispatcher>;
  static constexpr bool reserves = requires(const Dispatcher& d) { d.broken_promises(); };
  /// A pass at an instant at which nothing happens would rank anew.
  static constexpr bool ranks_anew = requires { Dispatcher::ranks_anew; };
  static constexpr bool plugged = std::is_same_v<Dispatcher, scheduling::PluggedDispatcher>;
  static constexpr bool in_segments = preempts || plugged;
  static constexpr bool weighs = requires(Dispatcher & d) { d.entitle(0U, 1.0); };
  static constexpr bool has_quotas = requires(Dispatcher & d) { d.attribute(0U, 0U); };
  static constexpr bool ranks_accounts = scheduling::RanksAccounts<Dispatcher>;
  static constexpr bool wakes =
      reserves || plugged || preempts || std::is_same_v<Dispatcher, scheduling::NamedConservative>;

  static scheduling::StaticOrder queue_order_of(const ReplayOptions& options) {
    if (options.plugged) return scheduling::StaticOrder(options.plugged.table->key);
    return {options.order, Streams(options.seed, 0).open("order", "lottery")};
  }
  /// A reserved start, or an instant that a plugged policy asked for, is one of a pass of its own.
  void wake_at_next_start() {
    const Instant next{Duration{dispatcher_.next_start()}};
    if constexpr (preempts || ranks_anew) {  // what it no longer asks for must not come
      if (next == wake_) return;
      events_.cancel(wake_event_);
      wake_ = next;
      if (next != never)
        wake_event_ =
            events_.schedule(next, engine::rank_of(engine::Phase::decide, reserved_start, 0), Payload{});
      return;
    }
    if (next <= now_ || next == never || (wake_ > now_ && wake_ <= next)) return;
    wake_ = next;
    events_.schedule(next, engine::rank_of(engine::Phase::decide, reserved_start, 0), Payload{});
  }

  // --- segments of jobs that may be preempted

  void start_segment(std::uint32_t i) {
    const std::int64_t now = now_.time_since_epoch().count();
    Pace pace;
    if constexpr (typed) pace = {scheduling::unit_speed, types_.speed(i)};
    const Instant end{Duration{segments_.start(i, now, pace)}};
    const std::uint64_t entity = completions_in_start_order_ ? result_.started : i;
    if (result_.start_s[i] < 0) {
      result_.start_s[i] = now / ticks_per_second;
      result_.killed[i] = jobs_[i].run_s > jobs_[i].requested_s;
      ++result_.started;
      if constexpr (plugged)  // which counts if nobody is preempted
        tally_.start(jobs_[i], result_.start_s[i], end.time_since_epoch().count() / ticks_per_second);
    }
    segments_.expect(i, events_.schedule(end, engine::rank_of(engine::Phase::release, completion, entity),
                                         Payload{i, jobs_[i].gpus}));
  }
  /// @param now  ticks
  void submit_segment(const scheduling::WaitingJob& waiting, std::int64_t now) {
    const std::uint32_t i = waiting.slot;
    const scheduling::Progress progress = segments_.progress(i, requested(jobs_[i]));
    if constexpr (plugged)
      dispatcher_.submit({waiting, i, ticks(jobs_[i].submit_s), jobs_[i].user, progress});
    else if constexpr (typed)
      dispatcher_.submit(waiting, progress, now, types_.job_class(i), false, weight_of(jobs_[i], options_));
    else
      dispatcher_.submit(waiting, progress, now);
  }
  /// The job is done, or its notice is over.
  void give_back(std::uint32_t i, std::uint8_t kind) {
    const std::int64_t now = now_.time_since_epoch().count();
    dispatcher_.finish_job(i);
    if (kind == notice_over) {
      segments_.release(i, now);
      if constexpr (typed) types_.note(i, segments_.held(i));
      return requeue(i, now);
    }
    segments_.finish(i, now);
    if constexpr (typed) types_.note(i, segments_.held(i));
    result_.end_s[i] = now / ticks_per_second;
  }
  void requeue(std::uint32_t i, std::int64_t now) {
    submit_segment(segments_.waiting(i, requested(jobs_[i])), now);
  }

  static std::int64_t ticks(std::int64_t s) { return s * ticks_per_second; }
  std::int64_t requested(const workload::LogJob& job) const {
    return ticks(options_.exact_estimates ? std::min(job.run_s, job.requested_s) : job.requested_s);
  }
  /// How long a waiting job is taken to run.
  std::int64_t believed(const workload::LogJob& job) const {
    return options_.easy.waiting == scheduling::EasyRule::Waiting::exact
               ? ticks(std::min(job.run_s, job.requested_s))
               : requested(job);
  }
  bool fits_machine(std::uint32_t i, const workload::LogJob& job) const {
    if constexpr (typed) return types_.can_run(i, job.gpus);
    if constexpr (ranks_accounts) {
      const AccountOptions& o = options_.accounts;
      if ((o.cpu_milli > 0 && job.cpu_milli > o.cpu_milli) ||
          (o.memory_mib > 0 && job.memory_mib > o.memory_mib))
        return false;
    }
    return job.gpus <= largest_;
  }
  std::int64_t job_class(std::uint32_t i) const {
    if constexpr (std::is_same_v<Dispatcher, FifoDispatcher>)
      return 0;
    else
      return accounts_.job_class(i);
  }
  void announce(std::int64_t gpus) {
    if (!options_.announced.empty()) dispatcher_.keep_profile();
    for (std::uint32_t i = 0; i < options_.announced.size(); ++i) {
      const AnnouncedStep& step = options_.announced[i];
      dispatcher_.foresee(0, ticks(step.at_s), step.delta);
      events_.schedule(Instant{Duration{ticks(step.at_s)}},
                       engine::rank_of(engine::Phase::capacity, capacity_step, i), Payload{i});
      gpus += step.delta;
      largest_ = std::max(largest_, gpus);
    }
  }

  const std::vector<workload::LogJob>& jobs_;
  const ReplayOptions& options_;
  const ReplayAccounts& accounts_;
  ReplayResult& result_;
  engine::EventList<Payload> events_;
  Dispatcher dispatcher_;
  scheduling::StaticOrder queue_order_;
  LogArrivals arrivals_;
  ReplayTally tally_;
  std::conditional_t<in_segments, Segments, NoSegments> segments_;
  std::conditional_t<typed, ReplayTypes, NoTypes> types_;
  Instant now_{};
  Instant wake_ = Instant::min();  ///< the next pass that a reservation or a plugged policy asks for
  engine::EventHandle wake_event_;
  std::int64_t largest_ = 0;
  ReplayWatch watch_{options_};
  bool completions_in_start_order_;
};

}  // namespace natgpu::simulation
