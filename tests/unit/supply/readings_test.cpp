// SPDX-License-Identifier: Apache-2.0
// FACTS sections 2.2, 2.3 and 3.1: the arithmetic behind "2 exaflops", to the digits printed there.
#include <cmath>
#include <set>

#include <natgpu/core/ensure.hpp>
#include <natgpu/supply/energy.hpp>
#include <natgpu/supply/metrics.hpp>
#include <natgpu/supply/readings.hpp>

#include "buildout.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;
using namespace natgpu::supply::test;

namespace {

/// FACTS section 4, dense peaks in TFLOP/s.
Device peaks(std::string name, double fp64_tensor, double bf16, double fp8, std::int64_t per_node = 8) {
  Device d = device(std::move(name), 1000, per_node);
  d.fp64_tensor = fp64_tensor * 1e12;
  d.bf16 = bf16 * 1e12;
  d.fp8 = fp8 * 1e12;
  return d;
}

enum Model : std::size_t { h100, h200, gh200, b200, b300, rubin };
const std::vector<Device> catalogue = {
    peaks("H100", 67, 989.4, 1979), peaks("H200", 67, 989.4, 1979),  peaks("GH200", 67, 989.4, 1979, 4),
    peaks("B200", 37, 2250, 4500),  peaks("B300", 1.25, 2250, 4500), peaks("R200", 33, 4000, 16700, 72)};

/// FACTS 3.1 and 2.3. Shares are the operators' as printed in section 3, to four digits.
Supply national_buildout() {
  Supply supply;
  supply.sites = {site("korea")};
  const auto add = [&](const char* name, Model model, std::int64_t units, const Date& in_service,
                       double operators) {
    Tranche t = pinned(name, "korea", catalogue[model].name, units, in_service);
    t.operator_share = operators;
    supply.tranches.push_back(t);
  };
  add("2025-h200", h200, 3'056, Date::of(2026, 3, 1), 0.2487);  // 2,296 of the government
  add("2025-b200-first", b200, 1'928, Date::of(2026, 3, 1), 0);
  add("2025-b200-rest", b200, 8'152, Date::of(2026, 7, 1), 0.2355);  // 6,232
  add("kisti6", gh200, 8'496, Date::of(2026, 8, 1), 0);
  add("2026-b300", b300, 9'704, Date::of(2026, 12, 1), 0);  // as if all were B300: the low case
  add("2027", b200, 7'496, Date::of(2027, 12, 1), 0.2);
  add("center", b200, 15'000, Date::of(2028, 12, 1), 0);
  add("base-2023", h100, 2'000, Date::of(2023, 12, 1), 0);
  supply.tranches.back().public_share = 0;  // all Korea, not pooled
  return supply;
}

const Reading& reading(std::string_view id) {
  for (const Reading& r : readings())
    if (r.id == id) return r;
  throw std::runtime_error("no such reading");
}

double public_value(const Fleet& fleet, std::string_view id) {
  double sum = 0;
  for (std::uint32_t t = 0; t < fleet.tranches(); ++t)
    sum += reading_value(reading(id), catalogue[fleet.pools()[fleet.pool_of(t)].device],
                         static_cast<double>(fleet.state(t).public_in_service));
  return sum;
}

/// Equal to the digits printed in FACTS.
bool prints_as(double value, double printed, double last_digit) {
  return std::abs(value - printed) <= last_digit / 2;
}

}  // namespace

TEST_CASE("the five readings stand side by side, headline first, each with its source") {
  REQUIRE(readings().size() == 5);
  CHECK(readings()[0].id == "h100e");
  CHECK(readings()[0].target == 30'000);
  CHECK(reading("fp64_strict").target == 2.0);
  CHECK(reading("units").target == 30'000);
  CHECK(reading("bf16_15x").target == 29.7);
  CHECK(reading("units_52000").target == 52'000);
  for (const Reading& r : readings()) {
    CHECK_FALSE(r.source.empty());
    CHECK_FALSE(r.title.empty());
    CHECK_FALSE(r.unit.empty());
  }
}

TEST_CASE("the blocks of the buildout count for what FACTS 2.3 prints") {
  const auto h100e = [](Model m, double units) {
    return reading_value(reading("h100e"), catalogue[m], units);
  };
  const auto fp64 = [](Model m, double units) { return eflops(catalogue[m], "fp64_tensor", units); };
  const auto bf16 = [](Model m, double units) { return eflops(catalogue[m], "bf16", units); };
  CHECK(prints_as(h100e(h100, 2'000), 2'000, 1));
  CHECK(prints_as(fp64(h100, 2'000), 0.134, 0.001));
  CHECK(prints_as(bf16(h100, 2'000), 1.98, 0.01));
  CHECK(prints_as(h100e(b200, 10'080) + h100e(h200, 3'056), 25'979, 1));
  CHECK(prints_as(fp64(b200, 10'080) + fp64(h200, 3'056), 0.578, 0.001));
  CHECK(prints_as(bf16(b200, 10'080) + bf16(h200, 3'056), 25.7, 0.1));
  CHECK(prints_as(h100e(b200, 8'160) + h100e(h200, 2'296), 20'853, 1));
  CHECK(prints_as(h100e(gh200, 8'496), 8'496, 1));
  CHECK(prints_as(fp64(gh200, 8'496), 0.569, 0.001));
  CHECK(prints_as(bf16(gh200, 8'496), 8.4, 0.1));
  CHECK(prints_as(fp64(b300, 9'704), 0.01, 0.01));
  CHECK(prints_as(h100e(b300, 9'704), 22'000, 1'000));
  CHECK(prints_as(h100e(b200, 15'000), 34'112, 1));
  CHECK(prints_as(bf16(b200, 15'000), 33.8, 0.11));
  CHECK(prints_as(h100e(b200, 50'000), 113'700, 100));
  CHECK(prints_as(h100e(b200, 260'000), 591'000, 1'000));
  CHECK(prints_as(15 * bf16(h100, 2'000), reading("bf16_15x").target, 0.1));
}

TEST_CASE("two exaflops take as many devices as FACTS 2.2 prints, by precision") {
  const auto devices = [](Model m, std::string_view precision) {
    return std::ceil(2.0 / eflops(catalogue[m], precision, 1));
  };
  CHECK(devices(h100, "fp64_tensor") == 29'851);
  CHECK(devices(b200, "fp64_tensor") == 54'055);
  CHECK(devices(b300, "fp64_tensor") == 1'600'000);
  CHECK(devices(h100, "bf16") == 2'022);
  CHECK(devices(b200, "bf16") == 889);
  CHECK(devices(h100, "fp8") == 1'011);
  CHECK(devices(b200, "fp8") == 445);
  CHECK_THROWS_AS(eflops(catalogue[h100], "fp64", 1), InvariantError);
}

TEST_CASE(
    "the eight-tranche buildout reaches the government's users as FACTS 3.1 prints, and retires in 2031") {
  const Supply supply = national_buildout();
  const auto events = timeline(catalogue, supply);
  const auto fleet_on = [&](int year, unsigned month, unsigned d) {
    return fleet_at(catalogue, supply, events, day(year, month, d));
  };
  CHECK(public_value(fleet_on(2025, 1, 1), "units") == 0);
  CHECK(public_value(fleet_on(2026, 3, 31), "units") == 4'224);
  CHECK(prints_as(public_value(fleet_on(2026, 3, 31), "h100e"), 6'680, 1));
  CHECK(public_value(fleet_on(2026, 7, 31), "units") == 10'456);
  CHECK(prints_as(public_value(fleet_on(2026, 7, 31), "h100e"), 20'853, 1));
  CHECK(prints_as(public_value(fleet_on(2026, 8, 31), "h100e"), 29'349, 1));
  const Fleet end_2026 = fleet_on(2026, 12, 31);
  CHECK(public_value(end_2026, "units") == 28'656);
  CHECK(public_value(end_2026, "h100e") > 30'000);     // met on paper, with round-2 all the government's
  CHECK(public_value(end_2026, "fp64_strict") < 1.5);  // and far from it in strict FP64
  // The 2027 purchase: 937 nodes, of which the operator's fifth is 187.4: 187, so 750 nodes are public.
  CHECK(public_value(fleet_on(2028, 12, 31), "units") == 28'656 + 6'000 + 15'000);
  const Fleet before = fleet_on(2030, 12, 31), after = fleet_on(2031, 7, 31);
  CHECK(public_value(before, "units") - public_value(after, "units") == 10'456);
  CHECK(prints_as(public_value(before, "h100e") - public_value(after, "h100e"), 20'853, 1));
}

TEST_CASE("energy is device-hours busy and idle times PUE") {
  Device d = device("h100", 1275);
  d.idle_power_w = 275;
  const Site s = site("a", 1.3);
  CHECK(energy_mwh(d, s, 0, 0) == 0);
  CHECK(energy_mwh(d, s, 1000, 1000) == Approx(1.6575));
  CHECK(energy_mwh(d, s, 1000, 400) == Approx((400 * 1275. + 600 * 275) * 1.3 / 1e6));
  CHECK_THROWS_AS(energy_mwh(d, s, 1, 2), InvariantError);
}

TEST_CASE("the price of a day is the latest not after it") {
  std::vector<DatedPrice> prices(3);
  prices[0].from = Date::of(2024, 10, 24);
  prices[0].value = 182.7;
  prices[1].from = Date::of(2027, 1, 1);
  prices[1].value = 190;
  prices[2].from = Date::never();
  prices[2].value = 999;
  CHECK(value_on(prices, Date::of(2024, 10, 23)) == 0);
  CHECK(value_on(prices, Date::of(2024, 10, 24)) == 182.7);
  CHECK(value_on(prices, Date::of(2026, 12, 31)) == 182.7);
  CHECK(value_on(prices, Date::of(2030, 1, 1)) == 190);
  CHECK(value_on(std::vector<DatedCo2>{}, Date::of(2030, 1, 1)) == 0);
}

TEST_CASE("the metric rows of supply have distinct names and a formula") {
  std::set<std::string_view> names;
  for (const measures::MetricRow& row : metric_rows()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.unit.empty());
    CHECK(row.formula.back() == '.');
  }
  CHECK(names.count("capacity.units") == 1);
  CHECK(names.count("energy.mwh") == 1);
}
