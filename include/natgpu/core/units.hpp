// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace natgpu {

/// What a number measures. Each has one base unit in which the program keeps it.
enum class Dimension : unsigned char {
  count,        ///< plain whole or real number, no unit
  share,        ///< fraction of one; "20 %" or 0.2
  gpus,         ///< GPU
  time,         ///< s; also ms, min, h, d, weeks, months (1/12 year), years (365.25 d)
  rate,         ///< 1/s; also /h, /d, /week, /month, /year
  power,        ///< W; also kW, MW, GW
  money,        ///< KRW; also "m KRW", "bn KRW", "tn KRW"
  power_price,  ///< KRW/kWh
  co2_factor,   ///< g/kWh; also kg/kWh, t/MWh
  compute,      ///< FLOP/s; also TFLOP/s, PFLOP/s, EFLOP/s
  memory,       ///< GB (10^9 bytes); also TB, GiB
  work,         ///< GPU.h of the reference device
};

struct UnitRow {
  std::string_view symbol;
  Dimension dimension;
  double factor;  ///< base units in one of it
};

/// Every unit a scenario may write, in a table: symbols are exact and case-sensitive.
const std::vector<UnitRow>& unit_table();
std::string_view dimension_name(Dimension d);   ///< "time", "power"
std::string_view base_unit(Dimension d);        ///< "s", "W", "" for counts
std::string unit_examples(Dimension d);         ///< "`30 min`, `2 h`, `3 d`", for messages
bool needs_unit(Dimension d);                   ///< false for count and share

enum class QuantityError : unsigned char { none, not_a_number, out_of_double_range, unit_missing, unit_unknown, wrong_dimension };

/// Reads "96 GPU", "1.79 kW", "20 %", "1,500"-style digit groups are refused. The number is strict decimal
/// (`010`, `0x10`, `+1`, `.5`, `nan`, `1e-400` are refused). On success `value` is in base units.
QuantityError parse_quantity(std::string_view text, Dimension dimension, double& value);
/// A strict decimal number without unit.
QuantityError parse_number(std::string_view text, double& value);
/// A strict whole number: digits with an optional minus, no leading zero.
QuantityError parse_integer(std::string_view text, long long& value);

/// A value in base units as people write it: 5400 s -> "1.5 h".
std::string format_quantity(double value, Dimension dimension);

}  // namespace natgpu
