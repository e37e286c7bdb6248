// SPDX-License-Identifier: Apache-2.0
// Carries the buildout, failures, repairs and maintenance to whoever books capacity. Formulas are in
// `supply`.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/supply/failures.hpp>
#include <natgpu/supply/fleet.hpp>
#include <natgpu/supply/foreseen.hpp>

#include "accounts.hpp"
#include "capacity_by_count.hpp"
#include "world.hpp"

namespace natgpu::simulation {

inline SupplyCounts counts_of(const supply::TrancheState& s) {
  return {s.ordered, s.dark, s.installing, s.operator_own, s.outside_public, s.public_in_service, s.retired};
}

/// @tparam Capacity  what nodes mean to those who use them: CapacityByCount, or CapacityByMachine
template <class Capacity>
class SupplyProcess {
 public:
  SupplyProcess(World& world, Capacity& capacity, supply::Fleet& fleet, Streams& streams)
      : world_(world),
        capacity_(capacity),
        fleet_(fleet),
        spec_(world.scenario.supply),
        timeline_(supply::draw_timeline(world.scenario.hardware, spec_, world.calendar, streams)),
        announced_(supply::announced_changes(world.scenario.hardware, spec_, timeline_, Capacity::grain)),
        failures_(spec_.failures, failure_streams(streams)),
        shop_(spec_.failures.crews),
        nodes_of_tranche_(fleet.tranches()),
        current_areas_(fleet.tranches()),
        books_(world.quarters.size(), fleet.tranches(), spec_.failures.causes.size()) {}

  bool foresees() const { return !announced_.empty() || capacity_.windows() > 0; }

  void begin() {
    for (std::uint32_t i = 0; i < timeline_.size(); ++i) at_capacity(timeline_[i].at, kind::supply_event, i);
    for (std::uint32_t i = 0; i < announced_.size(); ++i)
      at_capacity(announced_[i].announced, kind::announcement, i);
    for (std::uint32_t i = 0; i < capacity_.windows(); ++i)
      at_capacity(capacity_.window(i).from, kind::maintenance_begin, i);
  }

  void supply_event(std::uint32_t index) {
    settle_areas();
    for (const supply::CapacityChange& c : fleet_.apply(timeline_[index])) {
      resize(c.tranche, c.delta);
      capacity_.fleet_changed(c.pool);
    }
  }
  void announce(std::uint32_t index) {
    capacity_.announce(announced_[index]);
    at_capacity(announced_[index].at, kind::announcement_lapses, index);
  }
  void announcement_lapses(std::uint32_t index) { capacity_.announcement_lapses(announced_[index]); }

  void strike(std::uint32_t index, std::uint32_t cause) {
    Node& n = nodes_[index];
    const SupplyNode& at = n.where;
    hash_.add((static_cast<std::uint64_t>(index) << 32) | n.k);
    hash_.add(static_cast<std::uint64_t>(world_.now));
    ++books_.strike(world_.quarter, at.tranche, cause);
    n.hit = capacity_.node_breaks(at, failures_.victim_uniform(at.tranche, at.ordinal, n.k),
                                  spec_.failures.victim);
    n.state = NodeState::down;
    const supply::RepairShop::Ticket ticket{
        at.tranche, index, failures_.repair_time(at.tranche, at.ordinal, n.k, cause), instant(world_.now)};
    if (shop_.admit(ticket)) begin_repair(ticket);
  }
  void repaired(std::uint32_t index, std::uint32_t k) {
    supply::RepairShop::Ticket next;
    if (shop_.finish(next)) begin_repair(next);
    Node& n = nodes_[index];
    if (n.state != NodeState::down || n.k != k) return;  // the node left service meanwhile
    capacity_.node_repaired(n.where, n.hit);
    ++n.k;
    n.state = NodeState::up;
    schedule_strike(index);
  }

  void maintenance_begins(std::uint32_t index) {
    capacity_.window_begins(index);
    at_capacity(capacity_.window(index).until, kind::maintenance_end, index);
  }
  void maintenance_ends(std::uint32_t index) { capacity_.window_ends(index); }

  void close_quarter(std::uint16_t quarter, std::int64_t boundary) {
    settle_areas_until(boundary);
    for (std::uint32_t t = 0; t < fleet_.tranches(); ++t) {
      books_.areas[quarter * fleet_.tranches() + t] = current_areas_[t];
      books_.stocks[quarter * fleet_.tranches() + t] = counts_of(fleet_.state(t));
    }
    current_areas_.assign(fleet_.tranches(), SupplyAreas{});
  }

  const SupplyBooks& books() {
    books_.hash = hash_.value();
    return books_;
  }

