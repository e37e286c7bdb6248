// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/measures/metric.hpp>

namespace natgpu::simulation {

/// A measure sampled at the end of a day (phase observe), for timeseries.csv.
struct SeriesPoint {
  Date at;
  std::string metric;
  measures::Labels labels;
  double value = 0;
};

/// The plain data that one replication leaves behind.
struct RunRecord {
  std::uint64_t seed = 0;
  std::uint32_t replication = 0;
  std::uint64_t fingerprint = 0;   ///< over every executed event
  std::uint64_t demand_hash = 0;   ///< over every candidate request: equal across policies
  std::uint64_t failure_hash = 0;  ///< over every strike: equal across policies
  std::uint64_t events = 0;
  std::uint64_t jobs = 0;                           ///< submitted
  std::vector<measures::Measurement> measurements;  ///< in a fixed order for a scenario
  std::vector<SeriesPoint> series;
  std::vector<std::string> warnings;
};

}  // namespace natgpu::simulation
