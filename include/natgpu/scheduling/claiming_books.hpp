// SPDX-License-Identifier: Apache-2.0
// A waiting job takes the GPUs of running ones: what is the same whoever may be taken from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/preemptive_books.hpp>

namespace natgpu::scheduling {

/// Jobs wait in queue order. One that is served starts in the first pool it accepts that has GPUs for it, or
/// claims, in the first pool where that suffices, GPUs of running jobs, all it lacks or none; those that turn
/// out not to be needed are spared, the last chosen first. Nobody loses GPUs who is firm, inside the shield
/// or in the pass of its start, and who lost them does not start in that pass.
///
/// @tparam Rule  derives from this. `victims_for(job, pool)` lists places among the running jobs, in the
/// order in which they lose their GPUs. It may hear of who `joins` and `leaves` the queue, and of who `loses`
/// GPUs.
template <class Rule>
class ClaimingBooks : public PreemptiveBooks {
 public:
  using PreemptiveBooks::PreemptiveBooks;

  /// @param firm  once it runs, nobody takes its GPUs
  void submit(const WaitingJob& job, const Progress&, std::int64_t, std::uint32_t group = 0,
              bool firm = false) {
    if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
    jobs_[job.slot] = {job, group, firm};
    ++waiting_;
    if (passing_)
      returned_.push_back(job.slot);
    else
      enqueue(jobs_[job.slot]);
  }
  /// The waiting job in this slot leaves without having started.
  void withdraw_job(std::uint32_t slot) { dequeue(jobs_[slot]); }

 protected:
  struct Job {
    WaitingJob waiting;
    std::uint32_t group = 0;
    bool firm = false;
  };

  // --- what a rule may want to hear

  void joins(const Job&) {}
  void leaves(const Job&) {}
  void starts(const Job&) {}
  void loses(const Run&) {}

  // --- the pass

  /// @returns whether passes at this instant decide
  bool begin_claims(std::int64_t now) {
    if (!begin_pass(now)) return false;
    passing_ = true;
    idle_.resize(pools_.size());
    coming_.resize(pools_.size());
    for (std::size_t p = 0; p < pools_.size(); ++p) {
      idle_[p] = pools_[p].free;
      coming_[p] = pools_[p].under_notice;
    }
    for (Run& r : running_) r.chosen = keeps(r, now) || r.started == now;
    return true;
  }
  void end_claims(std::int64_t now) {
    passing_ = false;
    for (const std::uint32_t slot : returned_) enqueue(jobs_[slot]);
    returned_.clear();
    note_shields(now);
  }
  /// GPUs that nobody in this pass has been given, or that come free and are kept for nobody.
  std::int64_t left_in(std::uint32_t pool) const { return idle_[pool] + coming_[pool]; }

  enum class Served : std::uint8_t {
    nothing,
    kept,  ///< GPUs that are under notice, and what it lacks beside them
    started,
  };
  /// @param may_claim  whether it takes GPUs of running jobs
  template <class Sink>
  Served serve(const Job& job, std::int64_t now, bool may_claim, Sink& sink) {
    const std::int64_t gpus = job.waiting.gpus;
    for (const PoolChoice& c : groups_[job.group].choices) {
      if (pools_[c.pool].closed || gpus > idle_[c.pool]) continue;
      start(job, c, now, sink);
      return Served::started;
    }
    for (const PoolChoice& c : groups_[job.group].choices) {
      if (pools_[c.pool].closed) continue;
      if (gpus > left_in(c.pool) && !(may_claim && claim(job.waiting, c.pool, sink))) continue;
      if (gpus <= idle_[c.pool]) {
        start(job, c, now, sink);
        return Served::started;
      }
      coming_[c.pool] -= gpus - idle_[c.pool];  // the rest is under notice, and kept for it
      idle_[c.pool] = 0;
      return Served::kept;
    }
    return Served::nothing;
  }
  /// Of two jobs of one class, whether the first loses its GPUs before the second.
  static bool loses_first(const Run& a, const Run& b) {
    return a.started != b.started ? a.started > b.started : a.place.id > b.place.id;
  }

  std::vector<Job> jobs_;  ///< by slot

 private:
  Rule& rule() { return static_cast<Rule&>(*this); }
  void enqueue(const Job& job) {
    queues_[job.group].insert(job.waiting);
    rule().joins(job);
  }
  void dequeue(const Job& job) {
    queues_[job.group].erase(job.waiting.order, job.waiting.gpus);
    --waiting_;
    rule().leaves(job);
  }
  template <class Sink>
  void start(const Job& job, const PoolChoice& where, std::int64_t now, Sink& sink) {
    idle_[where.pool] -= job.waiting.gpus;
    dequeue(job);
    begin_run(job.waiting, where, now, job.waiting.order, job.firm, true);
    rule().starts(job);
    sink.start(job.waiting, where.pool, time_at_speed(job.waiting.requested, where.speed));
  }
  template <class Sink>
  bool claim(const WaitingJob& job, std::uint32_t pool, Sink& sink) {
    std::vector<std::size_t> victims = rule().victims_for(job, pool);
    std::int64_t lacking = job.gpus - left_in(pool);
    std::size_t taken = 0;
    while (taken < victims.size() && lacking > 0) lacking -= running_[victims[taken++]].gpus;
    if (lacking > 0) return false;
    victims.resize(taken);
    for (std::size_t i = taken; i-- > 0;)
      if (lacking + running_[victims[i]].gpus <= 0) {
        lacking += running_[victims[i]].gpus;
        victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
      }
    take_from(victims, sink);
    return true;
  }
  template <class Sink>
  void take_from(const std::vector<std::size_t>& victims, Sink& sink) {
    std::vector<bool> kept;
    for (Run& r : running_) {
      kept.push_back(r.chosen);
      r.chosen = true;
    }
    for (const std::size_t v : victims) running_[v].chosen = false;
    std::vector<bool> left;  // `kept` of those that stay
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (running_[i].chosen) left.push_back(kept[i]);
    std::vector<std::int64_t>& gained = rule_.notice > 0 ? coming_ : idle_;
    take_back([&](const Run& r) {
      gained[r.pool] += r.gpus;
      rule().loses(r);
      sink.preempt(WaitingJob(jobs_[r.slot].waiting));
    });
    for (std::size_t i = 0; i < running_.size(); ++i) running_[i].chosen = left[i];
  }

  std::vector<std::uint32_t> returned_;  ///< slots of jobs that lost their GPUs in this pass
  std::vector<std::int64_t> idle_,
      coming_;  ///< by pool: GPUs that nobody in this pass has been given or kept
  bool passing_ = false;
};

}  // namespace natgpu::scheduling
