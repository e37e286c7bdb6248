// SPDX-License-Identifier: Apache-2.0
// From submission to the end of a job where GPUs are shared in time: jobs join a pool and stay, at a part of
// their pace or in turns. The rules of who has how much are in `scheduling`; why they are applied so is in
// docs/decisions/0018.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/sharing.hpp>

#include "job_desk.hpp"
#include "shared_time.hpp"

namespace natgpu::simulation {

/// What takes the place of a dispatcher.
/// @tparam Sharing  scheduling::ProcessorSharing or GangSharing
template <class Sharing>
struct SharedPools {
  std::vector<Sharing> pools;   ///< without GPUs yet
  std::vector<double> weights;  ///< by class of JobGroups
};

template <class Sharing>
class SharingProcess : public JobDesk {
 public:
  static constexpr bool shares = true;

  SharingProcess(const DispatchParts& parts, SharedPools<Sharing> shared, Streams&)
      : JobDesk(parts),
        pools_(std::move(shared.pools)),
        weights_(std::move(shared.weights)),
        touched_(pools_.size()),
        changes_(pools_.size()),
        times_(pools_.size()) {}

  // --- jobs come

  /// @returns the job's slot, or no_index if it was rejected
  std::uint32_t submit(const Submission& s) {
    const std::uint32_t slot = admit(s, false);
    if (slot != no_index) enqueue(slot);
    return slot;
  }
  /// A waiting job leaves: its patience is over, or its service wants it no more.
  void withdraw(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    stop_waiting(slot);
    unseat(slot);
    world_.events.cancel(j.patience);
    jobs_.remove(slot);
  }

  // --- the pass

  void decide() {
    for (const auto& [id, slot] : std::exchange(hopeful_, {}))
      if (!join(slot)) waiting_.emplace(id, slot);
    run_pools();
    if (dismiss_impatient([this](std::uint32_t slot) { withdraw(slot); })) run_pools();
  }

  // --- jobs end

  /// Jobs of the pool have had their service, or their requested time of it; or a turn is over.
  void complete(std::uint32_t pool) {
    changes_[pool].at = -1;
    advance(pool);
    for (const std::uint32_t slot : pools_[pool].due()) finish(slot);
  }
  /// The contract of a service ends, whether its floor runs or waits.
  void contract_over(std::uint32_t slot) {
    Job& j = jobs_[slot];
    listener_->floor_stopped(j.service, true);
    if (j.state == JobState::queued) {
      settlement_.close_saved(j, Use::useful);
      ledger_.end(j, false);
      return withdraw(slot);
    }
    settlement_.close_course(j, take_back(slot), Use::useful, false);
    ledger_.end(j, false);
    jobs_.remove(slot);
  }
  void notice_over(std::uint32_t) { NATGPU_ENSURE(false, "nobody takes GPUs that are shared"); }
  /// A replica is scaled down; all it did was of use.
  void stop_replica(std::uint32_t slot) {
    book_as_useful(jobs_[slot], take_back(slot));
    jobs_.remove(slot);
  }
  /// Who shares is promised no end.
  void extend(std::uint32_t, std::int64_t) {}
  /// GPU-time that a running job has asked for and not had, until an instant that has just gone by.
  Area shortfall(std::uint32_t slot, std::int64_t until) {
    const Job& j = jobs_[slot];
    if (until == world_.now) advance(j.pool);
    return Area{until - j.started} * j.gpus - area_of(pools_[j.pool].progress(slot), j.gpus);
  }

  // --- what capacity that comes and goes needs

  /// Who shares is its own dispatcher of counted GPUs.
  SharingProcess& dispatcher() { return *this; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].gpus(); }
  void change_capacity(std::uint32_t pool, std::int64_t units) {
    advance(pool);
    pools_[pool].resize(pools_[pool].gpus() + units);
    if (units > 0) hopeful_.merge(waiting_);
  }
  /// Nobody is promised anything, and no start depends on what will be.
  void keep_profile() {}
  void foresee(std::uint32_t, std::int64_t, std::int64_t) {}
  void withdraw_foreseen(std::uint32_t, std::int64_t, std::int64_t) {}
  /// So many units go: only jobs that ask for more than are left lose their GPUs.
  void vacate(std::uint32_t pool, std::int64_t units) {
    advance(pool);
    const std::vector<std::uint32_t> too_large =
        pools_[pool].larger_than(std::max<std::int64_t>(pools_[pool].gpus() - units, 0));
    for (const std::uint32_t slot : too_large) {
      if (jobs_[slot].state == JobState::running) continue;
      unseat(slot);
      hopeful_.emplace(jobs_[slot].id, slot);
    }
    for_victims(too_large, [this](std::uint32_t slot) { requeue(slot); });
  }
  /// Jobs that hold any of the units [first, first + count) of the pool, or a part of one, lose their GPUs.
  /// Units are numbered by running jobs in start order, to each as much as it holds now, then idle.
  void requeue_holders(std::uint32_t pool, std::int64_t first, std::int64_t count) {
    constexpr Area unit = scheduling::Lane::tick, hair = unit >> 20;  // a meeting by rounding alone
    const Area from = unit * first, until = from + unit * count;
    std::vector<std::uint32_t> hit;
    Area at = 0;
    orders_[pool].each([&](std::uint32_t slot) {
      const Area held = pools_[pool].held(slot);
      if (std::min(at + held, until) - std::max(at, from) > hair) hit.push_back(slot);
      at += held;
    });
    for_victims(hit, [this](std::uint32_t slot) { requeue(slot); });
  }

