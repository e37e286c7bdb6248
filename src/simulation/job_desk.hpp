// SPDX-License-Identifier: Apache-2.0
// What every dispatch process has, whatever decides who runs: submissions, the table of jobs, patience, and
// the books.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/supply/fleet.hpp>

#include "accounts.hpp"
#include "job_groups.hpp"
#include "job_ledger.hpp"
#include "job_table.hpp"
#include "national_accounts.hpp"
#include "settlement.hpp"
#include "start_order.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// What the owner of a service wants to hear of its jobs. Called for services only.
class ServiceListener {
 public:
  virtual ~ServiceListener() = default;
  /// @returns the end of the contract, which the first start has fixed
  virtual std::int64_t floor_started(std::uint32_t service, std::int64_t first_contract_end) = 0;
  virtual void floor_stopped(std::uint32_t service, bool for_good) = 0;
  virtual std::int64_t replica_started(std::uint32_t service,
                                       std::uint32_t slot) = 0;  ///< @returns its profile end
  virtual void replica_stopped(std::uint32_t service, std::uint32_t slot) = 0;
};

/// What a dispatch process reads of the world beside the scenario.
struct DispatchParts {
  World& world;
  const supply::Fleet& fleet;
  const JobGroups& groups;
  const NationalAccounts& accounts;
  std::size_t organisations;
};

class JobDesk {
 public:
  JobDesk(const JobDesk&) = delete;

  void listen(ServiceListener* listener) { listener_ = listener; }

  struct Submission {
    JobKind kind = JobKind::batch;
    std::uint32_t organisation = no_index;
    std::uint32_t service = no_index;
    std::uint32_t group = 0;
    std::uint16_t sector = 0, job_class = 0;
    std::int32_t gpus = 1;
    std::int64_t run_time = 0, requested = 0;
    std::int64_t patience = 0;  ///< ticks; the greatest value: for ever
    demand::Fate fate = demand::Fate::completes;
  };
  /// The timer of a job's patience; acted upon after the pass, in which it may still start.
  void patience_over(std::uint32_t slot) { expired_.push_back({slot, jobs_[slot].id}); }

  std::size_t pools() const { return levels_.size(); }
  PoolLevels& levels(std::size_t pool) { return levels_[pool]; }
  const PoolLevels& levels(std::size_t pool) const { return levels_[pool]; }
  const DispatchBooks& books() const { return books_; }
  std::uint32_t group_of(std::uint16_t job_class) const { return groups_.of_class[job_class]; }
  /// Parts of GPUs that a job asks for.
  std::int64_t asked(const Job& j) const { return groups_.parts_of(j.group, j.gpus); }
  std::int64_t parts_per_gpu() const { return groups_.parts_per_gpu; }
  std::int64_t queued_parts() const { return queued_parts_; }
  std::uint64_t running_jobs() const { return running_jobs_; }
  std::uint64_t submitted() const { return next_id_; }
  std::size_t job_slots() const { return jobs_.slots(); }
  const Job& job(std::uint32_t slot) const { return jobs_[slot]; }

 protected:
  /// A job by slot and id: the slot may have been given to another since.
  struct JobRef {
    std::uint32_t slot;
    std::uint64_t id;
  };

  explicit JobDesk(const DispatchParts& parts)
      : world_(parts.world),
        groups_(parts.groups),
        orders_(groups_.pools),
        levels_(groups_.pools),
        books_(world_.quarters.size(), groups_.pools, world_.scenario.demand.sectors.size(),
               groups_.classes.size(), parts.organisations),
        ledger_(world_, groups_, books_),
        settlement_(world_, groups_, books_) {
    books_.parts_per_gpu = groups_.parts_per_gpu;
  }

