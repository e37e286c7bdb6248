// SPDX-License-Identifier: Apache-2.0
#include "startup.hpp"

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/measures/warmup.hpp>

namespace natgpu::experiment {
namespace {

/// GPUs that jobs hold or wait for, at each midnight: whole numbers, whose sums are exact in any order.
void add_wanted(const simulation::RunRecord& record, std::vector<double>& sums) {
  std::size_t day = 0;
  for (const simulation::SeriesPoint& p : record.series) {
    const bool held = p.metric == "capacity.units" && p.labels == measures::Labels{{"state", "allocated"}};
    if (!held && p.metric != "gpu.queued") continue;
    if (held && ++day > sums.size()) sums.push_back(0);
    sums[day - 1] += p.value;
  }
}

}  // namespace

std::uint32_t days_of_startup(const scenario::Scenario& scenario,
                              const std::vector<simulation::RunRecord>& records) {
  std::vector<double> sums;
  for (const simulation::RunRecord& record : records) add_wanted(record, sums);
  const auto cut = measures::mser5(sums);
  if (!cut)
    throw RunError(
        fmt::format("{} reaches no steady state: MSER-5 would leave out more than half of its {} days; give "
                    "a later horizon.end, or "
                    "leave report.warmup out where it does not settle",
                    scenario.name, sums.size()));
  return static_cast<std::uint32_t>(*cut);
}

}  // namespace natgpu::experiment
