// SPDX-License-Identifier: Apache-2.0
// What happens to GPUs that come and go machine by machine: who loses them, and what is foreseen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/node_rules.hpp>
#include <natgpu/supply/fleet.hpp>
#include <natgpu/supply/foreseen.hpp>

#include "accounts.hpp"
#include "capacity_by_count.hpp"
#include "departures.hpp"
#include "machine_layout.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// The node view: a node is a machine. What runs on it when it fails or leaves loses its GPUs; a window takes
/// the machines that came last. Until then only jobs that end in time, as requested, start on a machine that
/// is known to leave.
template <class Dispatch>
class CapacityByMachine {
 public:
  static constexpr supply::AnnouncedBy grain = supply::AnnouncedBy::tranche;

  CapacityByMachine(World& world, Dispatch& dispatch, const supply::Fleet& fleet)
      : world_(world),
        dispatch_(dispatch),
        fleet_(fleet),
        layout_(fleet, world.scenario.hardware),
        windows_(booked_windows<Window>(world)),
        tranches_(fleet.tranches()),
        steps_(fleet.tranches()) {}

  void node_comes(const SupplyNode& n) {
    std::vector<State>& nodes = tranches_[n.tranche];
    if (n.ordinal >= layout_.machines_of(n.tranche)) add_machine(n.tranche);
    if (nodes.size() <= n.ordinal) nodes.resize(n.ordinal + std::size_t{1});
    nodes[n.ordinal] = {n.units, true, false, 0};
    dispatch_.levels(n.pool).in_service.change(world_.now, parts(n));
    comes_up(n);
  }
  void node_leaves(const SupplyNode& n, std::int64_t) {
    PoolLevels& levels = dispatch_.levels(n.pool);
    if (state_of(n).is_up())
      goes(n);
    else
      levels.down.change(world_.now, -parts(n));
    levels.in_service.change(world_.now, -parts(n));
    leaves_windows(n);
    state_of(n) = {};
  }
  /// @returns its units
  std::int64_t node_breaks(const SupplyNode& n, double, supply::Victim) {
    if (state_of(n).is_up()) goes_down(n);
    state_of(n).broken = true;
    return n.units;
  }
  void node_repaired(const SupplyNode& n, std::int64_t) {
    state_of(n).broken = false;
    if (state_of(n).is_up()) is_back(n);
  }

  // --- what is known beforehand

  void announce(const supply::AnnouncedChange& a) {
    steps_[a.tranche].push_back({ticks(a.at), a.delta});
    plan(a.pool);
  }
  void announcement_lapses(const supply::AnnouncedChange& a) {
    std::vector<CapacityStep>& steps = steps_[a.tranche];
    steps.erase(std::find(steps.begin(), steps.end(), CapacityStep{ticks(a.at), a.delta}));
    plan(a.pool);
  }
  std::size_t windows() const { return windows_.size(); }
  const supply::MaintenanceWindow& window(std::size_t i) const { return windows_[i].window; }
  /// Public units of the pool in service have changed in number.
  void fleet_changed(std::uint32_t pool) { plan(pool); }
  void window_begins(std::size_t index) {
    Window& w = windows_[index];
    w.begun = true;
    for (std::uint32_t p = 0; p < layout_.pools(); ++p) {
      if (fleet_.pools()[p].site != w.window.site) continue;
      std::int64_t left = units_of(w.window, p);
      const std::vector<SupplyNode> nodes = in_service(p);
      for (auto n = nodes.rbegin(); n != nodes.rend() && n->units <= left; left -= n->units, ++n) {
        if (state_of(*n).is_up()) goes_down(*n);
        ++state_of(*n).windows;
        w.nodes.push_back(*n);
      }
      plan(p);
    }
  }
  void window_ends(std::size_t index) {
    for (const SupplyNode& n : windows_[index].nodes) {
      --state_of(n).windows;
      if (state_of(n).is_up()) is_back(n);
    }
    windows_[index].nodes.clear();
  }

 private:
  struct Window {
    supply::MaintenanceWindow window;
    std::vector<SupplyNode> nodes = {};  ///< that it has taken
    bool begun = false;
  };
  /// Of one node of a tranche.
  struct State {
    std::int64_t units = 0;
    bool in_service = false, broken = false;
    std::uint32_t windows = 0;  ///< that hold it
    bool is_up() const { return in_service && !broken && windows == 0; }
  };

  /// Of GPUs, as levels count them.
  std::int64_t parts(const SupplyNode& n) const { return n.units * dispatch_.parts_per_gpu(); }
  State& state_of(const SupplyNode& n) { return tranches_[n.tranche][n.ordinal]; }

