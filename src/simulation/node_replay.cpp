// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/node_replay.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/account_nodes.hpp>
#include <natgpu/scheduling/conservative_nodes.hpp>
#include <natgpu/scheduling/fair_share.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>

#include "node_resources.hpp"
#include "node_run.hpp"
#include "replay_checks.hpp"
#include "replay_words.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;
using scheduling::Order;
using scheduling::Placement;
using scheduling::WaitingJob;

/// Jobs keep what they have until they end, or a machine is lost.
template <class Dispatcher>
class NodeReplay : public NodeRun<Dispatcher> {
  using Base = NodeRun<Dispatcher>;

 public:
  NodeReplay(const NodeParts& parts, Dispatcher dispatcher)
      : Base(parts, std::move(dispatcher)),
        keys_(jobs_.size()),
        ends_(jobs_.size()),
        time_(parts.view, dispatcher_.pool().free_milli(), this->first_submit_s()) {}

  engine::Rank arrive(Instant now) {
    const auto [i, rank] = arrivals_.take();
    if (this->can_run(i)) {
      keys_[i] = this->key_of(i, rank, now);
      submit(i);
    }
    return engine::rank_of(engine::Phase::arrive, submission, i);
  }

  void handle(const engine::Event<typename Base::Payload>& event) {
    const std::uint32_t i = event.payload.subject;
    if (event.kind() == wake) return;  // the pass is all that is wanted
    if (event.kind() == completion) return finish(i);
    if (event.kind() == repair) return this->end_outage(i);
    if (event.kind() == announcement) return this->announce();
    for (const std::uint32_t job : this->begin_outage(i)) stop(job);
  }

  void decide(Instant now) {
    this->look_ahead(now_s_);
    dispatcher_.pass(now.time_since_epoch().count(), *this);
    if constexpr (Base::reserves) this->wake_at_next_start(now);
  }

  /// The dispatcher's sink.
  void start(const WaitingJob& waiting, std::uint32_t, std::int64_t) {
    const std::uint32_t i = waiting.slot;
    this->note_start(i, now_s_);
    NodeJob& state = states_[i];
    if (result_.replay.start_s[i] < 0) {
      result_.replay.start_s[i] = now_s_;
      ++result_.replay.started;
    }
    const workload::LogJob& job = jobs_[i];
    const std::int64_t work_s = std::min(job.run_s, job.requested_s) - state.saved;
    state.checkpoints = time_.checkpoints_in(work_s);
    const std::int64_t length_s =
        scheduling::slowed_s(work_s + restart_s(state), state.spread, time_.slowdown()) +
        state.checkpoints * this->view_.checkpoint_cost_s;
    ends_[i] = this->schedule(this->ticks(now_s_ + length_s), engine::Phase::release, completion, i);
  }

  bool keep_going(Instant now) {
    now_s_ = now.time_since_epoch().count() / ticks_per_second;
    this->note_levels(time_, now_s_);
    return true;
  }

  void report() const {
    this->report_levels(time_);
    ReplayResult& r = result_.replay;
    if constexpr (Base::reserves) r.broken_promises = dispatcher_.broken_promises();
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
                                    static_cast<double>(std::max(work_s, this->options_.slowdown_floor_s)));
    }
    const auto started = static_cast<double>(r.started);
    r.mean_wait_s = static_cast<double>(waited) / started;
    r.mean_bounded_slowdown = slowdown / started;
    r.makespan_s = last_end_s - this->first_submit_s();
    r.utilization = result_.nodes.allocated_share;
  }

 private:
  using Base::accounts_;
  using Base::arrivals_;
  using Base::dispatcher_;
  using Base::events_;
  using Base::jobs_;
  using Base::result_;
  using Base::states_;

  std::int64_t restart_s(const NodeJob& state) const { return state.restarts ? this->view_.restart_s : 0; }

  /// Its place in the queue is that of its first submission.
  void submit(std::uint32_t i) {
    const std::int64_t left_s = this->requested_s(jobs_[i]) - states_[i].saved;
    const std::int64_t limit_s =
        left_s + restart_s(states_[i]) + time_.checkpoints_in(left_s) * this->view_.checkpoint_cost_s;
    const WaitingJob waiting{keys_[i], this->ticks(limit_s), std::max(jobs_[i].gpus, 1), i};
    if constexpr (Base::ranks_accounts)
      dispatcher_.submit(claimant(i), waiting, this->work_.kind_of_job[i]);
    else
      dispatcher_.submit(this->work_.kind_of_job[i], waiting);
  }
  scheduling::Claimant claimant(std::uint32_t i) const {
    scheduling::Claimant who = accounts_.claimant(i, jobs_[i]);
    who.gpu_milli = static_cast<std::int64_t>(jobs_[i].gpus) * asked_of_a_gpu(jobs_[i]);
    return who;
  }
  void finish(std::uint32_t i) {
    this->hand_back(i);
    const bool killed = jobs_[i].run_s > jobs_[i].requested_s;
    result_.replay.end_s[i] = now_s_;
    result_.replay.killed[i] = killed;
    time_.finish(states_[i], now_s_, killed);
  }
  void stop(std::uint32_t i) {
    events_.cancel(ends_[i]);
    time_.stop(states_[i], now_s_);
    submit(i);
  }

  std::vector<scheduling::QueueKey> keys_;
  std::vector<engine::EventHandle> ends_;
  NodeBooksOfTime time_;
  std::int64_t now_s_ = 0;
};

