// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/units.hpp>

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "catch.hpp"

using namespace natgpu;

namespace {

double read(std::string_view text, Dimension d) {
  double value = -1;
  INFO(text);
  REQUIRE(parse_quantity(text, d, value) == QuantityError::none);
  return value;
}

QuantityError error_of(std::string_view text, Dimension d) {
  double value = -1;
  const QuantityError e = parse_quantity(text, d, value);
  if (e != QuantityError::none) CHECK(value == -1);
  return e;
}

}  // namespace

TEST_CASE("quantities are read in base units, rounded once") {
  CHECK(read("96 GPU", Dimension::gpus) == 96);
  CHECK(read("1.79 kW", Dimension::power) == 1790);
  CHECK(read("4.35 kW", Dimension::power) == 4350);
  CHECK(read("20 %", Dimension::share) == 0.2);
  CHECK(read("7%", Dimension::share) == 0.07);
  CHECK(read("0.2", Dimension::share) == 0.2);
  CHECK(read("2.0 tn KRW", Dimension::money) == 2e12);
  CHECK(read("1.46 tn KRW", Dimension::money) == 1.46e12);
  CHECK(read("2250 TFLOP/s", Dimension::compute) == 2250e12);
  CHECK(read("182.7 KRW/kWh", Dimension::power_price) == 182.7);
  CHECK(read("24 GPU.h", Dimension::work) == 24);
  CHECK(read("0.418 t/MWh", Dimension::co2_factor) == 418);
  CHECK(read("1 GiB", Dimension::memory) == 1.073741824);
  CHECK(read("12", Dimension::count) == 12);
  CHECK(read("1.5e3", Dimension::count) == 1500);
  CHECK(read("-0", Dimension::count) == 0);
  CHECK_FALSE(std::signbit(read("-0.0", Dimension::count)));
}

TEST_CASE("a year is 365.25 days and a month is its twelfth") {
  CHECK(read("1 year", Dimension::time) == 31557600);
  CHECK(read("12 months", Dimension::time) == 31557600);
  CHECK(read("1 month", Dimension::time) == 2629800);
  CHECK(read("2 weeks", Dimension::time) == 1209600);
  CHECK(read("0.01 /year", Dimension::rate) == Approx(0.01 / 31557600).epsilon(1e-14));
  CHECK(read("500 ms", Dimension::time) == 0.5);
}

TEST_CASE("numbers are plain decimals, whole tokens") {
  for (const char* text :
       {"010", "+1", "0x10", ".5",  "5.", "nan",   "inf", ".nan",  "-.inf", "1,500", "1_000", "1 500",
        "",    " ",  "-",    "--1", "1e", "1.2.3", "0b1", "1'000", "٣",     "1e5.5", " 1"}) {
    INFO(text);
    double value = -1;
    CHECK(parse_number(text, value) == QuantityError::not_a_number);
    CHECK(value == -1);
  }
  for (const char* text : {"010 GPU", "+1 GPU", "0x10 GPU", ".5 GPU", "5. GPU", "nan GPU", "1,500 GPU",
                           "1_000 GPU", "1 500 GPU", "GPU", "", "8 "}) {
    INFO(text);
    CHECK(error_of(text, Dimension::gpus) == QuantityError::not_a_number);
  }
}

TEST_CASE("overflow and underflow are refused, not rounded to infinity or zero") {
  for (const char* text : {"1e400", "-1e400", "1e-400", "1e-310", "1e99999999999999999999", "4.9e-324"}) {
    INFO(text);
    double value = -1;
    CHECK(parse_number(text, value) == QuantityError::out_of_double_range);
  }
  CHECK(error_of("1e300 EFLOP/s", Dimension::compute) == QuantityError::out_of_double_range);
  CHECK(error_of("1e308 years", Dimension::time) == QuantityError::out_of_double_range);
  CHECK(read("0e999999", Dimension::count) == 0);
}

TEST_CASE("a missing, unknown or foreign unit is told apart") {
  CHECK(error_of("30", Dimension::time) == QuantityError::unit_missing);
  CHECK(error_of("0", Dimension::power) == QuantityError::unit_missing);
  CHECK(error_of("30 sec", Dimension::time) == QuantityError::unit_unknown);
  CHECK(error_of("30 H", Dimension::time) == QuantityError::unit_unknown);
  CHECK(error_of("30 kW", Dimension::time) == QuantityError::wrong_dimension);
  CHECK(error_of("30 GPU", Dimension::count) == QuantityError::wrong_dimension);
}

TEST_CASE("whole numbers have no fraction, exponent or leading zero and fit 64 bits") {
  long long value = -1;
  CHECK(parse_integer("0", value) == QuantityError::none);
  CHECK(value == 0);
  CHECK(parse_integer("-12", value) == QuantityError::none);
  CHECK(value == -12);
  CHECK(parse_integer("9223372036854775807", value) == QuantityError::none);
  CHECK(parse_integer("9223372036854775808", value) == QuantityError::out_of_double_range);
  for (const char* text : {"007", "1.0", "1e3", "+1", "", "-", "0x1", "1 2"}) {
    INFO(text);
    CHECK(parse_integer(text, value) == QuantityError::not_a_number);
  }
}

TEST_CASE("values are printed in the unit a reader expects") {
  CHECK(format_quantity(5400, Dimension::time) == "1.5 h");
  CHECK(format_quantity(0, Dimension::time) == "0 s");
  CHECK(format_quantity(0, Dimension::count) == "0");
  CHECK(format_quantity(90, Dimension::time) == "1.5 min");
  CHECK(format_quantity(366 * 86400.0, Dimension::time) == "366 d");
  CHECK(format_quantity(31557600, Dimension::time) == "1 year");
  CHECK(format_quantity(1790, Dimension::power) == "1.79 kW");
  CHECK(format_quantity(0.2, Dimension::share) == "20 %");
  CHECK(format_quantity(1.46e12, Dimension::money) == "1.46 tn KRW");
  CHECK(format_quantity(0.01 / 31557600, Dimension::rate) == "0.01 /year");
  CHECK(format_quantity(30000, Dimension::gpus) == "30000 GPU");
  CHECK(format_quantity(1e9, Dimension::gpus) == "1000000000 GPU");
  CHECK(format_quantity(12345678, Dimension::count) == "12345678");
  CHECK(format_quantity(989.4e12, Dimension::compute) == "989.4 TFLOP/s");
}

TEST_CASE("a printed value reads back to six digits in every dimension") {
  for (const Dimension d : {Dimension::count, Dimension::share, Dimension::gpus, Dimension::time,
                            Dimension::rate, Dimension::power, Dimension::money, Dimension::power_price,
                            Dimension::co2_factor, Dimension::compute, Dimension::memory, Dimension::work})
    for (const double v : {1e-9, 0.0123, 1.0, 7.0, 59.9, 3601.0, 86399.0, 123456.789, 1e9, 3.3e13}) {
      const std::string text = format_quantity(v, d);
      INFO(text);
      CHECK(read(text, d) == Approx(v).epsilon(1e-5));
    }
}

TEST_CASE("no two units of the table share a symbol") {
  std::set<std::string_view> seen;
  for (const UnitRow& row : unit_table()) {
    INFO(row.symbol);
    CHECK(seen.insert(row.symbol).second);
    CHECK(read("1 " + std::string(row.symbol), row.dimension) == Approx(row.factor));
  }
}
