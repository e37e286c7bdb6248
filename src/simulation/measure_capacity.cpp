// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <functional>
#include <string>

#include <natgpu/supply/readings.hpp>

#include "measurer.hpp"

namespace natgpu::simulation {
namespace {

/// Cumulative states as people speak of them, from units per exclusive state.
struct StateRow {
  const char* name;
  std::function<double(const std::array<double, supply_states>&)> of;
};
const std::vector<StateRow>& state_rows() {
  using A = std::array<double, supply_states>;
  static constexpr auto at = [](const A& a, SupplyState s) { return a[static_cast<std::size_t>(s)]; };
  static constexpr auto in_service = [](const A& a) {
    return at(a, SupplyState::operator_own) + at(a, SupplyState::outside) +
           at(a, SupplyState::public_in_service);
  };
  static constexpr auto powered = [](const A& a) { return at(a, SupplyState::installing) + in_service(a); };
  static constexpr auto delivered = [](const A& a) { return at(a, SupplyState::dark) + powered(a); };
  static const std::vector<StateRow> rows = {
      {"ordered", [](const A& a) { return at(a, SupplyState::ordered) + delivered(a); }},
      {"delivered", [](const A& a) { return delivered(a); }},
      {"dark", [](const A& a) { return at(a, SupplyState::dark); }},
      {"powered", [](const A& a) { return powered(a); }},
      {"installing", [](const A& a) { return at(a, SupplyState::installing); }},
      {"in_service", [](const A& a) { return in_service(a); }},
      {"operator", [](const A& a) { return at(a, SupplyState::operator_own); }},
      {"outside", [](const A& a) { return at(a, SupplyState::outside); }},
      {"public", [](const A& a) { return at(a, SupplyState::public_in_service); }},
      {"retired", [](const A& a) { return at(a, SupplyState::retired); }},
  };
  return rows;
}

}  // namespace

/// Puts one state's units, and what they come to. `units` is by device of the catalogue.
void CapacityMeasurer::put_devices(const Labels& labels, const Units& units) {
  double count = 0, h100e = 0;
  for (std::size_t d = 0; d < units.size(); ++d) {
    count += units[d];
    h100e += units[d] * scenario_.hardware[d].h100e();
  }
  put("capacity.units", labels, count);
  put("capacity.h100e", labels, h100e);
}
/// In all three measures.
void CapacityMeasurer::put_capacity(const Labels& labels, const Units& units) {
  put_devices(labels, units);
  for (const char* precision : {"fp64_tensor", "bf16", "fp8"}) {
    double peak = 0;
    for (std::size_t d = 0; d < units.size(); ++d)
      peak += supply::eflops(scenario_.hardware[d], precision, units[d]);
    Labels with_reading = labels;
    with_reading.emplace_back("reading", precision);
    put("capacity.eflops", with_reading, peak);
  }
}
/// Units by device of the pools that are wanted. Whole numbers, or thousandths where GPUs are shared.
template <class Wanted>
CapacityMeasurer::Units CapacityMeasurer::by_device(const Units& of_pool, const Wanted& wanted) const {
  Units units(scenario_.hardware.size());
  for (std::size_t p = 0; p < of_pool.size(); ++p)
    if (wanted(b_.fleet.pools()[p])) units[b_.fleet.pools()[p].device] += of_pool[p];
  return units;
}
/// Puts a state at the end of a day, of the nation, by site and by device. @returns the nation's units
CapacityMeasurer::Units CapacityMeasurer::put_stock(const std::string& day, const char* state,
                                                    const Units& of_pool) {
  const auto national = by_device(of_pool, [](const auto&) { return true; });
  put_capacity({{"at", day}, {"state", state}}, national);
  for (std::size_t i = 0; i < scenario_.supply.sites.size(); ++i)
    put_devices({{"at", day}, {"site", scenario_.supply.sites[i].name}, {"state", state}},
                by_device(of_pool, [i](const auto& pool) { return pool.site == i; }));
  for (std::size_t d = 0; d < scenario_.hardware.size(); ++d)
    put_devices({{"at", day}, {"gpu", scenario_.hardware[d].name}, {"state", state}},
                by_device(of_pool, [d](const auto& pool) { return pool.device == d; }));
  return national;
}
std::uint32_t CapacityMeasurer::device_of_tranche(std::uint32_t t) const {
  return b_.fleet.pools()[b_.fleet.pool_of(t)].device;
}
bool CapacityMeasurer::counts_for_nation(std::uint32_t t) const {
  return scenario_.supply.tranches[t].scope != "private";
}

/// Time averages over the period, of what the government's programmes hold.
void CapacityMeasurer::over(const Span& s) {
  if (s.hours <= 0) return;
  for (const StateRow& row : state_rows()) {
    Units units(scenario_.hardware.size());
    for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t) {
      if (!counts_for_nation(t)) continue;
      std::array<double, supply_states> mean{};
      for (std::size_t q = s.first; q <= s.last; ++q)
        for (std::size_t i = 0; i < supply_states; ++i)
          mean[i] += in_gpu_hours(b_.supply.area(q, t)[i]) / s.hours;
      units[device_of_tranche(t)] += row.of(mean);
    }
    put_capacity({{"period", s.label}, {"state", row.name}}, units);
  }
  Units up(scenario_.hardware.size()), allocated(up), useful(up);
  for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
    const PoolAreas a = areas(s, p);
    const std::size_t d = b_.fleet.pools()[p].device;
    up[d] += gpu_hours(a.in_service - a.down) / s.hours;
    allocated[d] += gpu_hours(a.allocated) / s.hours;
    for (std::size_t q = s.first; q <= s.last; ++q)
      for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector)
        useful[d] += gpu_hours(b_.dispatch.gpu_time.at(q, p, sector, Use::useful)) / s.hours;
  }
  put_capacity({{"period", s.label}, {"state", "up"}}, up);
  put_capacity({{"period", s.label}, {"state", "allocated"}}, allocated);
  put_capacity({{"period", s.label}, {"state", "useful"}}, useful);
  unconfirmed(s);
}
void CapacityMeasurer::unconfirmed(const Span& s) {
  Area all = 0, planned = 0;
  for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t)
    for (std::size_t q = s.first; q <= s.last; ++q) {
      const Area a = b_.supply.area(q, t)[static_cast<std::size_t>(SupplyState::public_in_service)];
      all += a;
      if (!scenario_.supply.tranches[t].confirmed) planned += a;
    }
  if (all > 0) put("supply.unconfirmed.share", {{"period", s.label}}, ratio(planned, all));
}