  /// Writes a submission down. @returns the slot of the job, which is yet to be enqueued, or no_index if it
  /// was rejected
  std::uint32_t admit(const Submission& s, bool queue_is_full) {
    const std::uint64_t id = next_id_++;
    const bool counted = s.kind != JobKind::replica;
    const auto count = [&](std::uint64_t JobCounts::*what) {
      if (counted) ledger_.count(world_.quarter, s.sector, s.job_class, what);
    };
    count(&JobCounts::submitted);
    if (!groups_.ever_fits(s.group, s.gpus) || queue_is_full) {
      count(&JobCounts::rejected);
      return no_index;
    }
    const std::uint32_t slot = jobs_.add();
    Job& j = jobs_[slot];
    j.id = id;
    j.submitted = world_.now;
    j.run_time = s.run_time;
    j.requested = s.requested;
    j.patience_end = plus(world_.now, s.patience);
    j.organisation = s.organisation;
    j.service = s.service;
    j.group = s.group;
    j.gpus = s.gpus;
    j.sector = s.sector;
    j.job_class = s.job_class;
    j.cohort = world_.quarter;
    j.kind = s.kind;
    j.fate = s.fate;
    if (s.patience != std::numeric_limits<std::int64_t>::max()) newcomers_.push_back({slot, id});
    return slot;
  }
  /// After a pass: jobs whose patience is over leave, and newcomers that wait have a timer.
  /// @param withdraw  withdraw(slot): takes a waiting job away
  /// @returns whether any left
  template <class Withdraw>
  bool dismiss_impatient(Withdraw&& withdraw) {
    bool left = false;
    const auto leave = [&](const JobRef& w) {
      Job& j = jobs_[w.slot];
      if (j.kind == JobKind::service_floor) listener_->floor_stopped(j.service, true);
      ledger_.count(j, &JobCounts::gave_up);
      withdraw(w.slot);
      left = true;
    };
    for (const JobRef& w : expired_)
      if (is_waiting(w)) leave(w);
    expired_.clear();
    for (const JobRef& w : newcomers_) {
      if (!is_waiting(w)) continue;
      Job& j = jobs_[w.slot];
      if (j.patience_end <= world_.now)
        leave(w);
      else
        j.patience =
            world_.events.schedule(instant(j.patience_end),
                                   engine::rank_of(engine::Phase::decide, kind::patience, j.id), {w.slot, 0});
    }
    newcomers_.clear();
    return left;
  }
  /// Calls requeue(slot) for these running jobs; a service's floor takes its replicas with it meanwhile.
  template <class Requeue>
  void for_victims(const std::vector<std::uint32_t>& slots, Requeue&& requeue) {
    victims_.clear();
    for (const std::uint32_t slot : slots) victims_.push_back({slot, jobs_[slot].id});
    for (const JobRef& w : victims_)
      if (jobs_[w.slot].in_use && jobs_[w.slot].id == w.id && jobs_[w.slot].state == JobState::running)
        requeue(w.slot);
  }
  /// Closes the quarter: areas up to `boundary` belong to it.
  void close_levels(std::uint16_t quarter, std::int64_t boundary) {
    for (std::size_t p = 0; p < levels_.size(); ++p) {
      PoolLevels& l = levels_[p];
      for (Level* level : {&l.in_service, &l.down, &l.idle, &l.allocated, &l.reserved})
        level->settle(boundary);
      const std::size_t at = quarter * levels_.size() + p;
      books_.areas[at] = {l.in_service.take(), l.down.take(), l.idle.take(), l.allocated.take(),
                          l.reserved.take()};
      l.fragmented.settle(boundary);
      books_.fragmented[at] = l.fragmented.take();
      books_.stocks[at] = {l.in_service.value(), l.down.value(), l.idle.value(), l.allocated.value()};
    }
  }
  static Use end_use(demand::Fate fate) {
    static constexpr Use use[] = {Use::useful, Use::lost_user_error, Use::lost_cancel};
    return use[static_cast<std::size_t>(fate)];
  }

  World& world_;
  const JobGroups& groups_;
  JobTable jobs_;
  std::vector<StartOrder> orders_;
  std::vector<PoolLevels> levels_;
  DispatchBooks books_;
  JobLedger ledger_;
  Settlement settlement_;
  ServiceListener* listener_ = nullptr;
  std::int64_t queued_parts_ = 0;
  std::uint64_t running_jobs_ = 0;

 private:
  bool is_waiting(const JobRef& w) const {
    const Job& j = jobs_[w.slot];
    return j.in_use && j.id == w.id && j.state == JobState::queued && !j.has_started;
  }

  std::vector<JobRef> newcomers_, expired_, victims_;
  std::uint64_t next_id_ = 0;
};

}  // namespace natgpu::simulation
