// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/replay.hpp>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/engine/run_loop.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/easy_variant.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/named.hpp>
#include <natgpu/scheduling/order.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/simulation/interrupted.hpp>

#include "fifo_dispatcher.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;
using scheduling::PassRule;
using scheduling::Ties;

/// Kinds of events, in the order of their phases.
enum Kind : std::uint8_t { completion, capacity_step, submission, reserved_start };

/// Sums over started jobs, taken while a job's row is at hand: a second walk over the log costs 5 ns a job.
class Tally {
 public:
  explicit Tally(std::int64_t slowdown_floor_s) : floor_s_(slowdown_floor_s) {}

  void start(const workload::LogJob& job, std::int64_t start_s, std::int64_t end_s) {
    const std::int64_t service = end_s - start_s;
    waited_ += start_s - job.submit_s;
    used_ += static_cast<Area>(service) * job.gpus;
    last_end_s_ = std::max(last_end_s_, end_s);
    const auto turnaround = static_cast<double>(end_s - job.submit_s);
    slowdown_ += std::max(1.0, turnaround / static_cast<double>(std::max(service, floor_s_)));
  }
  void report(std::int64_t first_submit_s, ReplayResult& r) const {
    if (r.started == 0) return;
    const auto jobs = static_cast<double>(r.started);
    r.makespan_s = last_end_s_ - first_submit_s;
    r.mean_wait_s = static_cast<double>(waited_) / jobs;
    r.mean_bounded_slowdown = slowdown_ / jobs;
    const double offered = static_cast<double>(r.gpus) * static_cast<double>(r.makespan_s);
    r.utilization = offered > 0 ? static_cast<double>(used_) / offered : 0;
  }

 private:
  std::int64_t floor_s_, last_end_s_ = 0;
  Area waited_ = 0, used_ = 0;
  double slowdown_ = 0;
};

/// The rows of a log are not in order of submission.
struct OutOfOrder {};

/// Indices of a log's jobs in the order in which they arrive; empty: as they stand in the file.
using ArrivalOrder = std::vector<std::uint32_t>;

