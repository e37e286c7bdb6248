// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/ensure.hpp>

#include "catch.hpp"

namespace {

using natgpu::Calendar;
using natgpu::Date;
using natgpu::days;
using natgpu::hours;
using natgpu::Instant;
using natgpu::parse_date;

}  // namespace

TEST_CASE("a date is read strictly and printed back") {
  for (const char* text : {"2030-12-31", "2024-02-29", "never", "0001-01-01"}) {
    Date date;
    CHECK(parse_date(text, date));
    CHECK(to_string(date) == text);
  }
}

TEST_CASE("what is no date, or a day that does not exist, is refused") {
  for (const char* text :
       {"", "2030", "2030-1-01", "2030-01-1", "2030/01/01", "2025-02-29", "2030-13-01", "2030-00-10",
        "2030-04-31", "2030-01-00", " 2030-01-01", "2030-01-01 ", "-030-01-01", "2030-0a-01", "+030-01-01",
        "Never", "1900-02-29", "2030-01-01T00"}) {
    Date date = Date::of(1999, 9, 9);
    INFO(text);
    CHECK_FALSE(parse_date(text, date));
    CHECK(date == Date::of(1999, 9, 9));
  }
}

TEST_CASE("never is later than any date and equal to itself") {
  CHECK(Date::of(9999, 12, 31) < Date::never());
  CHECK_FALSE(Date::never() < Date::of(1, 1, 1));
  CHECK_FALSE(Date::never() < Date::never());
  CHECK(Date::never() == Date::never());
  CHECK_THROWS_AS(Date::of(2025, 2, 29), natgpu::InvariantError);
}

TEST_CASE("dates and instants map onto each other") {
  const Calendar calendar(Date::of(2025, 1, 1));
  CHECK(calendar.at(Date::of(2025, 1, 1)) == Instant{});
  CHECK(calendar.at(Date::of(2031, 1, 1)) == Instant{days(2191)});  // six years with one leap day
  CHECK(calendar.at(Date::of(2024, 12, 31)) == Instant{-days(1)});
  CHECK(calendar.at(Date::never()) == natgpu::never);
  CHECK(calendar.date_of(natgpu::never) == Date::never());
  CHECK(calendar.date_of(Instant{days(59)}) == Date::of(2025, 3, 1));
  CHECK(calendar.date_of(Instant{days(59)} - natgpu::one_tick) == Date::of(2025, 2, 28));
  CHECK(calendar.date_of(Instant{} - natgpu::one_tick) == Date::of(2024, 12, 31));
  CHECK(calendar.year_of(Instant{days(365)}) == 2026);
  CHECK(calendar.year_of(Instant{days(365)} - natgpu::one_tick) == 2025);
}

TEST_CASE("the hour of the week counts from Monday midnight") {
  const Calendar calendar(Date::of(2025, 1, 1));  // a Wednesday
  CHECK(calendar.hour_of_week(Instant{}) == 48);
  CHECK(calendar.hour_of_week(Instant{hours(23)}) == 71);
  CHECK(calendar.hour_of_week(Instant{hours(24)} - natgpu::one_tick) == 71);
  CHECK(calendar.hour_of_week(Instant{days(5)} - natgpu::one_tick) == 167);
  CHECK(calendar.hour_of_week(Instant{days(5)}) == 0);
  CHECK(calendar.hour_of_week(Instant{} - natgpu::one_tick) == 47);
  for (int h = 0; h < 1000; ++h) REQUIRE(calendar.hour_of_week(Instant{hours(h)}) == (48 + h) % 168);
}

TEST_CASE("quarters cover the horizon without gap or overlap, cut at both ends") {
  const auto periods = natgpu::quarters_between(Date::of(2025, 2, 15), Date::of(2026, 4, 10));
  REQUIRE(periods.size() == 6);
  CHECK(periods.front().label == "2025Q1");
  CHECK(periods.front().from == Instant{});
  CHECK(periods.front().to == Instant{days(45)});
  CHECK(periods[3].label == "2025Q4");
  CHECK(periods[4].year == 2026);
  CHECK(periods[4].quarter == 1);
  CHECK(periods.back().label == "2026Q2");
  CHECK(periods.back().to - periods.back().from == days(9));
  for (std::size_t i = 1; i < periods.size(); ++i) CHECK(periods[i].from == periods[i - 1].to);
  CHECK(natgpu::quarters_between(Date::of(2025, 1, 1), Date::of(2031, 1, 1)).size() == 24);
  CHECK(natgpu::quarters_between(Date::of(2025, 1, 1), Date::of(2025, 1, 1)).empty());
  CHECK_THROWS_AS(natgpu::quarters_between(Date::of(2025, 1, 1), Date::never()), natgpu::InvariantError);
}
