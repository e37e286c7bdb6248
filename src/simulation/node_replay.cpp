// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/node_replay.hpp>

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>
#include <natgpu/scheduling/order.hpp>

#include "log_arrivals.hpp"
#include "node_books.hpp"
#include "node_kinds.hpp"
#include "replay_watch.hpp"
#include "replay_words.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;
using scheduling::Placement;
using scheduling::WaitingJob;

/// Kinds of events, in the order of their phases: who is done at the instant of a failure is done.
enum NodeEvent : std::uint8_t { completion, loss, repair, submission };

/// Machines, one log, one policy: the model that the engine runs.
template <class Dispatcher>
class NodeReplay {
 public:
  struct Payload {
    std::uint32_t subject = 0;  ///< index of a job, or of an outage
  };

  NodeReplay(const workload::JobLog& log, const ReplayOptions& options, const NodeView& view,
             const NodeWorkload& work, Dispatcher dispatcher, NodeReplayResult& result)
      : jobs_(log.jobs),
        order_(by_submission(log)),
        options_(options),
        view_(view),
        work_(work),
        result_(result),
        dispatcher_(std::move(dispatcher)),
        queue_order_(queue_order_of(options)),
        measured_(view.fragmentation || view.placement == Placement::fgd),
        states_(jobs_.size()),
        keys_(jobs_.size()),
        ends_(jobs_.size()),
        lost_(view.machines.nodes.size()),
        time_(view, dispatcher_.pool().free_milli(), jobs_.empty() ? 0 : jobs_[order_[0]].submit_s) {
    for (std::uint32_t i = 0; i < view.outages.size(); ++i)
      schedule(view.outages[i].from_s, engine::Phase::release, loss, i);
  }

  engine::EventList<Payload>& events() { return events_; }
  Instant next_arrival() const { return arrivals_.next(); }

  engine::Rank arrive(Instant now) {
    const auto [i, rank] = arrivals_.take();
    const workload::LogJob& job = jobs_[i];
    if (work_.kind_of_job[i] != NodeWorkload::nowhere) {
      keys_[i] = queue_order_.key(now.time_since_epoch().count(), ticks(requested_s(job)), job.gpus, rank, i,
                                  job.user);
      submit(i);
    }
    return engine::rank_of(engine::Phase::arrive, submission, i);
  }

  void handle(const engine::Event<Payload>& event) {
    const std::uint32_t i = event.payload.subject;
    if (event.kind() == completion) return finish(i);
    const workload::NodeOutage& outage = view_.outages[i];
    if (event.kind() == loss) {
      ++result_.nodes.failures;
      if (lost_[outage.node]++ == 0) down_milli_ += gpu_milli_of(outage.node);
      for (const std::uint32_t job : dispatcher_.fail({0, outage.node})) stop(job);
      schedule(outage.until_s, engine::Phase::capacity, repair, i);
    } else {
      if (--lost_[outage.node] == 0) down_milli_ -= gpu_milli_of(outage.node);
      dispatcher_.repair({0, outage.node});
    }
  }

  void decide(Instant now) { dispatcher_.pass(now.time_since_epoch().count(), *this); }

  /// The dispatcher's sink.
  void start(const WaitingJob& waiting, std::uint32_t, std::int64_t) {
    const std::uint32_t i = waiting.slot;
    NodeJob& state = states_[i];
    state.segment_s = now_s_;
    state.spread = dispatcher_.spread(i);
    state.held_milli = state.mig_asked_milli = state.mig_given_milli = 0;
    note_machines(i);
    for (const scheduling::Hold& h : dispatcher_.holds(i)) {
      state.held_milli += h.total_milli();
      if (h.slices != 0) note_instance(state, asked_of_a_gpu(jobs_[i]), h);
    }
    if (result_.replay.start_s[i] < 0) {
      result_.replay.start_s[i] = now_s_;
      ++result_.replay.started;
    }
    result_.nodes.spread += state.spread ? 1 : 0;
    const workload::LogJob& job = jobs_[i];
    const std::int64_t work_s = std::min(job.run_s, job.requested_s) - state.saved_s + restart_s(state);
    ends_[i] = schedule(now_s_ + scheduling::slowed_s(work_s, state.spread, time_.slowdown()),
                        engine::Phase::release, completion, i);
  }

  bool keep_going(Instant now) {
    now_s_ = now.time_since_epoch().count() / ticks_per_second;
    const scheduling::NodePool& pool = dispatcher_.pool();
    time_.advance(now_s_, pool.free_milli(), down_milli_, measured_ ? pool.fragmented_milli() : 0);
    watch_.look(result_.replay.started);
    return true;
  }

