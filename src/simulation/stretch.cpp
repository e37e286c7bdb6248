// SPDX-License-Identifier: Apache-2.0
#include "stretch.hpp"

#include <natgpu/core/ensure.hpp>

namespace natgpu::simulation {
namespace {

/// Appends the quarters of [from, to), told from the scenario's first instant.
void append(std::vector<Period>& quarters, const Calendar& calendar, const Date& from, const Date& to) {
  const Duration shift = calendar.at(from).time_since_epoch();
  for (Period& p : quarters_between(from, to)) {
    p.from += shift;
    p.to += shift;
    quarters.push_back(std::move(p));
  }
}

}  // namespace

Stretch make_stretch(const scenario::Scenario& scenario, const Date& measured_from) {
  const scenario::Horizon& horizon = scenario.horizon;
  NATGPU_ENSURE(!(measured_from < horizon.start) && measured_from < horizon.end,
                "measuring begins in the horizon");
  const Calendar calendar(horizon.start);
  Stretch s;
  append(s.quarters, calendar, horizon.start, measured_from);
  s.first = s.quarters.size();
  append(s.quarters, calendar, measured_from, horizon.end);
  s.last = s.quarters.size() - 1;
  append(s.quarters, calendar, horizon.end, end_of_run(scenario));
  s.from = s.quarters[s.first].from.time_since_epoch().count();
  s.until = s.quarters[s.last].to.time_since_epoch().count();
  return s;
}

}  // namespace natgpu::simulation
