// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/fleet.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include <natgpu/core/ensure.hpp>

#include "nodes.hpp"

namespace natgpu::supply {
namespace {

/// A grid step stated as the product of nodes, power and PUE must not miss its last node by a rounding error.
constexpr double forgiven_nodes = 1e-6;

template <class Item>
std::uint32_t index_by_name(const std::vector<Item>& items, const std::string& name) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const Item& i) { return i.name == name; });
  NATGPU_ENSURE(found != items.end(), "a tranche names a site and a device of the scenario");
  return static_cast<std::uint32_t>(found - items.begin());
}

/// Units that so much power lights: whole nodes, of which the tranche's last may be smaller.
std::int64_t units_lit_by(double watts, std::int64_t units, std::int64_t per_node, double unit_power_w) {
  if (!(unit_power_w > 0) || std::isinf(watts)) return units;
  const double node_w = static_cast<double>(per_node) * unit_power_w;
  const double whole = std::floor(watts / node_w + forgiven_nodes);
  if (whole >= static_cast<double>(nodes_for(units, per_node))) return units;
  const std::int64_t lit = std::max(std::int64_t{0}, static_cast<std::int64_t>(whole)) * per_node;
  const double left_w = watts - static_cast<double>(lit) * unit_power_w;
  const double last_w = static_cast<double>(units - lit) * unit_power_w;
  const bool smaller_node_fits = units - lit < per_node && last_w <= left_w + forgiven_nodes * node_w;
  return smaller_node_fits ? units : lit;
}

struct Split {
  std::int64_t operator_own = 0, outside_public = 0, public_units = 0;
};

/// Who has what of the lit units. No share shrinks as a whole node is added: lighting takes from nobody.
Split split(const Tranche& tranche, std::int64_t lit, std::int64_t per_node) {
  const std::int64_t nodes = nodes_for(lit, per_node);
  const std::int64_t operator_nodes = share_of_nodes(nodes, tranche.operator_share);
  const std::int64_t rest_nodes = nodes - operator_nodes;
  const std::int64_t outside_nodes = rest_nodes - share_of_nodes(rest_nodes, tranche.public_share);
  Split s;
  s.operator_own = std::min(lit, operator_nodes * per_node);
  s.outside_public = std::min(lit - s.operator_own, outside_nodes * per_node);
  s.public_units = lit - s.operator_own - s.outside_public;
  return s;
}

}  // namespace

std::int64_t units_of(const Tranche& tranche, const Device& device) {
  if (tranche.units > 0) return tranche.units;
  const double node_price = device.price_krw * static_cast<double>(device.per_node);
  if (!(node_price > 0)) return 0;
  const double nodes = std::floor(tranche.budget_krw / node_price + forgiven_nodes);
  constexpr double most_nodes = 1e9;
  return static_cast<std::int64_t>(std::min(nodes, most_nodes)) * device.per_node;
}

Fleet::Fleet(const std::vector<Device>& hardware, const Supply& supply)
    : hardware_(&hardware), supply_(&supply) {
  const std::size_t n = supply.tranches.size();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> where(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Tranche& t = supply.tranches[i];
    where[i] = {index_by_name(supply.sites, t.site), index_by_name(hardware, t.device)};
    units_.push_back(supply::units_of(t, hardware[where[i].second]));
  }
  const std::set<std::pair<std::uint32_t, std::uint32_t>> distinct(where.begin(), where.end());
  for (const auto& [site, device] : distinct) pools_.push_back({site, device});
  for (const auto& place : where)
    pool_of_.push_back(static_cast<std::uint32_t>(std::distance(distinct.begin(), distinct.find(place))));

  states_.resize(n);
  stages_.resize(n, Stage::planned);
  delivered_at_.resize(n, never);
  commissioned_at_.resize(n, never);
  by_age_.resize(n);
  std::iota(by_age_.begin(), by_age_.end(), 0U);
  changes_.reserve(n);
  for (const Site& site : supply.sites)
    site_power_w_.push_back(site.grid.empty() ? std::numeric_limits<double>::infinity() : 0.0);
}

std::span<const CapacityChange> Fleet::apply(const SupplyEvent& event) {
  changes_.clear();
  const std::uint32_t i = event.subject;
  if (event.kind == SupplyEventKind::grid) {
    NATGPU_ENSURE(i < site_power_w_.size() && event.amount >= 0, "a grid event names a site and a power");
    site_power_w_[i] = event.amount;
    relight(i);
    check_identities();
    return changes_;
  }
  NATGPU_ENSURE(i < units_.size(), "a supply event names a tranche");
  const Instant happened = std::min(event.at, event.since);
  switch (event.kind) {
    case SupplyEventKind::grid:
      break;
    case SupplyEventKind::ordered:
      advance(i, Stage::ordered);
      states_[i].ordered = units_[i];
      break;
    case SupplyEventKind::delivered:
      advance(i, Stage::delivered);
      states_[i].ordered = 0;
      states_[i].dark = units_[i];
      delivered_at_[i] = happened;
      break;
    case SupplyEventKind::commissioned:
      advance(i, Stage::commissioned);
      commissioned_at_[i] = happened;
      break;
    case SupplyEventKind::retired:
      advance(i, Stage::retired);
      break;
  }
  sort_by_age();
  relight(pools_[pool_of_[i]].site);
  check_identities();
  return changes_;
}

