// SPDX-License-Identifier: Apache-2.0
// Scenarios of one room of equal machines, whose jobs come from a log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

namespace natgpu::testing {

/// What a room may state beside its machines: lines of YAML.
struct RoomExtras {
  std::string device = {};       ///< keys of the device, each behind a comma
  std::string maintenance = {};  ///< key of `supply`
  std::string demand = {};       ///< keys of `demand`
};

inline scenario::Scenario room_of(int machines, int gpus, const std::string& scheduling,
                                  const RoomExtras& more = {}) {
  return scenario_of(
      fmt::format("schema: natgpu/1\nname: room\nhorizon: {{start: 2026-01-01, end: 2026-04-01}}\n"
                  "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: {}{}}}]\n"
                  "supply:\n  sites: [{{name: room}}]\n"
                  "  tranches: [{{name: all, site: room, device: gpu, units: {} GPU, in_service: 2026-01-01, "
                  "service_life: endless}}]\n{}"
                  "demand:\n  sectors: [{{name: users, organisations: 0}}]\n  trace: {{sector: users}}\n{}"
                  "scheduling: {}\n",
                  gpus, more.device, machines * gpus, more.maintenance, more.demand, scheduling));
}

/// First start and last end of each job, in seconds.
using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;

inline Spans spans_of(const WatchedRun& run) {
  Spans spans;
  for (const SeenJob& j : run.seen.jobs) {
    REQUIRE_FALSE(j.ran.empty());
    spans.emplace_back(j.ran.front().from / ticks_per_second, j.ran.back().until / ticks_per_second);
  }
  CHECK(run.within_capacity);
  return spans;
}

/// The same of a replay on machines.
inline Spans replayed_on(const simulation::NodeView& view, const workload::JobLog& log,
                         scheduling::Backfill backfill, simulation::ReplayOptions options = {}) {
  options.backfill = backfill;
  options.seed = 1;
  const simulation::ReplayResult r = simulation::replay_on_nodes(log, options, view).replay;
  Spans spans;
  for (std::size_t i = 0; i < log.jobs.size(); ++i) spans.emplace_back(r.start_s[i], r.end_s[i]);
  return spans;
}

inline std::int64_t at_hour(double hours) {
  return static_cast<std::int64_t>(hours * 3600) * ticks_per_second;
}

inline workload::LogJob job(double submit_h, std::int32_t gpus, double hours) {
  workload::LogJob j;
  j.submit_s = static_cast<std::int64_t>(submit_h * 3600);
  j.gpus = gpus;
  j.run_s = j.requested_s = static_cast<std::int64_t>(hours * 3600);
  return j;
}

inline double hours_from(const SeenJob& j, std::size_t segment = 0) {
  return static_cast<double>(j.ran.at(segment).from) / static_cast<double>(at_hour(1));
}

}  // namespace natgpu::testing
