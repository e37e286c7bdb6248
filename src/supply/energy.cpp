// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/energy.hpp>

#include <natgpu/core/ensure.hpp>

namespace natgpu::supply {
namespace {

template <class Entry>
double latest_value(const std::vector<Entry>& values, const Date& day) {
  const Entry* latest = nullptr;
  for (const Entry& entry : values) {
    const bool in_force = !(day < entry.from);
    if (in_force && (latest == nullptr || !(entry.from < latest->from))) latest = &entry;
  }
  return latest == nullptr ? 0.0 : latest->value;
}

}  // namespace

double energy_mwh(const Device& device, const Site& site, double powered_device_hours,
                  double busy_device_hours) {
  NATGPU_ENSURE(0 <= busy_device_hours && busy_device_hours <= powered_device_hours,
                "what is busy is powered, and nothing is busy for less than no time");
  constexpr double wh_per_mwh = 1e6;
  const double it_wh =
      busy_device_hours * device.power_w + (powered_device_hours - busy_device_hours) * device.idle_power_w;
  return it_wh * site.pue / wh_per_mwh;
}

double value_on(const std::vector<DatedPrice>& values, const Date& day) {
  return latest_value(values, day);
}
double value_on(const std::vector<DatedCo2>& values, const Date& day) {
  return latest_value(values, day);
}

}  // namespace natgpu::supply