template <class Dispatcher>
void run_with(Dispatcher dispatcher, const NodeParts& p) {
  NodeReplay<Dispatcher> model(p, std::move(dispatcher));
  run_through(model, {p.options.semantics.pass == scheduling::PassRule::event, false}, p.result.replay);
}

template <class Dispatcher>
void run_in_order(Dispatcher dispatcher, const NodeParts& parts) {
  const ReplayOptions& o = parts.options;
  const std::int64_t period = o.recalc_s * ticks_per_second;
  if (by_use(o.order)) {
    scheduling::FairShare rule(o.order, parts.accounts.tree, o.accounts.fair_share, parts.result.replay.gpus);
    run_with(scheduling::MovingOrder<Dispatcher, scheduling::FairShare>(std::move(dispatcher),
                                                                        std::move(rule), period),
             parts);
  } else if (moves(o.order)) {
    run_with(scheduling::MovingOrder(std::move(dispatcher), o.order, period), parts);
  } else {
    run_with(std::move(dispatcher), parts);
  }
}

template <Backfill B>
void run_under(scheduling::NodeBooks&& books, const NodeParts& parts) {
  const ReplayOptions& o = parts.options;
  if constexpr (B != Backfill::easy_sjbf) {  // which does not go with drf and maxmin
    if (by_holding(o.order))
      return run_with(scheduling::AccountNodes<B>(std::move(books),
                                                  resources_of(parts.view.machines, o.order == Order::maxmin),
                                                  parts.accounts.weights),
                      parts);
  }
  run_in_order(scheduling::NodeDispatcher<B>(std::move(books)), parts);
}

/// Conservative, and with a limit.
void run_reserving(scheduling::NodeBooks&& books, const NodeParts& parts) {
  run_in_order(scheduling::ConservativeNodes(std::move(books), parts.options.reservations), parts);
}

std::string view_in_words(const NodeView& view, bool by_segments) {
  const auto rule = scheduling::placement_rules()[static_cast<std::size_t>(view.placement)];
  std::string words = fmt::format("nodes (placement {}", rule.name);
  if (view.slowdown_milli > 0)
    words += fmt::format(", gangs on more nodes than the fewest run {} times longer",
                         static_cast<double>(view.slowdown_milli) / 1000);
  else if (view.placement != Placement::lowest_id)
    words += ", gangs wait for the fewest nodes";
  if (announces(view)) words += ", announced outages are foreseen";
  if (!view.outages.empty() && !by_segments) {
    words += view.checkpoint_s > 0 ? fmt::format(", checkpoint {} s", view.checkpoint_s) : ", no checkpoint";
    words += fmt::format(", restart cost {} s", view.restart_s);
  }
  if (view.mig.any()) words += ", " + in_words(view.mig, view.machines);
  return words + ")";
}

/// Of one rule for all stops, or of the machines' own.
void note_checkpoints(const ReplayOptions& o, const NodeView& view, NodeFigures& f) {
  const bool own = !may_preempt(o);
  const std::int64_t checkpoint = own ? view.checkpoint_s * ticks_per_second : o.segments.checkpoint;
  if (own ? checkpoint > 0 : checkpoint != no_checkpoint)
    f.checkpoint_s = static_cast<double>(checkpoint) / ticks_per_second;
  f.checkpoint_cost_s = own ? static_cast<double>(view.checkpoint_cost_s) : 0;
  f.restart_s =
      own ? static_cast<double>(view.restart_s) : static_cast<double>(o.segments.restart) / ticks_per_second;
}

}  // namespace

