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
  grid,         ///< a site's power changes (subject = site, amount = watts at the meter)
  ordered,      ///< subject = tranche
  delivered,
  commissioned, ///< ready for service wherever there is power
  retired,      ///< leaves for good; announced from commissioning on
};

struct SupplyEvent {
  Instant at{};
  SupplyEventKind kind{};
  std::uint32_t subject = 0;
  double amount = 0;
};

/// Every dated event of supply, in time order (ties: kind, subject). No policy moves it.
/// Uses streams ("supply", tranche name) and ("grid", site name).
std::vector<SupplyEvent> draw_timeline(const std::vector<Device>& hardware, const Supply& supply,
                                       const Calendar& calendar, Streams& streams);

/// Where the units of one tranche are. All counts are units; operator_own + public_in_service = in service.
struct TrancheState {
  std::int64_t ordered = 0;      ///< ordered and not yet delivered
  std::int64_t dark = 0;         ///< delivered, no power
  std::int64_t installing = 0;   ///< powered, not yet in service
  std::int64_t operator_own = 0;
  std::int64_t outside_public = 0;    ///< in service, but not open to the government's users (public_share)
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
  std::int64_t delta = 0;      ///< units; negative when power or service life ends
};

/// State and legal transitions of the whole buildout.
class Fleet {
 public:
  Fleet(const std::vector<Device>& hardware, const Supply& supply);

  /// Applies one event. Oldest tranche (by commissioning, then order in the file) is lit first; newest goes dark first.
  /// @returns the changes of public capacity, in tranche order; valid until the next call
  std::span<const CapacityChange> apply(const SupplyEvent& event);

  const std::vector<Pool>& pools() const { return pools_; }
  std::uint32_t pool_of(std::uint32_t tranche) const { return pool_of_[tranche]; }
  const TrancheState& state(std::uint32_t tranche) const { return states_[tranche]; }
  std::uint32_t tranches() const { return static_cast<std::uint32_t>(states_.size()); }
  std::int64_t units_of(std::uint32_t tranche) const { return units_[tranche]; }
  /// Units of the tranche of which the government's users may reach that many once all are in service.
  std::int64_t public_units_of(std::uint32_t tranche) const;

 private:
  void relight(std::uint32_t site);

  const std::vector<Device>* hardware_;
  const Supply* supply_;
  std::vector<Pool> pools_;
  std::vector<std::uint32_t> pool_of_;
  std::vector<std::int64_t> units_;
  std::vector<TrancheState> states_;
  std::vector<double> site_power_w_;
  std::vector<std::uint8_t> commissioned_, delivered_, retired_;
  std::vector<std::int64_t> age_rank_;
  std::vector<CapacityChange> changes_;
};

/// Units of a tranche: stated, or what the budget buys in whole nodes.
std::int64_t units_of(const Tranche& tranche, const Device& device);

}  // namespace natgpu::supply
