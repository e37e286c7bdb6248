// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/scenario/scenario.hpp>

namespace natgpu::simulation {

/// The simulated time in the periods of the books, and which of them are measured: not the start-up of a run
/// of a steady state, nor a run-off.
struct Stretch {
  std::vector<Period> quarters;      ///< cut where measuring begins and where it ends
  std::size_t first = 0, last = 0;   ///< that are measured, inclusive
  std::int64_t from = 0, until = 0;  ///< ticks: the measured time
  bool measures(std::size_t quarter) const { return first <= quarter && quarter <= last; }
};
/// @pre measured_from lies in the horizon
Stretch make_stretch(const scenario::Scenario& scenario, const Date& measured_from);

}  // namespace natgpu::simulation
