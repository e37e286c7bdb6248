// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <natgpu/core/calendar.hpp>
#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {

/// Energy drawn at the meter by devices that were powered for `powered` and busy for `busy` device-hours.
/// MWh = (busy x power + (powered - busy) x idle power) x PUE. @pre 0 <= busy <= powered
double energy_mwh(const Device& device, const Site& site, double powered_device_hours,
                  double busy_device_hours);

/// The value in force on a day: the entry with the latest `from` not after it; 0 before the first.
double value_on(const std::vector<DatedPrice>& values, const Date& day);
double value_on(const std::vector<DatedCo2>& values, const Date& day);

}  // namespace natgpu::supply
