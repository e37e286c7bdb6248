// SPDX-License-Identifier: Apache-2.0
// One pool whose jobs are to have target shares of the time, round by round: gavel-las, gavel-ftf. For
// replays.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/gavel_shares.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>

namespace natgpu::scheduling {

/// At the beginning of each round works out shares of time for all jobs, ranks them by when the middle of
/// their next round is due, and gives GPUs in that order while they last. Running jobs that get none are
/// preempted, then those that wait start; who goes on is not interrupted.
///
/// A job's mark is time received over share, and its next round is due half a round over share behind it:
/// among jobs that came together and whose shares stand still this is Gavel's order. Gavel begins to count
/// anew whenever a job comes or goes. Here a newcomer's mark is what is due first, and no mark is further
/// ahead of that than two turns of the least share: stride scheduling (Waldspurger & Weihl, MIT/LCS/TM-528,
/// 1995).
///
/// A pass is O(n log n) for n waiting and running jobs; under gavel-ftf O(n) for each bit of a double
/// besides.
class GavelDispatcher : public PreemptiveBooks {
 public:
  explicit GavelDispatcher(PreemptiveRule rule) : PreemptiveBooks(std::move(rule)) {
    NATGPU_ENSURE(by_target(rule_.order) && rule_.round > 0, "target shares go with rounds");
  }

