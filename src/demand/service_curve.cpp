// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <natgpu/demand/requests.hpp>

namespace natgpu::demand {

ServiceCurve::ServiceCurve(const ServiceClass& spec, const ArrivalProfile& profile)
    : hourly_(std::max<std::size_t>(profile.covered_hours(), 1)),
      next_change_(hourly_.size()),
      next_smaller_(hourly_.size()) {
  const double slope =
      profile.highest() > 0 ? static_cast<double>(spec.peak - spec.floor) / profile.highest() : 0.0;
  for (std::size_t h = 0; h < hourly_.size(); ++h) {
    const double c = profile.intensity(Instant{hours(static_cast<std::int64_t>(h))});
    hourly_[h] = spec.floor + static_cast<std::int64_t>(slope * c + 0.5);
  }
  const auto end = static_cast<std::uint32_t>(hourly_.size());
  for (std::uint32_t h = end; h-- > 0;) {
    std::uint32_t next = h + 1;
    next_change_[h] = next == end || hourly_[next] != hourly_[h] ? next : next_change_[next];
    while (next < end && hourly_[next] >= hourly_[h]) next = next_smaller_[next];
    next_smaller_[h] = next;
  }
}

std::size_t ServiceCurve::hour_of(Instant at) const {
  const auto hour = std::chrono::floor<std::chrono::hours>(at.time_since_epoch()).count();
  return std::min(static_cast<std::size_t>(std::max<std::int64_t>(hour, 0)), hourly_.size() - 1);
}

Instant ServiceCurve::at_hour(std::size_t hour, Instant limit) const {
  if (hour >= hourly_.size()) return limit;
  return std::min(Instant{hours(static_cast<std::int64_t>(hour))}, limit);
}

Instant ServiceCurve::next_change(Instant at, Instant limit) const {
  return at_hour(next_change_[hour_of(at)], limit);
}

Instant ServiceCurve::next_below(Instant at, std::int64_t level, Instant limit) const {
  std::size_t hour = hour_of(at);
  while (hour < hourly_.size() && hourly_[hour] >= level) hour = next_smaller_[hour];
  return at_hour(hour, limit);
}

}  // namespace natgpu::demand
