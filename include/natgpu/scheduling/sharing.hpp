// SPDX-License-Identifier: Apache-2.0
// GPUs that jobs share in time, in place of a queue: all at once at a part of their pace, or in turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/lane.hpp>
#include <natgpu/scheduling/sharing_settings.hpp>

namespace natgpu::scheduling {

/// A job that shares the GPUs of one pool. Times are ticks.
struct SharingJob {
  static constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

  std::uint32_t slot = 0;  ///< the owner's handle
  std::int32_t gpus = 1;
  std::int64_t service = 1;  ///< it would take with all of its GPUs to itself; endless: until it is withdrawn
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

/// What all sharings of one pool have: jobs in lanes, each of which progresses at one pace. What a job has
/// had of its GPUs is exact in integers (Lane), so that it does not depend on how often anybody looks.
class SharedPool {
 public:
  explicit SharedPool(std::int64_t gpus) : gpus_(gpus) {}
  SharedPool(SharedPool&&) = default;
  SharedPool& operator=(SharedPool&&) = default;

  /// Joins at the next decision. @pre the job's GPUs are no more than the pool's
  void submit(const SharingJob& job) { submitted_.push_back(job); }
  std::int64_t gpus() const { return gpus_; }
  bool holds(std::uint32_t slot) const { return members_.count(slot) > 0; }
  /// What the job has had, in Lane::tick of its service, as of the last instant.
  Area progress(std::uint32_t slot) const;
  /// GPUs that the job holds, in parts of 1 / Lane::tick; before the next decision those of the last one.
  Area held(std::uint32_t slot) const;
  /// Jobs that ask for more GPUs than so many, in the order of submission.
  std::vector<std::uint32_t> larger_than(std::int64_t gpus) const;

 protected:
  struct Member {
    SharingJob job;
    Lane* lane = nullptr;
    Area offset = 0;             ///< of the lane's clock at which the job had nothing
    std::uint64_t sequence = 0;  ///< of submission
  };

  /// Their slots, in the order of submission.
  static std::vector<std::uint32_t> slots_in_order(std::vector<Lane::Due>& jobs);
  /// A job joins a lane, having had so much; and leaves it again.
  static void enter(Lane& lane, Member& member, Area had);
  static void exit(Member& member);
  Member& add(const SharingJob& job);
  void remove(std::uint32_t slot);

  std::int64_t gpus_, now_ = 0;
  std::uint64_t submissions_ = 0;
  std::vector<SharingJob> submitted_;
  std::unordered_map<std::uint32_t, Member> members_;  ///< looked up, and never walked into results unsorted
  std::map<std::int32_t, std::uint32_t> sizes_;        ///< members by GPUs
};

/// Processor sharing (Kleinrock, J. ACM 14(2), 1967; with weights: Fayolle, Mitrani & Iasnogorodski, J. ACM
/// 27(3), 1980). GPUs are divided by weight among all jobs that are there, to none more than it asks for;
/// what it leaves goes to the others (max-min). A job with a part of its GPUs runs at that part of its pace.
/// O(log n + k log k) for a change among n jobs of k sizes and weights.
class ProcessorSharing : public SharedPool {
 public:
  explicit ProcessorSharing(std::int64_t gpus) : SharedPool(gpus) {}

  /// All have what they had until now. @pre now is not before the last instant
  void advance(std::int64_t now);
  /// Jobs that have had their service, in the order of submission.
  std::vector<std::uint32_t> due() const;
  /// A job leaves; the others have more from the next decision on.
  void leave(std::uint32_t slot);
  /// The pool has so many GPUs from the next decision on. @pre no job asks for more
  void resize(std::int64_t gpus);
  /// Those submitted join, and GPUs are divided anew. @param started  gets their slots
  void decide(std::int64_t now, std::vector<std::uint32_t>& started);
  /// All of it: jobs that are due end, then those submitted join.
  void pass(std::int64_t now, SharingChanges& changes);

  /// When the next job will end if nothing else changes; std::numeric_limits::max() where there is none.
  /// Rounded up to a tick.
  std::int64_t next_change() const;
  /// GPUs in use since the last decision.
  std::int64_t allocated() const { return allocated_; }
  /// The part of its GPUs that a job would have beside those who are there.
  double pace_of(const SharingJob& job) const;

 private:
  using Kind = std::pair<double, std::int32_t>;  ///< weight, GPUs
  void divide();

  std::map<Kind, Lane> lanes_;
  std::int64_t allocated_ = 0;
  bool changed_ = false;  ///< since the last decision
};

/// Gang scheduling by Ousterhout's matrix (ICDCS 1982): jobs stand in rows, each row fits the pool, and the
/// rows have it in turns of one quantum. A new job joins the first row with room, else a new row, the last.
/// A row without jobs is gone and its turn with it. Jobs stay in their rows, and GPUs that a row leaves idle
/// stay idle in its turn. Where the pool shrinks, what a row no longer holds, the last to have come first,
/// is seated anew.
class GangSharing : public SharedPool {
 public:
  /// @param quantum  ticks, positive
  GangSharing(std::int64_t gpus, std::int64_t quantum) : SharedPool(gpus), quantum_(quantum) {}

  // as ProcessorSharing
  void advance(std::int64_t now);
  std::vector<std::uint32_t> due() const;
  void leave(std::uint32_t slot);
  void resize(std::int64_t gpus);
  void decide(std::int64_t now, std::vector<std::uint32_t>& started);
  void pass(std::int64_t now, SharingChanges& changes);
  /// The next end, or the end of a turn.
  std::int64_t next_change() const;
  std::int64_t allocated() const { return turn_ == nullptr ? 0 : turn_->used; }
  /// The part of the turns that a job would have beside those who are there.
  double pace_of(const SharingJob& job) const;

  std::size_t rows() const { return rows_.size(); }

 private:
  struct Row {
    Lane lane;
    std::int64_t used = 0;
    std::vector<std::uint32_t> fresh;  ///< members that have not had a turn
  };

  Row& row_with_room(std::int32_t gpus);
  Row& row_of(const Member& member);
  void take_out(Member& member);
  void drop_empty_rows(std::int64_t now);
  Row* row_after(const Row* row);
  void give_turn(Row* row, std::int64_t now);

  std::int64_t quantum_, turn_ends_ = 0;
  std::list<Row> rows_;  ///< in which a row keeps its address
  Row* turn_ = nullptr;  ///< the row that runs
};

}  // namespace natgpu::scheduling