ArrivalOrder by_submission(const workload::JobLog& log) {
  ArrivalOrder order(log.jobs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return log.jobs[a].submit_s < log.jobs[b].submit_s;
  });
  return order;
}

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
         ReplayResult& result, Dispatcher dispatcher)
      : jobs_(log.jobs),
        order_(order),
        options_(options),
        result_(result),
        dispatcher_(std::move(dispatcher)),
        queue_order_(queue_order_of(options)),
        tally_(options.slowdown_floor_s),
        completions_in_start_order_(options.semantics.pass == PassRule::event) {
    note_next_submission();
    largest_ = result.gpus;
    if constexpr (foresees) announce(result.gpus);
    dispatcher_.change_capacity(0, result.gpus);
  }

  engine::EventList<Payload>& events() { return events_; }
  Instant next_arrival() const { return next_submit_; }

  engine::Rank arrive(Instant now) {
    const std::uint32_t i = job_at(next_);
    const std::size_t rank = next_++;
    note_next_submission();
    const workload::LogJob& job = jobs_[i];
    if (job.gpus <= largest_) {
      const std::int64_t asked = requested(job), submitted = now.time_since_epoch().count();
      const scheduling::WaitingJob waiting{queue_order_.key(submitted, asked, job.gpus, rank, i, job.user),
                                           believed(job), job.gpus, i};
      if constexpr (plugged)
        dispatcher_.submit(waiting, submitted, job.user);
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
    if constexpr (names || plugged) {
      dispatcher_.finish_job(i);
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
  void start(const scheduling::WaitingJob& waiting, std::uint32_t, std::int64_t) { start(waiting.slot); }
  void start(std::uint32_t i) {
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

  /// A plugged policy turns a job away: it stays unstarted.
  void reject(const scheduling::WaitingJob&) {}

  void report() const {
    if constexpr (reserves) result_.broken_promises = dispatcher_.broken_promises();
    if (!jobs_.empty()) tally_.report(jobs_[job_at(0)].submit_s, result_);
  }

  bool keep_going(Instant now) {
    now_ = now;
    if ((++polls_ & 0xffff) != 0) return true;
    if (options_.jobs_done != nullptr) options_.jobs_done->store(static_cast<std::int64_t>(result_.started));
    if (options_.stop != nullptr && options_.stop->load()) throw Interrupted{};
    return true;
  }

 private:
  static constexpr bool names = std::is_base_of_v<scheduling::NamedBooks, Dispatcher>;
  static constexpr bool foresees = !names && !std::is_same_v<Dispatcher, FifoDispatcher>;
  static constexpr bool varies = std::is_base_of_v<scheduling::EasyVariant, Dispatcher>;
  static constexpr bool reserves = std::is_same_v<Dispatcher, scheduling::ConservativeDispatcher>;
  static constexpr bool plugged = std::is_same_v<Dispatcher, scheduling::PluggedDispatcher>;
  static constexpr bool wakes = reserves || plugged;

  static scheduling::StaticOrder queue_order_of(const ReplayOptions& options) {
    if (options.plugged) return scheduling::StaticOrder(options.plugged.table->key);
    return {options.order, Streams(options.seed, 0).open("order", "lottery")};
  }
  /// A reserved start, or an instant that a plugged policy asked for, is one of a pass of its own.
  void wake_at_next_start() {
    const Instant next{Duration{dispatcher_.next_start()}};
    if (next <= now_ || next == never || (wake_ > now_ && wake_ <= next)) return;
    wake_ = next;
    events_.schedule(next, engine::rank_of(engine::Phase::decide, reserved_start, 0), Payload{});
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
  std::uint32_t job_at(std::size_t position) const {
    return order_.empty() ? static_cast<std::uint32_t>(position) : order_[position];
  }
  void note_next_submission() {
    const Instant next =
        next_ < jobs_.size() ? Instant{Duration{ticks(jobs_[job_at(next_)].submit_s)}} : never;
    if (next < next_submit_) throw OutOfOrder{};
    next_submit_ = next;
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
  const ArrivalOrder& order_;
  const ReplayOptions& options_;
  ReplayResult& result_;
  engine::EventList<Payload> events_;
  Dispatcher dispatcher_;
  scheduling::StaticOrder queue_order_;
  Tally tally_;
  std::size_t next_ = 0;
  Instant next_submit_ = Instant::min();
  Instant now_{};
  Instant wake_ = Instant::min();  ///< the next pass that a reservation or a plugged policy asks for
  std::int64_t largest_ = 0;
  std::uint64_t polls_ = 0;
  bool completions_in_start_order_;
};

template <class E>
const std::string& name_of(const std::vector<scheduling::Choice<E>>& choices, E value) {
  return std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.value == value; })->name;
}

std::string backfill_in_words(const ReplayOptions& o) {
  return name_of(scheduling::backfills(), o.backfill) +
         (o.reservations > 0 ? fmt::format(": {}", o.reservations) : "");
}

/// A policy that has a name of its own goes by it.
std::string policy_in_words(const ReplayOptions& o) {
  if (o.plugged)
    return fmt::format("policy {} (sha256 {}), {}", o.plugged.name, o.plugged.sha256,
                       o.plugged.decides() ? fmt::format("level 2, seed {}", o.seed)
                                           : fmt::format("level 1, backfill {}", backfill_in_words(o)));
  for (const scheduling::NamedPolicy& p : scheduling::named_policies())
    if (p.order == o.order && p.backfill == o.backfill) return fmt::format("policy {}", p.name);
  return fmt::format("order {}, backfill {}", name_of(scheduling::orders(), o.order), backfill_in_words(o));
}

std::string in_words(const ReplayOptions& o) {
  std::string parts;
  if (o.order == scheduling::Order::lottery) parts = fmt::format(", seed {}", o.seed);
  if (moves(o.order)) parts = o.recalc_s > 0 ? fmt::format(", recalc {} s", o.recalc_s) : ", recalc pass";
  using scheduling::EasyRule;
  if (o.backfill == Backfill::easy && o.easy != EasyRule{})
    parts += fmt::format(", spare {}, shadow {}, compare {}, waiting {}",
                         o.easy.spare == EasyRule::Spare::used ? "used" : "not",
                         o.easy.shadow == EasyRule::Shadow::refreshed ? "refreshed" : "fixed",
                         o.easy.compare == EasyRule::Compare::at_most ? "<=" : "<",
                         o.easy.waiting == EasyRule::Waiting::requested ? "requested" : "true");
  return fmt::format("{}{}, view {}, pass {}, ties {}, estimates {}, slowdown floor {} s", policy_in_words(o),
                     parts, o.named ? "named" : "counted",
                     o.semantics.pass == PassRule::event ? "event" : "instant",
                     o.semantics.ties == Ties::arrival_first ? "arrival-first" : "release-first",
                     o.exact_estimates ? "exact" : "requested", o.slowdown_floor_s);
}

template <class Dispatcher>
void run_with(Dispatcher dispatcher, const workload::JobLog& log, const ArrivalOrder& order,
              const ReplayOptions& options, ReplayResult& result) {
  using Model = Replay<Dispatcher>;
  Model model(log, order, options, result, std::move(dispatcher));
  engine::RunLoop<Model> loop(
      model, {options.semantics.pass == PassRule::event, options.semantics.ties == Ties::arrival_first});
  loop.run(never);
  model.report();
  result.fingerprint = loop.fingerprint().value();
  result.events = loop.fingerprint().events();
}

template <class Dispatcher>
void run_in_order(Dispatcher dispatcher, const workload::JobLog& log, const ArrivalOrder& order,
                  const ReplayOptions& options, ReplayResult& result) {
  if (moves(options.order))
    run_with(
        scheduling::MovingOrder(std::move(dispatcher), options.order, options.recalc_s * ticks_per_second),
        log, order, options, result);
  else
    run_with(std::move(dispatcher), log, order, options, result);
}

template <Backfill B>
void run_usual(const workload::JobLog& log, const ArrivalOrder& order, const ReplayOptions& options,
               ReplayResult& result) {
  const bool due_counts_as_free = options.semantics.ties == Ties::arrival_first;
  if (options.easy != scheduling::EasyRule{})
    return run_in_order(scheduling::EasyVariant(options.easy, due_counts_as_free), log, order, options,
                        result);
  auto dispatcher = scheduling::make_dispatcher<B>(1, {scheduling::GroupSpec{{{0, 1.0}}}}, due_counts_as_free,
                                                   options.reservations);
  if constexpr (B == Backfill::conservative)
    run_with(std::move(dispatcher), log, order, options, result);
  else
    run_in_order(std::move(dispatcher), log, order, options, result);
}

template <Backfill B>
void run(const workload::JobLog& log, const ArrivalOrder& order, const ReplayOptions& options,
         ReplayResult& result) {
  const bool due_counts_as_free = options.semantics.ties == Ties::arrival_first;
  const bool in_line = options.order == scheduling::Order::fcfs && !options.plugged;
  if (B == Backfill::none && in_line && options.announced.empty() && !due_counts_as_free)
    return run_with(FifoDispatcher(), log, order, options, result);
  if (options.named)
    return run_with(scheduling::NamedEasy(options.easy, due_counts_as_free), log, order, options, result);
  if constexpr (B == Backfill::easy_sjbf) {
    run_in_order(scheduling::EasyVariant(options.easy, due_counts_as_free, true), log, order, options,
                 result);
    return;
  } else {
    run_usual<B>(log, order, options, result);
  }
}

ReplayResult replay_in(const ArrivalOrder& order, const workload::JobLog& log, const ReplayOptions& options) {
  ReplayResult result;
  result.gpus = options.gpus > 0 ? options.gpus : log.max_procs;
  result.start_s.assign(log.jobs.size(), -1);
  result.end_s.assign(log.jobs.size(), -1);
  result.killed.assign(log.jobs.size(), 0);
  result.semantics = in_words(options);
  if (options.plugged && options.plugged.decides()) {
    run_with(
        scheduling::PluggedDispatcher(options.plugged, Streams(options.seed, 0).open("policy", "plugged"),
                                      options.semantics.ties == Ties::arrival_first),
        log, order, options, result);
    return result;
  }
  using Runner = void (*)(const workload::JobLog&, const ArrivalOrder&, const ReplayOptions&, ReplayResult&);
  static constexpr Runner runners[] = {run<Backfill::none>,         run<Backfill::fit>,
                                       run<Backfill::easy>,         run<Backfill::easy_sjbf>,
                                       run<Backfill::conservative>, run<Backfill::conservative>};
  runners[static_cast<std::size_t>(options.backfill)](log, order, options, result);
  return result;
}

}  // namespace

ReplayResult replay(const workload::JobLog& log, const ReplayOptions& options) {
  if (options.semantics.pass == PassRule::instant && options.semantics.ties == Ties::arrival_first)
    throw RunError(
        "ties arrival-first needs pass event: one pass per instant sees arrivals and completions together");
  if ((options.backfill == Backfill::reservations) != (options.reservations > 0))
    throw RunError("a number of reservations goes with backfill reservations, and with no other");
  if (options.named &&
      (options.backfill != Backfill::easy || moves(options.order) || !options.announced.empty() ||
       options.easy.waiting == scheduling::EasyRule::Waiting::exact))
    throw RunError(
        "the named view has backfill easy, in an order settled at submission, with waiting jobs as requested "
        "and without announced outages");
  if (moves(options.order) &&
      (options.backfill == Backfill::conservative || options.backfill == Backfill::reservations))
    throw RunError(
        "reservations are kept in the order of the queue, and this order moves with time: choose backfill "
        "none, fit, easy or easy-sjbf");
  if (options.easy != scheduling::EasyRule{} &&
      (options.backfill != Backfill::easy || !options.announced.empty()))
    throw RunError("the parts of EASY can be chosen with backfill easy and without announced outages only");
  if (options.plugged && options.order != scheduling::Order::fcfs)
    throw RunError("a plugged policy brings its own order: leave the order at fcfs");
  if (options.plugged && options.plugged.decides() && (options.backfill != Backfill::none || options.named))
    throw RunError("a plugged policy of level 2 decides by itself: backfill none, and no named view");
  if (moves(options.order) && options.easy.waiting == scheduling::EasyRule::Waiting::exact)
    throw RunError("an order that moves with time ranks by requested times: leave waiting as requested");
  // Nearly every log is in order, and to look first would cost a walk over all of it, 4 ns a job.
  try {
    return replay_in({}, log, options);
  } catch (const OutOfOrder&) {
    return replay_in(by_submission(log), log, options);
  }
}

}  // namespace natgpu::simulation
