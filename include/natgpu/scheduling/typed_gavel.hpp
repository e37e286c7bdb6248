// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on several types of GPU. For replays.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>
#include <natgpu/scheduling/type_shares.hpp>
#include <natgpu/scheduling/type_speed.hpp>

namespace natgpu::scheduling {

/// GPUs of several types, and the speeds of classes of jobs on them, in millionths; 0: cannot run there.
struct TypedMachine {
  std::vector<std::int64_t> gpus;
  std::vector<std::vector<std::int64_t>> speeds;  ///< [class][type]

  /// Whether a gang has a type that can ever hold it.
  bool can_run(std::size_t job_class, std::int64_t gang) const {
    for (std::size_t j = 0; j < gpus.size(); ++j)
      if (speeds[job_class][j] > 0 && gang <= gpus[j]) return true;
    return false;
  }
};

/// As GavelDispatcher, with a mark for each job on each type where it has a share: at the beginning of a
/// round GPUs are given by whose next round on a type is due, and a job that has them is passed over on the
/// others. What is left goes, in the same order, to jobs without GPUs on types where they have no share.
///
/// Types go at paces of their own, for gangs leave more idle on one than on another. No type is further ahead
/// of the last than two turns of its least share; else a job with shares of two would long go to one alone.
///
/// Under gavel-las shares are worked out when jobs have come or gone, under gavel-ftf at each round. Beside
/// them a pass is O(p log p) for p shares above 0.
class TypedGavelDispatcher : public PreemptiveBooks {
 public:
  TypedGavelDispatcher(PreemptiveRule rule, TypedMachine machine)
      : PreemptiveBooks(std::move(rule), machine.gpus.size(), {GroupSpec{}}), machine_(std::move(machine)) {
    NATGPU_ENSURE(by_target(rule_.order) && rule_.round > 0, "target shares go with rounds");
    for (std::size_t j = 0; j < types(); ++j)
      change_capacity(static_cast<std::uint32_t>(j), machine_.gpus[j]);
    model_.gpus = machine_.gpus;
    for (const std::vector<std::int64_t>& row : machine_.speeds) {
      model_.speeds.emplace_back();
      for (const std::int64_t speed : row)
        model_.speeds.back().push_back(static_cast<double>(speed) / unit_speed);
    }
  }

