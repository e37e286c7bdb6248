// SPDX-License-Identifier: Apache-2.0
// Who runs now, in the node view: queue order under backfill none, fit and easy, on machines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/gang.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// What the node view needs to know besides its machines.
struct NodeRules {
  GangRule gang;
  /// How long a gang on more machines than the fewest it needs runs, in thousandths of its time on those.
  std::int64_t slowdown_milli = 1000;
};

/// Whole seconds that work of so many seconds takes on so many machines.
constexpr std::int64_t slowed_s(std::int64_t work_s, bool spread, std::int64_t slowdown_milli) {
  return spread ? (work_s * slowdown_milli + 999) / 1000 : work_s;
}

/// What all backfills share: machines, waiting jobs by kind, running jobs and what they hold.
///
/// A kind of job that found no room finds none until a machine on which its smallest part fits has gained.
/// So a pass looks at such kinds only, and at one job of each at a time.
class NodeBooks {
 public:
  /// @param chance  decides between machines that a rule holds for equal
  NodeBooks(NodePool pool, std::vector<GangKind> kinds, const NodeRules& rules, const Stream& chance);

  /// A job joins (or, requeued, rejoins) the queue. It is considered in the next pass.
  void submit(std::uint32_t kind, const WaitingJob& job) { submitted_.push_back({kind, job}); }
  /// A waiting job leaves without having started. @returns false if it is not waiting
  bool withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  /// A running job hands everything back.
  void finish_job(std::uint32_t slot);
  /// The machine is lost, and every job with a part on it. @returns their slots, in rising order
  std::vector<std::uint32_t> fail(std::uint32_t node);
  /// It is there again, empty.
  void repair(std::uint32_t node);

  const NodePool& pool() const { return pool_; }
  const GangKind& kind(std::size_t i) const { return kinds_[i]; }
  /// What a running job holds.
  const std::vector<Hold>& holds(std::uint32_t slot) const { return runs_[slot].holds; }
  bool spread(std::uint32_t slot) const { return runs_[slot].spread; }
  /// Whether jobs of the kind could run if nothing else did, on machines that are not lost.
  bool holdable(std::uint32_t kind);

 protected:
  struct Run {
    std::vector<Hold> holds;
    std::int64_t end = 0;  ///< as requested, ticks
    std::uint32_t at = 0;  ///< in running_
    std::uint32_t starts = 0;
    bool spread = false;
  };
  /// A place for a job, taken on the machines, before it is known whether the job starts.
  struct Attempt {
    std::vector<Hold> holds;
    bool spread = false;
    std::int64_t requested = 0;  ///< ticks, slowed down if it is spread
  };

