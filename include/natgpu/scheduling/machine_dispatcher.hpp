// SPDX-License-Identifier: Apache-2.0
// The node view of several pools whose machines come and go: what a national run asks of a dispatcher.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/class_nodes.hpp>
#include <natgpu/scheduling/conservative_nodes.hpp>
#include <natgpu/scheduling/gavel_nodes.hpp>
#include <natgpu/scheduling/machine_tasks.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>
#include <natgpu/scheduling/plugged_nodes.hpp>
#include <natgpu/scheduling/preemptive_nodes.hpp>
#include <natgpu/scheduling/quota_nodes.hpp>

namespace natgpu::scheduling {

/// What the node view of a run is made of.
struct MachineSettings {
  std::vector<MachinePool> pools;
  std::vector<GroupSpec> groups;
  std::vector<MachineNeed> needs = {{}};
  Placement placement = Placement::best;
  /// How long a gang on more machines than the fewest runs, in thousandths of its time there; 0: it waits for
  /// the fewest.
  std::int64_t slowdown_milli = 0;
  bool measures_fragmentation = false;
};

/// Pools of machines, none of which is there.
NodeBooks absent_machines(const MachineSettings& settings, const Stream& chance);

/// Jobs of a group that ask for so many GPUs are of one kind. They take the machines of one pool: as many
/// full ones as they can, and one for the rest; or as many shares of one GPU, wherever in the pool.
class MachineKinds {
 public:
  explicit MachineKinds(const MachineSettings& settings);
  std::uint32_t kind_of(NodeBooks& books, std::uint32_t group, std::int32_t gpus);

 private:
  NodeKind make_kind(std::uint32_t group, std::int32_t gpus) const;
  GangKind gang_in(const MachineTasks& tasks, std::uint32_t need, std::int32_t gpus) const;

  std::vector<MachineTasks> tasks_;  ///< by pool
  std::vector<GroupSpec> groups_;
  std::vector<bool> shares_;  ///< by need
  bool may_spread_;
  std::vector<std::vector<std::uint32_t>> known_;  ///< by group and GPUs; GangKind::none where none came yet
};

/// Machines that come and go, in the words of the dispatchers that count GPUs.
/// @tparam Base  NodeDispatcher, ConservativeNodes, AccountNodes, PreemptiveNodes, GavelNodes, ClassNodes,
///               QuotaNodes or PluggedNodes
template <class Base>
class MachinesUnder : public Base {
 public:
  /// @param chance  decides between machines that the placement holds for equal
  /// @param more    what the base takes beside its machines
  template <class... More>
  MachinesUnder(const MachineSettings& settings, const Stream& chance, More... more)
      : Base(absent_machines(settings, chance), std::move(more)...),
        table_(settings),
        up_(settings.pools.size()),
        tasks_(settings.pools.size()) {
    for (std::size_t p = 0; p < tasks_.size(); ++p) tasks_[p] = this->pool(p).mix().tasks();
    for (const GroupSpec& group : settings.groups)
      milli_of_group_.push_back(settings.needs[group.need].gpu_milli);
    measures_ = settings.measures_fragmentation;
  }

  void submit(std::uint32_t group, const WaitingJob& job) {
    Base::submit(table_.kind_of(*this, group, job.gpus), job);
  }
  /// The same where what accounts hold decides.
  void submit(const Claimant& who, const WaitingJob& job,
              std::uint32_t group = 0) requires(RanksAccounts<Base>) {
    Base::submit(who, job, table_.kind_of(*this, group, job.gpus));
  }
  /// The same where jobs may lose their machines to others, as PreemptiveDispatcher::submit.
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now, std::uint32_t group,
              bool firm) {
    Base::submit(table_.kind_of(*this, group, job.gpus), job, {progress, asked_milli(group, job.gpus), firm},
                 now);
  }
  /// The same under target shares, as TypedGavelDispatcher::submit.
  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now, std::uint32_t group,
              bool firm, double weight) requires std::is_base_of_v<GavelNodes, Base> {
    Base::submit(table_.kind_of(*this, group, job.gpus), job, {progress, asked_milli(group, job.gpus), firm},
                 now, weight);
  }
  /// The same under a policy of level 2.
  void submit(const PluggedSubmission& s) { Base::submit(table_.kind_of(*this, s.group, s.job.gpus), s); }
  /// As ReservationQueue::rank_anew.
  void rank_anew(std::vector<Reranked>& jobs) requires requires(Base& base) { base.rank_anew(jobs); }
  {
    for (Reranked& j : jobs) j.group = table_.kind_of(*this, j.group, j.job.gpus);
    Base::rank_anew(jobs);
  }
  bool withdraw(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    return Base::withdraw(table_.kind_of(*this, group, gpus), key, gpus);
  }

  /// An absent machine comes with so many GPUs.
  void come(const Machine& machine, std::int64_t gpus) {
    this->refit(machine, static_cast<std::int16_t>(gpus));
    this->repair(machine);
    up_[machine.pool] += gpus;
  }
  /// A machine of so many GPUs goes. @pre nothing runs on it
  void go(const Machine& machine, std::int64_t gpus) {
    const auto hit = this->fail(machine);
    NATGPU_ENSURE(hit.empty(), "a machine is emptied before it goes");
    up_[machine.pool] -= gpus;
  }

  /// GPUs that are up, idle or not.
  std::int64_t capacity(std::uint32_t pool) const { return up_[pool]; }
  std::int64_t free(std::uint32_t pool) const { return this->pool(pool).free_milli() / whole_gpu_milli; }
  /// Thousandths of GPUs that such a job of the group asks for.
  std::int64_t asked_milli(std::uint32_t group, std::int32_t gpus) const {
    return milli_of_group_[group] * gpus;
  }
  /// Thousandths of GPUs that the running job holds.
  std::int64_t held_milli(std::uint32_t slot) const {
    std::int64_t held = 0;
    for (const Hold& h : this->holds(slot)) held += h.total_milli();
    return held;
  }
  /// How much longer the running job takes for being spread, in thousandths.
  std::int64_t slowdown_milli(std::uint32_t slot) const {
    return this->spread(slot) ? this->rules_.slowdown_milli : 1000;
  }
  /// Thousandths of the pool's free GPUs that a task to be expected cannot use, as a mean over these.
  std::int64_t fragmented_milli(std::uint32_t pool) const {
    return measures_ && tasks_[pool] > 0 ? this->pool(pool).fragmented_milli() / tasks_[pool] : 0;
  }
  /// What is foreseen is told machine by machine (plan_departures).
  void keep_profile() {}

 private:
  MachineKinds table_;
  std::vector<std::int64_t> up_;     ///< GPUs, by pool
  std::vector<std::int64_t> tasks_;  ///< of the mix, by pool
  std::vector<std::int64_t> milli_of_group_;
  bool measures_ = false;
};

template <Backfill B>
using MachineDispatcher = MachinesUnder<NodeDispatcher<B>>;
using PreemptiveMachines = MachinesUnder<PreemptiveNodes>;
using ConservativeMachines = MachinesUnder<ConservativeNodes>;
using GavelMachines = MachinesUnder<GavelNodes>;
using ClassMachines = MachinesUnder<ClassNodes>;
using QuotaMachines = MachinesUnder<QuotaNodes>;
using PluggedMachines = MachinesUnder<PluggedNodes>;

}  // namespace natgpu::scheduling
