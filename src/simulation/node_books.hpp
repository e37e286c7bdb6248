// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/node_books.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "replay_segments.hpp"

namespace natgpu::simulation {

/// One job between its submission and its end. Times are in the unit of its books.
struct NodeJob {
  std::int64_t saved = 0;                                 ///< work behind a checkpoint
  std::int64_t segment = -1;                              ///< when it last started
  Area saved_area = 0;                                    ///< GPU time of that work
  std::int64_t held_milli = 0;                            ///< by the running segment
  std::int64_t mig_asked_milli = 0, mig_given_milli = 0;  ///< of it, of GPUs that MIG cuts
  std::int64_t checkpoints = 0;  ///< that the running segment writes if it ends in peace
  bool spread = false;           ///< the running segment
  bool restarts = false;         ///< it has run before
};

/// How machines stood over the time of a replay, and what of it came to what.
class NodeLevels {
 public:
  /// @param units_per_s  in which instants are given
  NodeLevels(std::int64_t nominal_milli, std::int64_t from, std::int64_t units_per_s)
      : nominal_milli_(nominal_milli), from_(from), last_(from), until_(from) {
    time_.units_per_s = units_per_s;
  }

  /// Levels stay as they are until now.
  void advance(std::int64_t now, std::int64_t idle_milli, std::int64_t down_milli, std::int64_t fragmented) {
    if (now <= last_) return;
    const Area passed = now - last_;
    idle_ += passed * idle_milli;
    down_ += passed * down_milli;
    fragmented_ += passed * fragmented;
    last_ = now;
  }

  void report(NodeFigures& f, double tasks, bool measured) const {
    f.time = time_;
    f.mig.asked = mig_asked_;
    f.mig.given = mig_given_;
    f.time.nominal = static_cast<Area>(nominal_milli_) * (until_ - from_);
    f.time.idle = idle_until_;
    f.time.down = down_until_;
    const NodeTime& t = f.time;
    const Area spent = t.useful + t.stopped + t.lost + t.preempted + t.checkpoints + t.restarts;
    NATGPU_ENSURE(spent + t.idle + t.down == t.nominal, "GPU time of machines is conserved");
    if (t.nominal > 0)
      f.allocated_share = static_cast<double>(t.nominal - t.idle - t.down) / static_cast<double>(t.nominal);
    f.fragmented_gpus = f.fragmented_of_free = std::numeric_limits<double>::quiet_NaN();
    if (!measured || until_ <= from_) return;
    const double useless = static_cast<double>(fragmented_until_) / tasks;
    f.fragmented_gpus = useless / scheduling::whole_gpu_milli / static_cast<double>(until_ - from_);
    f.fragmented_of_free = t.idle > 0 ? useless / static_cast<double>(t.idle) : 0;
  }

 protected:
  /// A job has ended.
  void note_end(std::int64_t now) {
    until_ = now;
    idle_until_ = idle_;
    down_until_ = down_;
    fragmented_until_ = fragmented_;
  }
  /// What the segment held of GPUs that MIG cuts, for so long.
  void note_instances(const NodeJob& job, std::int64_t length) {
    mig_asked_ += length * static_cast<Area>(job.mig_asked_milli);
    mig_given_ += length * static_cast<Area>(job.mig_given_milli);
  }

  NodeTime time_;

 private:
  std::int64_t nominal_milli_, from_, last_, until_;
  Area idle_ = 0, down_ = 0, fragmented_ = 0;
  Area idle_until_ = 0, down_until_ = 0, fragmented_until_ = 0;  ///< at the last end
  Area mig_asked_ = 0, mig_given_ = 0;
};

/// Where the GPU time of a replay on machines goes, in seconds: jobs lose machines that are lost alone.
class NodeBooksOfTime : public NodeLevels {
 public:
  NodeBooksOfTime(const NodeView& view, std::int64_t nominal_milli, std::int64_t from_s)
      : NodeLevels(nominal_milli, from_s, 1), view_(view) {}

