// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>
#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// How time on GPUs and work go together: `work` ticks of work take `time` ticks.
struct Pace {
  std::int64_t time = 1, work = 1;
  /// Work done in so much time, rounded down.
  std::int64_t work_in(std::int64_t ticks) const {
    return time == work ? ticks : static_cast<std::int64_t>(static_cast<Area>(ticks) * work / time);
  }
  /// Time for so much work, rounded up.
  std::int64_t time_for(std::int64_t ticks) const {
    return time == work ? ticks
                        : static_cast<std::int64_t>((static_cast<Area>(ticks) * time + work - 1) / work);
  }
};

/// Where the time of a segment went, ticks. What is not named is work that counts.
struct SegmentTime {
  std::int64_t all = 0;
  std::int64_t restart = 0;  ///< before work went on
  std::int64_t lost = 0;     ///< behind the last checkpoint
};

/// What jobs have done that may lose their GPUs before they end, segment by segment, and what it adds up to.
/// Instants and lengths are ticks; jobs go by their index in the log.
class Segments {
 public:
  Segments(const std::vector<workload::LogJob>& log, const ReplayOptions& options)
      : log_(log), jobs_(log.size()), rules_(options.segments), floor_s_(options.slowdown_floor_s) {}

  /// The job has been submitted.
  void queue(const scheduling::WaitingJob& waiting, std::int64_t now) {
    jobs_[waiting.slot].waiting = waiting;
    jobs_[waiting.slot].since = now;
  }
  /// The job as it waits. @param requested  for the whole job; what is asked for anew is less what was kept
  scheduling::WaitingJob waiting(std::uint32_t i, std::int64_t requested) const {
    scheduling::WaitingJob w = jobs_[i].waiting;
    w.requested = requested - jobs_[i].kept + jobs_[i].restart;
    return w;
  }
  /// @param requested  for the whole job
  scheduling::Progress progress(std::uint32_t i, std::int64_t requested) const {
    const Job& j = jobs_[i];
    return {requested - j.kept, j.attained, j.restart};
  }
  /// @returns the instant at which it will end, unless it is stopped
  std::int64_t start(std::uint32_t i, std::int64_t now, const Pace& pace = {}) {
    Job& j = jobs_[i];
    if (j.out.start < 0) j.out.start = now;
    j.out.queued += now - j.since;
    j.since = now;
    j.pace = pace;
    return now + pace.time_for(work(i) - j.kept) + j.restart;
  }
  void expect(std::uint32_t i, const engine::EventHandle& end) { jobs_[i].end = end; }
  const engine::EventHandle& end_of(std::uint32_t i) const { return jobs_[i].end; }

  /// The job loses its GPUs to another; what was done since the last checkpoint is lost.
  SegmentTime stop(std::uint32_t i, std::int64_t now) {
    const std::int64_t kept = jobs_[i].kept;
    const SegmentTime time = fail(i, now);
    ++jobs_[i].out.preemptions;
    ++preemptions_;
    barren_ = jobs_[i].kept > kept ? 0 : barren_ + 1;
    if (barren_ > most_barren)
      throw RunError(
          "a million preemptions in a row, and no work was kept: jobs lose their GPUs before they come to a "
          "checkpoint; lengthen --quantum or --rounds, set a --shield, or shorten --checkpoint");
    return time;
  }
  /// The same, of a job whose machine is lost.
  SegmentTime fail(std::uint32_t i, std::int64_t now) {
    Job& j = jobs_[i];
    const std::int64_t ran = now - j.since;
    const std::int64_t worked = std::max<std::int64_t>(ran - j.restart, 0);
    const std::int64_t done = j.kept + j.pace.work_in(worked);
    const std::int64_t kept =
        std::max(j.kept, rules_.checkpoint == 0 ? done : done - done % rules_.checkpoint);
    const SegmentTime time{ran, ran - worked, j.pace.time_for(done - kept)};
    j.out.lost += done - kept;
    j.wasted += time.restart + time.lost;
    j.kept = kept;
    j.attained += ran;
    j.held += ran;
    j.restart = rules_.restart;
    j.since = now;
    return time;
  }
  /// The GPUs of a stopped job come free, and it is in the queue again.
  void release(std::uint32_t i, std::int64_t now) {
    jobs_[i].held += now - jobs_[i].since;
    jobs_[i].wasted += now - jobs_[i].since;
    jobs_[i].since = now;
  }
  SegmentTime finish(std::uint32_t i, std::int64_t now) {
    Job& j = jobs_[i];
    const SegmentTime time{now - j.since, j.restart, 0};
    const workload::LogJob& job = log_[i];
    j.held += now - j.since;
    j.wasted += j.restart;
    j.out.end = now;
    barren_ = 0;
    ++finished_;
    last_end_ = std::max(last_end_, now);
    const std::int64_t submitted = job.submit_s * ticks_per_second;
    waited_ += j.out.start - submitted;
    queued_ += j.out.queued;
    held_ += static_cast<Area>(j.held) * job.gpus;
    wasted_ += static_cast<Area>(j.wasted) * job.gpus;
    const auto service = static_cast<double>(std::max(work(i), floor_s_ * ticks_per_second));
    slowdown_ += std::max(1.0, static_cast<double>(now - submitted) / service);
    return time;
  }

