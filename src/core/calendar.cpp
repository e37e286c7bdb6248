// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/calendar.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

namespace natgpu {
namespace {

using std::chrono::year_month_day;

constexpr std::string_view never_word = "never";

int whole_days(Instant instant) {
  return static_cast<int>(std::chrono::floor<std::chrono::days>(instant.time_since_epoch()).count());
}

/// Digits only, so that `2030- 1-01` and `+030-01-01` are refused.
bool read_digits(std::string_view text, unsigned& out) {
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return true;
}

year_month_day civil(const Date& date) {
  return year_month_day{date.day};
}

int quarter_of(const Date& date) {
  return (static_cast<int>(static_cast<unsigned>(civil(date).month())) + 2) / 3;
}

Date first_day_of_quarter(int year, int quarter) {
  return Date::of(year, static_cast<unsigned>(3 * quarter - 2), 1);
}

}  // namespace

Date Date::of(int year, unsigned month, unsigned day_of_month) {
  const year_month_day ymd{std::chrono::year{year}, std::chrono::month{month},
                           std::chrono::day{day_of_month}};
  NATGPU_ENSURE(ymd.ok(), "a date in the code exists");
  return Date{std::chrono::sys_days{ymd}, false};
}

Date Date::never() {
  return Date{std::chrono::sys_days{}, true};
}

bool parse_date(std::string_view text, Date& out) {
  if (text == never_word) {
    out = Date::never();
    return true;
  }
  unsigned year = 0, month = 0, day = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!read_digits(text.substr(0, 4), year) || !read_digits(text.substr(5, 2), month) ||
      !read_digits(text.substr(8, 2), day))
    return false;
  const year_month_day ymd{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                           std::chrono::day{day}};
  if (!ymd.ok()) return false;
  out = Date{std::chrono::sys_days{ymd}, false};
  return true;
}

std::string to_string(const Date& date) {
  if (date.is_never) return std::string{never_word};
  const year_month_day ymd = civil(date);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

Instant Calendar::at(const Date& date) const {
  return date.is_never ? never : Instant{days((date.day - start_.day).count())};
}

Date Calendar::date_of(Instant instant) const {
  if (instant == never) return Date::never();
  return Date{start_.day + std::chrono::days{whole_days(instant)}, false};
}

int Calendar::year_of(Instant instant) const {
  NATGPU_ENSURE(instant != never, "an instant that never comes has no year");
  return static_cast<int>(civil(date_of(instant)).year());
}

int Calendar::hour_of_week(Instant instant) const {
  const int day = whole_days(instant);
  const std::chrono::weekday weekday{start_.day + std::chrono::days{day}};
  const Duration into_day = instant.time_since_epoch() - days(day);
  return 24 * (static_cast<int>(weekday.iso_encoding()) - 1) + static_cast<int>(into_day / hours(1));
}

std::vector<Period> quarters_between(const Date& start, const Date& end) {
  NATGPU_ENSURE(!start.is_never && !end.is_never, "a horizon has a first and a last day");
  const Calendar calendar{start};
  std::vector<Period> periods;
  for (Date from = start; from < end;) {
    const int year = static_cast<int>(civil(from).year());
    const int quarter = quarter_of(from);
    const Date next =
        quarter == 4 ? first_day_of_quarter(year + 1, 1) : first_day_of_quarter(year, quarter + 1);
    const Date to = std::min(next, end);
    periods.push_back(
        {fmt::format("{}Q{}", year, quarter), year, quarter, calendar.at(from), calendar.at(to)});
    from = to;
  }
  return periods;
}

}  // namespace natgpu
