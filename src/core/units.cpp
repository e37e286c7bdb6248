// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/units.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

namespace natgpu {
namespace {

constexpr double minute = 60, hour = 3600, day = 86400, week = 7 * day;
constexpr double year = 365.25 * day;  // Julian year
constexpr double month = year / 12;

struct DimensionRow {
  Dimension dimension;
  std::string_view name, base, examples;
  bool needs_unit;
};

constexpr DimensionRow dimension_rows[] = {
    {Dimension::count, "count", "", "`12`", false},
    {Dimension::share, "share", "", "`20 %`, `0.2`", false},
    {Dimension::gpus, "number of GPUs", "GPU", "`8 GPU`, `96 GPU`", true},
    {Dimension::time, "time", "s", "`30 min`, `2 h`, `3 d`", true},
    {Dimension::rate, "rate", "/s", "`4 /month`, `0.01 /year`", true},
    {Dimension::power, "power", "W", "`700 W`, `1.79 kW`, `40 MW`", true},
    {Dimension::money, "money", "KRW", "`60 m KRW`, `1.46 tn KRW`", true},
    {Dimension::power_price, "price of energy", "KRW/kWh", "`182.7 KRW/kWh`", true},
    {Dimension::co2_factor, "emission factor", "g/kWh", "`418 g/kWh`, `0.418 t/MWh`", true},
    {Dimension::compute, "computing speed", "FLOP/s", "`989.4 TFLOP/s`, `2 EFLOP/s`", true},
    {Dimension::memory, "memory", "GB", "`80 GB`, `1.5 TB`", true},
    {Dimension::work, "work", "GPU.h", "`24 GPU.h`", true},
};

const DimensionRow& row_of(Dimension d) {
  return dimension_rows[static_cast<std::size_t>(d)];
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the decimal number at the front of the text, 0 if there is none:
/// -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
std::size_t number_length(std::string_view t) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < t.size() && is_digit(t[at])) ++at;
    return at - from;
  };
  if (at < t.size() && t[at] == '-') ++at;
  if (at < t.size() && t[at] == '0')
    ++at;
  else if (digits() == 0)
    return 0;
  if (at + 1 < t.size() && t[at] == '.' && is_digit(t[at + 1])) {
    ++at;
    digits();
  }
  if (at < t.size() && (t[at] == 'e' || t[at] == 'E')) {
    const std::size_t before = at++;
    if (at < t.size() && (t[at] == '+' || t[at] == '-')) ++at;
    if (digits() == 0) at = before;
  }
  return at;
}

/// The number times 10^shift, rounded once. @pre number_length(token) == token.size()
QuantityError decimal_value(std::string_view token, int shift, double& value) {
  const std::size_t e = token.find_first_of("eE");
  const std::string_view mantissa = token.substr(0, e);
  long long exponent = 0;
  if (e != std::string_view::npos) {
    const char* first = token.data() + e + 1 + (token[e + 1] == '+' ? 1 : 0);
    const char* last = token.data() + token.size();
    if (std::from_chars(first, last, exponent).ec != std::errc{}) return QuantityError::out_of_double_range;
  }
  const bool is_zero = mantissa.find_first_of("123456789") == std::string_view::npos;
  if (is_zero) {
    value = 0;  // also for -0
    return QuantityError::none;
  }
  if (std::abs(exponent) > 100'000) return QuantityError::out_of_double_range;
  const std::string text = fmt::format("{}e{}", mantissa, exponent + shift);
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isnormal(v))
    return QuantityError::out_of_double_range;
  value = v;
  return QuantityError::none;
}

/// k where factor is 10^k for a k in use, else false. Decimal shifts are exact: 4.35 kW is 4350 W.
bool power_of_ten(double factor, int& k) {
  static constexpr struct {
    double factor;
    int k;
  } table[] = {{1e-3, -3}, {1e-2, -2}, {1, 0},     {1e3, 3},  {1e6, 6},
               {1e9, 9},   {1e12, 12}, {1e15, 15}, {1e18, 18}};
  for (const auto& row : table)
    if (row.factor == factor) {
      k = row.k;
      return true;
    }
  return false;
}