  void report() const {
    time_.report(result_.nodes, static_cast<double>(std::max<std::int64_t>(work_.mix.tasks(), 1)), measured_);
    result_.nodes.mig.starts = instances_.starts();
    ReplayResult& r = result_.replay;
    if (r.started == 0) return;
    Area waited = 0;
    double slowdown = 0;
    std::int64_t last_end_s = 0;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (r.start_s[i] < 0) continue;
      const std::int64_t work_s = std::min(jobs_[i].run_s, jobs_[i].requested_s);
      waited += r.start_s[i] - jobs_[i].submit_s;
      last_end_s = std::max(last_end_s, r.end_s[i]);
      slowdown += std::max(1.0, static_cast<double>(r.end_s[i] - jobs_[i].submit_s) /
                                    static_cast<double>(std::max(work_s, options_.slowdown_floor_s)));
    }
    const auto started = static_cast<double>(r.started);
    r.mean_wait_s = static_cast<double>(waited) / started;
    r.mean_bounded_slowdown = slowdown / started;
    r.makespan_s = last_end_s - jobs_[order_[0]].submit_s;
    r.utilization = result_.nodes.allocated_share;
  }

 private:
  static scheduling::StaticOrder queue_order_of(const ReplayOptions& options) {
    if (options.plugged) return scheduling::StaticOrder(options.plugged.table->key);
    return {options.order, Streams(options.seed, 0).open("order", "lottery")};
  }
  static std::int64_t ticks(std::int64_t s) { return s * ticks_per_second; }
  std::int64_t requested_s(const workload::LogJob& job) const {
    return options_.exact_estimates ? std::min(job.run_s, job.requested_s) : job.requested_s;
  }
  std::int64_t restart_s(const NodeJob& state) const { return state.restarts ? view_.restart_s : 0; }
  engine::EventHandle schedule(std::int64_t at_s, engine::Phase phase, NodeEvent kind,
                               std::uint32_t subject) {
    return events_.schedule(Instant{Duration{ticks(at_s)}}, engine::rank_of(phase, kind, subject),
                            Payload{subject});
  }
  std::int64_t gpu_milli_of(std::uint32_t node) const {
    return static_cast<std::int64_t>(view_.machines.nodes[node].gpus) * scheduling::whole_gpu_milli;
  }

  /// Its place in the queue is that of its first submission.
  void submit(std::uint32_t i) {
    const std::int64_t limit_s = requested_s(jobs_[i]) - states_[i].saved_s + restart_s(states_[i]);
    dispatcher_.submit(work_.kind_of_job[i],
                       WaitingJob{keys_[i], ticks(limit_s), std::max(jobs_[i].gpus, 1), i});
  }
  void finish(std::uint32_t i) {
    dispatcher_.finish_job(i);
    const bool killed = jobs_[i].run_s > jobs_[i].requested_s;
    result_.replay.end_s[i] = now_s_;
    result_.replay.killed[i] = killed;
    time_.finish(states_[i], now_s_, killed);
  }
  void stop(std::uint32_t i) {
    events_.cancel(ends_[i]);
    time_.stop(states_[i], now_s_);
    ++result_.nodes.restarted;
    submit(i);
  }
  /// Of a hold on GPUs that MIG cuts: an instance of one, or whole ones.
  void note_instance(NodeJob& state, std::int32_t asked_milli, const scheduling::Hold& h) {
    if (asked_milli >= scheduling::whole_gpu_milli || std::popcount(h.gpus) > 1) return;
    state.mig_asked_milli += asked_milli;
    state.mig_given_milli += h.gpu_milli;
    instances_.add(dispatcher_.pool().node(h.node).mig, asked_milli);
  }
  void note_machines(std::uint32_t i) {
    NodeFigures& f = result_.nodes;
    f.from[i] = f.held.size();
    for (const scheduling::Hold& h : dispatcher_.holds(i)) f.held.push_back(h.node);
    const auto begin = f.held.begin() + static_cast<std::ptrdiff_t>(f.from[i]);
    std::sort(begin, f.held.end());
    f.held.erase(std::unique(begin, f.held.end()), f.held.end());
    f.count[i] = static_cast<std::uint32_t>(f.held.size() - f.from[i]);
  }

  const std::vector<workload::LogJob>& jobs_;
  const ArrivalOrder order_;
  const ReplayOptions& options_;
  const NodeView& view_;
  const NodeWorkload& work_;
  NodeReplayResult& result_;
  engine::EventList<Payload> events_;
  Dispatcher dispatcher_;
  scheduling::StaticOrder queue_order_;
  bool measured_;
  std::vector<NodeJob> states_;
  std::vector<scheduling::QueueKey> keys_;
  std::vector<engine::EventHandle> ends_;
  std::vector<std::uint32_t> lost_;  ///< by machine: outages that go on
  std::int64_t down_milli_ = 0;
  NodeBooksOfTime time_;
  MigCount instances_;
  LogArrivals arrivals_{jobs_, order_};
  std::int64_t now_s_ = 0;
  ReplayWatch watch_{options_};
};

struct Run {
  const workload::JobLog& log;
  const ReplayOptions& options;
  const NodeView& view;
  const NodeWorkload& work;
  NodeReplayResult& result;
};

template <class Dispatcher>
void run_with(Dispatcher dispatcher, const Run& run) {
  using Model = NodeReplay<Dispatcher>;
  Model model(run.log, run.options, run.view, run.work, std::move(dispatcher), run.result);
  run_through(model, {run.options.semantics.pass == scheduling::PassRule::event, false}, run.result.replay);
}