  /// Before its first submission; 1 where nobody says.
  void entitle(std::uint32_t slot, double weight) { job_in(slot).weight = weight; }
  /// A job joins the queue, or rejoins it after it lost its GPUs. @param now  ticks
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now) {
    Job& j = job_in(job.slot);
    if (progress.attained == 0) {
      j.joined = now;
      j.is_new = true;
      j.counted = 0;
      j.isolated = 0;
      j.left = progress.remaining;
    }
    j.waiting = job;
    j.progress = progress;
    j.waits = true;
    queue_.push_back(job.slot);
    ++waiting_;
  }
  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now) || waiting_ == 0) return;
    list_present(now);
    settle();
    const std::int64_t all = capacity(0);
    if (all == 0) return;
    share(static_cast<double>(all), now);
    move_marks();
    choose(now);
    take_back([&](const Run& r) {
      Job& j = jobs_[r.slot];
      j.progress.attained += now - r.started;
      sink.preempt(WaitingJob(j.waiting));
    });
    start_chosen(now, sink);
  }

 private:
  struct Job {
    WaitingJob waiting;  ///< as submitted
    Progress progress;
    bool waits = false;
    double weight = 1;
    std::int64_t joined = 0;           ///< instant of its first submission
    bool is_new = true;                ///< it has seen no pass
    std::int64_t share = whole_share;  ///< over whole_share, at the last pass
    std::int64_t mark = 0;             ///< ticks
    std::int64_t counted = 0;          ///< ticks received, by which the mark has moved
    std::int64_t left = 0;             ///< work still to do at the last pass
    double isolated = 0;               ///< ticks that the work done would have taken with fair shares
    double fair_share = 1;             ///< at the last pass
  };
  /// A job that waits, runs or is under notice.
  struct Present {
    std::uint32_t slot;
    std::int64_t received;
    std::int64_t left;
  };
  struct Ranked {
    QueueKey place;
    std::int64_t gpus;
    std::uint32_t slot;
    Run* run;  ///< null: it waits
  };

  Job& job_in(std::uint32_t slot) {
    if (slot >= jobs_.size()) jobs_.resize(slot + std::size_t{1});
    return jobs_[slot];
  }
  std::int64_t received(const Run& r, std::int64_t now) const {
    return jobs_[r.slot].progress.attained + now - r.started;
  }
  void list_present(std::int64_t now) {
    present_.clear();
    for (const std::uint32_t slot : queue_)
      present_.push_back({slot, jobs_[slot].progress.attained, jobs_[slot].progress.remaining});
    for (const Run& r : running_) {
      const Progress& p = jobs_[r.slot].progress;
      const std::int64_t worked = std::max<std::int64_t>(now - r.started - p.restart, 0);
      present_.push_back({r.slot, received(r, now), std::max<std::int64_t>(p.remaining - worked, 1)});
    }
    for (const Run& r : stopping_)
      present_.push_back({r.slot, jobs_[r.slot].progress.attained, jobs_[r.slot].left});
  }
  /// What was received and done since the last pass.
  void settle() {
    for (const Present& p : present_) {
      Job& j = jobs_[p.slot];
      j.mark += mark_moves(p.received - j.counted, j.share);
      j.counted = p.received;
      j.isolated = std::max(j.isolated + static_cast<double>(j.left - p.left) / j.fair_share, 0.0);
      j.left = p.left;
    }
  }
  /// The shares of the coming round.
  void share(double all, std::int64_t now) {
    double weight_of_all = 0;
    for (const Present& p : present_) weight_of_all += jobs_[p.slot].weight;
    claims_.clear();
    for (const Present& p : present_) {
      Job& j = jobs_[p.slot];
      ShareClaim& c = claims_.emplace_back();
      c.gpus = j.waiting.gpus;
      c.weight = j.weight;
      j.fair_share = isolated_share(all, weight_of_all, c);
      c.elapsed = static_cast<double>(now - j.joined);
      c.remaining = static_cast<double>(j.left);
      c.isolated = j.isolated + c.remaining / j.fair_share;
    }
    const std::vector<double> shares = time_shares(rule_.order, all, claims_);
    for (std::size_t i = 0; i < shares.size(); ++i) jobs_[present_[i].slot].share = on_grid(shares[i]);
  }
  /// Newcomers join where the first is due, and nobody stands too far ahead of that.
  void move_marks() {
    std::int64_t first = forever, least = whole_share;
    for (const Present& p : present_) {
      const Job& j = jobs_[p.slot];
      least = std::min(least, j.share);
      if (!j.is_new) first = std::min(first, due(j));
    }
    if (first == forever) first = 0;
    const std::int64_t last = first + mark_moves(2 * rule_.round, least);
    for (const Present& p : present_) {
      Job& j = jobs_[p.slot];
      j.mark = std::min(j.is_new ? first : j.mark, last);
      j.is_new = false;
    }
  }
  std::int64_t due(const Job& j) const { return j.mark + mark_moves(rule_.round, j.share) / 2; }
  /// Sets `chosen` of running jobs, and `starts_` to the waiting jobs that are chosen.
  void choose(std::int64_t now) {
    starts_.clear();
    ranked_.clear();
    std::int64_t left = pools_[0].free + pools_[0].under_notice;
    for (const std::uint32_t slot : queue_) {
      const Job& j = jobs_[slot];
      ranked_.push_back({{due(j), j.waiting.order.id}, j.waiting.gpus, slot, nullptr});
    }
    for (Run& r : running_) {
      r.chosen = keeps(r, now);
      if (r.chosen) continue;
      left += r.gpus;
      ranked_.push_back({{due(jobs_[r.slot]), r.place.id}, r.gpus, r.slot, &r});
    }
    std::sort(ranked_.begin(), ranked_.end(),
              [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
    for (const Ranked& r : ranked_) {
      if (r.gpus > left) {
        if (!rule_.skips) return;
        continue;
      }
      left -= r.gpus;
      if (r.run != nullptr)
        r.run->chosen = true;
      else
        starts_.push_back(r.slot);
    }
  }
  template <class Sink>
  void start_chosen(std::int64_t now, Sink& sink) {
    for (const std::uint32_t slot : starts_) {
      const WaitingJob job = jobs_[slot].waiting;
      if (job.gpus > pools_[0].free) continue;  // its GPUs are under notice
      jobs_[slot].waits = false;
      begin_run(job, {0, 1.0}, now, {0, job.order.id}, false, false);
      sink.start(job, 0, job.requested);
    }
    waiting_ -= std::erase_if(queue_, [this](std::uint32_t slot) { return !jobs_[slot].waits; });
  }
  std::vector<Job> jobs_;             ///< by slot
  std::vector<std::uint32_t> queue_;  ///< slots
  std::vector<Present> present_;
  std::vector<ShareClaim> claims_;
  std::vector<Ranked> ranked_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace natgpu::scheduling
