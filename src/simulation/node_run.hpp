// SPDX-License-Identifier: Apache-2.0
// What replays on machines share, whoever may lose its machines.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/engine/event_list.hpp>
#include <natgpu/scheduling/conservative_nodes.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>
#include <natgpu/scheduling/order.hpp>

#include "log_arrivals.hpp"
#include "node_books.hpp"
#include "node_departures.hpp"
#include "node_kinds.hpp"
#include "replay_accounts.hpp"
#include "replay_watch.hpp"

namespace natgpu::simulation {

/// Kinds of events, in the order of their phases but for the last two: who is done at the instant of a
/// failure is done. An announcement is one of capacity, and comes last there.
enum NodeEvent : std::uint8_t { completion, loss, repair, submission, wake, notice_over, announcement };

/// What a replay on machines is made of, beside its dispatcher.
struct NodeParts {
  const workload::JobLog& log;
  const ReplayOptions& options;
  const NodeView& view;
  const NodeWorkload& work;
  const ReplayAccounts& accounts;
  NodeReplayResult& result;
};

/// Machines, one log, one policy: what is common to the models that the engine runs.
template <class Dispatcher>
class NodeRun {
 public:
  struct Payload {
    std::uint32_t subject = 0;  ///< index of a job, or of an outage
  };

  engine::EventList<Payload>& events() { return events_; }
  Instant next_arrival() const { return arrivals_.next(); }

 protected:
  static constexpr bool ranks_accounts = scheduling::RanksAccounts<Dispatcher>;
  static constexpr bool reserves = requires(const Dispatcher& d) { d.broken_promises(); };

  NodeRun(const NodeParts& parts, Dispatcher dispatcher)
      : jobs_(parts.log.jobs),
        order_(by_submission(parts.log)),
        options_(parts.options),
        view_(parts.view),
        work_(parts.work),
        accounts_(parts.accounts),
        result_(parts.result),
        dispatcher_(std::move(dispatcher)),
        queue_order_(queue_order_of(parts.options)),
        measured_(view_.fragmentation || view_.placement == scheduling::Placement::fgd),
        states_(jobs_.size()),
        lost_(view_.machines.nodes.size()) {
    for (std::uint32_t i = 0; i < view_.outages.size(); ++i) {
      const workload::NodeOutage& outage = view_.outages[i];
      schedule(ticks(outage.from_s), engine::Phase::release, loss, i);
      if (outage.is_announced())
        schedule(ticks(outage.announced_s), engine::Phase::capacity, announcement, i);
    }
  }
  static std::int64_t ticks(std::int64_t s) { return s * ticks_per_second; }
  std::int64_t requested_s(const workload::LogJob& job) const {
    return options_.exact_estimates ? std::min(job.run_s, job.requested_s) : job.requested_s;
  }
  std::int64_t first_submit_s() const { return jobs_.empty() ? 0 : jobs_[order_[0]].submit_s; }
  /// The job's place in the queue. @param rank  of its submission
  scheduling::QueueKey key_of(std::uint32_t i, std::uint64_t rank, Instant submitted) const {
    const workload::LogJob& job = jobs_[i];
    return queue_order_.key(submitted.time_since_epoch().count(), ticks(requested_s(job)), job.gpus, rank, i,
                            job.user, accounts_.job_class(i));
  }
  bool can_run(std::uint32_t i) const { return work_.kind_of_job[i] != NodeWorkload::nowhere; }
  engine::EventHandle schedule(std::int64_t at, engine::Phase phase, NodeEvent kind, std::uint32_t subject) {
    return events_.schedule(Instant{Duration{at}}, engine::rank_of(phase, kind, subject), Payload{subject});
  }