  void finish(const NodeJob& job, std::int64_t now_s, bool killed) {
    note_instances(job, now_s - job.segment);
    const Area restart = overhead_s(job, now_s) * static_cast<Area>(job.held_milli);
    const Area writing = job.checkpoints * view_.checkpoint_cost_s * static_cast<Area>(job.held_milli);
    const Area all = (now_s - job.segment) * static_cast<Area>(job.held_milli);
    (killed ? time_.stopped : time_.useful) += all - restart - writing + job.saved_area;
    time_.restarts += restart;
    time_.checkpoints += writing;
    note_end(now_s);
  }
  /// The job loses its GPUs, and the work behind its last checkpoint.
  void stop(NodeJob& job, std::int64_t now_s) {
    note_instances(job, now_s - job.segment);
    const std::int64_t overhead = overhead_s(job, now_s), ran = now_s - job.segment - overhead;
    const std::int64_t written = checkpoints_behind(job, ran), kept = written * view_.checkpoint_s;
    const Area kept_area =
        scheduling::slowed_s(kept, job.spread, slowdown()) * static_cast<Area>(job.held_milli);
    const Area writing = written * view_.checkpoint_cost_s * static_cast<Area>(job.held_milli);
    job.saved += kept;
    job.saved_area += kept_area;
    time_.restarts += overhead * static_cast<Area>(job.held_milli);
    time_.checkpoints += writing;
    time_.lost += ran * static_cast<Area>(job.held_milli) - kept_area - writing;
    job.restarts = true;
  }
  /// How many a job writes that has so much work before it: none at its end.
  std::int64_t checkpoints_in(std::int64_t work_s) const {
    return view_.checkpoint_s > 0 ? (std::max<std::int64_t>(work_s, 1) - 1) / view_.checkpoint_s : 0;
  }
  std::int64_t slowdown() const { return std::max<std::int64_t>(view_.slowdown_milli, 1000); }

 private:
  /// Those that were written in so much time, each after its stretch of work, which is longer where the job
  /// is spread.
  std::int64_t checkpoints_behind(const NodeJob& job, std::int64_t ran) const {
    if (view_.checkpoint_s == 0) return 0;
    const std::int64_t factor = job.spread ? slowdown() : 1000;
    const Area stretch =
        static_cast<Area>(view_.checkpoint_s) * factor + view_.checkpoint_cost_s * Area{1000};
    return static_cast<std::int64_t>(Area{ran} * 1000 / stretch);
  }
  std::int64_t overhead_s(const NodeJob& job, std::int64_t now_s) const {
    if (!job.restarts) return 0;
    return std::min(scheduling::slowed_s(view_.restart_s, job.spread, slowdown()), now_s - job.segment);
  }

  const NodeView& view_;
};

/// The same, in ticks, of jobs that `Segments` follows.
class NodeSegmentBooks : public NodeLevels {
 public:
  NodeSegmentBooks(std::int64_t nominal_milli, std::int64_t from_s)
      : NodeLevels(nominal_milli, from_s * ticks_per_second, ticks_per_second) {}

  void finish(const NodeJob& job, const SegmentTime& time, std::int64_t now, bool killed) {
    note_instances(job, time.all);
    (killed ? time_.stopped : time_.useful) += work(job, time) + job.saved_area;
    time_.restarts += time.restart * static_cast<Area>(job.held_milli);
    note_end(now);
  }
  /// The job loses its machines. @param lost  where what it did behind its last checkpoint is counted
  void stop(NodeJob& job, const SegmentTime& time, Area NodeTime::*lost) {
    note_instances(job, time.all);
    job.saved_area += work(job, time);
    time_.restarts += time.restart * static_cast<Area>(job.held_milli);
    time_.*lost += time.lost * static_cast<Area>(job.held_milli);
  }
  /// It kept them so much longer, under notice.
  void release(const NodeJob& job, std::int64_t length) {
    note_instances(job, length);
    time_.preempted += length * static_cast<Area>(job.held_milli);
  }

 private:
  static Area work(const NodeJob& job, const SegmentTime& time) {
    return (time.all - time.restart - time.lost) * static_cast<Area>(job.held_milli);
  }
};

}  // namespace natgpu::simulation
