// SPDX-License-Identifier: Apache-2.0
// Small buildouts for tests.
#pragma once

#include <string>
#include <vector>

#include <natgpu/supply/fleet.hpp>

namespace natgpu::supply::test {

/// Instant 0 of these tests.
inline const Date start = Date::of(2025, 1, 1);
inline const Calendar calendar{start};

inline Device device(std::string name, double power_w, std::int64_t per_node = 8) {
  Device d;
  d.name = std::move(name);
  d.power_w = power_w;
  d.per_node = per_node;
  return d;
}

inline Site site(std::string name, double pue = 1.0) {
  Site s;
  s.name = std::move(name);
  s.pue = pue;
  return s;
}

inline GridStep step(const Date& from, double power_w) {
  GridStep g;
  g.from = from;
  g.power_w = power_w;
  return g;
}

inline Tranche tranche(std::string name, std::string at, std::string of, std::int64_t units) {
  Tranche t;
  t.name = std::move(name);
  t.site = std::move(at);
  t.device = std::move(of);
  t.units = units;
  return t;
}

inline Tranche pinned(std::string name, std::string at, std::string of, std::int64_t units,
                      const Date& in_service) {
  Tranche t = tranche(std::move(name), std::move(at), std::move(of), units);
  t.in_service = in_service;
  return t;
}

inline Maintenance windows(std::string name, std::string at, Duration every, Duration length) {
  Maintenance m;
  m.name = std::move(name);
  m.site = std::move(at);
  m.every = every;
  m.length = length;
  return m;
}

/// The timeline of one replication.
inline std::vector<SupplyEvent> timeline(const std::vector<Device>& hardware, const Supply& supply,
                                         std::uint64_t seed = 1, std::uint32_t replication = 0) {
  Streams streams(seed, replication);
  return draw_timeline(hardware, supply, calendar, streams);
}

/// When a stage of a tranche comes; `never` if it does not. History counts from the day on which it happened.
inline Instant when(const std::vector<SupplyEvent>& events, SupplyEventKind kind, std::uint32_t subject = 0) {
  for (const SupplyEvent& e : events)
    if (e.kind == kind && e.subject == subject) return e.since < e.at ? e.since : e.at;
  return never;
}

/// The fleet after all events up to and including an instant.
inline Fleet fleet_at(const std::vector<Device>& hardware, const Supply& supply,
                      const std::vector<SupplyEvent>& events, Instant until) {
  Fleet fleet(hardware, supply);
  for (const SupplyEvent& e : events)
    if (e.at <= until) fleet.apply(e);
  return fleet;
}

inline Instant day(int year, unsigned month, unsigned day_of_month) {
  return calendar.at(Date::of(year, month, day_of_month));
}

}  // namespace natgpu::supply::test
