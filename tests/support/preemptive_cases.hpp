// SPDX-License-Identifier: Apache-2.0
// Replays on machines under orders that take GPUs back: random cases, and what must be equal in them.
#pragma once

#include <cstdint>
#include <string>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_preemptive_nodes.hpp"
#include "replay_seconds.hpp"

namespace natgpu::testing {

/// How cases come to options and jobs to owners, by dice.
struct PreemptiveDraws {
  ReplayOptions (*options)(Dice&);
  void (*attribute)(Dice&, workload::JobLog&);
  std::uint64_t purpose = 2'000'000;  ///< tells dice of the same seed apart
};

/// As random_case, under an order that takes GPUs back.
inline Case random_preemptive_case(std::uint64_t seed, bool mig, const PreemptiveDraws& draws) {
  Case c = mig ? random_case_with_mig(seed) : random_case(seed);
  Dice dice(seed + draws.purpose);
  if (dice.chance(50))  // machines of 1 to 4 GPUs and nothing else, where gangs are many
    for (workload::LogNode& n : c.view.machines.nodes) {
      n.gpus = static_cast<std::int32_t>(1 + dice.below(4));
      n.gpu_type = 0;
      n.cpu_milli = n.memory_mib = 1'000'000;
    }
  c.view.checkpoint_s = c.view.checkpoint_cost_s = c.view.restart_s = 0;
  c.view.fragmentation = false;
  const std::uint64_t chance = c.options.seed;
  c.options = draws.options(dice);
  c.options.seed = chance;
  draws.attribute(dice, c.log);
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
/// @param slowdowns  compare their means as well
/// @returns how often jobs lost what they had
inline std::uint64_t same_as_counted(const workload::JobLog& log, const ReplayOptions& options,
                                     const NodeView& view, bool slowdowns = true) {
  const NodeReplayResult r = replay_on_nodes(log, options, view);
  const ReplayResult counted = simulation::replay(log, options);
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
  if (slowdowns) CHECK(r.replay.mean_bounded_slowdown == counted.mean_bounded_slowdown);
  CHECK(r.replay.utilization == Approx(counted.utilization));
  CHECK(r.replay.wasted == Approx(counted.wasted));
  return r.replay.preemptions;
}
/// The same of random logs of jobs of up to so many GPUs.
inline void same_as_counted(std::uint64_t seeds, std::int64_t largest, const char* machines,
                            const PreemptiveDraws& draws, std::int64_t slowdown_milli = 0) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Dice dice(seed);
    workload::JobLog log = plain_log(dice, largest);
    draws.attribute(dice, log);
    const ReplayOptions options = draws.options(dice);
    NodeView view = view_of(machines, static_cast<Placement>(dice.below(7)));
    view.slowdown_milli = slowdown_milli;
    INFO("seed " << seed);
    same_as_counted(log, options, view);
  }
}

/// What many cases met, so that none goes by untested.
struct PreemptiveSum {
  std::uint64_t preemptions = 0, restarted = 0, spread = 0, displaced = 0;
};
/// Random cases against plain loops. @param check  what else must hold of each
inline PreemptiveSum same_as_plain_loops(std::uint64_t seeds, bool mig, const PreemptiveDraws& draws,
                                         void (*check)(const NodeReplayResult&)) {
  PreemptiveSum sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Case c = random_preemptive_case(seed, mig, draws);
    const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
    PlainPreemptiveNodes plain(c.log, c.options, c.view);
    plain.run();
    INFO("seed " << seed << ", " << r.replay.semantics << ", outages " << c.view.outages.size());
    REQUIRE(difference(c, r, plain) == "");
    check(r);
    sum.preemptions += r.replay.preemptions;
    sum.restarted += r.nodes.restarted;
    sum.spread += r.nodes.spread;
    sum.displaced += static_cast<std::uint64_t>(plain.displaced_gangs);
  }
  return sum;
}

}  // namespace natgpu::testing
