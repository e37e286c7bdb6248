// SPDX-License-Identifier: Apache-2.0
// The buildout of one replication: dates drawn once, then a state machine that turns them into capacity.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {

/// A pool: all units of one device at one site, the grain at which jobs are placed in the pool view.
struct Pool {
  std::uint32_t site = 0, device = 0;
};

enum class SupplyEventKind : std::uint8_t {
  grid,     ///< a site's power changes (subject = site, amount = watts at the meter)
  ordered,  ///< subject = tranche
  delivered,
  commissioned,  ///< ready for service wherever there is power
  retired,       ///< leaves for good; announced from commissioning on
};

struct SupplyEvent {
  Instant at{};
  SupplyEventKind kind{};
  std::uint32_t subject = 0;
  double amount = 0;
  Instant since = never;  ///< history: when it happened, before the start; `at` is then Instant 0
  bool foreseen = false;  ///< announced beforehand: retirements, and grid steps without slip or doubt
};

/// Every dated event of supply, in time order (ties: kind, subject). No policy moves it. What happened before
/// the start is applied at Instant 0, in the order in which it happened; of a site's earlier grid steps only
/// the last.
///
/// A stated `ordered`, `delivered` or `in_service` (+ slip) pins that stage. Stages after the last stated one
/// come by the laws: call + tender rounds = ordered, + delivery = delivered, + commissioning + slip =
/// commissioned. Stages before the first stated one are set back from it by the same laws. Where a drawn
/// stage would pass a later stated one, the later one holds: ordered <= delivered <= commissioned. A lease
/// needs no order or delivery: they fall on its first day unless stated. The end is `until` where stated,
/// else commissioned + service life; a tranche that would end before it begins never comes. A grid step that
/// comes after a later one of the list is moot. Uses streams ("supply", tranche name), entity = stage, index
/// = tender round, and ("grid", site name), entity = ordinal of the step.
std::vector<SupplyEvent> draw_timeline(const std::vector<Device>& hardware, const Supply& supply,
                                       const Calendar& calendar, Streams& streams);

/// Where the units of one tranche are. All counts are units; operator_own + public_in_service = in service.
struct TrancheState {
  std::int64_t ordered = 0;     ///< ordered and not yet delivered
  std::int64_t dark = 0;        ///< delivered, no power
  std::int64_t installing = 0;  ///< powered, not yet in service
  std::int64_t operator_own = 0;
  std::int64_t outside_public = 0;  ///< in service, but not open to the government's users (public_share)
  std::int64_t public_in_service = 0;
  std::int64_t retired = 0;
  std::int64_t delivered() const { return dark + powered(); }
  std::int64_t powered() const { return installing + in_service(); }
  std::int64_t in_service() const { return operator_own + outside_public + public_in_service; }
};

/// A change of the public units in service of one tranche.
struct CapacityChange {
  std::uint32_t tranche = 0;
  std::uint32_t pool = 0;
  std::int64_t delta = 0;  ///< units; negative when power or service life ends
};

/// State and legal transitions of the whole buildout.
///
/// A site lights whole nodes at nameplate power x PUE. Oldest first: tranches in service by the day they were
/// commissioned, then those being installed by the day of delivery, ties in the order of the file; while a
/// tranche waits for power no younger one is lit. Of n lit nodes the operator keeps its share, the public has
/// its share of the rest, each to the nearest whole node; a partly lit tranche is split in the same way as a
/// whole one.
class Fleet {
 public:
  Fleet(const std::vector<Device>& hardware, const Supply& supply);

  /// Applies one event. @pre a tranche's events come in their order: ordered, delivered, commissioned,
  /// retired
  /// @returns the changes of public capacity, in tranche order; valid until the next call
  /// @throws InvariantError on an illegal transition or if units are not conserved
  std::span<const CapacityChange> apply(const SupplyEvent& event);

  const std::vector<Pool>& pools() const { return pools_; }
  std::uint32_t pool_of(std::uint32_t tranche) const { return pool_of_[tranche]; }
  const TrancheState& state(std::uint32_t tranche) const { return states_[tranche]; }
  std::uint32_t tranches() const { return static_cast<std::uint32_t>(states_.size()); }
  std::int64_t units_of(std::uint32_t tranche) const { return units_[tranche]; }
  /// In service, or would be if there were power; from commissioning to retirement.
  bool commissioned(std::uint32_t tranche) const { return stages_[tranche] == Stage::commissioned; }
  /// When it was commissioned, which may be before the start; `never` until it is.
  Instant commissioned_at(std::uint32_t tranche) const { return commissioned_at_[tranche]; }
  /// Power that a site's lit units may draw at the meter, PUE included, in watts.
  double power_drawn_w(std::uint32_t site) const;
  /// Units of the tranche of which the government's users may reach that many once all are in service.
  std::int64_t public_units_of(std::uint32_t tranche) const;

 private:
  enum class Stage : std::uint8_t { planned, ordered, delivered, commissioned, retired };

  void advance(std::uint32_t tranche, Stage to);
  void sort_by_age();
  void relight(std::uint32_t site);
  void light(std::uint32_t tranche, std::int64_t lit);
  double unit_power_w(std::uint32_t tranche) const;
  double forgiven_power_w(std::uint32_t site) const;
  void check_identities() const;

  const std::vector<Device>* hardware_;
  const Supply* supply_;
  std::vector<Pool> pools_;
  std::vector<std::uint32_t> pool_of_;
  std::vector<std::int64_t> units_;
  std::vector<TrancheState> states_;
  std::vector<double> site_power_w_;  ///< granted; infinite without a grid
  std::vector<Stage> stages_;
  std::vector<Instant> delivered_at_, commissioned_at_;
  std::vector<std::uint32_t> by_age_;  ///< tranches, oldest first
  std::vector<CapacityChange> changes_;
};

/// Units of a tranche: stated, or what the budget buys in whole nodes (0 if the device has no price).
std::int64_t units_of(const Tranche& tranche, const Device& device);

}  // namespace natgpu::supply
