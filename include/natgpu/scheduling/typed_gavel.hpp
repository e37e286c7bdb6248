// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on several types of GPU, each in one pool or in several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/pool_lots.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>
#include <natgpu/scheduling/target_turns.hpp>

namespace natgpu::scheduling {

/// As GavelDispatcher, with a mark for each job on each type where it has a share: at the beginning of a
/// round GPUs are given by whose next round on a type is due, and a job that has them is passed over on the
/// others. What is left goes, in the same order, to jobs without GPUs on types where they have no share.
///
/// Of the pools of a type a running job has its own, if that has enough left. Else a job gets the pool where
/// whoever must go for it is due last, if anybody must: so few jobs move between pools that are as good. Ties
/// go to the first that the job accepts. Firm jobs, once they run, and those inside the shield keep theirs
/// ahead of all; what firm jobs hold is not shared out.
///
/// Under gavel-las shares are worked out when jobs have come or gone or GPUs have, under gavel-ftf at each
/// round. Beside them a pass is O(n log n) for n waiting and running jobs.
class TypedGavelDispatcher : public PreemptiveBooks {
 public:
  /// @param type_of  of each pool
  /// @param groups   of jobs: each accepts all pools of a type, at one speed, or none
  TypedGavelDispatcher(PreemptiveRule rule, std::vector<std::uint32_t> type_of, std::vector<GroupSpec> groups)
      : PreemptiveBooks(std::move(rule), type_of.size(), std::move(groups)),
        type_of_(std::move(type_of)),
        types_(type_of_.empty() ? 0 : *std::max_element(type_of_.begin(), type_of_.end()) + std::size_t{1}),
        turns_(rule_.order, types_, rule_.round),
        firm_(type_of_.size()),
        lots_(type_of_.size()) {
    NATGPU_ENSURE(by_target(rule_.order) && rule_.round > 0, "target shares go with rounds");
    for (const GroupSpec& g : groups_) {
      std::vector<double>& row = model_.speeds.emplace_back(types_, 0.0);
      for (const PoolChoice& c : g.choices) {
        double& speed = row[type_of_[c.pool]];
        NATGPU_ENSURE(speed == 0 || speed == c.speed, "a job is equally fast on all GPUs of a type");
        speed = c.speed;
      }
    }
  }

