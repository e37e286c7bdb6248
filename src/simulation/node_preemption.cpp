// SPDX-License-Identifier: Apache-2.0
// Replays on machines in which jobs lose their machines to others, or may under a policy of level 2.
#include <algorithm>
#include <type_traits>
#include <utility>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/class_nodes.hpp>
#include <natgpu/scheduling/gavel_nodes.hpp>
#include <natgpu/scheduling/plugged_nodes.hpp>
#include <natgpu/scheduling/preemptive_nodes.hpp>
#include <natgpu/scheduling/quota_nodes.hpp>

#include "node_run.hpp"
#include "replay_segments.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::WaitingJob;

/// Jobs may lose their machines to others; instants are ticks, for who comes first may change between two
/// seconds.
template <class Dispatcher>
class PreemptiveNodeReplay : public NodeRun<Dispatcher> {
  using Base = NodeRun<Dispatcher>;

 public:
  using Payload = typename Base::Payload;

  PreemptiveNodeReplay(const NodeParts& parts, Dispatcher dispatcher)
      : Base(parts, std::move(dispatcher)),
        segments_(jobs_, options_),
        time_(dispatcher_.pool().free_milli(), this->first_submit_s()),
        stopped_at_(jobs_.size(), never_stopped) {}

  engine::Rank arrive(Instant now) {
    const auto [i, rank] = arrivals_.take();
    if (this->can_run(i)) {
      const std::int64_t submitted = now.time_since_epoch().count();
      segments_.queue({this->key_of(i, rank, now), requested(i), std::max(jobs_[i].gpus, 1), i}, submitted);
      if constexpr (has_quotas) dispatcher_.attribute(i, accounts_.node_of[i]);
      submit(i, submitted);
    }
    return engine::rank_of(engine::Phase::arrive, submission, i);
  }

  void handle(const engine::Event<typename Base::Payload>& event) {
    const std::uint32_t i = event.payload.subject;
    if (event.kind() == wake) return;  // the pass is all that is wanted
    if (event.kind() == completion) return finish(i);
    if (event.kind() == repair) return this->end_outage(i);
    if (event.kind() == notice_over) {
      dispatcher_.finish_job(i);
      return leave(i);
    }
    if (event.kind() == announcement) return this->announce();
    for (const std::uint32_t job : this->begin_outage(i)) {
      events_.cancel(segments_.end_of(job));
      if (stopped_at_[job] != never_stopped) {
        leave(job);
        continue;
      }
      time_.stop(states_[job], segments_.fail(job, now_), &NodeTime::lost);
      submit(job, now_);
    }
  }

  void decide(Instant now) {
    this->look_ahead(now_ / ticks_per_second);
    dispatcher_.pass(now_, *this);
    this->wake_at_next_start(now);
  }

  /// The dispatcher's sink.
  void start(const WaitingJob& waiting, std::uint32_t, std::int64_t) {
    const std::uint32_t i = waiting.slot;
    this->note_start(i, now_);
    if (result_.replay.start_s[i] < 0) {
      result_.replay.start_s[i] = now_ / ticks_per_second;
      result_.replay.killed[i] = killed(i);
      ++result_.replay.started;
    }
    const Pace pace{states_[i].spread ? std::max<std::int64_t>(view_.slowdown_milli, 1000) : 1000, 1000};
    segments_.expect(i,
                     this->schedule(segments_.start(i, now_, pace), engine::Phase::release, completion, i));
  }
  void preempt(const WaitingJob& waiting) {
    const std::uint32_t i = waiting.slot;
    events_.cancel(segments_.end_of(i));
    time_.stop(states_[i], segments_.stop(i, now_), &NodeTime::preempted);
    const std::int64_t notice = options_.preemption.notice;
    if (notice == 0) return submit(i, now_);
    stopped_at_[i] = now_;
    segments_.expect(i, this->schedule(now_ + notice, engine::Phase::release, notice_over, i));
  }
  /// A policy turns a job away: it stays unstarted.
  void reject(const WaitingJob&) {}

  bool keep_going(Instant now) {
    now_ = now.time_since_epoch().count();
    this->note_levels(time_, now_);
    return true;
  }

  void report() const {
    this->report_levels(time_);
    if (jobs_.empty()) return;
    segments_.report(this->first_submit_s(), result_.replay);
    if (plugged && segments_.preemptions() == 0) result_.replay.segmented.clear();
    // Shares of GPUs and what machines hold are known here alone.
    const NodeTime& t = result_.nodes.time;
    result_.replay.utilization = result_.nodes.allocated_share;
    if (t.nominal > 0)
      result_.replay.wasted =
          static_cast<double>(t.lost + t.preempted + t.restarts) / static_cast<double>(t.nominal);
  }

