// SPDX-License-Identifier: Apache-2.0
// How values of CSV logs are written: decimals, dates, and the many ways to write nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace natgpu::workload {

/// A decimal number, exact to the millionth.
struct Decimal {
  std::int64_t whole = 0;   ///< rounded towards minus infinity
  std::int32_t micros = 0;  ///< 0 to 999,999
};

enum class Read : std::uint8_t { ok, no_value, not_understood, out_of_range };

/// Empty, None, NaN, nan, NaT, NULL, null, \N (pandas, Python, SQL).
bool is_missing(std::string_view text);

std::string_view without_blanks(std::string_view text);

/// `12`, `-3.5`, `64.0`: up to 18 digits before the point; digits behind the sixth decimal are dropped.
/// No exponents, no group marks: none of the published logs has them, and damaged ones do.
Read read_decimal(std::string_view text, Decimal& value);

/// `2017-09-04 10:30:41`, also with T, a fraction, and Z or an offset (+08:00); without one it is taken as
/// UTC.
/// @param value  seconds since 1970-01-01 UTC
Read read_datetime(std::string_view text, Decimal& value);

/// numerator / denominator times the value, rounded to the nearest whole number (halves away from zero).
/// @returns false beyond +-9e18
bool scaled(const Decimal& value, std::int64_t numerator, std::int64_t denominator, std::int64_t& result);

/// The same, rounded towards minus infinity; `fraction` tells whether anything was cut off.
bool scaled_down(const Decimal& value, std::int64_t numerator, std::int64_t denominator, std::int64_t& result,
                 bool& fraction);

}  // namespace natgpu::workload
