// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/foreseen.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "nodes.hpp"

namespace natgpu::supply {
namespace {

/// Changes to come, by (instant, pool, tranche).
using Outlook = std::map<std::tuple<Instant, std::uint32_t, std::uint32_t>, std::int64_t>;

/// What the announced events after `now` would do to the fleet as it stands, nothing else happening.
Outlook outlook(const Fleet& fleet, std::span<const SupplyEvent> timeline, Instant now, AnnouncedBy by) {
  Fleet supposed = fleet;
  Outlook changes;
  for (const SupplyEvent& event : timeline) {
    const bool known = event.foreseen && event.at > now &&
                       (event.kind == SupplyEventKind::grid || supposed.commissioned(event.subject));
    if (!known) continue;
    for (const CapacityChange& change : supposed.apply(event)) {
      const std::uint32_t tranche = by == AnnouncedBy::tranche ? change.tranche : 0;
      changes[{event.at, change.pool, tranche}] += change.delta;
    }
  }
  return changes;
}

/// Announces at `now` what turns the old outlook into the new one.
void announce(std::vector<AnnouncedChange>& announced, Instant now, const Outlook& old,
              const Outlook& fresh) {
  Outlook difference = fresh;
  for (const auto& [key, delta] : old)
    if (std::get<Instant>(key) > now) difference[key] -= delta;
  for (const auto& [key, delta] : difference)
    if (delta != 0) announced.push_back({now, std::get<0>(key), std::get<1>(key), delta, std::get<2>(key)});
}

}  // namespace

std::vector<AnnouncedChange> announced_changes(const std::vector<Device>& hardware, const Supply& supply,
                                               std::span<const SupplyEvent> timeline, AnnouncedBy by) {
  std::vector<AnnouncedChange> announced;
  Fleet fleet(hardware, supply);
  Outlook known;
  const auto look_ahead = [&](Instant now) {
    Outlook fresh = outlook(fleet, timeline, now, by);
    announce(announced, now, known, fresh);
    known = std::move(fresh);
  };
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    fleet.apply(timeline[i]);
    const bool last_of_instant = i + 1 == timeline.size() || timeline[i + 1].at != timeline[i].at;
    if (last_of_instant) look_ahead(timeline[i].at);
  }
  return announced;
}

std::vector<MaintenanceWindow> maintenance_windows(const Supply& supply, const Calendar& calendar,
                                                   Instant end) {
  std::vector<MaintenanceWindow> windows;
  for (const Maintenance& m : supply.maintenance) {
    const auto site = std::find_if(supply.sites.begin(), supply.sites.end(),
                                   [&](const Site& s) { return s.name == m.site; });
    Instant from = calendar.at(m.first);
    if (site == supply.sites.end() || from == never) continue;
    if (from + m.length <= Instant{}) from += m.every * ((Instant{} - from - m.length) / m.every + 1);
    for (; from < end; from += m.every)
      windows.push_back({static_cast<std::uint32_t>(site - supply.sites.begin()), std::max(from, Instant{}),
                         from + m.length, m.share});
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const auto& a, const auto& b) { return a.from < b.from; });
  return windows;
}

std::int64_t maintenance_units(std::int64_t public_units, std::int64_t per_node, double share) {
  return std::min(public_units, share_of_nodes(nodes_for(public_units, per_node), share) * per_node);
}

}  // namespace natgpu::supply