/// Stocks at the end of each year, and the readings of the target.
void CapacityMeasurer::stocks() {
  const auto& quarters = b_.world.quarters;
  const Stretch& measured = b_.world.stretch;
  for (std::size_t q = measured.first; q <= measured.last; ++q) {
    const bool last_of_year = q == measured.last || quarters[q + 1].year != quarters[q].year;
    if (!last_of_year) continue;
    const std::string day = to_string(b_.world.calendar.date_of(quarters[q].to - one_tick));
    stocks_of_supply(q, day);
    stocks_of_use(q, day);
    stocks_of_adoption(q, day);
  }
}
void CapacityMeasurer::stocks_of_supply(std::size_t quarter, const std::string& day) {
  for (const StateRow& row : state_rows()) {
    Units units(b_.fleet.pools().size());
    for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t) {
      if (!counts_for_nation(t)) continue;
      std::array<double, supply_states> now{};
      for (std::size_t i = 0; i < supply_states; ++i)
        now[i] = static_cast<double>(b_.supply.stock(quarter, t)[i]);
      units[b_.fleet.pool_of(t)] += row.of(now);
    }
    put_readings(day, row.name, put_stock(day, row.name, units));
  }
}
void CapacityMeasurer::stocks_of_use(std::size_t quarter, const std::string& day) {
  Units up(b_.dispatch.pools), allocated(up);
  for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
    const PoolStock& stock = b_.dispatch.stock(quarter, p);
    const auto per_gpu = static_cast<double>(b_.dispatch.parts_per_gpu);
    up[p] = static_cast<double>(stock.in_service - stock.down) / per_gpu;
    allocated[p] = static_cast<double>(stock.allocated) / per_gpu;
  }
  put_stock(day, "up", up);
  put_readings(day, "allocated", put_stock(day, "allocated", allocated));
}
void CapacityMeasurer::stocks_of_adoption(std::size_t quarter, const std::string& day) {
  for (std::size_t s = 0; s < scenario_.demand.sectors.size(); ++s) {
    const AdoptionStock& a = b_.demand.stock(quarter, s);
    put("adoption.any_ai.share", {{"at", day}, {"sector", scenario_.demand.sectors[s].name}}, a.any_ai);
    put("adoption.gpu_user.share", {{"at", day}, {"sector", scenario_.demand.sectors[s].name}}, a.gpu_user);
  }
}
void CapacityMeasurer::put_readings(const std::string& day, const char* state, const Units& units) {
  for (const supply::Reading& reading : supply::readings()) {
    double value = 0;
    for (std::size_t d = 0; d < units.size(); ++d)
      value += supply::reading_value(reading, scenario_.hardware[d], units[d]);
    const Labels labels = {{"at", day}, {"state", state}, {"reading", std::string(reading.id)}};
    put("reading.value", labels, value);
    put("reading.target.share", labels, value / reading.target);
  }
}

}  // namespace natgpu::simulation
