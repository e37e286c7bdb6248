// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/metrics.hpp>
#include <natgpu/supply/readings.hpp>

namespace natgpu::supply {

namespace {
std::string_view unit_of_reading(const measures::Labels& labels) {
  for (const auto& [key, value] : labels)
    for (const Reading& r : readings())
      if (key == "reading" && value == r.id) return r.unit;
  return {};
}
}  // namespace

const std::vector<measures::MetricRow>& metric_rows() {
  static const std::vector<measures::MetricRow> rows = {
      {"capacity.units", "GPU", "period,at,site,gpu,state",
       "Devices in a state: as a stock on the day `at`, or over `period` as device-time in that state / "
       "length of the "
       "period. States: ordered, delivered = dark + powered, powered = installing + in_service, in_service = "
       "operator "
       "+ outside + public, public = up + down, up = allocated + idle, retired."},
      {"capacity.h100e", "H100e", "period,at,site,gpu,state",
       "capacity.units x dense BF16 peak of the device / 989.4 TFLOP/s."},
      {"capacity.eflops", "EFLOP/s", "period,at,state,reading",
       "capacity.units x dense peak of the device in the precision that `reading` names: fp64_tensor, bf16 "
       "or fp8."},
      {"reading.value", "as the reading", "at,state,reading",
       "Devices in a state x what one counts for under the reading: h100e, fp64_strict, units, bf16_15x, "
       "units_52000.",
       unit_of_reading},
      {"reading.target.share", "share", "at,state,reading", "reading.value / target of that reading."},
      {"energy.mwh", "MWh", "period,site",
       "Sum over public devices in service of (allocated hours x power + other hours in service, down ones "
       "included, x idle power) x PUE / 10^6."},
      {"energy.co2_t", "t", "period,site",
       "energy.mwh x CO2 factor of the site in force on the first day of each quarter, in g/kWh / 10^3."},
      {"energy.cost_krw", "KRW", "period,site",
       "energy.mwh x power price of the site in force on the first day of each quarter, in KRW/kWh x 10^3."},
      {"failures.count", "1", "period,cause", "Nodes that broke in the period."},
      {"repairs.wait.mean", "s", "period",
       "Mean time from failure to the start of the repair, over repairs that started in the period."},
  };
  return rows;
}

}  // namespace natgpu::supply
