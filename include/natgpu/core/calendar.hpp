// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu {

/// A calendar day in Korea Standard Time (no daylight saving since 1988), or `never`.
struct Date {
  std::chrono::sys_days day{};
  bool is_never = false;

  static Date of(int year, unsigned month, unsigned day_of_month);
  static Date never();
  friend bool operator==(const Date&, const Date&) = default;
  friend bool operator<(const Date& a, const Date& b) {
    return a.is_never != b.is_never ? b.is_never : !a.is_never && a.day < b.day;
  }
};

/// Reads `2030-12-31` or `never`; anything else, or a day that does not exist, gives false.
bool parse_date(std::string_view text, Date& out);
std::string to_string(const Date& date);

/// Maps dates to instants: midnight KST of `start` is Instant 0.
class Calendar {
 public:
  explicit Calendar(Date start) : start_(start) {}
  Instant at(const Date& date) const;     ///< midnight at the start of that day; `never` maps to natgpu::never
  Date date_of(Instant instant) const;    ///< the day that holds this instant
  int year_of(Instant instant) const;
  /// Hour within the week, 0 = Monday 00:00-01:00 ... 167 = Sunday 23:00-24:00.
  int hour_of_week(Instant instant) const;

 private:
  Date start_;
};

/// Consecutive stretches of calendar time, half open: [from, to).
struct Period {
  std::string label;  ///< "2027" or "2027Q3"
  int year = 0;
  int quarter = 0;    ///< 1 to 4
  Instant from, to;
};

/// The quarters that cover [start, end), the first and last cut to it. Measures are kept by quarter and summed to years.
std::vector<Period> quarters_between(const Date& start, const Date& end);

}  // namespace natgpu
