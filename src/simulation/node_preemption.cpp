// SPDX-License-Identifier: Apache-2.0
// Replays on machines under orders that take GPUs back.
#include <algorithm>
#include <utility>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/preemptive_nodes.hpp>

#include "node_run.hpp"
#include "replay_segments.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::WaitingJob;

/// Jobs may lose their machines to others; instants are ticks, for who comes first may change between two
/// seconds.
class PreemptiveNodeReplay : public NodeRun<scheduling::PreemptiveNodes> {
 public:
  PreemptiveNodeReplay(const NodeParts& parts, scheduling::PreemptiveNodes dispatcher)
      : NodeRun(parts, std::move(dispatcher)),
        segments_(jobs_, options_),
        time_(dispatcher_.pool().free_milli(), first_submit_s()) {}

  engine::Rank arrive(Instant now) {
    const auto [i, rank] = arrivals_.take();
    if (can_run(i)) {
      const std::int64_t submitted = now.time_since_epoch().count();
      segments_.queue({{submitted, rank}, requested(i), std::max(jobs_[i].gpus, 1), i}, submitted);
      submit(i, submitted);
    }
    return engine::rank_of(engine::Phase::arrive, submission, i);
  }

  void handle(const engine::Event<Payload>& event) {
    const std::uint32_t i = event.payload.subject;
    if (event.kind() == wake) return;  // the pass is all that is wanted
    if (event.kind() == completion) return finish(i);
    if (event.kind() == repair) return end_outage(i);
    for (const std::uint32_t job : begin_outage(i)) {
      events_.cancel(segments_.end_of(job));
      time_.stop(states_[job], segments_.fail(job, now_), &NodeTime::lost);
      submit(job, now_);
    }
  }

  void decide(Instant now) {
    dispatcher_.pass(now_, *this);
    wake_at_next_start(now);
  }

  /// The dispatcher's sink.
  void start(const WaitingJob& waiting, std::uint32_t, std::int64_t) {
    const std::uint32_t i = waiting.slot;
    note_start(i, now_);
    if (result_.replay.start_s[i] < 0) {
      result_.replay.start_s[i] = now_ / ticks_per_second;
      result_.replay.killed[i] = killed(i);
      ++result_.replay.started;
    }
    const Pace pace{states_[i].spread ? std::max<std::int64_t>(view_.slowdown_milli, 1000) : 1000, 1000};
    segments_.expect(i, schedule(segments_.start(i, now_, pace), engine::Phase::release, completion, i));
  }
  void preempt(const WaitingJob& waiting) {
    const std::uint32_t i = waiting.slot;
    events_.cancel(segments_.end_of(i));
    time_.stop(states_[i], segments_.stop(i, now_), &NodeTime::preempted);
    submit(i, now_);
  }

  bool keep_going(Instant now) {
    now_ = now.time_since_epoch().count();
    note_levels(time_, now_);
    return true;
  }

  void report() const {
    report_levels(time_);
    if (jobs_.empty()) return;
    segments_.report(first_submit_s(), result_.replay);
    // Shares of GPUs and what machines hold are known here alone.
    const NodeTime& t = result_.nodes.time;
    result_.replay.utilization = result_.nodes.allocated_share;
    if (t.nominal > 0)
      result_.replay.wasted =
          static_cast<double>(t.lost + t.preempted + t.restarts) / static_cast<double>(t.nominal);
  }

 private:
  std::int64_t requested(std::uint32_t i) const { return ticks(requested_s(jobs_[i])); }
  bool killed(std::uint32_t i) const { return jobs_[i].run_s > jobs_[i].requested_s; }
  void submit(std::uint32_t i, std::int64_t now) {
    const std::int64_t asked = static_cast<std::int64_t>(jobs_[i].gpus) * asked_of_a_gpu(jobs_[i]);
    dispatcher_.submit(
        work_.kind_of_job[i], segments_.waiting(i, requested(i)),
        {segments_.progress(i, requested(i)), asked > 0 ? asked : scheduling::whole_gpu_milli, false}, now);
  }
  void finish(std::uint32_t i) {
    dispatcher_.finish_job(i);
    time_.finish(states_[i], segments_.finish(i, now_), now_, killed(i));
    result_.replay.end_s[i] = now_ / ticks_per_second;
  }

  Segments segments_;
  NodeSegmentBooks time_;
  std::int64_t now_ = 0;  ///< ticks
};

}  // namespace

void run_preemptive(scheduling::NodeBooks&& books, const NodeParts& p) {
  scheduling::PreemptiveRule rule = p.options.preemption;
  rule.order = p.options.order;
  rule.skips = p.options.backfill == scheduling::Backfill::fit;
  PreemptiveNodeReplay model(p, scheduling::PreemptiveNodes(std::move(books), std::move(rule)));
  run_through(model, {}, p.result.replay);
}

}  // namespace natgpu::simulation
