// SPDX-License-Identifier: Apache-2.0
// Futures: a scenario with one value drawn of each of its uncertainties.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {

/// What an uncertainty comes to in one future.
struct DrawnValue {
  std::string number;   ///< in the base unit, or a date: "604800", "2027-03-01"
  std::string unit;     ///< base unit, "date", or empty
  std::string setting;  ///< as a setting takes it: "604800 s"
};

/// The value at the cumulative probability `u`. @pre 0 < u < 1
DrawnValue value_at(const Uncertainty& uncertainty, double u);

/// The value in the future of this replication. It depends on seed, replication and the uncertainty's name
/// and distribution alone: not on the policy, nor on other uncertainties, nor on any other draw.
DrawnValue drawn_value(const Uncertainty& uncertainty, std::uint64_t seed, std::uint32_t replication);

/// Whether replications differ by more than their dice: some uncertainty is drawn.
bool has_futures(const Scenario& scenario);
/// Those that are drawn: not known from a policy or a setting.
std::vector<const Uncertainty*> drawn_uncertainties(const Scenario& scenario);

/// The scenario as the replication meets it: read again from what was read before, with the drawn values as
/// settings. It has no uncertainties itself, and neither `resolved` nor `hash`. @pre has_futures()
/// @throws ScenarioError where drawn values contradict each other, naming the replication
Scenario future_of(const Scenario& scenario, std::uint64_t seed, std::uint32_t replication);

}  // namespace natgpu::scenario
