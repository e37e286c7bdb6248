// SPDX-License-Identifier: Apache-2.0
// Replays on machines under orders that take GPUs back: random cases, and what must be equal in them.
#pragma once

#include <cstdint>
#include <string>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_preemptive_nodes.hpp"

namespace natgpu::testing {

/// As random_case, under an order that takes GPUs back.
/// @param options  drawn with dice
inline Case random_preemptive_case(std::uint64_t seed, bool mig,
                                   simulation::ReplayOptions (*options)(Dice&)) {
  Case c = mig ? random_case_with_mig(seed) : random_case(seed);
  Dice dice(seed + 2'000'000);
  if (dice.chance(50))  // machines of 1 to 4 GPUs and nothing else, where gangs are many
    for (workload::LogNode& n : c.view.machines.nodes) {
      n.gpus = static_cast<std::int32_t>(1 + dice.below(4));
      n.gpu_type = 0;
      n.cpu_milli = n.memory_mib = 1'000'000;
    }
  c.view.checkpoint_s = c.view.checkpoint_cost_s = c.view.restart_s = 0;
  c.view.fragmentation = false;
  const std::uint64_t draws = c.options.seed;
  c.options = options(dice);
  c.options.seed = draws;
  return c;
}

/// What differs between natgpu and the plain loops, or nothing.
inline std::string difference(const Case& c, const simulation::NodeReplayResult& r,
                              const PlainPreemptiveNodes& plain) {
  for (std::size_t i = 0; i < c.log.jobs.size(); ++i) {
    const simulation::SegmentedJob& job = r.replay.segmented[i];
    const PlainPreemptiveNodes::Fate& fate = plain.fates[i];
    const auto say = [i](const char* what, std::int64_t here, std::int64_t there) {
      return "job " + std::to_string(i) + ": " + what + " " + std::to_string(here) + ", plainly " +
             std::to_string(there);
    };
    if (job.start != fate.first) return say("starts at", job.start, fate.first);
    if (job.end != fate.end) return say("ends at", job.end, fate.end);
    if (job.preemptions != static_cast<std::uint32_t>(fate.preemptions))
      return say("preemptions", job.preemptions, fate.preemptions);
    if (job.lost != fate.lost) return say("loses", job.lost, fate.lost);
    if (machines_of(r, i) != plain.jobs[i].machines) return "job " + std::to_string(i) + ": other machines";
  }
  return {};
}
/// A log of jobs that ask for whole GPUs alone.
inline workload::JobLog plain_log(Dice& dice, std::int64_t largest) {
  workload::JobLog log;
  std::int64_t submit_s = 0;
  for (int i = 0; i < 40; ++i) {
    submit_s += dice.below(4);
    log.jobs.push_back(job(submit_s, static_cast<std::int32_t>(1 + dice.below(largest)), 1 + dice.below(20),
                           1 + dice.below(22)));
  }
  log.max_procs = 12;
  return log;
}
inline void same_as_counted(const workload::JobLog& log, const simulation::ReplayOptions& options,
                            const simulation::NodeView& view) {
  const simulation::NodeReplayResult r = simulation::replay_on_nodes(log, options, view);
  const simulation::ReplayResult counted = simulation::replay(log, options);
  INFO(r.replay.semantics);
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    INFO("job " << i);
    REQUIRE(r.replay.segmented[i].start == counted.segmented[i].start);
    REQUIRE(r.replay.segmented[i].end == counted.segmented[i].end);
    REQUIRE(r.replay.segmented[i].preemptions == counted.segmented[i].preemptions);
    REQUIRE(r.replay.segmented[i].lost == counted.segmented[i].lost);
    REQUIRE(r.replay.segmented[i].queued == counted.segmented[i].queued);
  }
  CHECK(r.replay.preemptions == counted.preemptions);
  CHECK(r.replay.mean_queued_s == counted.mean_queued_s);
  CHECK(r.replay.mean_bounded_slowdown == counted.mean_bounded_slowdown);
  CHECK(r.replay.utilization == Approx(counted.utilization));
  CHECK(r.replay.wasted == Approx(counted.wasted));
}

}  // namespace natgpu::testing