  void add_machine(std::uint32_t tranche) {
    const scheduling::Machine machine = layout_.add(tranche);
    const std::uint32_t number = dispatch_.dispatcher().add_machine(machine.pool);
    NATGPU_ENSURE(number == machine.node, "machines are numbered alike");
  }
  void comes_up(const SupplyNode& n) {
    dispatch_.levels(n.pool).idle.change(world_.now, parts(n));
    dispatch_.dispatcher().come(layout_.machine(n.tranche, n.ordinal), n.units);
  }
  /// Whoever runs there loses its GPUs, all of them, and a block those that it has there.
  void goes(const SupplyNode& n) {
    const scheduling::Machine machine = layout_.machine(n.tranche, n.ordinal);
    dispatch_.requeue_those_on(machine);
    dispatch_.dispatcher().go(machine, n.units);
    dispatch_.levels(n.pool).idle.change(world_.now, -parts(n));
  }
  void goes_down(const SupplyNode& n) {
    goes(n);
    dispatch_.levels(n.pool).down.change(world_.now, parts(n));
  }
  void is_back(const SupplyNode& n) {
    dispatch_.levels(n.pool).down.change(world_.now, -parts(n));
    comes_up(n);
  }

  /// The node leaves service. Should it come again, then not for the windows that last.
  void leaves_windows(const SupplyNode& n) {
    const auto is_it = [&](const SupplyNode& held) {
      return held.tranche == n.tranche && held.ordinal == n.ordinal;
    };
    for (Window& w : windows_)
      w.nodes.erase(std::remove_if(w.nodes.begin(), w.nodes.end(), is_it), w.nodes.end());
  }

  /// Nodes of the pool in service, up or down, in the order of the file.
  std::vector<SupplyNode> in_service(std::uint32_t pool) const {
    std::vector<SupplyNode> nodes;
    for (std::uint32_t t = 0; t < tranches_.size(); ++t)
      for (std::uint32_t i = 0; fleet_.pool_of(t) == pool && i < tranches_[t].size(); ++i)
        if (tranches_[t][i].in_service) nodes.push_back({t, i, pool, tranches_[t][i].units});
    return nodes;
  }
  std::int64_t units_of(const supply::MaintenanceWindow& w, std::uint32_t pool) const {
    const supply::Device& device = world_.scenario.hardware[fleet_.pools()[pool].device];
    const std::int64_t in_service = dispatch_.levels(pool).in_service.value() / dispatch_.parts_per_gpu();
    return supply::maintenance_units(in_service, device.per_node, w.share);
  }
  /// Windows to come at the pool's site, each as the units that it will take from the end, and no window that
  /// an earlier one covers.
  std::vector<CapacityStep> coming_windows(std::uint32_t pool) const {
    std::vector<CapacityStep> coming;
    for (const Window& w : windows_) {
      if (w.begun || w.window.site != fleet_.pools()[pool].site || ticks(w.window.from) <= world_.now)
        continue;
      const std::int64_t units = units_of(w.window, pool);
      if (units > (coming.empty() ? 0 : coming.back().units)) coming.push_back({ticks(w.window.from), units});
    }
    return coming;
  }
  /// Tells the dispatcher when the machines of the pool leave, as far as is known now.
  void plan(std::uint32_t pool) {
    const std::vector<SupplyNode> nodes = in_service(pool);
    std::vector<std::int64_t> leave_at = leave_with(coming_windows(pool), nodes);
    for (std::size_t i = 0; i < nodes.size();) {
      const std::size_t first = i;
      while (i < nodes.size() && nodes[i].tranche == nodes[first].tranche) ++i;
      leave_with_tranche(steps_[nodes[first].tranche], nodes, first, i, leave_at);
    }
    const DepartureLevels levels = levels_of(leave_at);
    std::vector<std::uint8_t> by_machine(layout_.machines_in(pool));
    for (std::size_t i = 0; i < nodes.size(); ++i)
      by_machine[layout_.machine(nodes[i].tranche, nodes[i].ordinal).node] = levels.of[i];
    dispatch_.dispatcher().plan_departures(pool, levels.leave_at, by_machine);
  }

  World& world_;
  Dispatch& dispatch_;
  const supply::Fleet& fleet_;
  MachineLayout layout_;
  std::vector<Window> windows_;
  std::vector<std::vector<State>> tranches_;      ///< nodes by ordinal
  std::vector<std::vector<CapacityStep>> steps_;  ///< by tranche: announced and still to come
};

}  // namespace natgpu::simulation
