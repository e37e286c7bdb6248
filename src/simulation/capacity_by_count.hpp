// SPDX-License-Identifier: Apache-2.0
// What happens to GPUs that come and go where they are counted: who loses them, and what is foreseen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/supply/fleet.hpp>
#include <natgpu/supply/foreseen.hpp>

#include "accounts.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// One node of a tranche that is, or was, in service.
struct SupplyNode {
  std::uint32_t tranche = 0, ordinal = 0;
  std::uint32_t pool = 0;
  std::int64_t units = 0;  ///< public ones
};

/// Windows of one run, as booked by whoever carries them out.
template <class Booked>
std::vector<Booked> booked_windows(const World& world) {
  std::vector<Booked> windows;
  for (const supply::MaintenanceWindow& w :
       supply::maintenance_windows(world.scenario.supply, world.calendar, world.end))
    windows.push_back(Booked{w});
  return windows;
}

/// The pool view: a pool has so many GPUs, and nodes are no more than numbers of them. Idle ones go first; a
/// failure hits those at a place in the order of starts.
template <class Dispatch>
class CapacityByCount {
 public:
  static constexpr supply::AnnouncedBy grain = supply::AnnouncedBy::pool;

  CapacityByCount(World& world, Dispatch& dispatch, const supply::Fleet& fleet)
      : world_(world),
        dispatch_(dispatch),
        fleet_(fleet),
        windows_(booked_windows<Window>(world)),
        maintained_(fleet.pools().size()) {
    for (Window& w : windows_) w.units.resize(fleet.pools().size());
  }

  void node_comes(const SupplyNode& n) {
    dispatch_.levels(n.pool).in_service.change(world_.now, n.units);
    raise(n.pool, n.units);
  }
  /// @param down  units of it that have failed and are not yet repaired
  void node_leaves(const SupplyNode& n, std::int64_t down) {
    retire_down(n.pool, down);
    // What is under maintenance when its service ends does not come back.
    const std::int64_t up = n.units - down;
    const std::int64_t away = std::max<std::int64_t>(up - dispatch_.dispatcher().capacity(n.pool), 0);
    retire_down(n.pool, away);
    maintained_[n.pool] -= away;
    dispatch_.vacate(n.pool, up - away);
    lower(n.pool, up - away);
    dispatch_.levels(n.pool).in_service.change(world_.now, -(up - away));
  }
  /// Up units go down where they stand: those at `fraction` of the numbering by start order, or the last
  /// started.
  /// @returns how many went down (fewer only if fewer were up)
  std::int64_t node_breaks(const SupplyNode& n, double fraction, supply::Victim victim) {
    const std::int64_t up = dispatch_.dispatcher().capacity(n.pool);
    const std::int64_t hit = std::min(n.units, up);
    if (victim == supply::Victim::uniform)
      dispatch_.requeue_holders(n.pool,
                                static_cast<std::int64_t>(fraction * static_cast<double>(up - hit + 1)), hit);
    else if constexpr (Dispatch::shares)  // where those who stay would make room
      dispatch_.requeue_holders(n.pool, up - hit, hit);
    put_down(n.pool, hit);
    return hit;
  }
  void node_repaired(const SupplyNode& n, std::int64_t units) { bring_up(n.pool, units); }

  // --- what is known beforehand

  void announce(const supply::AnnouncedChange& a) {
    dispatch_.dispatcher().foresee(a.pool, ticks(a.at), a.delta);
  }
  void announcement_lapses(const supply::AnnouncedChange& a) {
    dispatch_.dispatcher().withdraw_foreseen(a.pool, ticks(a.at), a.delta);
  }
  std::size_t windows() const { return windows_.size(); }
  const supply::MaintenanceWindow& window(std::size_t i) const { return windows_[i].window; }
  /// Public units of the pool in service have changed in number.
  void fleet_changed(std::uint32_t pool) {
    for (Window& w : windows_)
      if (!w.begun && fleet_.pools()[pool].site == w.window.site && ticks(w.window.from) > world_.now)
        foresee_window(w, pool, units_of(w, pool));
  }
  void window_begins(std::size_t index) {
    Window& w = windows_[index];
    w.begun = true;
    for (std::uint32_t p = 0; p < w.units.size(); ++p) {
      if (fleet_.pools()[p].site != w.window.site) continue;
      foresee_window(w, p, 0);
      const std::int64_t taken = std::min(units_of(w, p), dispatch_.dispatcher().capacity(p));
      put_down(p, taken);
      maintained_[p] += taken;
      w.units[p] = taken;
      if (taken > 0) dispatch_.dispatcher().foresee(p, ticks(w.window.until), taken);
    }
  }
  void window_ends(std::size_t index) {
    Window& w = windows_[index];
    for (std::uint32_t p = 0; p < w.units.size(); ++p) {
      if (w.units[p] == 0) continue;
      dispatch_.dispatcher().withdraw_foreseen(p, ticks(w.window.until), w.units[p]);
      const std::int64_t back = std::min(w.units[p], maintained_[p]);
      maintained_[p] -= back;
      bring_up(p, back);
    }
  }

 private:
  struct Window {
    supply::MaintenanceWindow window;
    std::vector<std::int64_t> units = {};  ///< per pool: foreseen, then taken
    bool begun = false;
  };

  std::int64_t units_of(const Window& w, std::uint32_t pool) const {
    const supply::Device& device = world_.scenario.hardware[fleet_.pools()[pool].device];
    return supply::maintenance_units(dispatch_.levels(pool).in_service.value(), device.per_node,
                                     w.window.share);
  }
  /// Makes the profile foresee `units` less during the window.
  void foresee_window(Window& w, std::uint32_t pool, std::int64_t units) {
    if (units == w.units[pool]) return;
    auto& d = dispatch_.dispatcher();
    if (w.units[pool] != 0) {
      d.withdraw_foreseen(pool, ticks(w.window.from), -w.units[pool]);
      d.withdraw_foreseen(pool, ticks(w.window.until), w.units[pool]);
    }
    if (units != 0) {
      d.foresee(pool, ticks(w.window.from), -units);
      d.foresee(pool, ticks(w.window.until), units);
    }
    w.units[pool] = units;
  }

  /// Units in service go down: idle ones first, then those of the jobs that started last, which are requeued.
  void put_down(std::uint32_t pool, std::int64_t units) {
    dispatch_.vacate(pool, units);
    lower(pool, units);
    dispatch_.levels(pool).down.change(world_.now, units);
  }
  void bring_up(std::uint32_t pool, std::int64_t units) {
    dispatch_.levels(pool).down.change(world_.now, -units);
    raise(pool, units);
  }
  /// Units that are down leave service.
  void retire_down(std::uint32_t pool, std::int64_t units) {
    dispatch_.levels(pool).down.change(world_.now, -units);
    dispatch_.levels(pool).in_service.change(world_.now, -units);
  }
  void raise(std::uint32_t pool, std::int64_t units) {
    if (units == 0) return;
    dispatch_.levels(pool).idle.change(world_.now, units);
    dispatch_.dispatcher().change_capacity(pool, units);
  }
  void lower(std::uint32_t pool, std::int64_t units) {
    if (units == 0) return;
    dispatch_.levels(pool).idle.change(world_.now, -units);
    dispatch_.dispatcher().change_capacity(pool, -units);
  }

  World& world_;
  Dispatch& dispatch_;
  const supply::Fleet& fleet_;
  std::vector<Window> windows_;
  std::vector<std::int64_t> maintained_;  ///< units down for maintenance, per pool
};

}  // namespace natgpu::simulation