  /// A job joins the queue, or rejoins it after it lost its GPUs.
  /// @param now     ticks
  /// @param firm    once it runs, nobody takes its GPUs
  /// @param weight  of its share, positive; it stays the same
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now, std::uint32_t group = 0,
              bool firm = false, double weight = 1) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    Job& j = jobs_[job.slot];
    if (!j.known || !(j.waiting.order == job.order)) {  // else the slot was another's
      j = {};
      j.known = true;
      turns_.begin(job.slot, now, progress.remaining, weight);
      changed_ = true;
    }
    if (j.stopped_on != nowhere) turns_.receive(job.slot, j.stopped_on, now - j.started);
    j.stopped_on = nowhere;
    j.waiting = job;
    j.progress = progress;
    j.group = group;
    j.firm = firm;
    j.waits = true;
    j.place = queue_.size();
    queue_.push_back(job.slot);
    ++waiting_;
  }
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot) {
    changed_ = true;
    leave_queue(jobs_[slot]);
  }
  void finish_job(std::uint32_t slot) {
    changed_ = true;
    Job& j = jobs_[slot];
    if (j.runs_on != nowhere) {  // else its notice is over
      if (!j.firm) j.stopped_on = type_of_[j.runs_on];
      end_run(j);
    }
    PreemptiveBooks::finish_job(slot);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    changed_ = recount_ = true;
    PreemptiveBooks::change_capacity(pool, delta);
  }
  /// The next instant at which it wants a pass, or `forever`: none where all run as fast as they can.
  std::int64_t next_start() const { return waiting_ > 0 || slow_ > 0 ? wake_ : forever; }
  /// As GavelDispatcher's. A job that goes to another pool is preempted and started.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (recount_) count_slow();
    if (!begin_pass(now) || (waiting_ == 0 && slow_ == 0)) return;
    list_present(now);
    turns_.settle(present_);
    if (turns_.moves(changed_)) {
      changed_ = false;
      count_gpus();
      turns_.share(model_, present_, now);
    }
    turns_.align(present_);
    choose(now);
    take_back([&](const Run& r) {
      Job& j = jobs_[r.slot];
      turns_.receive(r.slot, type_of_[r.pool], now - r.started);
      end_run(j);
      sink.preempt(WaitingJob(j.waiting));
    });
    start_chosen(now, sink);
  }

 private:
  static constexpr std::uint32_t nowhere = TargetTurns::nowhere;
  struct Job {
    WaitingJob waiting;  ///< as submitted
    Progress progress;
    bool known = false, waits = false, firm = false;
    bool slow = false;  ///< it runs, and there is a faster type that could hold it
    std::uint32_t group = 0;
    std::uint32_t runs_on = nowhere;     ///< pool
    std::uint32_t stopped_on = nowhere;  ///< type of a run that has just ended otherwise than by a preemption
    std::uint32_t chosen = nowhere;      ///< pool of the coming round
    std::size_t place = 0;               ///< in queue_
    std::int64_t started = 0;            ///< instant of the present or last run's start
  };
  struct Ranked {
    QueueKey place;
    std::uint32_t type, slot;
  };

  void leave_queue(Job& j) {
    j.waits = false;
    queue_[j.place] = queue_.back();
    jobs_[queue_[j.place]].place = j.place;
    queue_.pop_back();
    --waiting_;
  }
  void end_run(Job& j) {
    if (j.firm) firm_[j.runs_on] -= j.waiting.gpus;
    slow_ -= j.slow;
    j.slow = false;
    j.runs_on = nowhere;
  }
  bool could_be_faster(const Run& r) const {
    for (const PoolChoice& c : groups_[jobs_[r.slot].group].choices)
      if (c.speed > r.speed && r.gpus <= pools_[c.pool].capacity) return true;
    return false;
  }
  void note_slow(const Run& r) {
    if (r.firm) return;
    jobs_[r.slot].slow = could_be_faster(r);
    slow_ += jobs_[r.slot].slow;
  }
  void count_slow() {
    recount_ = false;
    slow_ = 0;
    for (const Run& r : running_) note_slow(r);
  }

  /// Who waits, runs or is under notice, but no firm job that runs.
  void list_present(std::int64_t now) {
    present_.clear();
    for (const std::uint32_t slot : queue_) note_present(slot, jobs_[slot].progress.remaining, nowhere, 0);
    for (const Run& r : running_) {
      if (r.firm) continue;
      const std::int64_t ran = now - r.started;
      const Progress& p = jobs_[r.slot].progress;
      note_present(r.slot, p.remaining - work_in(std::max<std::int64_t>(ran - p.restart, 0), r.speed),
                   type_of_[r.pool], ran);
    }
    for (const Run& r : stopping_) note_present(r.slot, turns_.left(r.slot), nowhere, 0);
    std::sort(present_.begin(), present_.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  void note_present(std::uint32_t slot, std::int64_t left, std::uint32_t type, std::int64_t running) {
    Job& j = jobs_[slot];
    j.chosen = nowhere;
    present_.push_back({j.waiting.order.id, slot, j.group, j.waiting.gpus, left, type, running});
  }
  /// GPUs of types that are not held by firm jobs.
  void count_gpus() {
    model_.gpus.assign(types_, 0);
    model_.largest.assign(types_, 0);
    for (std::size_t p = 0; p < pools_.size(); ++p) {
      const std::int64_t gpus = std::max<std::int64_t>(pools_[p].capacity - firm_[p], 0);
      model_.gpus[type_of_[p]] += gpus;
      model_.largest[type_of_[p]] = std::max(model_.largest[type_of_[p]], gpus);
    }
  }

  /// Sets the pool of each job's coming round, `chosen` of running jobs, and `starts_` to who has a pool, in
  /// the order of the choice.
  void choose(std::int64_t now) {
    starts_.clear();
    closed_.assign(types_, false);
    for (std::uint32_t p = 0; p < pools_.size(); ++p) lots_.open(p, pools_[p].free + pools_[p].under_notice);
    for (Run& r : running_) {
      r.chosen = keeps(r, now) || r.started == now;  // by an earlier pass of this instant
      if (r.chosen) jobs_[r.slot].chosen = r.pool;
    }
    rank();
    list_tenants();
    for (const Ranked& r : ranked_) {
      Job& j = jobs_[r.slot];
      if (j.chosen == nowhere && !closed_[r.type] && !place(j, r.type)) closed_[r.type] = !rule_.skips;
    }
    for (const Ranked& r : ranked_)
      if (jobs_[r.slot].chosen == nowhere) place_anywhere(jobs_[r.slot]);
    for (Run& r : running_) r.chosen = jobs_[r.slot].chosen == r.pool;
  }
  void rank() {
    ranked_.clear();
    for (const TargetTurns::Present& p : present_) {
      const Job& j = jobs_[p.slot];
      if (j.chosen != nowhere || (p.type == nowhere && !j.waits)) continue;  // shielded, or under notice
      for (std::uint32_t type = 0; type < types_; ++type)
        if (turns_.has_share(p.slot, type))
          ranked_.push_back({{turns_.due(p.slot, type), p.id}, type, p.slot});
    }
    std::stable_sort(ranked_.begin(), ranked_.end(),
                     [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
  }
  void list_tenants() {
    for (std::size_t turn = 0; turn < ranked_.size(); ++turn) {
      const Job& j = jobs_[ranked_[turn].slot];
      if (j.runs_on != nowhere && type_of_[j.runs_on] == ranked_[turn].type)
        lots_.add_tenant(j.runs_on, turn, j.waiting.gpus);
    }
    for (const Run& r : running_)
      if (!r.chosen && !turns_.has_share(r.slot, type_of_[r.pool]))
        lots_.add_tenant(r.pool, PoolLots::no_turn, r.gpus);
  }
  /// @returns false where no pool of the type has enough left
  bool place(Job& j, std::uint32_t type) {
    const std::uint32_t pool = pool_for(j, type);
    if (pool == nowhere) return false;
    if (pool == j.runs_on) {
      lots_.keep(pool, j.waiting.gpus);
    } else {
      lots_.give(pool, j.waiting.gpus);
      starts_.push_back(j.waiting.slot);
    }
    j.chosen = pool;
    return true;
  }
  std::uint32_t pool_for(const Job& j, std::uint32_t type) const {
    const std::int64_t gpus = j.waiting.gpus;
    if (j.runs_on != nowhere && type_of_[j.runs_on] == type && lots_.has(j.runs_on, gpus)) return j.runs_on;
    std::uint32_t best = nowhere;
    std::size_t latest = 0;
    for (const PoolChoice& c : groups_[j.group].choices) {
      if (type_of_[c.pool] != type || !lots_.has(c.pool, gpus)) continue;
      const std::size_t turn = lots_.first_to_go(c.pool, gpus);
      if (best != nowhere && turn <= latest) continue;
      best = c.pool;
      latest = turn;
    }
    return best;
  }
  /// On the fastest type that has room. Where the first that does not fit ends the choice, it did so for its
  /// type.
  void place_anywhere(Job& j) {
    for (const PoolChoice& c : groups_[j.group].choices)
      if (const std::uint32_t type = type_of_[c.pool]; !closed_[type] && place(j, type)) return;
  }
  template <class Sink>
  void start_chosen(std::int64_t now, Sink& sink) {
    for (const std::uint32_t slot : starts_) {
      Job& j = jobs_[slot];
      const std::uint32_t pool = j.chosen;
      if (!j.waits || j.waiting.gpus > pools_[pool].free) continue;  // its GPUs, or those of another, are
      const WaitingJob job = j.waiting;                              // under notice
      const double speed = model_.speeds[j.group][type_of_[pool]];
      leave_queue(j);
      begin_run(job, {pool, speed}, now, {0, job.order.id}, j.firm, false);
      j.runs_on = pool;
      j.started = now;
      note_slow(running_.back());
      if (j.firm) withhold(j);
      sink.start(job, pool, time_at_speed(job.requested, speed));
    }
  }
  /// A firm job has begun to run: it has no part in what is shared out.
  void withhold(const Job& j) {
    changed_ = true;
    firm_[j.runs_on] += j.waiting.gpus;
    turns_.drop(j.waiting.slot);
  }

  std::vector<std::uint32_t> type_of_;  ///< of each pool
  std::size_t types_;
  GpuTypes model_;  ///< for the programs
  TargetTurns turns_;
  std::vector<Job> jobs_;             ///< by slot
  std::vector<std::uint32_t> queue_;  ///< slots
  std::vector<std::int64_t> firm_;    ///< GPUs of each pool that firm jobs hold
  std::size_t slow_ = 0;              ///< running jobs that could be faster
  bool changed_ = true;               ///< jobs or GPUs have come or gone since shares were worked out
  bool recount_ = false;              ///< GPUs have, since slow_ was
  PoolLots lots_;
  std::vector<bool> closed_;  ///< types, in a pass: to all that come behind a job that did not fit
  std::vector<TargetTurns::Present> present_;
  std::vector<Ranked> ranked_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace natgpu::scheduling
