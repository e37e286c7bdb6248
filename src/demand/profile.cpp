// SPDX-License-Identifier: Apache-2.0
#include <natgpu/demand/profile.hpp>

#include <algorithm>
#include <array>

#include <natgpu/core/ensure.hpp>

namespace natgpu::demand {
namespace {

constexpr std::int64_t ticks_per_hour = hours(1).count();
constexpr double seconds_per_hour = 3600;
constexpr int hours_per_day = 24;
constexpr int first_weekend_hour = 5 * hours_per_day;
constexpr std::size_t hours_per_week = 168;

std::array<double, hours_per_day> weights_of_day(const ArrivalCalendar& spec) {
  std::array<double, hours_per_day> weights{};
  weights.fill(1.0);
  NATGPU_ENSURE(spec.hours.empty() || spec.hours.size() == weights.size(), "a day has 24 weights");
  std::copy(spec.hours.begin(), spec.hours.end(), weights.begin());
  return weights;
}

}  // namespace

ArrivalProfile::ArrivalProfile(const ArrivalCalendar& spec, const Calendar& calendar, Instant end)
    : end_(end) {
  NATGPU_ENSURE(end > Instant{} && end != never, "a profile covers some time");
  const auto day = weights_of_day(spec);
  std::array<double, hours_per_week> week{};
  double sum = 0;
  for (std::size_t h = 0; h < hours_per_week; ++h) {
    week[h] = day[h % hours_per_day] * (static_cast<int>(h) < first_weekend_hour ? 1.0 : spec.weekend);
    sum += week[h];
  }
  const double scale = spec.normalised && sum > 0 ? static_cast<double>(hours_per_week) / sum : 1.0;
  highest_ = scale * *std::max_element(week.begin(), week.end());

  std::vector<Date> holidays = spec.holidays;
  std::sort(holidays.begin(), holidays.end());
  const auto count =
      static_cast<std::size_t>((end.time_since_epoch().count() + ticks_per_hour - 1) / ticks_per_hour);
  hourly_.reserve(count);
  cumulative_.reserve(count + 1);
  cumulative_.push_back(0.0);
  bool holiday = false;
  for (std::size_t h = 0; h < count; ++h) {
    const Instant at{hours(static_cast<std::int64_t>(h))};
    const auto hour = static_cast<std::size_t>(calendar.hour_of_week(at));
    if (h % hours_per_day == 0)
      holiday = std::binary_search(holidays.begin(), holidays.end(), calendar.date_of(at));
    const double c = scale * (holiday ? day[hour % hours_per_day] * spec.holiday : week[hour]);
    hourly_.push_back(c);
    cumulative_.push_back(cumulative_.back() + c * seconds_per_hour);
    highest_ = std::max(highest_, c);
  }

  guide_step_ = cumulative_.back() / static_cast<double>(count);
  guide_.reserve(count + 1);
  std::uint32_t hour = 0;
  for (std::size_t j = 0; j <= count; ++j) {
    while (hour + 1 < count && cumulative_[hour + 1] <= guide_step_ * static_cast<double>(j)) ++hour;
    guide_.push_back(hour);
  }
}

double ArrivalProfile::intensity(Instant at) const {
  const std::int64_t hour = std::max<std::int64_t>(at.time_since_epoch().count(), 0) / ticks_per_hour;
  return hourly_[std::min(static_cast<std::size_t>(hour), hourly_.size() - 1)];
}

double ArrivalProfile::cumulative(Instant at) const {
  const std::int64_t ticks = std::clamp(at, Instant{}, end_).time_since_epoch().count();
  const auto hour = static_cast<std::size_t>(ticks / ticks_per_hour);
  if (hour >= hourly_.size()) return cumulative_.back();
  return cumulative_[hour] + hourly_[hour] * in_seconds(Duration{ticks % ticks_per_hour});
}

Instant ArrivalProfile::inverse(double operational) const {
  if (!(operational < cumulative_.back())) return end_;  // infinity too
  if (operational <= 0) operational = 0;
  // Rounding of the division may place the guide one step too far: hence back before forward.
  const auto step = std::min(static_cast<std::size_t>(operational / guide_step_), guide_.size() - 1);
  std::size_t hour = guide_[step];
  while (hour > 0 && cumulative_[hour] > operational) --hour;
  while (cumulative_[hour + 1] <= operational) ++hour;
  const double into_hour = (operational - cumulative_[hour]) / hourly_[hour];
  const auto ticks = static_cast<std::int64_t>(into_hour * static_cast<double>(ticks_per_second));
  return std::min(
      end_, Instant{hours(static_cast<std::int64_t>(hour)) + Duration{std::min(ticks, ticks_per_hour)}});
}

}  // namespace natgpu::demand