QuantityError scaled_value(std::string_view number, double factor, double& value) {
  int shift = 0;
  if (power_of_ten(factor, shift)) return decimal_value(number, shift, value);
  double v = 0;
  if (const QuantityError e = decimal_value(number, 0, v); e != QuantityError::none) return e;
  v *= factor;
  if (v != 0 && !std::isnormal(v)) return QuantityError::out_of_double_range;
  value = v;
  return QuantityError::none;
}

std::string_view trimmed_left(std::string_view t) {
  const std::size_t at = t.find_first_not_of(' ');
  return at == std::string_view::npos ? std::string_view{} : t.substr(at);
}

/// What follows the number is a slip in the number itself: `010`, `1,500`, `1_000`, `1 500`, `0x10`, `5.`
bool continues_number(std::string_view rest) {
  const std::string_view word = trimmed_left(rest);
  const bool attached = word.size() == rest.size();
  return is_digit(word.front()) || word.front() == ',' || word.front() == '_' || word.front() == '.' ||
         word.front() == '\'' || (attached && word.find_first_of("0123456789") != std::string_view::npos);
}

/// Units in which a value is printed: those a reader expects, not every unit that may be written.
bool is_for_printing(const UnitRow& row) {
  static constexpr std::string_view others[] = {"day",   "days", "week", "month",  "year",  "/day",   "/min",
                                                "/week", "GiB",  "TiB",  "kg/kWh", "t/MWh", "MFLOP/s"};
  return std::find(std::begin(others), std::end(others), row.symbol) == std::end(others);
}

bool is_short(double v) {
  const std::string text = fmt::format("{:.4g}", v);
  double back = 0;
  std::from_chars(text.data(), text.data() + text.size(), back);
  return std::abs(back - v) <= 1e-12 * std::abs(v);
}

/// Six digits, and all of a whole number that people would write out: 1000000, not 1e+06.
std::string plain_digits(double v) {
  constexpr double written_out = 1e15;
  if (std::abs(v) >= 1e5 && std::abs(v) < written_out) return fmt::format("{:.0f}", v);
  return fmt::format("{:.6g}", v);
}

/// Weeks, months and years only where they come out short: 366 d, not 1.00205 years.
bool is_calendar_unit(const UnitRow& row) {
  return row.dimension == Dimension::time && row.factor > day;
}

const UnitRow* unit_to_print(double value, Dimension dimension) {
  const UnitRow* best = nullptr;
  const UnitRow* smallest = nullptr;
  bool best_is_short = false;
  for (const UnitRow& row : unit_table()) {
    if (row.dimension != dimension || !is_for_printing(row)) continue;
    if (smallest == nullptr || row.factor < smallest->factor) smallest = &row;
    const double v = value / row.factor;
    if (std::abs(v) < 1) continue;
    const bool shorter = is_short(v);
    if (is_calendar_unit(row) && !shorter) continue;
    const bool better = best == nullptr || (shorter && !best_is_short) ||
                        (shorter == best_is_short && row.factor > best->factor);
    if (better) {
      best = &row;
      best_is_short = shorter;
    }
  }
  return best != nullptr ? best : smallest;
}

}  // namespace