void Fleet::advance(std::uint32_t tranche, Stage to) {
  NATGPU_ENSURE(static_cast<int>(stages_[tranche]) + 1 == static_cast<int>(to),
                "a tranche is ordered, delivered, commissioned, retired, in this order");
  stages_[tranche] = to;
}

void Fleet::sort_by_age() {
  const auto age = [this](std::uint32_t t) {
    return std::tuple(commissioned_at_[t], delivered_at_[t], t);  // `never` until it happens: those come last
  };
  std::sort(by_age_.begin(), by_age_.end(),
            [&age](std::uint32_t a, std::uint32_t b) { return age(a) < age(b); });
}

void Fleet::relight(std::uint32_t site) {
  double left_w = site_power_w_[site];
  for (const std::uint32_t t : by_age_) {
    if (pools_[pool_of_[t]].site != site) continue;
    const bool here = stages_[t] == Stage::delivered || stages_[t] == Stage::commissioned;
    const std::int64_t per_node = (*hardware_)[pools_[pool_of_[t]].device].per_node;
    const double unit_w = unit_power_w(t);
    const std::int64_t lit = here ? units_lit_by(left_w, units_[t], per_node, unit_w) : 0;
    const std::int64_t public_before = states_[t].public_in_service;
    light(t, lit);
    const std::int64_t delta = states_[t].public_in_service - public_before;
    if (delta != 0) changes_.push_back({t, pool_of_[t], delta});
    if (!here) continue;
    // While one waits for power, no younger one is lit, not even from a remainder too small for a node of
    // this one.
    left_w = lit < units_[t] ? 0.0 : std::max(0.0, left_w - static_cast<double>(lit) * unit_w);
  }
  std::sort(changes_.begin(), changes_.end(),
            [](const auto& a, const auto& b) { return a.tranche < b.tranche; });
}

void Fleet::light(std::uint32_t tranche, std::int64_t lit) {
  TrancheState& s = states_[tranche];
  const std::int64_t ordered = s.ordered;
  s = {};
  s.ordered = ordered;
  switch (stages_[tranche]) {
    case Stage::planned:
    case Stage::ordered:
      return;
    case Stage::retired:
      s.retired = units_[tranche];
      return;
    case Stage::delivered:
      s.installing = lit;
      break;
    case Stage::commissioned: {
      const std::int64_t per_node = (*hardware_)[pools_[pool_of_[tranche]].device].per_node;
      const Split parts = split(supply_->tranches[tranche], lit, per_node);
      s.operator_own = parts.operator_own;
      s.outside_public = parts.outside_public;
      s.public_in_service = parts.public_units;
      break;
    }
  }
  s.dark = units_[tranche] - lit;
}

double Fleet::unit_power_w(std::uint32_t tranche) const {
  const Pool& pool = pools_[pool_of_[tranche]];
  return (*hardware_)[pool.device].power_w * supply_->sites[pool.site].pue;
}

double Fleet::power_drawn_w(std::uint32_t site) const {
  double watts = 0;
  for (std::uint32_t t = 0; t < tranches(); ++t)
    if (pools_[pool_of_[t]].site == site)
      watts += static_cast<double>(states_[t].powered()) * unit_power_w(t);
  return watts;
}

std::int64_t Fleet::public_units_of(std::uint32_t tranche) const {
  const std::int64_t per_node = (*hardware_)[pools_[pool_of_[tranche]].device].per_node;
  return split(supply_->tranches[tranche], units_[tranche], per_node).public_units;
}

void Fleet::check_identities() const {
  for (std::uint32_t t = 0; t < tranches(); ++t) {
    const TrancheState& s = states_[t];
    const std::int64_t expected = stages_[t] == Stage::planned ? 0 : units_[t];
    NATGPU_ENSURE(s.ordered + s.delivered() + s.retired == expected, "units of a tranche are conserved");
    NATGPU_ENSURE(std::min({s.ordered, s.dark, s.installing, s.operator_own, s.outside_public,
                            s.public_in_service, s.retired}) >= 0,
                  "no state of a tranche holds fewer than no units");
    NATGPU_ENSURE(s.in_service() == 0 || stages_[t] == Stage::commissioned,
                  "only what is commissioned is in service");
  }
  for (std::uint32_t site = 0; site < site_power_w_.size(); ++site) {
    NATGPU_ENSURE(power_drawn_w(site) <= site_power_w_[site] * (1 + 1e-9) + forgiven_power_w(site),
                  "a site draws no more than the grid grants");
  }
}

double Fleet::forgiven_power_w(std::uint32_t site) const {
  double watts = 0;
  for (std::uint32_t t = 0; t < tranches(); ++t)
    if (pools_[pool_of_[t]].site == site)
      watts += forgiven_nodes * static_cast<double>((*hardware_)[pools_[pool_of_[t]].device].per_node) *
               unit_power_w(t);
  return watts;
}

}  // namespace natgpu::supply
