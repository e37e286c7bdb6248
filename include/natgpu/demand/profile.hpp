// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/demand/spec.hpp>

namespace natgpu::demand {

/// The arrival calendar laid over the horizon: hourly constant intensity c(t) with mean one over an ordinary
/// week, its integral, and the inverse of that. A non-homogeneous Poisson process of rate r c(t) has
/// unit-rate arrivals in operational time r C(t) (time change; Cinlar, Introduction to Stochastic Processes,
/// 1975), so one uniform a candidate is enough and nothing is rejected.
class ArrivalProfile {
 public:
  /// Covers [0, end); `calendar` says which weekday and date an instant has.
  ArrivalProfile(const ArrivalCalendar& spec, const Calendar& calendar, Instant end);

  double intensity(Instant at) const;                   ///< c(t), dimensionless
  std::size_t covered_hours() const { return hourly_.size(); }  ///< covered, from the start
  double highest() const { return highest_; }           ///< greatest c over the week and the horizon
  double cumulative(Instant at) const;                  ///< C(t) = integral of c over [0, t), in seconds
  /// The instant at which C reaches `operational` seconds, rounded down to a tick; never beyond the end.
  Instant inverse(double operational) const;

 private:
  std::vector<double> hourly_;        ///< c by hour since the start
  std::vector<double> cumulative_;    ///< C at each hour's start, one more than hours
  std::vector<std::uint32_t> guide_;  ///< last hour whose C is not above each of equal steps: inverse in O(1)
  double guide_step_ = 1;             ///< operational seconds
  double highest_ = 0;
  Instant end_;
};

}  // namespace natgpu::demand