  std::uint64_t preemptions() const { return preemptions_; }
  /// Ticks with GPUs, before the present segment.
  std::int64_t held(std::uint32_t i) const { return jobs_[i].held; }

  void report(std::int64_t first_submit_s, ReplayResult& r) const {
    r.preemptions = preemptions_;
    r.segmented.resize(jobs_.size());
    for (std::size_t i = 0; i < jobs_.size(); ++i) r.segmented[i] = jobs_[i].out;
    if (finished_ == 0) return;
    const auto jobs = static_cast<double>(finished_);
    const std::int64_t makespan = last_end_ - first_submit_s * ticks_per_second;
    r.makespan_s = (makespan + ticks_per_second - 1) / ticks_per_second;
    r.mean_wait_s = static_cast<double>(waited_) / ticks_per_second / jobs;
    r.mean_queued_s = static_cast<double>(queued_) / ticks_per_second / jobs;
    r.mean_bounded_slowdown = slowdown_ / jobs;
    const double offered = static_cast<double>(r.gpus) * static_cast<double>(makespan);
    if (offered <= 0) return;
    r.utilization = static_cast<double>(held_) / offered;
    r.wasted = static_cast<double>(wasted_) / offered;
  }

 private:
  static constexpr std::uint64_t most_barren = 1'000'000;
  struct Job {
    SegmentedJob out;
    scheduling::WaitingJob waiting;  ///< as first submitted
    std::int64_t since = 0;          ///< instant of the present wait, segment or notice
    std::int64_t kept = 0;           ///< work that outlives a stop
    std::int64_t attained = 0;       ///< time run, before the present segment
    std::int64_t held = 0;           ///< time with GPUs, before the present segment
    std::int64_t wasted = 0;         ///< of it: restarts, work lost, notices
    std::int64_t restart = 0;        ///< of the present segment, or the next
    Pace pace;                       ///< of the present segment
    engine::EventHandle end;
  };
  std::int64_t work(std::uint32_t i) const {
    return std::min(log_[i].run_s, log_[i].requested_s) * ticks_per_second;
  }

  const std::vector<workload::LogJob>& log_;
  std::vector<Job> jobs_;
  SegmentRules rules_;
  std::int64_t floor_s_, last_end_ = 0;
  std::uint64_t finished_ = 0, preemptions_ = 0;
  std::uint64_t barren_ = 0;  ///< preemptions in a row that left no new work behind
  Area waited_ = 0, queued_ = 0, held_ = 0, wasted_ = 0;
  double slowdown_ = 0;
};

/// In the place of `Segments` where nobody loses GPUs.
struct NoSegments {
  NoSegments(const std::vector<workload::LogJob>&, const ReplayOptions&) {}
};

}  // namespace natgpu::simulation
