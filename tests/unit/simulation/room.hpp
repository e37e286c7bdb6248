// SPDX-License-Identifier: Apache-2.0
// Scenarios of one room of equal machines, whose jobs come from a log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "draws.hpp"
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

inline Spans spans_of(const SeenJobs& seen) {
  Spans spans;
  for (const SeenJob& j : seen.jobs) {
    REQUIRE_FALSE(j.ran.empty());
    spans.emplace_back(j.ran.front().from / ticks_per_second, j.ran.back().until / ticks_per_second);
  }
  return spans;
}
inline Spans spans_of(const WatchedRun& run) {
  Spans spans = spans_of(run.seen);
  CHECK(run.within_capacity);
  return spans;
}
inline Spans spans_of(const simulation::ReplayResult& r) {
  Spans spans;
  for (std::size_t i = 0; i < r.start_s.size(); ++i) spans.emplace_back(r.start_s[i], r.end_s[i]);
  return spans;
}

/// The same of a replay on machines.
inline Spans replayed_on(const simulation::NodeView& view, const workload::JobLog& log,
                         scheduling::Backfill backfill, simulation::ReplayOptions options = {}) {
  options.backfill = backfill;
  options.seed = 1;
  return spans_of(simulation::replay_on_nodes(log, options, view).replay);
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

/// Jobs at random, some of which run for long, and most of which ask for more time than they need.
struct LogShape {
  std::int64_t gpus = 1;                 ///< that there are
  std::int64_t largest = 1;              ///< GPUs of a job
  std::int64_t one_long_in = 1;          ///< jobs
  std::int64_t long_s = 1, short_s = 1;  ///< at most, and a minute
};
inline workload::JobLog random_log(std::uint64_t seed, const LogShape& shape) {
  Draws draw(seed);
  workload::JobLog log;
  log.max_procs = shape.gpus;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 250; ++i) {
    const std::int64_t run = 60 + draw.below(draw.one_in(shape.one_long_in) ? shape.long_s : shape.short_s);
    log.jobs.push_back({i + 1, at, run, draw.one_in(5) ? run : run + draw.below(3 * run),
                        static_cast<std::int32_t>(1 + draw.below(shape.largest))});
    at += draw.below(2'000);
  }
  return log;
}

inline double hours_from(const SeenJob& j, std::size_t segment = 0) {
  return static_cast<double>(j.ran.at(segment).from) / static_cast<double>(at_hour(1));
}

}  // namespace natgpu::testing