  // --- the books

  /// Closes the quarter: areas up to `boundary` belong to it.
  void close_quarter(std::uint16_t quarter, std::int64_t boundary) {
    for (std::uint32_t p = 0; p < pools_.size(); ++p) {
      pools_[p].advance(boundary);
      orders_[p].each([&](std::uint32_t slot) { note(slot, quarter); });
    }
    close_levels(quarter, boundary);
    for (std::uint32_t p = 0; p < pools_.size(); ++p)
      times_.close(p, books_.areas[quarter * pools_.size() + p]);
  }
  /// Ends the run: whatever runs is split into saved and unfinished work, whatever waits is counted.
  void close_run() {
    for (std::uint32_t slot = 0; slot < jobs_.slots(); ++slot) {
      Job& j = jobs_[slot];
      if (!j.in_use) continue;
      if (j.state == JobState::running) {
        advance(j.pool);
        const SharedTime& had = had_so_far(slot);
        if (j.kind == JobKind::replica)
          book_as_useful(j, had);
        else
          settlement_.close_course(j, had, Use::unfinished, false);
      } else if (j.settled != no_index) {
        settlement_.close_saved(j, Use::useful);
      }
      if (j.kind != JobKind::replica) ledger_.still_there(j);
    }
  }
  std::size_t waiting_jobs() const { return queued_; }
  const Sharing& pool(std::size_t p) const { return pools_[p]; }

 private:
  /// The pool's next change, if one is scheduled.
  struct Change {
    std::int64_t at = -1;
    engine::EventHandle event;
  };
  using Waiting = std::set<std::pair<std::uint64_t, std::uint32_t>>;  ///< id, slot

  void advance(std::uint32_t pool) {
    pools_[pool].advance(world_.now);
    touched_[pool] = true;
  }
  void run_pools() {
    for (std::uint32_t p = 0; p < pools_.size(); ++p) {
      if (!touched_[p]) continue;
      touched_[p] = false;
      started_.clear();
      pools_[p].decide(world_.now, started_);
      for (const std::uint32_t slot : started_) start(slot);
      const std::int64_t more = pools_[p].allocated() - levels_[p].allocated.value();
      levels_[p].allocated.change(world_.now, more);
      levels_[p].idle.change(world_.now, -more);
      schedule_change(p);
    }
  }
  void schedule_change(std::uint32_t pool) {
    const std::int64_t next = pools_[pool].next_change();
    Change& c = changes_[pool];
    if (next == c.at) return;
    world_.events.cancel(c.event);
    c.at = next;
    if (instant(next) < world_.end)
      c.event = world_.events.schedule(
          instant(next), engine::rank_of(engine::Phase::release, kind::completion, pool), {pool, 0});
  }

  // --- in and out of a pool

