// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/scheduling/order.hpp>
#include <natgpu/scheduling/plugged.hpp>
#include <natgpu/scheduling/preemptive_books.hpp>

#include "job_table.hpp"
#include "national_accounts.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// Jobs of the national books, told to a dispatcher in its own words: some want to know who asks, some what a
/// job has done so far, some which job it is that leaves, and others only how many GPUs.
///
/// @tparam Dispatcher  a dispatcher of several pools and groups: `Dispatcher` of none, fit, easy or
/// easy-sjbf, under a MovingOrder or not; ConservativeDispatcher; the same on machines; AccountDispatcher,
/// and AccountNodes on machines; one that takes GPUs back; or a plugged policy's
template <class Dispatcher>
class DispatchPort {
 public:
  static constexpr bool preempts = std::is_base_of_v<scheduling::PreemptiveBooks, Dispatcher> ||
                                   std::is_base_of_v<scheduling::PreemptiveNodeBooks, Dispatcher> ||
                                   std::is_base_of_v<scheduling::ClaimingNodes, Dispatcher>;
  static constexpr bool reserves = requires(const Dispatcher& d) { d.broken_promises(); };
  static constexpr bool on_machines = std::is_base_of_v<scheduling::NodeBooks, Dispatcher>;
  static constexpr bool plugged = std::is_same_v<Dispatcher, scheduling::PluggedDispatcher> ||
                                  std::is_base_of_v<scheduling::PluggedNodes, Dispatcher>;
  /// Whether it asks for passes at instants at which nothing else happens.
  static constexpr bool wakes = preempts || reserves || plugged;
  /// Whether it may ask for another instant instead.
  static constexpr bool wakes_otherwise = preempts || plugged || requires { Dispatcher::ranks_anew; };

  DispatchPort(const World& world, const NationalAccounts& accounts, Streams& streams, Dispatcher dispatcher)
      : world_(world),
        accounts_(accounts),
        order_(order_of(world.scenario, streams)),
        dispatcher_(std::move(dispatcher)) {}

  Dispatcher& dispatcher() { return dispatcher_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }

  /// A job joins, or rejoins, the queue.
  void submit(std::uint32_t slot, const Job& j) {
    if constexpr (has_quotas) dispatcher_.attribute(slot, accounts_.node(j.organisation, j.sector));
    if constexpr (preempts)
      submit_preemptible(slot, j);
    else if constexpr (plugged)
      dispatcher_.submit(as_submission(slot, j));
    else if constexpr (ranks_accounts)
      dispatcher_.submit(claimant_of(j), as_waiting(slot, j), j.group);
    else
      dispatcher_.submit(j.group, as_waiting(slot, j));
  }
  /// A waiting job leaves the queue without having started.
  void withdraw(std::uint32_t slot, const Job& j) {
    bool found = true;
    if constexpr (preempts || plugged)
      dispatcher_.withdraw_job(slot);
    else if constexpr (requires { dispatcher_.withdraw_of(as_waiting(slot, j)); })
      found = dispatcher_.withdraw_of(as_waiting(slot, j));
    else
      found = dispatcher_.withdraw(j.group, key_of(j), j.gpus);
    NATGPU_ENSURE(found, "a waiting job stands in the queue");
  }
  /// GPUs that the job that has just started holds, in rising order; those that are counted are of one
  /// machine.
  std::vector<scheduling::GpuPlace> places_of(std::uint32_t slot, const Job& j) const {
    if constexpr (on_machines) return dispatcher_.places_of(slot);
    std::vector<scheduling::GpuPlace> places;
    for (std::int32_t gpu = 0; gpu < j.gpus; ++gpu) places.push_back({0, gpu});
    return places;
  }
  /// A running job hands these of its GPUs back, and keeps the rest.
  void hand_back(std::uint32_t slot, const Job& j, const std::vector<scheduling::GpuPlace>& gpus) {
    if constexpr (on_machines && !preempts && !plugged)
      dispatcher_.hand_back(slot, gpus);
    else
      finish(slot, j, std::ssize(gpus));
  }
  /// A running job hands so many of its GPUs back: all of them, or, where they are counted and nobody ranks
  /// accounts by what they hold, a part.
  void finish(std::uint32_t slot, const Job& j, std::int64_t gpus) {
    if constexpr (preempts || plugged || on_machines)
      NATGPU_ENSURE(gpus == j.gpus, "here jobs hand all of their GPUs back at once");
    if constexpr (preempts || plugged || (on_machines && !ranks_accounts))
      dispatcher_.finish_job(slot);
    else if constexpr (ranks_accounts)
      dispatcher_.finish_of({{}, 0, static_cast<std::int32_t>(gpus), slot}, j.requested_end, j.pool);
    else
      dispatcher_.finish(j.pool, gpus, j.requested_end);
  }
  /// A running job's known end moves. @pre it is still the old one in the books
  void extend(std::uint32_t slot, const Job& j, std::int64_t new_end) {
    if constexpr (on_machines || plugged)
      dispatcher_.extend_job(slot, new_end);
    else
      dispatcher_.extend(j.pool, j.gpus, j.requested_end, new_end);
  }
  /// The job is gone for good.
  void forget(std::uint32_t slot) {
    if constexpr (plugged) dispatcher_.forget_job(slot);
  }
  /// Whether the job that has just started is a gang on more machines than the fewest.
  bool spread(std::uint32_t slot) const {
    if constexpr (on_machines)
      return dispatcher_.spread(slot);
    else
      return false;
  }
  /// Parts of GPUs, so many to one, that the job that has just started holds.
  std::int64_t parts_of(std::uint32_t slot, const Job& j, std::int64_t per_gpu) const {
    if constexpr (on_machines)
      return dispatcher_.held_milli(slot) * per_gpu / scheduling::whole_gpu_milli;
    else
      return j.gpus * per_gpu;
  }
  /// How many times longer the job that has just started takes for where it runs, in thousandths.
  std::int32_t slowdown_milli(std::uint32_t slot) const {
    if constexpr (on_machines)
      return static_cast<std::int32_t>(dispatcher_.slowdown_milli(slot));
    else
      return 1000;
  }