  bool attempt(std::uint32_t kind, const WaitingJob& job, Attempt& found);
  /// Books the attempt as a start. The job leaves the queue.
  template <class Sink>
  void start(std::uint32_t kind, WaitingJob job, Attempt& found, std::int64_t now, Sink& sink) {
    dequeue(kind, job.order, job.gpus);
    note_start(job.slot, found, now);
    sink.start(job, 0, found.requested);
  }
  void note_start(std::uint32_t slot, Attempt& found, std::int64_t now);
  void take_submitted();
  /// Jobs of the kind have just found no room.
  void close(std::uint32_t kind) {
    open_[kind] = false;
    missing_[kind] = placer_.missing(pool_, kinds_[kind]);
  }
  /// Opens the kinds that may find room on machines that have gained.
  void open_kinds();
  void dequeue(std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  void move_front(std::uint32_t kind);
  /// Starts jobs in queue order until one is blocked. @returns its kind, or GangKind::none
  template <class Sink>
  std::uint32_t start_heads(std::int64_t now, Sink& sink) {
    Attempt found;
    for (auto it = fronts_.begin(); it != fronts_.end();) {
      const std::uint32_t kind = it->second;
      if (!holdable(kind)) {
        ++it;
        continue;
      }
      const WaitingJob job = *queues_[kind].front();
      if (!open_[kind] || !attempt(kind, job, found)) {
        if (open_[kind]) close(kind);
        return kind;
      }
      start(kind, job, found, now, sink);
      it = fronts_.begin();
    }
    return GangKind::none;
  }

  NodePool pool_;
  std::vector<GangKind> kinds_;
  NodeRules rules_;
  Stream chance_;
  GangPlacer placer_;
  std::vector<WaitingQueue> queues_;                     ///< by kind
  std::set<std::pair<QueueKey, std::uint32_t>> fronts_;  ///< the first waiting job of each kind
  std::vector<QueueKey> front_of_;                       ///< by kind; void where none waits
  std::vector<bool> waits_;                              ///< by kind
  std::vector<bool> open_;                               ///< by kind: may find room; true where none waits
  std::vector<std::int64_t> missing_;  ///< by kind that is not open: room for so many more tasks at least
  std::vector<std::pair<std::uint32_t, WaitingJob>> submitted_;
  std::vector<Run> runs_;               ///< by slot
  std::vector<std::uint32_t> running_;  ///< slots
  std::vector<std::uint32_t> gained_;   ///< machines, since the last pass
  bool keeps_ends_ = false;
  std::set<std::pair<std::int64_t, std::uint32_t>> by_end_;  ///< requested ends, slots

 private:
  std::vector<Node> whole_;          ///< each machine when it is empty
  std::optional<NodePool> empty_;    ///< those that are there; nothing until one is lost
  std::vector<std::uint32_t> lost_;  ///< by machine: losses without repair
  std::size_t machines_lost_ = 0;
  std::uint32_t losses_ = 0;           ///< counts changes of which machines are there
  std::vector<std::uint32_t> judged_;  ///< by kind: the value of losses_ for which holdable_ holds
  std::vector<bool> holdable_;
};

/// One scheduling pass on machines. Decisions go to a sink at once: `sink.start(job, 0, requested)`, the
/// requested time slowed down where the gang is spread.
///
/// easy: jobs start in queue order until one is blocked. It is placed at the earliest requested end of a
/// running job after which it can be, by the rule; what it takes there is its reservation, worked out anew at
/// each pass. Then, in queue order, another job starts if it can be placed and ends, as requested, at or
/// before that instant; or if it can be placed on what the reservation leaves, both now and then. A job that
/// the machines that are there could not hold, were they empty, blocks nobody.
template <Backfill B>
class NodeDispatcher : public NodeBooks {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy);

 public:
  explicit NodeDispatcher(NodeBooks&& books) : NodeBooks(std::move(books)) {
    keeps_ends_ = B == Backfill::easy;
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    take_submitted();
    open_kinds();
    if constexpr (B == Backfill::fit) {
      start_what_fits(now, sink);
    } else {
      const std::uint32_t blocked = start_heads(now, sink);
      if constexpr (B == Backfill::easy)
        if (blocked != GangKind::none) backfill(blocked, now, sink);
    }
  }

 private:
  struct Candidate {
    WaitingJob job;
    std::uint32_t kind;
    friend bool operator>(const Candidate& a, const Candidate& b) { return b.job.order < a.job.order; }
  };
  using Candidates = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<Candidate>>;

  Candidates first_of_open_kinds() const {
    Candidates first;
    for (const auto& [key, kind] : fronts_)
      if (open_[kind]) first.push({*queues_[kind].front(), kind});
    return first;
  }

  template <class Sink>
  void start_what_fits(std::int64_t now, Sink& sink) {
    Attempt found;
    for (Candidates candidates = first_of_open_kinds(); !candidates.empty();) {
      const Candidate c = candidates.top();
      candidates.pop();
      if (!attempt(c.kind, c.job, found)) {
        close(c.kind);
        continue;
      }
      start(c.kind, c.job, found, now, sink);
      if (waits_[c.kind]) candidates.push({*queues_[c.kind].front(), c.kind});
    }
  }

  /// The machines on which the first blocked job will be, and what is left of each: now, and when it is
  /// there.
  struct Reserved {
    std::uint32_t node;
    Node now, then;
  };

