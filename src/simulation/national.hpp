// SPDX-License-Identifier: Apache-2.0
// The model that the engine runs: it routes each event to the process that owns it, and rolls the quarters.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/engine/run_loop.hpp>
#include <natgpu/simulation/interrupted.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "capacity_by_count.hpp"
#include "capacity_by_machine.hpp"
#include "demand_process.hpp"
#include "dispatch_process.hpp"
#include "project_process.hpp"
#include "service_process.hpp"
#include "supply_process.hpp"

namespace natgpu::simulation {

/// What a national run is made of beside its dispatcher.
struct NationalParts {
  World& world;
  supply::Fleet& fleet;
  const JobGroups& groups;
  const NationalAccounts& accounts;
  const demand::Population& population;
  const workload::JobLog* log;  ///< null: nobody replays one
  Streams& streams;
  const SimulateOptions& options;
};

/// Who carries out what a dispatcher decides, and who books capacity for it.
template <class Dispatcher>
struct ProcessesUnder {
  using Dispatch = DispatchProcess<Dispatcher>;
  using Capacity = std::conditional_t<DispatchPort<Dispatcher>::on_machines, CapacityByMachine<Dispatch>,
                                      CapacityByCount<Dispatch>>;
};

template <class Dispatcher>
class National {
 public:
  using Payload = simulation::Payload;
  using Dispatch = typename ProcessesUnder<Dispatcher>::Dispatch;
  using Capacity = typename ProcessesUnder<Dispatcher>::Capacity;

  National(const NationalParts& p, Dispatcher dispatcher)
      : world_(p.world),
        options_(p.options),
        dispatch_({p.world, p.fleet, p.groups, p.accounts, p.population.organisations.size()},
                  std::move(dispatcher), p.streams),
        capacity_(p.world, dispatch_, p.fleet),
        supply_(p.world, capacity_, p.fleet, p.streams),
        demand_(p.world, dispatch_, p.groups, p.population, p.streams, p.log),
        services_(p.world, dispatch_, p.population, demand_.profile()) {
    dispatch_.listen(&services_);
    begin_projects(p);
    if (supply_.foresees()) dispatch_.dispatcher().keep_profile();
    supply_.begin();
    demand_.begin();
    world_.schedule(Instant{}, engine::Phase::observe, kind::sample, 0, {});
  }

  // --- what the engine asks of a model

  Events& events() { return world_.events; }
  Instant next_arrival() const { return demand_.next_arrival(); }
  engine::Rank arrive(Instant now) { return demand_.arrive(now); }
  void decide(Instant) { dispatch_.decide(); }
  bool keep_going(Instant now) {
    world_.now = ticks(now);
    while (now >= world_.quarters[world_.quarter].to) roll();
    if ((++polls_ & 0xfff) == 0) report_progress();
    return true;
  }

  void handle(const engine::Event<Payload>& e) {
    const Payload& p = e.payload;
    switch (e.phase()) {
      case engine::Phase::release:
        return handle_release(e.kind(), p);
      case engine::Phase::capacity:
        return handle_capacity(e.kind(), p);
      case engine::Phase::arrive:
        return handle_arrive(e.kind(), p);
      case engine::Phase::decide:
        if (e.kind() == kind::patience) dispatch_.patience_over(p.subject);
        return;
      case engine::Phase::observe:
        return sample();
      case engine::Phase::settle:
        break;
    }
    NATGPU_ENSURE(false, "every event has an owner");
  }

  // --- the end

  void finish() {
    world_.now = ticks(world_.end);
    dispatch_.close_run();
    close_quarter(world_.quarter);
  }
  Dispatch& dispatch() { return dispatch_; }
  SupplyProcess<Capacity>& supply() { return supply_; }
  DemandProcess<Dispatch>& demand() { return demand_; }
  /// Nothing where the scenario has none.
  const std::optional<ProjectProcess>& projects() const { return projects_; }
  const ReplicaCounts& replicas() const { return replicas_; }
  std::vector<SeriesPoint>& series() { return series_; }