  void enqueue(std::uint32_t slot) {
    Job& j = jobs_[slot];
    j.state = JobState::queued;
    j.parts = asked(j);
    queued_parts_ += j.parts;
    ++queued_;
    hopeful_.emplace(j.id, slot);
  }
  void stop_waiting(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    hopeful_.erase({j.id, slot});
    waiting_.erase({j.id, slot});
    queued_parts_ -= j.parts;
    --queued_;
  }
  /// A job that has a place in a pool, and no turn yet, gives it up.
  void unseat(std::uint32_t slot) {
    const std::uint32_t pool = jobs_[slot].pool;
    if (!pools_[pool].holds(slot)) return;
    advance(pool);
    pools_[pool].leave(slot);
  }
  /// The job joins the pool, of those with as many GPUs up as it asks for, where it progresses fastest now.
  /// @returns whether there is one
  bool join(std::uint32_t slot) {
    Job& j = jobs_[slot];
    scheduling::SharingJob job{slot, j.gpus, 1, weights_[j.job_class]};
    double best = 0;
    for (const scheduling::PoolChoice& c : groups_.specs[j.group].choices) {
      if (capacity(c.pool) < j.gpus) continue;
      const double pace = c.speed * pools_[c.pool].pace_of(job);
      if (pace <= best * (1 + 1e-9)) continue;  // rounding settles no tie
      best = pace;
      j.pool = c.pool;
    }
    if (best == 0) return false;
    job.service = j.kind == JobKind::batch ? std::min(work_of(j), limit_of(j)) : job.endless;
    touched_[j.pool] = true;
    pools_[j.pool].submit(job);
    return true;
  }
  /// Ticks of the job's service, where it is, until it ends by itself; and until it is killed.
  std::int64_t work_of(const Job& j) const {
    return plus(j.stall, time_for(groups_, j, std::max<std::int64_t>(j.run_time - j.done, 1)));
  }
  std::int64_t limit_of(const Job& j) const {
    return scheduling::time_at_speed(plus(std::max<std::int64_t>(j.requested - j.done, 1), j.stall),
                                     groups_.speed_in(j.group, j.pool));
  }
  /// The job has GPUs for the first time since it joined.
  void start(std::uint32_t slot) {
    Job& j = jobs_[slot];
    stop_waiting(slot);
    j.state = JobState::running;
    j.started = world_.now;
    ++running_jobs_;
    orders_[j.pool].add(slot, j.gpus,
                        [this](std::uint32_t s) -> std::uint32_t& { return jobs_[s].position; });
    const bool is_first = !std::exchange(j.has_started, true);
    if (is_first) {
      world_.events.cancel(j.patience);
      if (j.kind != JobKind::replica) ledger_.first_start(j);
    }
    if (j.kind == JobKind::replica) listener_->replica_started(j.service, slot);
    if (j.kind != JobKind::service_floor) return;
    j.requested_end = listener_->floor_started(j.service, plus(world_.now, j.run_time));
    if (is_first)
      j.completion = world_.events.schedule(instant(j.requested_end),
                                            engine::rank_of(engine::Phase::release, kind::contract_end, j.id),
                                            {slot, 0});
  }
  void finish(std::uint32_t slot) {
    Job& j = jobs_[slot];
    const bool killed = work_of(j) > limit_of(j);
    settlement_.close_course(j, take_back(slot), killed ? Use::lost_limit : end_use(j.fate),
                             killed || j.fate == demand::Fate::user_error);
    ledger_.end(j, killed);
    jobs_.remove(slot);
  }
  /// A running job loses its GPUs and waits for others, to go on from its last checkpoint.
  void requeue(std::uint32_t slot) {
    if (jobs_[slot].kind == JobKind::replica) {
      listener_->replica_stopped(jobs_[slot].service, slot);
      return stop_replica(slot);
    }
    Job& j = jobs_[slot];
    settlement_.close_course(j, take_back(slot), Use::lost_failure, false, true);
    ++j.restarts;
    ledger_.count(j, &JobCounts::restarts);
    j.stall = groups_.classes[j.job_class].restart_cost;
    if (j.kind == JobKind::service_floor) {
      listener_->floor_stopped(j.service, false);
      j.done = std::max<std::int64_t>(j.run_time - (j.requested_end - world_.now), 0);
    }
    enqueue(slot);
  }

  // --- what a running job has had

  static Area area_of(Area progress, std::int32_t gpus) {
    return (progress * gpus) >> scheduling::Lane::bits;
  }
  void note(std::uint32_t slot, std::uint16_t quarter) {
    const Job& j = jobs_[slot];
    times_.note(slot, j.pool, quarter, area_of(pools_[j.pool].progress(slot), j.gpus));
  }
  const SharedTime& had_so_far(std::uint32_t slot) {
    note(slot, world_.quarter);
    const Job& j = jobs_[slot];
    const Area ticks = (pools_[j.pool].progress(slot) + scheduling::Lane::rounding) >> scheduling::Lane::bits;
    times_.of(slot).close(static_cast<std::int64_t>(ticks), j.gpus);
    return times_.of(slot);
  }
  /// The job leaves its pool. @returns what it has had there
  SharedTime take_back(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    advance(j.pool);
    had_so_far(slot);
    pools_[j.pool].leave(slot);
    orders_[j.pool].remove(j.position);
    --running_jobs_;
    return times_.take(slot);
  }
  void book_as_useful(const Job& j, SharedTime had) {
    had.each(0, had.ticks(),
             [&](std::uint16_t quarter, Area area) { settlement_.book(j, quarter, area, Use::useful); });
  }

  std::vector<Sharing> pools_;
  std::vector<double> weights_;  ///< by class
  std::vector<bool> touched_;    ///< pools that have changed since their last decision
  std::vector<Change> changes_;
  SharedTimes times_;
  Waiting hopeful_;  ///< to be tried in the next pass
  Waiting waiting_;  ///< larger than what was up at the last try
  std::vector<std::uint32_t> started_;
  std::size_t queued_ = 0;
};

}  // namespace natgpu::simulation