  const TypedMachine& machine() const { return machine_; }
  /// Before its first submission.
  void entitle(std::uint32_t slot, double weight, std::uint32_t job_class) {
    if (slot >= jobs_.size()) {
      jobs_.resize(slot + std::size_t{1});
      turns_.resize(jobs_.size() * types());
    }
    jobs_[slot].weight = weight;
    jobs_[slot].job_class = job_class;
  }
  /// A job joins the queue, or rejoins it after it lost its GPUs. @param now  ticks
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now) {
    Job& j = jobs_[job.slot];
    if (progress.attained == 0) {
      j.joined = now;
      j.left = progress.remaining;
      changed_ = true;
    }
    j.waiting = job;
    j.progress = progress;
    j.waits = true;
    queue_.push_back(job.slot);
    ++waiting_;
  }
  void finish_job(std::uint32_t slot) {
    changed_ = true;
    PreemptiveBooks::finish_job(slot);
  }
  /// The next instant at which it wants a pass, or `forever`.
  std::int64_t next_start() const { return all_at_best() ? forever : wake_; }
  /// As GavelDispatcher's. A job that goes to another type is preempted and started.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_pass(now) || all_at_best()) return;
    list_present(now);
    settle(now);
    share(now);
    move_marks();
    choose(now);
    take_back([&](const Run& r) {
      Job& j = jobs_[r.slot];
      turn(r.slot, r.pool).received += now - r.started;
      j.progress.attained += now - r.started;
      sink.preempt(WaitingJob(j.waiting));
    });
    start_chosen(now, sink);
  }

 private:
  static constexpr std::uint32_t nowhere = 0xffffffff;
  struct Job {
    WaitingJob waiting;  ///< as submitted
    Progress progress;
    bool waits = false;
    double weight = 1;
    std::uint32_t job_class = 0;
    std::uint32_t chosen = nowhere;  ///< type of the coming round
    std::int64_t joined = 0;         ///< instant of its first submission
    std::int64_t left = 0;           ///< work still to do at the last pass
    double isolated = 0;             ///< ticks that the work done would have taken with fair shares
    double fair_speed = 1;           ///< at the last pass
  };
  /// A job on a type.
  struct Turn {
    std::int64_t share = 0;     ///< over whole_share, at the last pass
    std::int64_t mark = 0;      ///< ticks
    std::int64_t received = 0;  ///< ticks before the present run
    std::int64_t counted = 0;   ///< ticks received, by which the mark has moved
    bool is_new = true;         ///< it had no share at the last pass
  };
  /// A job that waits, runs or is under notice.
  struct Present {
    std::uint64_t id;
    std::uint32_t slot;
    const Run* run;  ///< null: it has no GPUs, or is about to lose them
  };
  struct Ranked {
    QueueKey place;
    std::uint32_t type, slot;
  };

  std::size_t types() const { return pools_.size(); }
  Turn& turn(std::uint32_t slot, std::size_t type) { return turns_[slot * types() + type]; }
  std::int64_t speed(const Job& j, std::size_t type) const { return machine_.speeds[j.job_class][type]; }

  /// Whether nobody waits, or runs slower than it could.
  bool all_at_best() const {
    return waiting_ == 0 && std::all_of(running_.begin(), running_.end(), [this](const Run& r) {
             const Job& j = jobs_[r.slot];
             for (std::size_t type = 0; type < types(); ++type)
               if (r.gpus <= machine_.gpus[type] && speed(j, type) > speed(j, r.pool)) return false;
             return true;
           });
  }
  /// In the order of submission: which of several best solutions a program finds hangs on its rows.
  void list_present(std::int64_t now) {
    present_.clear();
    for (const std::uint32_t slot : queue_) present_.push_back({jobs_[slot].waiting.order.id, slot, nullptr});
    for (const Run& r : running_) present_.push_back({r.place.id, r.slot, &r});
    for (const Run& r : stopping_) present_.push_back({r.place.id, r.slot, nullptr});
    std::sort(present_.begin(), present_.end(),
              [](const Present& a, const Present& b) { return a.id < b.id; });
    for (const Present& p : present_) {
      Job& j = jobs_[p.slot];
      j.chosen = nowhere;
      std::int64_t left = j.waits ? j.progress.remaining : j.left;
      if (p.run != nullptr) {
        const std::int64_t worked = work_in(
            std::max<std::int64_t>(now - p.run->started - j.progress.restart, 0), speed(j, p.run->pool));
        left = std::max<std::int64_t>(j.progress.remaining - worked, 1);
      }
      j.isolated = std::max(j.isolated + static_cast<double>(j.left - left) / j.fair_speed, 0.0);
      j.left = left;
    }
  }
  /// Marks move by what was received since the last pass.
  void settle(std::int64_t now) {
    for (const Present& p : present_)
      for (std::size_t type = 0; type < types(); ++type) {
        Turn& t = turn(p.slot, type);
        const bool runs = p.run != nullptr && p.run->pool == type;
        const std::int64_t received = t.received + (runs ? now - p.run->started : 0);
        if (t.share > 0) t.mark += mark_moves(received - t.counted, t.share);
        t.counted = received;
      }
  }
  /// The shares of the coming round.
  void share(std::int64_t now) {
    if (!changed_ && rule_.order == Order::gavel_las) return;
    changed_ = false;
    double weight_of_all = 0;
    for (const Present& p : present_) weight_of_all += jobs_[p.slot].weight;
    claims_.clear();
    for (const Present& p : present_) {
      Job& j = jobs_[p.slot];
      TypedClaim& c = claims_.emplace_back();
      c.job_class = j.job_class;
      c.job.gpus = j.waiting.gpus;
      c.job.weight = j.weight;
      j.fair_speed = fair_speed(model_, weight_of_all, c);
      c.job.elapsed = static_cast<double>(now - j.joined);
      c.job.remaining = static_cast<double>(j.left);
      c.job.isolated = j.isolated + c.job.remaining / j.fair_speed;
    }
    const std::vector<double> shares = type_shares(rule_.order, model_, claims_);
    for (std::size_t i = 0; i < present_.size(); ++i) entitle_on(present_[i].slot, shares, i * types());
  }
  std::size_t fastest(std::uint32_t slot) const {
    const Job& j = jobs_[slot];
    std::size_t best = 0;
    for (std::size_t type = 0; type < types(); ++type)
      if (model_.speed(j.job_class, type, j.waiting.gpus) > model_.speed(j.job_class, best, j.waiting.gpus))
        best = type;
    return best;
  }
  /// Shares that round to nothing are none; but everybody has one.
  void entitle_on(std::uint32_t slot, const std::vector<double>& shares, std::size_t from) {
    std::size_t largest = fastest(slot);
    for (std::size_t type = 0; type < types(); ++type) {
      if (shares[from + type] > shares[from + largest]) largest = type;
      Turn& t = turn(slot, type);
      if (t.share == 0) t.is_new = true;
      t.share = shares[from + type] * 2 * whole_share < 1 ? 0 : on_grid(shares[from + type]);
    }
    Turn& t = turn(slot, largest);
    t.share = std::max<std::int64_t>(t.share, 1);
  }
  /// As GavelDispatcher's, type by type; then the types among each other.
  void move_marks() {
    std::vector<std::int64_t> begins(types(), forever), limits(types(), forever);
    std::int64_t begin = forever;
    for (std::size_t type = 0; type < types(); ++type) {
      std::int64_t least = whole_share;
      std::int64_t& first = begins[type];
      bool any = false;
      for (const Present& p : present_) {
        const Turn& t = turn(p.slot, type);
        if (t.share == 0) continue;
        any = true;
        least = std::min(least, t.share);
        if (!t.is_new) first = std::min(first, due(t));
      }
      if (!any) continue;
      if (first == forever) first = 0;
      limits[type] = mark_moves(2 * rule_.round, least);
      begin = std::min(begin, first);
    }
    for (std::size_t type = 0; type < types(); ++type) {
      const std::int64_t first = begins[type];
      if (first == forever) continue;
      const std::int64_t ahead = std::max<std::int64_t>(first - begin - limits[type], 0);
      for (const Present& p : present_) {
        Turn& t = turn(p.slot, type);
        if (t.share == 0) continue;
        t.mark = std::min(t.is_new ? first : t.mark, first + limits[type]) - ahead;
        t.is_new = false;
      }
    }
  }
  std::int64_t due(const Turn& t) const { return t.mark + mark_moves(rule_.round, t.share) / 2; }

  /// Sets the type of each job's coming round, `chosen` of running jobs, and `starts_` to who has a type, in
  /// the order of the choice.
  void choose(std::int64_t now) {
    starts_.clear();
    for (std::size_t type = 0; type < types(); ++type)
      pools_[type].left = pools_[type].free + pools_[type].under_notice;
    for (Run& r : running_) {
      r.chosen = keeps(r, now);
      if (r.chosen)
        jobs_[r.slot].chosen = r.pool;
      else
        pools_[r.pool].left += r.gpus;
    }
    rank();
    for (const Ranked& r : ranked_) place(r.slot, r.type);
    for (const Ranked& r : ranked_)
      if (jobs_[r.slot].chosen == nowhere) place_anywhere(r.slot);
    for (Run& r : running_) r.chosen = jobs_[r.slot].chosen == r.pool;
  }
  void rank() {
    ranked_.clear();
    for (const Present& p : present_) {
      const Job& j = jobs_[p.slot];
      if (j.chosen != nowhere || (p.run == nullptr && !j.waits)) continue;  // shielded, or under notice
      for (std::uint32_t type = 0; type < types(); ++type)
        if (const Turn& t = turn(p.slot, type); t.share > 0)
          ranked_.push_back({{due(t), p.id}, type, p.slot});
    }
    std::stable_sort(ranked_.begin(), ranked_.end(),
                     [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
  }
  /// Where the first that does not fit ends the choice, it does so for its type.
  void place(std::uint32_t slot, std::uint32_t type) {
    Job& j = jobs_[slot];
    Pool& pool = pools_[type];
    if (j.chosen != nowhere || pool.closed) return;
    if (j.waiting.gpus > pool.left) {
      pool.closed = !rule_.skips;
      return;
    }
    pool.left -= j.waiting.gpus;
    j.chosen = type;
    starts_.push_back(slot);
  }
  /// On the fastest type that has room.
  void place_anywhere(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    std::uint32_t best = nowhere;
    for (std::uint32_t type = 0; type < types(); ++type)
      if (speed(j, type) > 0 && j.waiting.gpus <= pools_[type].left && !pools_[type].closed &&
          (best == nowhere || speed(j, type) > speed(j, best)))
        best = type;
    if (best != nowhere) place(slot, best);
  }
  template <class Sink>
  void start_chosen(std::int64_t now, Sink& sink) {
    for (const std::uint32_t slot : starts_) {
      Job& j = jobs_[slot];
      if (!j.waits || j.waiting.gpus > pools_[j.chosen].free) continue;  // its GPUs, or those of another, are
      const WaitingJob job = j.waiting;                                  // under notice
      j.waits = false;
      begin_run(job, {j.chosen, static_cast<double>(speed(j, j.chosen)) / unit_speed}, now, {0, job.order.id},
                false, false);
      sink.start(job, j.chosen, job.requested);
    }
    waiting_ -= std::erase_if(queue_, [this](std::uint32_t slot) { return !jobs_[slot].waits; });
  }

  TypedMachine machine_;
  GpuTypes model_;                    ///< the same for the programs
  std::vector<Job> jobs_;             ///< by slot
  std::vector<Turn> turns_;           ///< [slot x types + type]
  std::vector<std::uint32_t> queue_;  ///< slots
  bool changed_ = true;               ///< jobs have come or gone since shares were worked out
  std::vector<Present> present_;
  std::vector<TypedClaim> claims_;
  std::vector<Ranked> ranked_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace natgpu::scheduling
