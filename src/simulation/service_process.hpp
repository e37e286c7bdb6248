// SPDX-License-Identifier: Apache-2.0
// Services: a floor that is held as one gang, and replicas above it that follow a daily and weekly curve.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/demand/requests.hpp>

#include "job_desk.hpp"
#include "world.hpp"

namespace natgpu::simulation {

template <class Dispatch>
class ServiceProcess final : public ServiceListener {
 public:
  ServiceProcess(World& world, Dispatch& dispatch, const demand::Population& population,
                 const demand::ArrivalProfile& profile)
      : world_(world), dispatch_(dispatch), population_(population) {
    for (const demand::ServiceClass& c : world.scenario.demand.service) curves_.emplace_back(c, profile);
  }

  void open(std::uint32_t organisation, const demand::ServiceContract& contract) {
    const demand::ServiceClass& spec = world_.scenario.demand.service[contract.service_class];
    std::uint32_t id;
    if (!spare_.empty()) {
      id = spare_.back();
      spare_.pop_back();
    } else {
      id = static_cast<std::uint32_t>(services_.size());
      services_.emplace_back();
    }
    Service& s = services_[id];
    const std::uint32_t generation = s.generation + 1;
    s = Service{};
    s.generation = generation;
    s.organisation = organisation;
    s.service_class = contract.service_class;
    typename Dispatch::Submission floor = submission(id, JobKind::service_floor);
    floor.gpus = static_cast<std::int32_t>(spec.floor * spec.gpus_per_replica);
    floor.run_time = floor.requested = contract.duration.count();
    floor.patience = contract.patience.count();
    if (dispatch_.submit(floor) == no_index) spare_.push_back(id);
  }

  /// The curve changes, or the floor has just started: replicas follow it.
  void follow_curve(std::uint32_t id, std::uint32_t generation) {
    if (services_[id].generation != generation || !services_[id].up) return;
    lapse_queued(id);
    Service& s = services_[id];
    const demand::ServiceClass& spec = world_.scenario.demand.service[s.service_class];
    const auto wanted =
        static_cast<std::size_t>(curves_[s.service_class].replicas(instant(world_.now)) - spec.floor);
    while (s.running.size() > wanted) {  // the newest goes first
      const std::uint32_t slot = s.running.back();
      s.running.pop_back();
      stop(slot);
    }
    for (std::size_t i = 0; i < s.running.size(); ++i) dispatch_.extend(s.running[i], known_end(s, i));
    const std::size_t missing = wanted - s.running.size();
    for (std::size_t i = 0; i < missing; ++i) ask_for_replica(id);
    const Instant next = curves_[s.service_class].next_change(instant(world_.now), instant(s.contract_end));
    if (ticks(next) < s.contract_end) schedule(next, id);
  }

  std::int64_t floor_started(std::uint32_t id, std::int64_t first_contract_end) override {
    Service& s = services_[id];
    s.up = true;
    if (s.contract_end == 0) s.contract_end = first_contract_end;
    schedule(instant(world_.now) + one_tick, id);
    return s.contract_end;
  }
  void floor_stopped(std::uint32_t id, bool for_good) override {
    lapse_queued(id);
    Service& s = services_[id];
    for (const std::uint32_t slot : s.running) stop(slot);
    s.running.clear();
    s.up = false;
    ++s.generation;
    if (for_good) spare_.push_back(id);
  }
  std::int64_t replica_started(std::uint32_t id, std::uint32_t slot) override {
    Service& s = services_[id];
    s.queued.erase(std::find(s.queued.begin(), s.queued.end(), slot));
    counts_.unserved += waited(slot);
    s.running.push_back(slot);
    ++counts_.started;
    return known_end(s, s.running.size() - 1);
  }
  void replica_stopped(std::uint32_t id, std::uint32_t slot) override {
    Service& s = services_[id];
    counts_.unserved += lacked(slot, world_.now);
    s.running.erase(std::find(s.running.begin(), s.running.end(), slot));
    ask_for_replica(id);  // lost to a failure: it is still wanted
  }