  /// A machine is lost. @returns the jobs that lose all they have
  std::vector<std::uint32_t> begin_outage(std::uint32_t i) {
    const workload::NodeOutage& outage = view_.outages[i];
    ++result_.nodes.failures;
    if (lost_[outage.node]++ == 0) down_milli_ += gpu_milli_of(outage.node);
    std::vector<std::uint32_t> hit = dispatcher_.jobs_on({0, outage.node});
    for (const std::uint32_t job : hit) hand_back(job);
    dispatcher_.fail({0, outage.node});
    result_.nodes.restarted += hit.size();
    result_.nodes.announced += outage.is_announced() ? 1 : 0;
    plans_anew_ = plans_anew_ || outage.is_announced();
    schedule(ticks(outage.until_s), engine::Phase::capacity, repair, i);
    return hit;
  }
  void end_outage(std::uint32_t i) {
    const std::uint32_t node = view_.outages[i].node;
    if (--lost_[node] == 0) down_milli_ -= gpu_milli_of(node);
    dispatcher_.repair({0, node});
  }
  /// An outage becomes known.
  void announce() { plans_anew_ = true; }
  /// Before a pass: tells the dispatcher which machines leave, and when, as far as that is known.
  void look_ahead(std::int64_t now_s) {
    if (!plans_anew_) return;
    plans_anew_ = false;
    const DepartureLevels levels = levels_of(known_departures(view_, now_s));
    dispatcher_.plan_departures(0, levels.leave_at, levels.of);
  }
  /// A running job is done, or loses what it has.
  void hand_back(std::uint32_t i) {
    if constexpr (ranks_accounts)
      dispatcher_.finish_of({{}, 0, std::max(jobs_[i].gpus, 1), i}, 0);
    else
      dispatcher_.finish_job(i);
  }
  /// Notes where the job starts. @param now  in the unit of the books
  void note_start(std::uint32_t i, std::int64_t now) {
    NodeJob& state = states_[i];
    state.segment = now;
    state.spread = dispatcher_.spread(i);
    state.held_milli = state.mig_asked_milli = state.mig_given_milli = 0;
    note_machines(i);
    for (const scheduling::Hold& h : dispatcher_.holds(i)) {
      state.held_milli += h.total_milli();
      if (h.slices != 0) note_instance(state, asked_of_a_gpu(jobs_[i]), h);
    }
    result_.nodes.spread += state.spread ? 1 : 0;
  }
  /// The dispatcher wants a pass at its next start, and none where it wanted one before. What is due and
  /// finds its machines held starts when they are handed back.
  void wake_at_next_start(Instant now) {
    const Instant next{Duration{dispatcher_.next_start()}};
    if (next == wake_) return;
    events_.cancel(wake_event_);
    wake_ = next;
    if (next > now && next != never)
      wake_event_ = schedule(dispatcher_.next_start(), engine::Phase::decide, wake, 0);
  }
  void note_levels(NodeLevels& time, std::int64_t now) {
    const scheduling::NodePool& pool = dispatcher_.pool();
    time.advance(now, pool.free_milli(), down_milli_, measured_ ? pool.fragmented_milli() : 0);
    watch_.look(result_.replay.started);
  }
  void report_levels(const NodeLevels& time) const {
    time.report(result_.nodes, static_cast<double>(std::max<std::int64_t>(work_.mix.tasks(), 1)), measured_);
    result_.nodes.mig.starts = instances_.starts();
  }

  const std::vector<workload::LogJob>& jobs_;
  const ArrivalOrder order_;
  const ReplayOptions& options_;
  const NodeView& view_;
  const NodeWorkload& work_;
  const ReplayAccounts& accounts_;
  NodeReplayResult& result_;
  engine::EventList<Payload> events_;
  Dispatcher dispatcher_;
  scheduling::StaticOrder queue_order_;
  bool measured_;
  std::vector<NodeJob> states_;
  LogArrivals arrivals_{jobs_, order_};

 private:
  static scheduling::StaticOrder queue_order_of(const ReplayOptions& options) {
    if (options.plugged) return scheduling::StaticOrder(options.plugged.table->key);
    return {options.order, Streams(options.seed, 0).open("order", "lottery")};
  }
  std::int64_t gpu_milli_of(std::uint32_t node) const {
    return static_cast<std::int64_t>(view_.machines.nodes[node].gpus) * scheduling::whole_gpu_milli;
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

  Instant wake_ = Instant::min();
  engine::EventHandle wake_event_;
  std::vector<std::uint32_t> lost_;  ///< by machine: outages that go on
  std::int64_t down_milli_ = 0;
  bool plans_anew_ = false;
  MigCount instances_;
  ReplayWatch watch_{options_};
};

/// Where jobs may lose their machines to others (node_preemption.cpp).
void run_preemptive(scheduling::NodeBooks&& books, const NodeParts& parts);
/// Under a policy of level 2 (there, too).
void run_plugged(scheduling::NodeBooks&& books, const NodeParts& parts);

}  // namespace natgpu::simulation