template <Backfill B>
void run_under(scheduling::NodeBooks&& books, const Run& run) {
  scheduling::NodeDispatcher<B> dispatcher(std::move(books));
  const ReplayOptions& o = run.options;
  if (moves(o.order))
    run_with(scheduling::MovingOrder(std::move(dispatcher), o.order, o.recalc_s * ticks_per_second), run);
  else
    run_with(std::move(dispatcher), run);
}

std::string view_in_words(const NodeView& view) {
  const auto rule = scheduling::placement_rules()[static_cast<std::size_t>(view.placement)];
  std::string words = fmt::format("nodes (placement {}", rule.name);
  if (view.slowdown_milli > 0)
    words += fmt::format(", gangs on more nodes than the fewest run {} times longer",
                         static_cast<double>(view.slowdown_milli) / 1000);
  else if (view.placement != Placement::lowest_id)
    words += ", gangs wait for the fewest nodes";
  if (!view.outages.empty()) {
    words += view.checkpoint_s > 0 ? fmt::format(", checkpoint {} s", view.checkpoint_s) : ", no checkpoint";
    words += fmt::format(", restart cost {} s", view.restart_s);
  }
  if (view.mig.any()) words += ", " + in_words(view.mig, view.machines);
  return words + ")";
}

}  // namespace

std::string not_on_nodes(const ReplayOptions& o) {
  if (o.backfill != Backfill::none && o.backfill != Backfill::fit && o.backfill != Backfill::easy)
    return "on machines only the first blocked job holds a reservation: choose backfill none, fit or easy";
  using scheduling::Order;
  const auto known = {Order::fcfs,    Order::sjf, Order::ljf,    Order::saf,
                      Order::lottery, Order::wfp, Order::unicef, Order::plugged};
  if (std::find(known.begin(), known.end(), o.order) == known.end())
    return "on machines jobs keep what they have to their end, and accounts do not count: choose --order "
           "fcfs, "
           "sjf, ljf, saf, lottery, wfp or unicef";
  if (o.easy != scheduling::EasyRule{})
    return "on machines EASY has its usual parts alone: leave --spare, --shadow, --compare, --waiting and "
           "--dialect out";
  if (o.sharing != scheduling::Sharing::exclusive)
    return "on machines GPUs are shared in thousandths, not in time: leave --sharing out";
  if (o.named) return "on machines GPUs have no numbers of their own: leave --view out";
  if (!o.announced.empty()) return "on machines capacity does not change by announced steps: leave them out";
  if (o.plugged && o.plugged.decides())
    return "a policy of level 2 decides on counted GPUs: leave --nodes out, or write an order (level 1)";
  if (o.semantics.ties == scheduling::Ties::arrival_first)
    return "on machines nothing starts where another job still stands: choose --ties release-first";
  return {};
}

NodeReplayResult replay_on_nodes(const workload::JobLog& log, const ReplayOptions& options,
                                 const NodeView& view) {
  if (const std::string why = not_on_nodes(options); !why.empty()) throw RunError(why);
  std::vector<scheduling::Node> nodes = nodes_of(view.machines, false, view.mig);
  const NodeWorkload work = workload_on(nodes, view.machines, log);
  NodeReplayResult result;
  result.nodes.machines = nodes.size();
  result.nodes.never_fit = work.never_fit;
  result.nodes.from.assign(log.jobs.size(), 0);
  result.nodes.count.assign(log.jobs.size(), 0);
  ReplayResult& r = result.replay;
  r.start_s.assign(log.jobs.size(), -1);
  r.end_s.assign(log.jobs.size(), -1);
  r.killed.assign(log.jobs.size(), 0);
  r.semantics = in_words(options, view_in_words(view));
  scheduling::NodePool pool(view.placement, std::move(nodes), work.mix, view.fragmentation);
  result.nodes.gpus_milli = pool.free_milli();
  r.gpus = pool.free_milli() / scheduling::whole_gpu_milli;
  scheduling::NodeRules rules;
  rules.gang.placement = view.placement;
  rules.gang.may_spread = view.slowdown_milli > 0 || view.placement == Placement::lowest_id;
  rules.slowdown_milli = std::max<std::int64_t>(view.slowdown_milli, 1000);
  std::vector<scheduling::NodePool> pools;
  pools.push_back(std::move(pool));
  std::vector<scheduling::NodeKind> kinds;
  for (const scheduling::GangKind& gang : work.kinds) kinds.push_back({{gang}});
  scheduling::NodeBooks books(std::move(pools), std::move(kinds), rules,
                              Streams(options.seed, 0).open("nodes", "placement"));
  const Run run{log, options, view, work, result};
  if (options.backfill == Backfill::none)
    run_under<Backfill::none>(std::move(books), run);
  else if (options.backfill == Backfill::fit)
    run_under<Backfill::fit>(std::move(books), run);
  else
    run_under<Backfill::easy>(std::move(books), run);
  return result;
}

}  // namespace natgpu::simulation
