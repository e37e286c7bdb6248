// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>
#include <natgpu/simulation/node_replay.hpp>

namespace natgpu::simulation {

/// One job between its submission and its end.
struct NodeJob {
  std::int64_t saved_s = 0;                               ///< work behind a checkpoint
  std::int64_t segment_s = -1;                            ///< when it last started
  Area saved_area = 0;                                    ///< GPU time of that work
  std::int64_t held_milli = 0;                            ///< by the running segment
  std::int64_t mig_asked_milli = 0, mig_given_milli = 0;  ///< of it, of GPUs that MIG cuts
  bool spread = false;                                    ///< the running segment
  bool restarts = false;                                  ///< it has run before
};

/// Where the GPU time of a replay on machines goes.
class NodeBooksOfTime {
 public:
  NodeBooksOfTime(const NodeView& view, std::int64_t nominal_milli, std::int64_t from_s)
      : view_(view), nominal_milli_(nominal_milli), from_s_(from_s), last_s_(from_s), until_s_(from_s) {}

  /// Levels stay as they are until now.
  void advance(std::int64_t now_s, std::int64_t idle_milli, std::int64_t down_milli,
               std::int64_t fragmented) {
    if (now_s <= last_s_) return;
    const Area passed = now_s - last_s_;
    idle_ += passed * idle_milli;
    down_ += passed * down_milli;
    fragmented_ += passed * fragmented;
    last_s_ = now_s;
  }
  void finish(const NodeJob& job, std::int64_t now_s, bool killed) {
    note_instances(job, now_s);
    const Area restart = overhead_s(job, now_s) * static_cast<Area>(job.held_milli);
    const Area work = (now_s - job.segment_s) * static_cast<Area>(job.held_milli) - restart + job.saved_area;
    (killed ? time_.stopped : time_.useful) += work;
    time_.restarts += restart;
    until_s_ = now_s;
    idle_until_ = idle_;
    down_until_ = down_;
    fragmented_until_ = fragmented_;
  }
  /// The job loses its GPUs, and the work behind its last checkpoint.
  void stop(NodeJob& job, std::int64_t now_s) {
    note_instances(job, now_s);
    const std::int64_t overhead = overhead_s(job, now_s), ran = now_s - job.segment_s - overhead;
    const std::int64_t work = job.spread ? ran * 1000 / slowdown() : ran;
    std::int64_t kept = 0;
    if (view_.checkpoint_s > 0)
      kept = std::max((job.saved_s + work) / view_.checkpoint_s * view_.checkpoint_s - job.saved_s,
                      std::int64_t{0});
    const Area kept_area =
        scheduling::slowed_s(kept, job.spread, slowdown()) * static_cast<Area>(job.held_milli);
    job.saved_s += kept;
    job.saved_area += kept_area;
    time_.restarts += overhead * static_cast<Area>(job.held_milli);
    time_.lost += ran * static_cast<Area>(job.held_milli) - kept_area;
    job.restarts = true;
  }
  std::int64_t slowdown() const { return std::max<std::int64_t>(view_.slowdown_milli, 1000); }

  void report(NodeFigures& f, double tasks, bool measured) const {
    f.time = time_;
    f.mig.asked = mig_asked_;
    f.mig.given = mig_given_;
    f.time.nominal = static_cast<Area>(nominal_milli_) * (until_s_ - from_s_);
    f.time.idle = idle_until_;
    f.time.down = down_until_;
    const NodeTime& t = f.time;
    NATGPU_ENSURE(t.useful + t.stopped + t.lost + t.restarts + t.idle + t.down == t.nominal,
                  "GPU time of machines is conserved");
    if (t.nominal > 0)
      f.allocated_share = static_cast<double>(t.nominal - t.idle - t.down) / static_cast<double>(t.nominal);
    f.fragmented_gpus = f.fragmented_of_free = std::numeric_limits<double>::quiet_NaN();
    if (!measured || until_s_ <= from_s_) return;
    const double useless = static_cast<double>(fragmented_until_) / tasks;
    f.fragmented_gpus = useless / scheduling::whole_gpu_milli / static_cast<double>(until_s_ - from_s_);
    f.fragmented_of_free = t.idle > 0 ? useless / static_cast<double>(t.idle) : 0;
  }

 private:
  void note_instances(const NodeJob& job, std::int64_t now_s) {
    mig_asked_ += (now_s - job.segment_s) * static_cast<Area>(job.mig_asked_milli);
    mig_given_ += (now_s - job.segment_s) * static_cast<Area>(job.mig_given_milli);
  }
  std::int64_t overhead_s(const NodeJob& job, std::int64_t now_s) const {
    if (!job.restarts) return 0;
    return std::min(scheduling::slowed_s(view_.restart_s, job.spread, slowdown()), now_s - job.segment_s);
  }

  const NodeView& view_;
  std::int64_t nominal_milli_, from_s_, last_s_, until_s_;
  Area idle_ = 0, down_ = 0, fragmented_ = 0;
  Area idle_until_ = 0, down_until_ = 0, fragmented_until_ = 0;  ///< at the last end
  Area mig_asked_ = 0, mig_given_ = 0;
  NodeTime time_;
};

}  // namespace natgpu::simulation