  /// All until an instant that has just gone by, what still waits included.
  ReplicaCounts counts_until(std::int64_t instant) const {
    ReplicaCounts counts = counts_;
    for (const Service& s : services_) {
      for (const std::uint32_t slot : s.queued) counts.unserved += waited(slot, instant);
      for (const std::uint32_t slot : s.running) counts.unserved += lacked(slot, instant);
    }
    return counts;
  }

 private:
  struct Service {
    std::uint32_t organisation = 0, service_class = 0;
    std::uint32_t generation = 0;  ///< a curve event of an earlier spell is ignored
    std::int64_t contract_end = 0;
    bool up = false;
    std::vector<std::uint32_t> running, queued;  ///< replicas' slots, oldest first
  };

  typename Dispatch::Submission submission(std::uint32_t id, JobKind kind) const {
    const Service& s = services_[id];
    typename Dispatch::Submission sub;
    sub.kind = kind;
    sub.organisation = s.organisation;
    sub.service = id;
    sub.sector = static_cast<std::uint16_t>(population_.organisations[s.organisation].sector);
    sub.job_class = static_cast<std::uint16_t>(world_.scenario.demand.batch.size() + s.service_class);
    sub.group = dispatch_.group_of(sub.job_class);
    return sub;
  }
  void ask_for_replica(std::uint32_t id) {
    const Service& s = services_[id];
    auto sub = submission(id, JobKind::replica);
    sub.gpus = static_cast<std::int32_t>(world_.scenario.demand.service[s.service_class].gpus_per_replica);
    sub.run_time = sub.requested = std::max<std::int64_t>(known_end(s, s.running.size()) - world_.now, 1);
    sub.patience = std::numeric_limits<std::int64_t>::max();
    ++counts_.entries;
    if (const std::uint32_t slot = dispatch_.submit(sub); slot != no_index)
      services_[id].queued.push_back(slot);
  }
  void lapse_queued(std::uint32_t id) {
    Service& s = services_[id];
    for (const std::uint32_t slot : s.queued) {
      counts_.unserved += waited(slot);
      ++counts_.lapsed;
      dispatch_.withdraw(slot);
    }
    s.queued.clear();
  }
  void stop(std::uint32_t slot) {
    counts_.unserved += lacked(slot, world_.now);
    dispatch_.stop_replica(slot);
  }
  /// GPU-time that a running replica has not had of what it asks for.
  Area lacked(std::uint32_t slot, std::int64_t until) const {
    if constexpr (Dispatch::shares)
      return dispatch_.shortfall(slot, until);
    else
      return 0;
  }
  Area waited(std::uint32_t slot) const { return waited(slot, world_.now); }
  Area waited(std::uint32_t slot, std::int64_t until) const {
    const Job& j = dispatch_.job(slot);
    return static_cast<Area>(until - j.submitted) * dispatch_.asked(j);
  }
  /// When the replica at that place above the floor is scaled down, as far as the curve tells.
  std::int64_t known_end(const Service& s, std::size_t place) const {
    const demand::ServiceCurve& curve = curves_[s.service_class];
    const std::int64_t level =
        world_.scenario.demand.service[s.service_class].floor + static_cast<std::int64_t>(place) + 1;
    const Instant now = instant(world_.now);
    if (curve.replicas(now) < level) return world_.now + 1;
    return std::max(ticks(curve.next_below(now, level, instant(s.contract_end))), world_.now + 1);
  }
  void schedule(Instant at, std::uint32_t id) {
    if (at < world_.end)
      world_.schedule(at, engine::Phase::release, kind::service_curve, id, {id, services_[id].generation});
  }

  World& world_;
  Dispatch& dispatch_;
  const demand::Population& population_;
  std::vector<demand::ServiceCurve> curves_;
  std::vector<Service> services_;
  std::vector<std::uint32_t> spare_;
  ReplicaCounts counts_;
};

}  // namespace natgpu::simulation
