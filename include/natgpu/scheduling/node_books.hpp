// SPDX-License-Identifier: Apache-2.0
// What scheduling on machines keeps, whatever the order and the backfill: pools, waiting and running jobs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/gang.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/node_rules.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// A place for a job on machines, before it is known whether the job starts there.
struct Attempt {
  std::vector<Hold> holds;
  std::uint32_t pool = 0;
  bool spread = false;
  std::int64_t requested = 0;  ///< ticks in that pool, slowed down if it is spread
};

/// What all backfills share: pools of machines, waiting jobs by kind, running jobs and what they hold.
///
/// A kind of job that found no room finds none until a machine on which its smallest part fits has gained.
/// So a pass looks at such kinds only, and at one job of each at a time. Where machines are known to leave,
/// a job that found none tells nothing of shorter ones, which may use machines that leave later than they
/// end.
class NodeBooks {
 public:
  /// @param chance  decides between machines that a rule holds for equal
  NodeBooks(std::vector<NodePool> pools, std::vector<NodeKind> kinds, const NodeRules& rules,
            const Stream& chance);

  /// Jobs of one more kind may come. @returns its number
  std::uint32_t add_kind(NodeKind kind);
  /// One more machine, like the pool's first when that is empty, and lost. @returns its number
  std::uint32_t add_machine(std::uint32_t pool);
  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t kind, const WaitingJob& job) {
    submitted_.push_back({kind, job});
    ++waiting_;
  }
  /// A waiting job leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  /// A running job hands everything back.
  void finish_job(std::uint32_t slot);
  /// A running job hands these of its GPUs back, each with what it holds beside it, and keeps the rest.
  /// @returns what they held. @pre it holds them, whole ones all alike, and others
  std::vector<Hold> hand_back(std::uint32_t slot, const std::vector<GpuPlace>& gpus);
  /// A running job's requested end moves.
  void extend_job(std::uint32_t slot, std::int64_t new_end);
  /// Slots of the jobs with a part on the machine, in rising order.
  std::vector<std::uint32_t> jobs_on(const Machine& machine) const;
  /// The machine is lost, and every job with a part on it. @returns their slots, in rising order
  std::vector<std::uint32_t> fail(const Machine& machine);
  /// It is there again, empty.
  void repair(const Machine& machine);
  /// The machine that is to come has so many GPUs. @pre it is lost
  void refit(const Machine& machine, std::int16_t gpus);
  /// Machines of several types: each counts its levels of departure from this type on, 0 unless told.
  /// @param type  of each machine of the pool while it is not known to leave
  void set_staying_types(std::uint32_t pool, std::vector<std::int8_t> type);
  /// Of machines that are known to leave, those of level l leave their pool at `leave_at[l - 1]` or later,
  /// the next to leave at the highest level; those of level 0 stay.
  /// @param level  of each machine of the pool
  void plan_departures(std::uint32_t pool, const Departures& leave_at,
                       const std::vector<std::uint8_t>& level);

  const NodePool& pool(std::size_t i = 0) const { return sites_[i].pool; }
  std::size_t pools() const { return sites_.size(); }
  /// What a running job holds.
  const std::vector<Hold>& holds(std::uint32_t slot) const { return runs_[slot].holds; }
  /// GPUs of which a running job holds any part, in rising order.
  std::vector<GpuPlace> places_of(std::uint32_t slot) const;
  bool spread(std::uint32_t slot) const { return runs_[slot].spread; }
  /// Of all machines that are there.
  std::int64_t gpus_up() const;
  std::size_t waiting() const { return waiting_; }
  /// Whether jobs of the kind could run if nothing else did, on machines that are not lost.
  bool holdable(std::uint32_t kind);
  /// The same on those of one of the kind's choices.
  bool holdable(std::uint32_t kind, std::size_t choice) {
    return holdable(kind) && (!judges() || holdable_[kind][choice]);
  }

 protected:
  struct Run {
    std::vector<Hold> holds;
    std::int64_t end = 0;  ///< as requested, ticks
    std::uint32_t pool = 0;
    std::uint32_t at = 0;      ///< in running_
    std::uint32_t starts = 0;  ///< of the job
    std::uint64_t id = 0;      ///< of the job that last ran, whose slot it is
    bool spread = false;
  };
  /// The machines of one pool.
  struct Site {
    NodePool pool;
    std::vector<Node> whole;          ///< each machine when it is empty
    std::vector<std::uint32_t> lost;  ///< by machine: losses without repair
    std::optional<NodePool> empty;    ///< those that are there; nothing until one is lost
    Departures leave_at;
    std::vector<std::uint32_t> foreseen;    ///< by machine: its place in a look ahead, while there is one
    std::vector<std::int8_t> staying_type;  ///< by machine; empty: 0 of each
    std::int8_t type_at(std::size_t node, std::uint8_t level) const {
      return static_cast<std::int8_t>((staying_type.empty() ? 0 : staying_type[node]) + level);
    }
  };

  /// The draws of the job's next start. @pre make_room_for()
  Dice dice_of(const WaitingJob& job) const;
  /// Of a spread gang: ticks, for what takes so many on the fewest machines.
  std::int64_t slowed_down(std::int64_t shortest) const {
    return slowed((shortest - 1) / rules_.grain + 1, rules_.slowdown_milli) * rules_.grain;
  }
  /// As long as a job that ends then may use: machines up to that level.
  std::size_t level_for(std::uint32_t pool, std::int64_t end) const;
  /// Counts changes of which machines are there.
  std::uint32_t losses() const { return losses_; }
  /// GPUs of the pool's machines that are there, idle or not.
  std::int64_t gpus_there(std::uint32_t pool) const;
  /// Looks for a place from `now` on, on machines of the choice's pool. @pre make_room_for()
  bool place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found);
  void make_room_for(std::uint32_t slot) {
    if (runs_.size() <= slot) runs_.resize(slot + std::size_t{1});
  }
  /// The job runs no more; what it held is free already.
  void forget_run(std::uint32_t slot);
  /// Looks for a place from `now` on, pool by pool in the order of the kind's choices.
  bool attempt(std::uint32_t kind, const WaitingJob& job, std::int64_t now, Attempt& found);
  void give_back(const Attempt& found) { scheduling::give_back(sites_[found.pool].pool, found.holds); }
  /// Books the attempt as a start. The job leaves the queue.
  template <class Sink>
  void start(std::uint32_t kind, WaitingJob job, Attempt& found, std::int64_t now, Sink& sink) {
    dequeue(kind, job.order, job.gpus);
    --waiting_;
    note_start(job, found, now);
    sink.start(job, found.pool, found.requested);
  }
  void note_start(const WaitingJob& job, Attempt& found, std::int64_t now);
  void take_submitted();
  /// Such a job has just found no room from `now` on. @returns the longest request that yet may
  std::int64_t reach_below(std::uint32_t kind, const WaitingJob& job, std::int64_t now) const;
  /// The same, for this pass and the next ones.
  void close(std::uint32_t kind, const WaitingJob& job, std::int64_t now);
  /// Opens the kinds that may find room on machines that have gained.
  void open_kinds();
  /// @returns false if it is not there
  bool dequeue(std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  void move_front(std::uint32_t kind);
  /// The first job of the kind, behind `after` if that is given, that requests no more than `most` and may
  /// find room; null if there is none.
  const WaitingJob* candidate(std::uint32_t kind, const QueueKey* after,
                              std::int64_t most = Sieve::any) const;
  /// The same by request. @pre keeps_requests_
  const WaitingJob* candidate_by_request(std::uint32_t kind, const WaitingJob* after,
                                         std::int64_t most) const;
  /// Starts jobs in queue order; one that finds no room shuts the pools that it accepts to all behind it.
  /// @param until_blocked  stops at the first such job
  /// @returns the kind of the first such job, or GangKind::none
  template <class Sink>
  std::uint32_t start_heads(std::int64_t now, bool until_blocked, Sink& sink) {
    std::uint32_t first_blocked = GangKind::none;
    Attempt found;
    shut_.assign(sites_.size(), false);
    for (auto it = fronts_.begin(); it != fronts_.end();) {
      const std::uint32_t kind = it->second;
      if (!has_open_pool(kind) || !holdable(kind)) {
        ++it;
        continue;
      }
      const WaitingJob job = *queues_[kind].front();
      const bool may = job.requested <= reach_[kind];
      if (may && attempt(kind, job, now, found)) {
        start(kind, job, found, now, sink);
        it = fronts_.begin();
        continue;
      }
      if (may && !has_shut_pool(kind)) close(kind, job, now);
      if (first_blocked == GangKind::none) first_blocked = kind;
      if (until_blocked) break;
      shut_pools_of(kind);
      ++it;
    }
    shut_.assign(sites_.size(), false);
    return first_blocked;
  }
  /// To all behind such a job; those that could not hold it stay open. @pre holdable() has been asked
  void shut_pools_of(std::uint32_t kind) {
    for (std::size_t c = 0; c < kinds_[kind].size(); ++c)
      if (!judges() || holdable_[kind][c]) shut_[kinds_[kind][c].pool] = true;
  }
  bool has_open_pool(std::uint32_t kind) const {
    return std::any_of(kinds_[kind].begin(), kinds_[kind].end(),
                       [this](const NodeChoice& c) { return !shut_[c.pool]; });
  }
  bool has_shut_pool(std::uint32_t kind) const {
    return std::any_of(kinds_[kind].begin(), kinds_[kind].end(),
                       [this](const NodeChoice& c) { return shut_[c.pool]; });
  }

  /// A machine on which the first blocked job will be, and what is left of it: now, and when it is there.
  struct Reserved {
    Machine machine;
    Node now, then;
  };
  /// Fills reserved_ for a waiting job of the kind, unless it stands there as it would be.
  /// @returns the instant at which it can be placed; the greatest there is if it waits for machines to come,
  /// and then nothing is held back for it
  std::int64_t reserve(std::uint32_t kind, const WaitingJob& head, std::int64_t now);

  /// When a job could be placed on one of its choices, nothing else starting.
  struct Earliest {
    bool could = false;   ///< the machines that are there, were they empty
    std::int64_t at = 0;  ///< instant; the greatest there is if it waits for machines to come
  };
  /// @pre keeps_ends_, and no reservation is held
  Earliest earliest_on(std::uint32_t kind, std::size_t choice, const WaitingJob& job, std::int64_t now);
  /// Free in the pool at that instant, running jobs ending as requested and machines leaving as known.
  /// @pre keeps_ends_
  std::int64_t free_milli_at(std::size_t pool, std::int64_t at) const;

  std::vector<Site> sites_;
  std::vector<NodeKind> kinds_;
  NodeRules rules_;
  Stream chance_;
  GangPlacer placer_;
  std::vector<WaitingQueue> queues_;                     ///< by kind
  std::set<std::pair<QueueKey, std::uint32_t>> fronts_;  ///< the first waiting job of each kind
  std::vector<QueueKey> front_of_;                       ///< by kind; void where none waits
  std::vector<bool> waits_;                              ///< by kind
  std::vector<bool> shut_;  ///< by pool: to all behind a job that found no room, while heads are started
  std::vector<std::int64_t>
      reach_;  ///< by kind: the longest request that may find room; any where none waits
  std::vector<std::int64_t> missing_;  ///< by kind that is out of reach: room for so many more tasks at least
  std::vector<std::pair<std::uint32_t, WaitingJob>> submitted_;
  std::vector<Run> runs_;               ///< by slot
  std::vector<std::uint32_t> running_;  ///< slots
  std::vector<Machine> gained_;         ///< since the last pass
  std::vector<Reserved> reserved_;
  struct {
    QueueKey job;
    std::int64_t from = 0;      ///< ticks
    std::uint64_t changes = 0;  ///< the value of changes_ for which it holds; 0: none was made
  } reservation_;
  std::uint64_t changes_ = 1;  ///< counts changes of what machines have, and of what is known of them
  std::size_t waiting_ = 0;
  bool keeps_ends_ = false;
  bool keeps_requests_ = false;
  std::uint32_t losses_ = 0;                                 ///< counts changes of which machines are there
  std::vector<WaitingIndex<ByRequest>> by_request_;          ///< waiting jobs by kind, if they are kept
  std::set<std::pair<std::int64_t, std::uint32_t>> by_end_;  ///< requested ends, slots

 private:
  /// reserve(), worked out anew.
  std::int64_t look_ahead(std::uint32_t kind, const WaitingJob& head, std::int64_t now);
  /// Whether the machines of the choice's pool that are there, up to that level, could if they were empty.
  bool could_hold(const NodeChoice& choice, std::size_t level);
  /// The same for a job that starts at `now` or later, on any of its choices.
  bool could_hold_from(std::uint32_t kind, const WaitingJob& job, std::int64_t now);
  /// Whether there may be jobs that the machines that are there could not hold.
  bool judges() const { return rules_.departures || machines_lost_ > 0; }
  void note_reserved(Attempt& place);
  friend class Foresight;
  void count_gains(std::uint32_t kind);
  std::size_t top_level() const { return rules_.departures ? most_departures : 0; }
  std::uint32_t smallest_of(const NodeChoice& choice) const {
    return placer_.smallest_of(gang_up_to(choice.gang, top_level()));
  }
  void set(const Machine& machine, const Node& node);

  std::size_t machines_lost_ = 0;
  std::vector<std::uint32_t> judged_;        ///< by kind: the value of losses_ for which holdable_ holds
  std::vector<std::vector<bool>> holdable_;  ///< by kind and choice
};

}  // namespace natgpu::scheduling
