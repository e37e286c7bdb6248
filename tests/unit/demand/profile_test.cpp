// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/demand/profile.hpp>

#include "catch.hpp"

namespace {

using natgpu::Calendar;
using natgpu::Date;
using natgpu::days;
using natgpu::hours;
using natgpu::Instant;
using natgpu::demand::ArrivalCalendar;
using natgpu::demand::ArrivalProfile;

const Calendar from_monday(Date::of(2026, 6, 1));

/// ORACLES.md N2, in arrivals an hour: 30 on weekdays 08-20, 10 in their other hours, 240 a weekend.
ArrivalCalendar oracle_week() {
  ArrivalCalendar spec;
  spec.hours.assign(24, 10.0);
  for (std::size_t h = 8; h < 20; ++h) spec.hours[h] = 30.0;
  spec.weekend = 0.25;
  spec.normalised = false;
  return spec;
}

double arrivals(const ArrivalProfile& profile, Instant at) {
  return profile.cumulative(at) / 3600;
}

}  // namespace

TEST_CASE("the weekly profile has the oracle's counts") {
  const ArrivalProfile profile(oracle_week(), from_monday, Instant{days(28)});
  CHECK(arrivals(profile, Instant{days(7)}) == Approx(2640).epsilon(1e-12));
  CHECK(arrivals(profile, Instant{hours(36)}) == Approx(680).epsilon(1e-12));
  CHECK(arrivals(profile, Instant{days(28)}) == Approx(4 * 2640).epsilon(1e-12));
  CHECK(profile.intensity(Instant{hours(8)}) == 30);
  CHECK(profile.intensity(Instant{hours(8)} - natgpu::one_tick) == 10);
  CHECK(profile.highest() == 30);
}

TEST_CASE("normalised intensity has mean one over an ordinary week, whatever day the horizon starts") {
  ArrivalCalendar spec = oracle_week();
  spec.normalised = true;
  const ArrivalProfile profile(spec, Calendar(Date::of(2026, 6, 4)), Instant{days(70)});
  CHECK(profile.cumulative(Instant{days(7)}) == Approx(7 * 86400.0).epsilon(1e-12));
  CHECK(profile.cumulative(Instant{days(70)}) == Approx(70 * 86400.0).epsilon(1e-12));
}

TEST_CASE("a holiday takes its own factor, on weekdays and at the weekend") {
  ArrivalCalendar spec;
  spec.weekend = 0.5;
  spec.holiday = 0.2;
  spec.normalised = false;
  spec.holidays = {Date::of(2026, 6, 6), Date::of(2026, 6, 3)};  // a Saturday and a Wednesday, unsorted
  const ArrivalProfile profile(spec, from_monday, Instant{days(14)});
  const double expected[] = {1, 1, 0.2, 1, 1, 0.2, 0.5, 1};
  for (int d = 0; d < 8; ++d) {
    CHECK(profile.intensity(Instant{days(d)}) == expected[d]);
    CHECK(profile.intensity(Instant{days(d + 1)} - natgpu::one_tick) == expected[d]);
  }
}

TEST_CASE("the inverse undoes the integral to the tick below") {
  ArrivalCalendar spec = oracle_week();
  spec.hours[3] = 0;  // an hour in which nothing arrives
  spec.holiday = 0;
  spec.holidays = {Date::of(2026, 6, 10)};
  const Instant end{days(60)};
  const ArrivalProfile profile(spec, from_monday, end);
  const double total = profile.cumulative(end);
  Instant last{};
  for (int i = 0; i < 20'000; ++i) {
    const double operational = total * (i + 0.5) / 20'000;
    const Instant at = profile.inverse(operational);
    REQUIRE(at >= last);
    REQUIRE(at < end);
    REQUIRE(profile.intensity(at) > 0);
    // A tick is 30e-6 operational seconds at most; the rest is rounding.
    REQUIRE(profile.cumulative(at) <= operational + 1e-6);
    REQUIRE(profile.cumulative(at + natgpu::one_tick) >= operational - 1e-6);
    last = at;
  }
  CHECK(profile.inverse(0) == Instant{});
  CHECK(profile.inverse(total) == end);
  CHECK(profile.inverse(std::numeric_limits<double>::infinity()) == end);
}

TEST_CASE("a horizon that ends inside an hour and a week without arrivals have profiles too") {
  const Instant end{hours(30) + natgpu::seconds(90)};
  const ArrivalProfile cut(oracle_week(), from_monday, end);
  CHECK(cut.cumulative(end) == Approx(480 * 3600.0 + 6 * 10 * 3600.0 + 90 * 10.0));
  CHECK(cut.inverse(cut.cumulative(end) + 1) == end);
  ArrivalCalendar none;
  none.hours.assign(24, 0.0);
  const ArrivalProfile silent(none, from_monday, end);
  CHECK(silent.inverse(0) == end);
  CHECK(silent.cumulative(end) == 0);
  CHECK_THROWS_AS(ArrivalProfile(none, from_monday, Instant{}), natgpu::InvariantError);
}
