// SPDX-License-Identifier: Apache-2.0
// What is known beforehand about capacity (SEMANTICS section 2, "Foreseen"): retirements from commissioning
// on, grid steps that neither slip nor await approval, and maintenance windows from the start.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <natgpu/supply/fleet.hpp>

namespace natgpu::supply {

/// What announcements name: pools, or tranches as well.
enum class AnnouncedBy : std::uint8_t { pool, tranche };

/// A change of a pool's public units in service that is known from `announced` on.
struct AnnouncedChange {
  Instant announced, at;
  std::uint32_t pool = 0;
  std::int64_t delta = 0;
  std::uint32_t tranche = 0;  ///< with AnnouncedBy::tranche
};

/// All announcements of a timeline, by (announced, at, pool, tranche if that is named). At any instant, the
/// entries announced by then that are still to come add up to what the announced events would do to the fleet
/// as it stands: where an unforeseen event changes that, correcting entries are announced with it. An entry
/// lapses at its `at`, when the fleet itself reports what happened.
std::vector<AnnouncedChange> announced_changes(const std::vector<Device>& hardware, const Supply& supply,
                                               std::span<const SupplyEvent> timeline,
                                               AnnouncedBy by = AnnouncedBy::pool);

/// A stretch of time, half open, in which a share of a site's public units is away.
struct MaintenanceWindow {
  std::uint32_t site = 0;
  Instant from, until;
  double share = 0;
};

/// The windows that overlap [Instant 0, end), by (from, order in the file); one under way at the start begins
/// there.
std::vector<MaintenanceWindow> maintenance_windows(const Supply& supply, const Calendar& calendar,
                                                   Instant end);

/// Units that a window takes from a pool with so many public units in service: its share, to the nearest
/// whole node.
std::int64_t maintenance_units(std::int64_t public_units, std::int64_t per_node, double share);

}  // namespace natgpu::supply