 private:
  void handle_release(std::uint8_t what, const Payload& p) {
    if (what == kind::completion)
      dispatch_.complete(p.subject);
    else if (what == kind::contract_end)
      dispatch_.contract_over(p.subject);
    else if (what == kind::notice_over)
      dispatch_.notice_over(p.subject);
    else if (what == kind::strike)
      supply_.strike(p.subject, p.detail);
    else if (what == kind::reclaim)
      projects_->reclaim(p.subject);
    else
      services_.follow_curve(p.subject, p.detail);
  }
  void handle_capacity(std::uint8_t what, const Payload& p) {
    switch (what) {
      case kind::announcement_lapses:
        return supply_.announcement_lapses(p.subject);
      case kind::repair:
        return supply_.repaired(p.subject, p.detail);
      case kind::supply_event:
        return supply_.supply_event(p.subject);
      case kind::announcement:
        return supply_.announce(p.subject);
      case kind::maintenance_end:
        return supply_.maintenance_ends(p.subject);
      default:
        return supply_.maintenance_begins(p.subject);
    }
  }
  void handle_arrive(std::uint8_t what, const Payload& p) {
    switch (what) {
      case kind::adoption:
        return demand_.adopt(p.subject);
      case kind::onboarding:
        return demand_.onboarded(p.subject);
      case kind::lapse:
        return demand_.lapse(p.subject);
      case kind::project_opening:
        return ask_for_project(p.subject, p.detail);
      case kind::project_job:
        return projects_->next_job(p.subject);
      default:
        return open_service(p.subject, p.detail);
    }
  }
  void open_service(std::uint32_t organisation, std::uint32_t k) {
    if (!demand_.is_user(organisation)) return;
    services_.open(organisation, demand_.contract(organisation, k));
    demand_.next_service(organisation, k + 1);
  }
  void begin_projects(const NationalParts& p) {
    if (world_.scenario.demand.project.empty()) return;
    if constexpr (Dispatch::shares) {
      NATGPU_ENSURE(false, "projects on GPUs that are shared in time are refused before a run");
    } else {
      projects_.emplace(world_, dispatch_, p.groups, p.population, demand_.profile(), demand_.projects());
      dispatch_.listen_to_blocks(&*projects_);
    }
  }
  void ask_for_project(std::uint32_t organisation, std::uint32_t k) {
    if (!demand_.is_user(organisation)) return;
    projects_->ask(organisation, k, demand_.projects().project(organisation, k));
    demand_.next_project(organisation, k + 1);
  }

  void close_quarter(std::uint16_t quarter) {
    const std::int64_t boundary = ticks(world_.quarters[quarter].to);
    dispatch_.close_quarter(quarter, boundary);
    supply_.close_quarter(quarter, boundary);
    demand_.close_quarter(quarter);
    if (quarter + std::size_t{1} == world_.stretch.first) replicas_before_ = services_.counts_until(boundary);
    if (quarter == world_.stretch.last) replicas_ = services_.counts_until(boundary).since(replicas_before_);
  }
  void roll() {
    close_quarter(world_.quarter);
    ++world_.quarter;
  }

  /// Once a day at midnight, after the pass.
  void sample() {
    const Date day = world_.calendar.date_of(instant(world_.now));
    std::int64_t in_service = 0, down = 0, allocated = 0;  // parts of GPUs
    for (std::size_t p = 0; p < dispatch_.pools(); ++p) {
      const PoolLevels& l = dispatch_.levels(p);
      in_service += l.in_service.value();
      down += l.down.value();
      allocated += l.allocated.value();
    }
    const auto add = [&](const char* metric, measures::Labels labels, double value) {
      series_.push_back({day, metric, std::move(labels), value});
    };
    const auto in_gpus = [per_gpu = dispatch_.parts_per_gpu()](std::int64_t parts) {
      return static_cast<double>(parts) / static_cast<double>(per_gpu);
    };
    add("capacity.units", {{"state", "public"}}, in_gpus(in_service));
    add("capacity.units", {{"state", "up"}}, in_gpus(in_service - down));
    add("capacity.units", {{"state", "allocated"}}, in_gpus(allocated));
    add("jobs.running.count", {}, static_cast<double>(dispatch_.running_jobs()));
    add("jobs.queued.count", {}, static_cast<double>(dispatch_.waiting_jobs()));
    add("gpu.queued", {}, in_gpus(dispatch_.queued_parts()));
    add("adoption.gpu_user.count", {}, demand_.users_now());
    world_.schedule(instant(world_.now + days(1).count()), engine::Phase::observe, kind::sample, 0, {});
  }
  void report_progress() {
    if (options_.progress != nullptr)
      options_.progress->share.store(static_cast<double>(world_.now) / static_cast<double>(ticks(world_.end)),
                                     std::memory_order_relaxed);
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) throw Interrupted{};
  }

  World& world_;
  const SimulateOptions& options_;
  Dispatch dispatch_;
  Capacity capacity_;
  SupplyProcess<Capacity> supply_;
  DemandProcess<Dispatch> demand_;
  ServiceProcess<Dispatch> services_;
  std::optional<ProjectProcess> projects_;    ///< where the scenario has any
  ReplicaCounts replicas_before_, replicas_;  ///< until measuring began; while it lasted
  std::vector<SeriesPoint> series_;
  std::uint64_t polls_ = 0;
};

}  // namespace natgpu::simulation