 private:
  /// Whether it wants to know what a job weighs.
  static constexpr bool weighs = requires(Dispatcher & d, const scheduling::WaitingJob& job) {
    d.submit(job, {}, 0, 0, false, 1.0);
  };
  static constexpr bool ranks_accounts = scheduling::RanksAccounts<Dispatcher>;
  static constexpr bool has_quotas = requires(Dispatcher & d) { d.attribute(0U, 0U); };

  static scheduling::StaticOrder order_of(const scenario::Scenario& s, Streams& streams) {
    if (s.plugged_order) return scheduling::StaticOrder(s.plugged_order.table->key);
    if (s.scheduling.preemption.mode == scheduling::PreemptionSettings::Mode::spot_first)
      return {scheduling::Order::priority, {}};
    return {s.scheduling.order, streams.open("order", "lottery")};
  }
  static std::int64_t account_of(const Job& j) {
    return j.organisation == no_index ? -1 : std::int64_t{j.organisation};
  }
  scheduling::QueueKey key_of(const Job& j) const {
    return order_.key(j.submitted, j.requested, j.gpus, j.id, j.id, account_of(j),
                      accounts_.rank_of_class[j.job_class]);
  }
  /// A segment may run for what is left of the request, and for its restart.
  scheduling::WaitingJob as_waiting(std::uint32_t slot, const Job& j) const {
    const std::int64_t left = std::max<std::int64_t>(j.requested - j.done, 1);
    return {key_of(j), plus(left, j.stall), j.gpus, slot};
  }
  void submit_preemptible(std::uint32_t slot, const Job& j) {
    const scheduling::Progress progress{j.requested - j.done, j.attained, j.stall};
    const bool firm = j.kind != JobKind::batch;
    if constexpr (weighs)
      dispatcher_.submit(as_waiting(slot, j), progress, world_.now, j.group, firm,
                         accounts_.weight_of_sector[j.sector]);
    else
      dispatcher_.submit(as_waiting(slot, j), progress, world_.now, j.group, firm);
  }
  scheduling::PluggedSubmission as_submission(std::uint32_t slot, const Job& j) const {
    const bool is_batch = j.kind == JobKind::batch;
    return {as_waiting(slot, j),
            static_cast<std::int64_t>(j.id),
            j.submitted,
            account_of(j),
            {j.requested - j.done, j.attained, j.stall},
            j.group,
            is_batch,
            is_batch && !j.has_started};
  }
  scheduling::Claimant claimant_of(const Job& j) const {
    scheduling::Claimant who{accounts_.node(j.organisation, j.sector),
                             accounts_.factor_of_class[j.job_class]};
    if constexpr (on_machines) who.gpu_milli = dispatcher_.asked_milli(j.group, j.gpus);
    return who;
  }

  const World& world_;
  const NationalAccounts& accounts_;
  scheduling::StaticOrder order_;
  Dispatcher dispatcher_;
};

}  // namespace natgpu::simulation
