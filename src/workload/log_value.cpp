// SPDX-License-Identifier: Apache-2.0
#include "log_value.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include <natgpu/core/time.hpp>

namespace natgpu::workload {
namespace {

constexpr std::int64_t micros_per_unit = 1'000'000;
constexpr std::int64_t largest = 9'000'000'000'000'000'000;  // below 2^63

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Reads what stands behind the decimal point. @returns how many digits there are
std::size_t read_fraction(std::string_view text, std::int32_t& micros) {
  std::int32_t weight = 100'000;
  std::size_t n = 0;
  for (; n < text.size() && is_digit(text[n]); ++n, weight /= 10) micros += weight * (text[n] - '0');
  return n;
}

/// `digits` of them, at `text[from]`; -1 where there are others. @pre from + digits <= text.size()
int number_at(std::string_view text, std::size_t from, std::size_t digits) {
  int value = 0;
  for (std::size_t i = from; i < from + digits; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// `Z`, `+08:00`, `+0800`, `+08` or nothing, in seconds.
bool read_offset(std::string_view text, std::int64_t& seconds) {
  seconds = 0;
  if (text.empty() || text == "Z" || text == "UTC") return true;
  if (text[0] != '+' && text[0] != '-') return false;
  const bool colon = text.size() == 6 && text[3] == ':';
  if (!colon && text.size() != 5 && text.size() != 3) return false;
  const int hours = number_at(text, 1, 2);
  const int minutes = text.size() == 3 ? 0 : number_at(text, colon ? 4 : 3, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

Area in_micros(const Decimal& value) {
  return static_cast<Area>(value.whole) * micros_per_unit + value.micros;
}

}  // namespace

bool is_missing(std::string_view text) {
  static constexpr std::array<std::string_view, 7> words{"None", "NaN", "nan", "NaT", "NULL", "null", "\\N"};
  if (text.empty()) return true;
  if (text.size() > 4 || is_digit(text[0])) return false;
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string_view without_blanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

Read read_decimal(std::string_view text, Decimal& value) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  std::int64_t whole = 0;
  std::size_t n = 0;
  for (; n < text.size() && n < 18 && is_digit(text[n]); ++n) whole = whole * 10 + (text[n] - '0');
  if (n == 0) return Read::not_understood;
  if (n == 18 && n < text.size() && is_digit(text[n])) return Read::out_of_range;
  std::int32_t micros = 0;
  if (n < text.size() && text[n] == '.') n += 1 + read_fraction(text.substr(n + 1), micros);
  if (n != text.size() || text.back() == '.') return Read::not_understood;
  value = {whole, micros};
  if (negative)
    value = micros == 0 ? Decimal{-whole, 0}
                        : Decimal{-whole - 1, static_cast<std::int32_t>(micros_per_unit) - micros};
  return Read::ok;
}

Read read_datetime(std::string_view text, Decimal& value) {
  constexpr std::size_t length = 19;  // of YYYY-MM-DD HH:MM:SS
  if (text.size() < length || text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') ||
      text[13] != ':' || text[16] != ':')
    return Read::not_understood;
  const int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (std::min({year, month, day, hour, minute, second}) < 0) return Read::not_understood;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return Read::out_of_range;  // 60: a leap second
  std::string_view rest = text.substr(length);
  std::int32_t micros = 0;
  if (!rest.empty() && rest[0] == '.') {
    const std::size_t digits = read_fraction(rest.substr(1), micros);
    if (digits == 0) return Read::not_understood;
    rest.remove_prefix(1 + digits);
  }
  std::int64_t offset = 0;
  if (!read_offset(without_blanks(rest), offset)) return Read::not_understood;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  value = {days * 86400 + hour * 3600 + minute * 60 + second - offset, micros};
  return Read::ok;
}

bool scaled(const Decimal& value, std::int64_t numerator, std::int64_t denominator, std::int64_t& result) {
  if (value.micros == 0 && numerator == 1 && denominator == 1) {
    result = value.whole;
    return true;
  }
  const Area divisor = static_cast<Area>(denominator) * micros_per_unit;
  const Area product = in_micros(value) * numerator;
  const Area rounded = (product + (product < 0 ? -divisor / 2 : divisor / 2)) / divisor;
  result = static_cast<std::int64_t>(rounded);
  return rounded <= largest && rounded >= -largest;
}

bool scaled_down(const Decimal& value, std::int64_t numerator, std::int64_t denominator, std::int64_t& result,
                 bool& fraction) {
  if (numerator == 1 && denominator == 1) {
    result = value.whole;
    fraction = value.micros != 0;
    return true;
  }
  const Area divisor = static_cast<Area>(denominator) * micros_per_unit;
  const Area product = in_micros(value) * numerator;
  const Area down = product / divisor - (product % divisor < 0 ? 1 : 0);
  result = static_cast<std::int64_t>(down);
  fraction = product % divisor != 0;
  return down <= largest && down >= -largest;
}

}  // namespace natgpu::workload
