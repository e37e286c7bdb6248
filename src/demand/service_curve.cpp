// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <natgpu/demand/requests.hpp>

namespace natgpu::demand {
namespace {

/// The first full hour after `at` for which `found` holds, or `limit`. The curve changes at full hours only.
template <class Predicate>
Instant first_hour_after(Instant at, Instant limit, Predicate found) {
  Instant hour{std::chrono::floor<std::chrono::hours>(at.time_since_epoch())};
  for (hour += hours(1); hour < limit; hour += hours(1))
    if (found(hour)) return hour;
  return limit;
}

}  // namespace

ServiceCurve::ServiceCurve(const ServiceClass& spec, const ArrivalProfile& profile)
    : profile_(&profile),
      floor_(spec.floor),
      slope_(profile.highest() > 0 ? static_cast<double>(spec.peak - spec.floor) / profile.highest() : 0.0) {}

std::int64_t ServiceCurve::replicas(Instant at) const {
  return floor_ + static_cast<std::int64_t>(slope_ * profile_->intensity(at) + 0.5);
}

Instant ServiceCurve::next_change(Instant at, Instant limit) const {
  const std::int64_t now = replicas(at);
  return first_hour_after(at, limit, [&](Instant hour) { return replicas(hour) != now; });
}

Instant ServiceCurve::next_below(Instant at, std::int64_t level, Instant limit) const {
  return first_hour_after(at, limit, [&](Instant hour) { return replicas(hour) < level; });
}

}  // namespace natgpu::demand
