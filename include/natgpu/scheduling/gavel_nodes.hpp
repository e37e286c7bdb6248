// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on machines, of several types of GPU, each in one pool or in several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/pool_lots.hpp>
#include <natgpu/scheduling/preemptive_node_books.hpp>
#include <natgpu/scheduling/target_turns.hpp>

namespace natgpu::scheduling {

/// TypedGavelDispatcher's turns, on machines. Whoever's next round on a type is due first has its turn first:
/// a running job stays where it is if it can, and any other finds a place by the rule of placement
/// (PreemptiveNodeBooks); a job that has a place is passed over on other types. What is left goes, in the
/// same order, to jobs without a place, on types where they have no share. Jobs that no type could hold come
/// last.
///
/// Of the pools of a type those where counted GPUs are idle come first, then those where whoever must go is
/// due last; the first in which the job finds a place has it. Shares are of the GPUs of machines that are
/// there, less what firm jobs hold; a job counts for the thousandths of GPUs that it asks for. On machines of
/// one GPU, for jobs of one GPU each, and where gangs may be spread at no cost over one pool, this is the
/// choice of counted GPUs.
///
/// A pass is O(n log n) for n waiting and running jobs, and as many places as PreemptiveNodes looks for in
/// each pool of a type.
class GavelNodes : public PreemptiveNodeBooks {
 public:
  /// @param type_of  of each pool
  /// @pre the rule has rounds and no notice; kinds accept all pools of a type at one speed, or none
  GavelNodes(NodeBooks&& books, PreemptiveRule rule, std::vector<std::uint32_t> type_of);

  /// A job joins the queue, or rejoins it after it lost its machines.
  /// @param now     ticks
  /// @param weight  of its share, positive; it stays the same
  void submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress, std::int64_t now,
              double weight = 1);
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot);
  void finish_job(std::uint32_t slot);

  /// Decisions go to the sink at once: `preempt(job)`, which submits the job anew, and `start(job, pool,
  /// requested there)`. A job that goes to another pool is preempted and started.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    wake_ = (now / rule_.round + 1) * rule_.round;
    note_machines();
    gained_.clear();
    if (now % rule_.round != 0 || (waiting() == 0 && slow_ == 0)) return;
    take_submitted();
    list_present(now);
    update_shares(now);
    choose(now);
    for (const std::uint32_t slot : lost_) vacate(slot, now);
    for (const std::uint32_t slot : lost_) sink.preempt(WaitingJob(jobs_[slot].waiting));
    take_submitted();  // by those that move to another pool
    for (Chosen& c : chosen_)
      if (is_good_yet(c, now)) {
        note_run(c, now);
        start(c.kind, c.job, c.place, now, sink);
      }
  }
  /// The next instant at which it wants a pass, or `forever`: none where all run as fast as they can.
  std::int64_t next_start() const { return waiting() > 0 || slow_ > 0 ? wake_ : forever; }

 private:
  static constexpr std::uint32_t nowhere = TargetTurns::nowhere;
  struct Job {
    WaitingJob waiting;  ///< as submitted
    NodeProgress progress;
    bool known = false, waits = false;
    bool slow = false;     ///< it runs, and there is a faster type that could hold it
    bool offered = false;  ///< in this pass, what was left
    double speed = 1;      ///< where it runs
    std::uint32_t kind = 0;
    std::uint32_t runs_on = nowhere;     ///< pool
    std::uint32_t stopped_on = nowhere;  ///< type of a run that has just ended otherwise than by a preemption
    std::uint32_t chosen = nowhere;      ///< pool of the coming round
    std::uint32_t tenant = nowhere;      ///< in tenants_, if it may lose its machines
    std::size_t place = 0;               ///< in queue_
    std::int64_t started = 0;            ///< instant of the present or last run's start
  };
  /// A job's turn on a type.
  struct Turn {
    QueueKey place;
    std::uint32_t type, slot;
  };

  QueueKey key_of(const Job& j) const { return {0, j.waiting.order.id}; }
  bool keeps(const Job& j, std::int64_t now) const {
    return j.progress.firm || now - j.started < rule_.shield || now == j.started;
  }
  void leave_queue(Job& j);
  void end_run(Job& j);
  void note_run(const Chosen& c, std::int64_t now);
  void vacate(std::uint32_t slot, std::int64_t now);
  bool is_good_yet(Chosen& c, std::int64_t now);
  void note_machines();
  void note_slow(std::uint32_t slot);

  void list_present(std::int64_t now);
  void note_present(std::uint32_t slot, std::int64_t left, std::uint32_t type, std::int64_t running);
  void update_shares(std::int64_t now);
  void count_gpus();

  void choose(std::int64_t now);
  void rank();
  void list_tenants();
  bool decide(std::uint32_t slot, std::uint32_t type, std::int64_t now);
  void decide_elsewhere(const Turn& t, std::int64_t now);
  /// A place that is not the job's own, in a pool of the type.
  bool start_on(std::uint32_t slot, std::uint32_t type, std::int64_t now);
  void list_choices(std::uint32_t slot, std::uint32_t type);
  void accept(std::uint32_t slot, const NodeChoice& choice, Attempt& found);
  std::int64_t& reach(std::uint32_t kind, std::uint32_t pool) { return reach_in_[kind * pools() + pool]; }

  PreemptiveRule rule_;
  std::vector<std::uint32_t> type_of_;  ///< of each pool
  std::size_t types_;
  GpuTypes model_;                             ///< for the programs; a class for each kind
  std::int64_t unit_milli_ = whole_gpu_milli;  ///< the model's, thousandths of a GPU
  TargetTurns turns_;
  std::vector<Job> jobs_;                 ///< by slot
  std::vector<std::uint32_t> queue_;      ///< slots
  std::vector<std::int64_t> firm_milli_;  ///< thousandths of GPUs of each pool that firm jobs hold
  std::vector<std::int64_t> gpus_;        ///< of each pool, that are there
  std::uint32_t losses_seen_ = 0;         ///< for which gpus_ and slow_ hold
  std::size_t slow_ = 0;                  ///< running jobs that could be faster
  bool changed_ = true;                   ///< jobs or machines have come or gone since shares were worked out
  std::int64_t wake_ = forever;

  // Of one pass.
  PoolLots lots_;
  std::vector<TargetTurns::Present> present_;
  std::vector<Turn> ranked_;
  std::vector<bool> closed_;            ///< types: to all that come behind a job that found no place
  std::vector<std::int64_t> reach_in_;  ///< [kind x pools + pool]: the longest request that may find a place
  std::vector<std::pair<std::size_t, NodeChoice>> options_;  ///< first to go, and where
};

}  // namespace natgpu::scheduling