 private:
  enum class NodeState : std::uint8_t { away, up, down };
  struct Node {
    SupplyNode where;
    std::uint32_t k = 0;   ///< spells of up-time so far
    std::int64_t hit = 0;  ///< units that are down
    engine::EventHandle next_strike;
    NodeState state = NodeState::away;
  };
  struct TrancheNodes {
    std::vector<std::uint32_t> nodes;  ///< every node ever activated, by ordinal
    std::size_t active = 0;
    std::int64_t units = 0;
  };
  std::vector<Stream> failure_streams(Streams& streams) const {
    std::vector<Stream> all;
    for (const supply::Tranche& t : spec_.tranches) all.push_back(streams.open("failures", t.name));
    return all;
  }
  void at_capacity(Instant at, std::uint8_t what, std::uint32_t index) {
    if (at < world_.end) world_.schedule(at, engine::Phase::capacity, what, index, {index, 0});
  }

  // --- nodes

  /// Activates or deactivates nodes of a tranche so that its public units change by `delta`.
  void resize(std::uint32_t tranche, std::int64_t delta) {
    TrancheNodes& t = nodes_of_tranche_[tranche];
    const std::int64_t target = t.units + delta;
    while (t.active > 0 && t.units > target) deactivate(t, t.nodes[--t.active]);
    const std::int64_t per_node =
        world_.scenario.hardware[fleet_.pools()[fleet_.pool_of(tranche)].device].per_node;
    while (t.units < target) activate(t, tranche, std::min(per_node, target - t.units));
  }
  void activate(TrancheNodes& t, std::uint32_t tranche, std::int64_t units) {
    if (t.active == t.nodes.size()) {
      t.nodes.push_back(static_cast<std::uint32_t>(nodes_.size()));
      Node fresh;
      fresh.where = {tranche, static_cast<std::uint32_t>(t.active), fleet_.pool_of(tranche), 0};
      nodes_.push_back(fresh);
    }
    const std::uint32_t index = t.nodes[t.active++];
    Node& n = nodes_[index];
    n.where.units = units;
    n.state = NodeState::up;
    t.units += units;
    capacity_.node_comes(n.where);
    schedule_strike(index);
  }
  void deactivate(TrancheNodes& t, std::uint32_t index) {
    Node& n = nodes_[index];
    const bool is_down = n.state == NodeState::down;
    if (!is_down) world_.events.cancel(n.next_strike);
    capacity_.node_leaves(n.where, is_down ? n.hit : 0);
    t.units -= n.where.units;
    n.state = NodeState::away;
    ++n.k;
  }
  void schedule_strike(std::uint32_t index) {
    if (!failures_.active()) return;
    Node& n = nodes_[index];
    const auto s = failures_.next_strike(n.where.tranche, n.where.ordinal, n.k, instant(world_.now),
                                         fleet_.commissioned_at(n.where.tranche));
    if (s.at >= world_.end) return;
    n.next_strike = world_.events.schedule(s.at, engine::rank_of(engine::Phase::release, kind::strike, index),
                                           {index, s.cause});
  }
  void begin_repair(const supply::RepairShop::Ticket& ticket) {
    RepairCounts& counts = books_.repairs[world_.quarter];
    ++counts.begun;
    counts.waited += world_.now - ticks(ticket.broke);
    const Instant back = instant(plus(world_.now, std::max(ticket.length, one_tick).count()));
    if (back < world_.end)
      world_.schedule(back, engine::Phase::capacity, kind::repair, ticket.node,
                      {ticket.node, nodes_[ticket.node].k});
  }

  // --- the books

  void settle_areas() { settle_areas_until(world_.now); }
  void settle_areas_until(std::int64_t until) {
    for (std::uint32_t t = 0; t < fleet_.tranches(); ++t) {
      const SupplyCounts counts = counts_of(fleet_.state(t));
      for (std::size_t s = 0; s < supply_states; ++s)
        current_areas_[t][s] += static_cast<Area>(counts[s]) * (until - settled_until_);
    }
    settled_until_ = until;
  }
  World& world_;
  Capacity& capacity_;
  supply::Fleet& fleet_;
  const supply::Supply& spec_;
  std::vector<supply::SupplyEvent> timeline_;
  std::vector<supply::AnnouncedChange> announced_;
  supply::FailureModel failures_;
  supply::RepairShop shop_;
  std::vector<Node> nodes_;
  std::vector<TrancheNodes> nodes_of_tranche_;
  std::vector<SupplyAreas> current_areas_;
  SupplyBooks books_;
  std::int64_t settled_until_ = 0;
  Digest64 hash_;
};

}  // namespace natgpu::simulation