std::string not_on_nodes(const ReplayOptions& o) {
  if (by_holding(o.order) && o.backfill > Backfill::easy)
    return "drf and maxmin rank accounts anew after each start: choose backfill none, fit or easy";
  if (o.types.any())
    return "on machines GPUs are of the types of their list, all equally fast: leave --gpu-types and "
           "--speeds out, or --nodes";
  if (o.accounts.cpu_milli > 0 || o.accounts.memory_mib > 0)
    return "on machines drf counts the cores and memory that these state: leave --cpus and --memory out";
  if (o.preemption.notice > 0 && !o.by_class)
    return "on machines GPUs that are taken back come free at once, unless by class: leave --notice out, or "
           "--nodes";
  if (o.easy != scheduling::EasyRule{})
    return "on machines EASY has its usual parts alone: leave --spare, --shadow, --compare, --waiting and "
           "--dialect out";
  if (o.sharing != scheduling::Sharing::exclusive)
    return "on machines GPUs are shared in thousandths, not in time: leave --sharing out";
  if (o.named) return "on machines GPUs have no numbers of their own: leave --view out";
  if (!o.announced.empty())
    return "announced steps count GPUs: on machines announce outages of machines (NodeView::outages)";
  if (o.semantics.ties == scheduling::Ties::arrival_first)
    return "on machines nothing starts where another job still stands: choose --ties release-first";
  return {};
}

NodeReplayResult replay_on_nodes(const workload::JobLog& log, const ReplayOptions& options,
                                 const NodeView& view) {
  if (const std::string why = not_on_nodes(options); !why.empty()) throw RunError(why);
  check_preemption(options);
  check_reservations(options);
  if (may_preempt(options) && (view.checkpoint_s > 0 || view.checkpoint_cost_s > 0 || view.restart_s > 0))
    throw RunError("whoever takes GPUs back has one rule of checkpoints, for failures too: its segments'");
  const bool foresees = announces(view);
  if (foresees && preempts(options))
    throw RunError("who takes GPUs back knows of no announced outages: announce none");
  std::vector<scheduling::Node> nodes = nodes_of(view.machines, false, view.mig);
  NodeWorkload work = workload_on(nodes, view.machines, log);
  std::vector<std::int8_t> staying_types;
  if (foresees) staying_types = tell_levels_apart(view, nodes, work);
  NodeReplayResult result;
  result.nodes.machines = nodes.size();
  note_checkpoints(options, view, result.nodes);
  result.nodes.never_fit = work.never_fit;
  result.nodes.from.assign(log.jobs.size(), 0);
  result.nodes.count.assign(log.jobs.size(), 0);
  ReplayResult& r = result.replay;
  r.start_s.assign(log.jobs.size(), -1);
  r.end_s.assign(log.jobs.size(), -1);
  r.killed.assign(log.jobs.size(), 0);
  r.semantics = in_words(options, view_in_words(view, may_preempt(options)));
  scheduling::NodePool pool(view.placement, std::move(nodes), work.mix, view.fragmentation);
  result.nodes.gpus_milli = pool.free_milli();
  r.gpus = pool.free_milli() / scheduling::whole_gpu_milli;
  scheduling::NodeRules rules;
  rules.gang.placement = view.placement;
  rules.gang.may_spread = view.slowdown_milli > 0 || view.placement == Placement::lowest_id;
  rules.slowdown_milli = std::max<std::int64_t>(view.slowdown_milli, 1000);
  rules.departures = foresees;
  std::vector<scheduling::NodePool> pools;
  pools.push_back(std::move(pool));
  std::vector<scheduling::NodeKind> kinds;
  for (const scheduling::GangKind& gang : work.kinds) kinds.push_back({{gang}});
  scheduling::NodeBooks books(std::move(pools), std::move(kinds), rules,
                              Streams(options.seed, 0).open("nodes", "placement"));
  if (foresees) {
    books.set_staying_types(0, std::move(staying_types));
    books.plan_departures(0, scheduling::no_departures,
                          std::vector<std::uint8_t>(view.machines.nodes.size()));
  }
  const ReplayAccounts accounts = accounts_of(log, options);
  r.without_jobs = accounts.without_jobs;
  const NodeParts parts{log, options, view, work, accounts, result};
  static constexpr auto runners = std::array{run_under<Backfill::none>,
                                             run_under<Backfill::fit>,
                                             run_under<Backfill::easy>,
                                             run_under<Backfill::easy_sjbf>,
                                             run_reserving,
                                             run_reserving};
  if (options.plugged && options.plugged.decides())
    run_plugged(std::move(books), parts);
  else if (preempts(options))
    run_preemptive(std::move(books), parts);
  else
    runners[static_cast<std::size_t>(options.backfill)](std::move(books), parts);
  return result;
}

}  // namespace natgpu::simulation
