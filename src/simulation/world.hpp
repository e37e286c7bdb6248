// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/supply/fleet.hpp>

#include "stretch.hpp"

namespace natgpu::simulation {

/// Kinds of events by phase, in the order in which they run at one instant.
namespace kind {
enum release : std::uint8_t { completion, contract_end, service_curve, strike, notice_over, reclaim };
enum capacity : std::uint8_t {
  announcement_lapses,
  repair,
  supply_event,
  announcement,
  maintenance_end,
  maintenance_begin
};
enum arrive : std::uint8_t {
  adoption,
  onboarding,
  lapse,
  service_opening,
  request,
  log_row,
  project_opening,
  project_job
};
enum decide : std::uint8_t { patience, reserved_start };
enum observe : std::uint8_t { sample };
}  // namespace kind

/// What an event is about, beside its entity.
struct Payload {
  std::uint32_t subject = 0;
  std::uint32_t detail = 0;
};
using Events = engine::EventList<Payload>;

/// What all processes share: the scenario, the calendar, the clock and the event list.
struct World {
  const scenario::Scenario& scenario;
  Calendar calendar;
  Stretch stretch;
  std::vector<Period>& quarters = stretch.quarters;
  Instant end;  ///< of the run
  Events events;
  std::int64_t now = 0;       ///< ticks
  std::uint16_t quarter = 0;  ///< index of the quarter that holds `now`

  World(const World&) = delete;
  explicit World(const scenario::Scenario& s) : World(s, s.horizon.start) {}
  /// @param measured_from  a day of the horizon: what lies before is simulated and not measured
  World(const scenario::Scenario& s, const Date& measured_from)
      : scenario(s),
        calendar(s.horizon.start),
        stretch(make_stretch(s, measured_from)),
        end(calendar.at(scenario::end_of_run(s))) {}

  void schedule(Instant at, engine::Phase phase, std::uint8_t what, std::uint64_t entity, Payload payload) {
    events.schedule(at, engine::rank_of(phase, what, entity), payload);
  }
  std::uint16_t quarter_of(std::int64_t ticks) const {
    std::uint16_t q = quarter;
    while (q > 0 && quarters[q].from.time_since_epoch().count() > ticks) --q;
    return q;
  }
};

inline Instant instant(std::int64_t ticks) {
  return Instant{Duration{ticks}};
}
inline std::int64_t ticks(Instant i) {
  return i.time_since_epoch().count();
}

/// Adds that saturate, for instants that may be `never`.
inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? ticks(never) : sum;
}

}  // namespace natgpu::simulation