  template <class Sink>
  void backfill(std::uint32_t head_kind, std::int64_t now, Sink& sink) {
    const std::int64_t shadow = reserve(head_kind, now);
    tight_.assign(kinds_.size(), false);
    Attempt found;
    for (Candidates candidates = first_of_open_kinds(); !candidates.empty();) {
      const Candidate c = candidates.top();
      candidates.pop();
      if (start_beside(c, shadow, now, found, sink) || open_[c.kind]) {
        const WaitingJob* next = next_candidate(c, shadow - now);
        if (next != nullptr) candidates.push({*next, c.kind});
      }
    }
    show(true);
    reserved_.clear();
  }
  /// The next job of the kind that may start: any, or those in time once no other can.
  const WaitingJob* next_candidate(const Candidate& c, std::int64_t room) const {
    Sieve sieve;
    for (std::size_t s = 0; s < size_classes; ++s) sieve.admit(s, tight_[c.kind] ? room : Sieve::any);
    sieve.largest = Sieve::any;
    return queues_[c.kind].find(sieve, &c.job.order, nullptr, [](const WaitingJob&) { return true; }).job;
  }
  template <class Sink>
  bool start_beside(const Candidate& c, std::int64_t shadow, std::int64_t now, Attempt& found, Sink& sink) {
    if (c.job.requested <= shadow - now) {
      show(true);
      if (!attempt(c.kind, c.job, found)) {
        close(c.kind);
        return false;
      }
      if (now + found.requested <= shadow) {
        note_taken(found.holds, false);
        start(c.kind, c.job, found, now, sink);
        return true;
      }
      give_back(pool_, found.holds);
    }
    if (tight_[c.kind]) return false;
    show(false);
    if (!attempt(c.kind, c.job, found)) {
      tight_[c.kind] = true;
      return false;
    }
    note_taken(found.holds, true);
    start(c.kind, c.job, found, now, sink);
    return true;
  }

  /// @returns the instant at which the first blocked job can be placed
  std::int64_t reserve(std::uint32_t kind, std::int64_t now) {
    const WaitingJob head = *queues_[kind].front();
    const TaskShape& smallest = pool_.shape(placer_.smallest_of(kinds_[kind]));
    std::int64_t shadow = now;
    std::vector<std::uint32_t> gone;
    Attempt place;
    bool placed = false;
    for (auto it = by_end_.begin(); !placed && it != by_end_.end();) {
      shadow = std::max(now, it->first);
      bool gained = false;
      for (const std::int64_t end = it->first; it != by_end_.end() && it->first == end; ++it) {
        gone.push_back(it->second);
        for (const Hold& h : runs_[it->second].holds) {
          pool_.give_back(h);
          gained |= pool_.node(h.node).fits(smallest);
        }
      }
      placed = gained && attempt(kind, head, place);
    }
    reserved_.clear();
    std::sort(place.holds.begin(), place.holds.end(),
              [](const Hold& a, const Hold& b) { return a.node < b.node; });
    for (const Hold& h : place.holds)
      if (reserved_.empty() || reserved_.back().node != h.node)
        reserved_.push_back({h.node, {}, pool_.node(h.node)});
    give_back(pool_, place.holds);
    for (const std::uint32_t slot : gone)
      for (const Hold& h : runs_[slot].holds) pool_.take(h);
    for (Reserved& r : reserved_) r.now = pool_.node(r.node);
    shows_all_ = true;
    return shadow;
  }
  /// Lets attempts see all that is free now, or only what the reservation leaves.
  void show(bool all) {
    if (all == shows_all_) return;
    shows_all_ = all;
    for (const Reserved& r : reserved_) pool_.set(r.node, all ? r.now : least_of(r.now, r.then));
  }
  void note_taken(const std::vector<Hold>& holds, bool outlives) {
    for (const Hold& h : holds)
      for (Reserved& r : reserved_)
        if (r.node == h.node) {
          r.now.take(h);
          if (outlives) r.then.take(h);
        }
  }

  std::vector<Reserved> reserved_;
  std::vector<bool> tight_;  ///< by kind: finds no room on what the reservation leaves
  bool shows_all_ = true;
};

}  // namespace natgpu::scheduling