const std::vector<UnitRow>& unit_table() {
  static const std::vector<UnitRow> table = {
      {"%", Dimension::share, 1e-2},
      {"GPU", Dimension::gpus, 1},
      {"ms", Dimension::time, 1e-3},
      {"s", Dimension::time, 1},
      {"min", Dimension::time, minute},
      {"h", Dimension::time, hour},
      {"d", Dimension::time, day},
      {"day", Dimension::time, day},
      {"days", Dimension::time, day},
      {"week", Dimension::time, week},
      {"weeks", Dimension::time, week},
      {"month", Dimension::time, month},
      {"months", Dimension::time, month},
      {"year", Dimension::time, year},
      {"years", Dimension::time, year},
      {"/s", Dimension::rate, 1},
      {"/min", Dimension::rate, 1 / minute},
      {"/h", Dimension::rate, 1 / hour},
      {"/d", Dimension::rate, 1 / day},
      {"/day", Dimension::rate, 1 / day},
      {"/week", Dimension::rate, 1 / week},
      {"/month", Dimension::rate, 1 / month},
      {"/year", Dimension::rate, 1 / year},
      {"W", Dimension::power, 1},
      {"kW", Dimension::power, 1e3},
      {"MW", Dimension::power, 1e6},
      {"GW", Dimension::power, 1e9},
      {"KRW", Dimension::money, 1},
      {"m KRW", Dimension::money, 1e6},
      {"bn KRW", Dimension::money, 1e9},
      {"tn KRW", Dimension::money, 1e12},
      {"KRW/kWh", Dimension::power_price, 1},
      {"g/kWh", Dimension::co2_factor, 1},
      {"kg/kWh", Dimension::co2_factor, 1e3},
      {"t/MWh", Dimension::co2_factor, 1e3},
      {"FLOP/s", Dimension::compute, 1},
      {"MFLOP/s", Dimension::compute, 1e6},
      {"GFLOP/s", Dimension::compute, 1e9},
      {"TFLOP/s", Dimension::compute, 1e12},
      {"PFLOP/s", Dimension::compute, 1e15},
      {"EFLOP/s", Dimension::compute, 1e18},
      {"GB", Dimension::memory, 1},
      {"TB", Dimension::memory, 1e3},
      {"GiB", Dimension::memory, 1.073741824},     // 2^30 bytes
      {"TiB", Dimension::memory, 1099.511627776},  // 2^40 bytes
      {"GPU.h", Dimension::work, 1},
  };
  return table;
}

std::string_view dimension_name(Dimension d) {
  return row_of(d).name;
}
std::string_view base_unit(Dimension d) {
  return row_of(d).base;
}
std::string unit_examples(Dimension d) {
  return std::string(row_of(d).examples);
}
bool needs_unit(Dimension d) {
  return row_of(d).needs_unit;
}

QuantityError parse_number(std::string_view text, double& value) {
  const std::size_t length = number_length(text);
  if (length == 0 || length != text.size()) return QuantityError::not_a_number;
  return decimal_value(text, 0, value);
}

QuantityError parse_integer(std::string_view text, long long& value) {
  const std::size_t length = number_length(text);
  const std::string_view digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
  if (length == 0 || length != text.size() ||
      digits.find_first_not_of("0123456789") != std::string_view::npos)
    return QuantityError::not_a_number;
  long long v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size()) return QuantityError::out_of_double_range;
  value = v;
  return QuantityError::none;
}

QuantityError parse_quantity(std::string_view text, Dimension dimension, double& value) {
  const std::size_t length = number_length(text);
  if (length == 0) return QuantityError::not_a_number;
  const std::string_view number = text.substr(0, length);
  const std::string_view rest = text.substr(length);
  if (rest.empty()) {
    double v = 0;
    if (const QuantityError e = decimal_value(number, 0, v); e != QuantityError::none) return e;
    if (needs_unit(dimension)) return QuantityError::unit_missing;
    value = v;
    return QuantityError::none;
  }
  const std::string_view symbol = trimmed_left(rest);
  if (symbol.empty() || continues_number(rest)) return QuantityError::not_a_number;
  bool is_known = false;
  for (const UnitRow& row : unit_table()) {
    if (row.symbol != symbol) continue;
    if (row.dimension == dimension) return scaled_value(number, row.factor, value);
    is_known = true;
  }
  return is_known ? QuantityError::wrong_dimension : QuantityError::unit_unknown;
}

std::string format_quantity(double value, Dimension dimension) {
  if (dimension == Dimension::time && value == std::numeric_limits<double>::infinity()) return "endless";
  if (value == 0) {
    const std::string_view unit = dimension == Dimension::share ? "%" : base_unit(dimension);
    return unit.empty() ? "0" : fmt::format("0 {}", unit);
  }
  const UnitRow* unit = unit_to_print(value, dimension);
  if (unit == nullptr) return plain_digits(value);
  const std::string number = plain_digits(value / unit->factor);
  std::string_view symbol = unit->symbol;
  if (number == "1" && is_calendar_unit(*unit)) symbol.remove_suffix(1);  // 1 year, 2 years
  return fmt::format("{} {}", number, symbol);
}

}  // namespace natgpu
