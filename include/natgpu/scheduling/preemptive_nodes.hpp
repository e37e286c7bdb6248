// SPDX-License-Identifier: Apache-2.0
// One pass on machines under an order that takes GPUs back: srtf, srsf, las, las2d.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/preemptive_node_books.hpp>

namespace natgpu::scheduling {

/// Ranks running and waiting jobs together, and gives them their turns in that order: a waiting job is chosen
/// if it finds a place, and a running one stays if it can (PreemptiveNodeBooks). Firm jobs, and those inside
/// the shield, stay ahead of all. Where nobody is passed over (`skips` false), the first that is not chosen
/// or does not stay ends the choice in its pools, unless the machines that are there could not hold it, were
/// they empty.
///
/// Decision 0021. On machines of one GPU, and where all ask for one, this is PreemptiveDispatcher's choice. A
/// pass is O(R log R + (R + s + k) places) for R running jobs, s starts and k kinds of waiting jobs, and more
/// only where chosen jobs must give way again and again.
class PreemptiveNodes : public PreemptiveNodeBooks {
 public:
  /// @pre the rule has no notice
  PreemptiveNodes(NodeBooks&& books, PreemptiveRule rule);

  /// A job joins the queue, or rejoins it after it lost its machines.
  /// @param now  ticks
  void submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress, std::int64_t now);
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot);

  /// Decisions go to the sink at once: `preempt(job)`, which submits the job anew, and `start(job, pool,
  /// requested there)`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    wake_ = rule_.round > 0 ? (now / rule_.round + 1) * rule_.round : forever;
    if (rule_.round > 0 && now % rule_.round != 0) return;
    promote(now);
    if (waiting() == 0) return;
    take_submitted();
    gained_.clear();
    choose(now);
    for (const std::uint32_t slot : lost_) forget_run(slot);
    for (const std::uint32_t slot : lost_) sink.preempt(WaitingJob(jobs_[slot].waiting));
    for (Chosen& c : chosen_) {
      Job& j = jobs_[c.job.slot];
      promotions_.erase({j.promotion, c.job.slot});
      j.started = now;
      j.speed = c.choice.speed;
      start(c.kind, c.job, c.place, now, sink);
    }
    note_changes(now);
  }
  /// The next instant at which it wants a pass, or `forever`.
  std::int64_t next_start() const { return waiting() > 0 ? wake_ : forever; }

 private:
  struct Job {
    WaitingJob waiting;  ///< as submitted
    NodeProgress progress;
    QueueKey place;             ///< in the queue
    std::int64_t forgiven = 0;  ///< service attained before the last promotion
    std::int64_t promotion = 0;
    std::int64_t started = 0;
    double speed = 1;
    std::uint32_t kind = 0;
  };
  struct Candidate {
    WaitingJob job;
    std::uint32_t kind;
    friend bool operator>(const Candidate& a, const Candidate& b) { return b.job.order < a.job.order; }
  };
  using Candidates = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<Candidate>>;
  std::int64_t served(const Job& j, std::int64_t now) const {
    return j.progress.progress.attained - j.forgiven + now - j.started;
  }
  std::int64_t rank_of(const Job& j, std::int64_t remaining, std::int64_t attained) const;
  bool keeps(std::uint32_t slot, std::int64_t now) const {
    return jobs_[slot].progress.firm || now - jobs_[slot].started < rule_.shield;
  }
  void promote(std::int64_t now);
  void rank_running(std::int64_t now);
  /// Sets `chosen_`, whose places are taken, and `lost_`, whose machines are free.
  void choose(std::int64_t now);
  void consider_from(const QueueKey* after);
  void consider(std::uint32_t kind, const QueueKey* after);
  void decide_waiting(const Candidate& c, std::int64_t now);
  void decide_running(Tenant& t, std::int64_t now);
  void note_changes(std::int64_t now);

  PreemptiveRule rule_;                                          ///< limits in thousandths of a GPU x ticks
  std::vector<Job> jobs_;                                        ///< by slot
  std::set<std::pair<std::int64_t, std::uint32_t>> promotions_;  ///< instant, slot
  std::int64_t wake_ = forever;

  Candidates candidates_;  ///< of one pass
};

}  // namespace natgpu::scheduling
