// SPDX-License-Identifier: Apache-2.0
// One pool, one log, GPUs shared in time: the model that the engine runs in a replay without a queue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/scheduling/sharing.hpp>
#include <natgpu/simulation/replay.hpp>

#include "log_arrivals.hpp"
#include "replay_tally.hpp"
#include "replay_watch.hpp"

namespace natgpu::simulation {

template <class Sharing>
class SharingModel {
 public:
  struct Payload {};

  SharingModel(const workload::JobLog& log, const ArrivalOrder& order, const ReplayOptions& options,
               ReplayResult& result, Sharing sharing)
      : jobs_(log.jobs),
        options_(options),
        result_(result),
        sharing_(std::move(sharing)),
        arrivals_(log.jobs, order),
        tally_(options.slowdown_floor_s) {}

  engine::EventList<Payload>& events() { return events_; }
  Instant next_arrival() const { return arrivals_.next(); }
  engine::Rank arrive(Instant) {
    const std::uint32_t i = arrivals_.take().job;
    const workload::LogJob& job = jobs_[i];
    if (job.gpus <= result_.gpus)
      sharing_.submit({i, job.gpus, service_s(job) * ticks_per_second, weight_of(job, options_)});
    return engine::rank_of(engine::Phase::arrive, joins, i);
  }
  /// What changes is settled in the pass.
  void handle(const engine::Event<Payload>&) {}
  void decide(Instant now) {
    changes_.clear();
    sharing_.pass(now.time_since_epoch().count(), changes_);
    for (const std::uint32_t i : changes_.ended) end(i, now);
    for (const std::uint32_t i : changes_.started) start(i, now);
    wake_at_next_change(now);
  }
  bool keep_going(Instant) {
    watch_.look(result_.started);
    return true;
  }
  void report() const {
    if (!jobs_.empty()) tally_.report(arrivals_.first_submit_s(), result_);
  }

 private:
  enum Kind : std::uint8_t { change, joins };

  static std::int64_t service_s(const workload::LogJob& job) { return std::min(job.run_s, job.requested_s); }
  /// The nearest: a share is seldom whole, so that an end may lie a tick behind its second.
  static std::int64_t whole_seconds(Instant t) {
    return (t.time_since_epoch().count() + ticks_per_second / 2) / ticks_per_second;
  }
  void start(std::uint32_t i, Instant now) {
    result_.start_s[i] = now.time_since_epoch().count() / ticks_per_second;
    ++result_.started;
  }
  void end(std::uint32_t i, Instant now) {
    const workload::LogJob& job = jobs_[i];
    result_.end_s[i] = whole_seconds(now);
    result_.killed[i] = job.run_s > job.requested_s;
    tally_.record(job, result_.start_s[i], result_.end_s[i], service_s(job));
  }
  void wake_at_next_change(Instant now) {
    const Instant next{Duration{sharing_.next_change()}};
    if (next == wake_ && wake_ > now) return;
    events_.cancel(scheduled_);
    wake_ = next;
    if (next != never)
      scheduled_ = events_.schedule(next, engine::rank_of(engine::Phase::release, change, 0), Payload{});
  }

  const std::vector<workload::LogJob>& jobs_;
  const ReplayOptions& options_;
  ReplayResult& result_;
  engine::EventList<Payload> events_;
  engine::EventHandle scheduled_;
  Sharing sharing_;
  LogArrivals arrivals_;
  ReplayTally tally_;
  ReplayWatch watch_{options_};
  scheduling::SharingChanges changes_;
  Instant wake_ = Instant::min();  ///< the next change that is scheduled
};

}  // namespace natgpu::simulation
