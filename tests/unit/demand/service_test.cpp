// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <natgpu/demand/requests.hpp>

#include "catch.hpp"
#include "example.hpp"

namespace {

using natgpu::Calendar;
using natgpu::Date;
using natgpu::days;
using natgpu::hours;
using natgpu::in_seconds;
using natgpu::Instant;
using natgpu::demand::ArrivalCalendar;
using natgpu::demand::ArrivalProfile;
using natgpu::demand::ServiceClass;
using natgpu::demand::ServiceCurve;

/// Monday on; nothing at night, half from 06:00, full from 09:00 to 18:00; weekends none.
ArrivalProfile office_hours() {
  ArrivalCalendar spec;
  spec.hours.assign(24, 0.0);
  for (std::size_t h = 6; h < 18; ++h) spec.hours[h] = h < 9 ? 1.0 : 2.0;
  spec.weekend = 0;
  return {spec, Calendar(Date::of(2026, 6, 1)), Instant{days(21)}};
}

ServiceClass chat(std::int64_t floor, std::int64_t peak) {
  ServiceClass c;
  c.floor = floor;
  c.peak = peak;
  return c;
}

Instant at_hour(int h) {
  return Instant{hours(h)};
}

}  // namespace

TEST_CASE("replicas go from the floor to the peak with the curve") {
  const ArrivalProfile profile = office_hours();
  const ServiceCurve curve(chat(2, 9), profile);
  CHECK(curve.replicas(at_hour(0)) == 2);
  CHECK(curve.replicas(at_hour(6)) == 6);  // 2 + round(3.5)
  CHECK(curve.replicas(at_hour(9) - natgpu::one_tick) == 6);
  CHECK(curve.replicas(at_hour(9)) == 9);
  CHECK(curve.replicas(at_hour(18)) == 2);
  CHECK(curve.replicas(at_hour(5 * 24 + 12)) == 2);
}

TEST_CASE("the next change and the next fall below a level are found, up to the limit") {
  const ArrivalProfile profile = office_hours();
  const ServiceCurve curve(chat(2, 9), profile);
  const Instant limit{days(21)};
  CHECK(curve.next_change(at_hour(0), limit) == at_hour(6));
  CHECK(curve.next_change(at_hour(6), limit) == at_hour(9));
  CHECK(curve.next_change(at_hour(9) + natgpu::seconds(1), limit) == at_hour(18));
  CHECK(curve.next_change(at_hour(4 * 24 + 18), limit) == at_hour(7 * 24 + 6));  // over the weekend
  CHECK(curve.next_change(at_hour(0), at_hour(5)) == at_hour(5));
  CHECK(curve.next_below(at_hour(7), 6, limit) == at_hour(18));
  CHECK(curve.next_below(at_hour(10), 6, limit) == at_hour(18));
  CHECK(curve.next_below(at_hour(10), 2, limit) == limit);
  const ServiceCurve flat(chat(4, 4), profile);
  CHECK(flat.replicas(at_hour(10)) == 4);
  CHECK(flat.next_change(at_hour(0), limit) == limit);
}

TEST_CASE("service contracts have their law's length and their sector's rate") {
  natgpu::demand::Demand d = natgpu::demand::testing::demand();
  d.service[0].patience = natgpu::Law::constant(3600);
  natgpu::Streams streams(8, 0);
  const auto population = natgpu::demand::draw_population(d, streams);
  const natgpu::demand::ServiceStreams services(d, population, streams);
  CHECK(services.rate(4) == Approx(population.organisations[4].activity / (30 * 86400.0)));
  constexpr std::uint32_t n = 20'000;
  double gaps = 0, lengths = 0;
  for (std::uint32_t k = 0; k < n; ++k) {
    gaps += services.gap(4, k);
    const auto contract = services.contract(4, k);
    REQUIRE(contract.duration >= days(30));
    REQUIRE(contract.duration <= days(90));
    REQUIRE(contract.patience == hours(1));
    lengths += in_seconds(contract.duration) / 86400;
  }
  CHECK(std::fabs(gaps / n * services.rate(4) - 1) < 4.5 / std::sqrt(n));
  CHECK(std::fabs(lengths / n - 60) < 4.5 * 60 / std::sqrt(12.0 * n));
}

TEST_CASE("organisations of equal ordinal in two sectors draw services and requests of their own") {
  natgpu::demand::Demand d = natgpu::demand::testing::demand();
  for (auto& s : d.sectors) s.activity = natgpu::Law::constant(1);
  natgpu::Streams streams(8, 0);
  const auto population = natgpu::demand::draw_population(d, streams);
  const natgpu::demand::ServiceStreams services(d, population, streams);
  const natgpu::demand::RequestStreams requests(d, population, streams);
  const std::uint32_t other = population.first_of_sector[1];
  CHECK(services.rate(0) == services.rate(other));
  CHECK(services.gap(0, 0) != services.gap(other, 0));
  CHECK(services.contract(0, 0).duration != services.contract(other, 0).duration);
  CHECK(requests.gap(0, 0) != requests.gap(other, 0));
  CHECK(requests.request(0, 0).run_time != requests.request(other, 0).run_time);
  CHECK(population.organisations[0].threshold != population.organisations[other].threshold);
}
