// SPDX-License-Identifier: Apache-2.0
// GPUs that jobs share in time, in place of a queue: all at once at a part of their pace, or in turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace natgpu::scheduling {

enum class Sharing : std::uint8_t {
  exclusive,  ///< a job has its GPUs to itself, and others wait
  ps,         ///< all run at once at a part of their pace: ProcessorSharing
  gang,       ///< all run in turns: GangSharing
};

/// A job that shares the GPUs of one pool. Times are ticks.
struct SharingJob {
  std::uint32_t slot = 0;  ///< the owner's handle
  std::int32_t gpus = 1;
  std::int64_t service = 1;  ///< it would take with all of its GPUs to itself
  double weight = 1;         ///< of its share; positive
};

/// What a sharing tells its owner: at most once for each job.
struct SharingChanges {
  std::vector<std::uint32_t> started, ended;  ///< slots, in the order of submission
  void clear() {
    started.clear();
    ended.clear();
  }
};

/// Processor sharing (Kleinrock, J. ACM 14(2), 1967; with weights: Fayolle, Mitrani & Iasnogorodski, J. ACM
/// 27(3), 1980). GPUs are divided by weight among all jobs that are there, to none more than it asks for;
/// what it leaves goes to the others (max-min). A job with a part of its GPUs runs at that part of its pace.
/// O(n log n) for a change among n jobs.
class ProcessorSharing {
 public:
  explicit ProcessorSharing(std::int64_t gpus) : gpus_(gpus) {}

  /// @pre the job's GPUs are no more than the pool's
  void submit(const SharingJob& job) { submitted_.push_back(job); }
  /// Moves on to now: jobs end, then those submitted join. @pre now is not before the last pass
  void pass(std::int64_t now, SharingChanges& changes);
  /// When the next job will end if none joins; std::numeric_limits::max() where there is none. Rounded up to
  /// a tick.
  std::int64_t next_change() const;

 private:
  struct Member {
    SharingJob job;
    double left;       ///< GPU-ticks
    double given = 0;  ///< GPUs
  };
  void divide();

  std::int64_t gpus_, now_ = 0;
  std::vector<Member> members_;  ///< in the order of submission
  std::vector<SharingJob> submitted_;
  std::vector<double> demands_, weights_;  ///< of the members
};

/// Gang scheduling by Ousterhout's matrix (ICDCS 1982): jobs stand in rows, each row fits the pool, and the
/// rows have it in turns of one quantum. A new job joins the first row with room, else a new row, the last.
/// A row without jobs is gone and its turn with it. Jobs stay in their rows, and GPUs that a row leaves idle
/// stay idle in its turn.
class GangSharing {
 public:
  /// @param quantum  ticks, positive
  GangSharing(std::int64_t gpus, std::int64_t quantum) : gpus_(gpus), quantum_(quantum) {}

  void submit(const SharingJob& job) { submitted_.push_back(job); }
  void pass(std::int64_t now, SharingChanges& changes);
  std::int64_t next_change() const;
  std::size_t rows() const { return rows_.size(); }

 private:
  struct Member {
    SharingJob job;
    bool started = false;
  };
  struct Row {
    std::int64_t free = 0;
    std::vector<Member> members;
  };
  void run_until(std::int64_t now, SharingChanges& changes);
  void drop_empty_rows(std::int64_t now);
  void seat(const SharingJob& job);

  std::int64_t gpus_, quantum_;
  std::int64_t now_ = 0, turn_ends_ = 0;
  std::size_t turn_ = 0;  ///< the row that runs
  std::vector<Row> rows_;
  std::vector<SharingJob> submitted_;
};

}  // namespace natgpu::scheduling