 private:
  static constexpr bool plugged = std::is_same_v<Dispatcher, scheduling::PluggedNodes>;
  using Base::accounts_;
  using Base::arrivals_;
  using Base::dispatcher_;
  using Base::events_;
  using Base::jobs_;
  using Base::options_;
  using Base::result_;
  using Base::states_;
  using Base::view_;
  using Base::work_;

  static constexpr std::int64_t never_stopped = -1;
  static constexpr bool has_quotas = requires(Dispatcher & d) { d.attribute(0U, 0U); };

  std::int64_t requested(std::uint32_t i) const { return this->ticks(this->requested_s(jobs_[i])); }
  /// A job without GPUs ranks as one of a whole one, and takes nothing of a quota.
  std::int64_t asked_milli(std::uint32_t i) const {
    const std::int64_t asked = static_cast<std::int64_t>(jobs_[i].gpus) * asked_of_a_gpu(jobs_[i]);
    return asked > 0 || has_quotas ? asked : scheduling::whole_gpu_milli;
  }
  bool killed(std::uint32_t i) const { return jobs_[i].run_s > jobs_[i].requested_s; }
  void submit(std::uint32_t i, std::int64_t now) {
    const std::uint32_t kind = work_.kind_of_job[i];
    const WaitingJob waiting = segments_.waiting(i, requested(i));
    const scheduling::NodeProgress progress{segments_.progress(i, requested(i)), asked_milli(i), false};
    if constexpr (plugged)
      dispatcher_.submit(kind, {waiting, i, this->ticks(jobs_[i].submit_s), jobs_[i].user, progress.progress,
                                0, true, result_.replay.start_s[i] < 0});
    else if constexpr (std::is_same_v<Dispatcher, scheduling::GavelNodes>)
      dispatcher_.submit(kind, waiting, progress, now, weight_of(jobs_[i], options_));
    else
      dispatcher_.submit(kind, waiting, progress, now);
  }
  /// A job under notice has handed its machines back.
  void leave(std::uint32_t i) {
    time_.release(states_[i], now_ - stopped_at_[i]);
    stopped_at_[i] = never_stopped;
    segments_.release(i, now_);
    submit(i, now_);
  }
  void finish(std::uint32_t i) {
    dispatcher_.finish_job(i);
    time_.finish(states_[i], segments_.finish(i, now_), now_, killed(i));
    result_.replay.end_s[i] = now_ / ticks_per_second;
  }

  Segments segments_;
  NodeSegmentBooks time_;
  std::vector<std::int64_t> stopped_at_;  ///< by job under notice: since when, ticks
  std::int64_t now_ = 0;                  ///< ticks
};

template <class Dispatcher>
void run(Dispatcher dispatcher, const NodeParts& parts) {
  PreemptiveNodeReplay<Dispatcher> model(parts, std::move(dispatcher));
  run_through(model, {}, parts.result.replay);
}

}  // namespace

void run_preemptive(scheduling::NodeBooks&& books, const NodeParts& p) {
  const ReplayOptions& o = p.options;
  scheduling::PreemptiveRule rule = o.preemption;
  rule.order = o.order;
  rule.skips = o.backfill == scheduling::Backfill::fit;
  if (o.by_class) return run(scheduling::ClassNodes(std::move(books), std::move(rule)), p);
  if (o.quota_reclaim)
    return run(scheduling::QuotaNodes(std::move(books), std::move(rule), quotas_of(p.accounts.tree),
                                      o.order == scheduling::Order::priority),
               p);
  if (by_target(rule.order)) return run(scheduling::GavelNodes(std::move(books), std::move(rule), {0}), p);
  run(scheduling::PreemptiveNodes(std::move(books), std::move(rule)), p);
}

void run_plugged(scheduling::NodeBooks&& books, const NodeParts& p) {
  const bool by_event = p.options.semantics.pass == scheduling::PassRule::event;
  const Stream draws = Streams(p.options.seed, 0).open("policy", "plugged");
  PreemptiveNodeReplay<scheduling::PluggedNodes> model(
      p, scheduling::PluggedNodes(std::move(books), p.options.plugged, draws,
                                  {!by_event, p.options.preemption.shield, 0}));
  run_through(model, {by_event, false}, p.result.replay);
}

}  // namespace natgpu::simulation
