// SPDX-License-Identifier: Apache-2.0
// A waiting job takes the machines of running ones: what is the same whoever may be taken from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <vector>

#include <natgpu/scheduling/node_books.hpp>
#include <natgpu/scheduling/node_progress.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>

namespace natgpu::scheduling {

/// Jobs wait in queue order. One that is served starts in the first pool it accepts in which the rule of
/// placement finds it a place, or it claims, in the first pool where that suffices, the machines of running
/// jobs: of one after another, in the order in which they lose them, until there is a place on what is free
/// and what these hold. Those not needed are then spared, the last chosen first: each is back where it was if
/// a place is left beside it, which is found anew, so that the claimant stands on nothing that a spared job
/// holds. All that it lacks or none. Nobody loses machines who is firm, inside the shield or in the pass of
/// its start, and who lost them does not start in that pass.
///
/// With a notice who lost them keeps them so much longer, and the claimant is promised its place: in each
/// pass a job that finds none on what is free looks for one on that and all that is under notice, before it
/// claims anything. What is free now is given to others only as far as such places leave it.
///
/// A claim is O(V places) for V running jobs that may be taken, one that fails O(V) and two places.
class ClaimingNodes : public NodeBooks {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  /// @param rule  `skips`, shield, notice and round count
  ClaimingNodes(NodeBooks&& books, PreemptiveRule rule);

  /// A job joins the queue, or rejoins it after it lost its machines: then for the next pass.
  /// @param now  ticks
  void submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress, std::int64_t now);
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot);
  /// A running job hands everything back: it is done, it lost all, or its notice is over.
  void finish_job(std::uint32_t slot);
  /// The next instant at which it wants a pass, or `forever`.
  std::int64_t next_start() const { return waiting() > 0 ? wake_ : forever; }

 protected:
  struct Job {
    WaitingJob waiting;  ///< as submitted
    std::uint32_t kind = 0;
    std::int64_t started = 0;
    bool firm = false;
    bool stops = false;  ///< it lost its machines, and holds them until its notice is over
  };
  struct Candidate {
    WaitingJob job;
    std::uint32_t kind = 0;
    friend bool operator>(const Candidate& a, const Candidate& b) { return b.job.order < a.job.order; }
  };
  using Candidates = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<Candidate>>;

  /// @returns whether a pass at this instant has anything to decide
  bool begin_claims(std::int64_t now);
  void end_claims(std::int64_t now);
  /// Adds the kind's first job, behind `after` if that is given, that may find a place.
  void consider(Candidates& candidates, std::uint32_t kind, const QueueKey* after) const;
  bool may_lose(std::uint32_t slot, std::int64_t now) const {
    const Job& j = jobs_[slot];
    return !j.firm && !j.stops && j.started < now && now - j.started >= rule_.shield;
  }
  /// Of two running jobs of one class, whether the first loses its machines before the second.
  bool loses_first(std::uint32_t a, std::uint32_t b) const {
    const Job &x = jobs_[a], &y = jobs_[b];
    return x.started != y.started ? x.started > y.started : x.waiting.order.id > y.waiting.order.id;
  }

  enum class Served : std::uint8_t {
    nothing,
    kept,  ///< a place of which something is under notice
    started,
  };
  /// Fills `lost_`. One that does not start blocks those behind it, or with `fit` is passed over.
  /// @param victims  of a pool: slots in the order in which they lose; none where it may not claim
  template <class Victims, class Sink>
  Served serve(const Candidate& c, std::int64_t now, Victims&& victims, Sink& sink) {
    lost_.clear();
    Attempt found;
    show(Sight::now);
    bool starts = attempt(c.kind, c.job, now, found);
    if (!starts) {
      show(Sight::then);
      const NodeKind& choices = kinds_[c.kind];
      if (std::none_of(choices.begin(), choices.end(), [&](const NodeChoice& choice) {
            if (shut_[choice.pool]) return false;
            return (!stopping_.empty() && place(choice, c.job, now, found)) ||
                   claim(choice, c.job, now, victims(choice.pool), found);
          })) {
        pass_over(c, now);
        return Served::nothing;
      }
      starts = rule_.notice == 0;
    }
    if (!starts) keep(c, found);
    for (const std::uint32_t slot : lost_)
      if (starts) forget_run(slot);
    for (const std::uint32_t slot : lost_) sink.preempt(WaitingJob(jobs_[slot].waiting));
    if (!starts) return Served::kept;
    note_taken(found);
    jobs_[c.job.slot].started = now;
    start(c.kind, c.job, found, now, sink);
    return Served::started;
  }

  PreemptiveRule rule_;
  std::vector<Job> jobs_;            ///< by slot
  std::vector<std::uint32_t> lost_;  ///< slots of those that lost their machines to the job served last

 private:
  /// A machine of which something is under notice, or kept: what it has left now, and when all notices are
  /// over.
  struct Seen {
    Node now, then;
  };
  enum class Sight : std::uint8_t {
    now,   ///< what is free, as far as kept places leave it
    then,  ///< what will be free, but for kept places
  };
  void show(Sight sight);
  Seen& see(const Machine& machine);
  void note_taken(const Attempt& found);
  void keep(const Candidate& c, Attempt& found);
  /// Fills `lost_` with those that must go, whose machines are free then.
  bool claim(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
             const std::vector<std::uint32_t>& victims, Attempt& found);
  bool could_claim(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
                   const std::vector<std::uint32_t>& victims, Attempt& found);
  void spare(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found);
  void pass_over(const Candidate& c, std::int64_t now);
  void lift(std::uint32_t slot);
  void lower(std::uint32_t slot);

  std::int64_t wake_ = forever;
  std::vector<std::uint32_t> stopping_;  ///< slots of jobs under notice
  std::map<Machine, Seen> seen_;         ///< in a pass; there are none without a notice
  Sight sight_ = Sight::now;
};

}  // namespace natgpu::scheduling
