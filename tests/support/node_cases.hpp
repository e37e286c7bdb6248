// SPDX-License-Identifier: Apache-2.0
// Small clusters, logs and rules for replays on machines, by hand and at random.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/simulation/node_replay.hpp>

namespace natgpu::testing {

// The words of replays on machines, for tests that use this namespace.
using scheduling::Backfill;
using scheduling::Order;
using scheduling::Placement;
using simulation::NodeReplayResult;
using simulation::NodeView;
using simulation::replay_on_nodes;
using simulation::ReplayOptions;

inline constexpr std::int64_t second = ticks_per_second;

inline workload::LogJob job(std::int64_t submit_s, std::int32_t gpus, std::int64_t requested_s,
                            std::int64_t run_s = -1) {
  workload::LogJob j;
  j.submit_s = submit_s;
  j.gpus = gpus;
  j.requested_s = requested_s;
  j.run_s = run_s < 0 ? requested_s : run_s;
  return j;
}
inline workload::JobLog log_of(std::vector<workload::LogJob> jobs) {
  workload::JobLog log;
  log.file = "log.csv";
  log.jobs = std::move(jobs);
  return log;
}
inline simulation::NodeView view_of(const char* machines,
                                    scheduling::Placement placement = scheduling::Placement::first) {
  simulation::NodeView view;
  view.machines = workload::equal_nodes(machines).value();
  view.placement = placement;
  return view;
}
inline simulation::ReplayOptions options_of(scheduling::Backfill backfill) {
  simulation::ReplayOptions options;
  options.backfill = backfill;
  return options;
}
inline std::vector<std::uint32_t> machines_of(const simulation::NodeReplayResult& r, std::size_t job) {
  const auto all = r.nodes.machines_of(job);
  return {all.begin(), all.end()};
}

/// Small numbers by their purpose.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : stream_(Streams(seed, 0).open("test", "nodes")) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(pick(static_cast<std::size_t>(n), stream_.unit(drawn_++, 0)));
  }
  bool chance(int percent) { return below(100) < percent; }

 private:
  Stream stream_;
  std::uint64_t drawn_ = 0;
};

/// A log of jobs that ask for whole GPUs alone.
/// @param largest  GPUs of a job
/// @param gpus     that there are
inline workload::JobLog plain_log(Dice& dice, std::int64_t largest, std::int64_t gpus = 12) {
  workload::JobLog log;
  std::int64_t submit_s = 0;
  for (int i = 0; i < 40; ++i) {
    submit_s += dice.below(4);
    log.jobs.push_back(job(submit_s, static_cast<std::int32_t>(1 + dice.below(largest)), 1 + dice.below(20),
                           1 + dice.below(22)));
  }
  log.max_procs = gpus;
  return log;
}

/// A small cluster, a log and rules, all random.
struct Case {
  workload::JobLog log;
  simulation::NodeView view;
  simulation::ReplayOptions options;
};

inline void random_machines(Dice& dice, simulation::NodeView& view) {
  workload::NodeList& list = view.machines;
  list.file = "nodes.csv";
  const std::int64_t types = 1 + dice.below(3);
  for (std::int64_t t = 0; t < types; ++t) list.gpu_types.add(std::string(1, static_cast<char>('A' + t)));
  const std::int64_t nodes = 1 + dice.below(7);
  const bool equal = dice.chance(40);
  for (std::int64_t i = 0; i < nodes; ++i) {
    workload::LogNode n;
    n.gpus = equal ? 4 : static_cast<std::int32_t>(dice.below(5));
    if (i == 0) n.gpus = 4;
    n.cpu_milli = equal ? 16'000 : static_cast<std::int32_t>(4'000 * (1 + dice.below(5)));
    n.memory_mib = equal ? 100 : static_cast<std::int32_t>(50 * (1 + dice.below(3)));
    n.gpu_type = n.gpus > 0 ? static_cast<std::int16_t>(equal ? 0 : dice.below(types)) : std::int16_t{-1};
    list.nodes.push_back(n);
  }
}
inline void random_jobs(Dice& dice, workload::JobLog& log) {
  log.file = "log.csv";
  log.gpu_types.add("A");
  log.gpu_types.add("B|C");
  log.gpu_types.add("D");
  const std::int64_t jobs = 5 + dice.below(30);
  const bool plain = dice.chance(30);
  std::int64_t submit_s = dice.below(5);
  for (std::int64_t i = 0; i < jobs; ++i) {
    submit_s += dice.below(4);
    workload::LogJob j = job(submit_s, static_cast<std::int32_t>(1 + dice.below(dice.chance(20) ? 12 : 4)),
                             1 + dice.below(20), 1 + dice.below(22));
    if (!plain) {
      if (dice.chance(30)) {
        j.gpus = 1;
        j.gpu_milli = static_cast<std::int16_t>(100 * (1 + dice.below(10)));
      }
      if (dice.chance(10)) j.gpus = 0;
      j.cpu_milli = static_cast<std::int32_t>(1'000 * dice.below(j.gpus > 1 ? 12 : 6));
      j.memory_mib = static_cast<std::int32_t>(10 * dice.below(6));
      if (dice.chance(20)) j.gpu_type = static_cast<std::int16_t>(dice.below(3));
      if (dice.chance(25)) {
        j.nodes = static_cast<std::int16_t>(1 + dice.below(5));
        if (j.gpu_milli < 1000) j.gpus = j.nodes;
      }
    }
    log.jobs.push_back(j);
  }
}
inline Case random_case(std::uint64_t seed) {
  Dice dice(seed);
  Case c;
  random_machines(dice, c.view);
  random_jobs(dice, c.log);
  c.view.placement = static_cast<scheduling::Placement>(dice.below(7));
  if (dice.chance(40)) c.view.slowdown_milli = 1'000 + 100 * dice.below(12);
  c.view.fragmentation = true;
  c.options.backfill = static_cast<scheduling::Backfill>(dice.below(4));
  if (dice.chance(30)) c.options.order = scheduling::Order::sjf;
  c.options.seed = seed;
  if (dice.chance(50)) {
    for (std::int64_t n = dice.below(6); n > 0; --n) {
      const std::int64_t from_s = dice.below(80);
      c.view.outages.push_back(
          {static_cast<std::uint32_t>(dice.below(static_cast<std::int64_t>(c.view.machines.nodes.size()))),
           from_s, from_s + 1 + dice.below(20)});
    }
    c.view.checkpoint_s = dice.below(5);
    c.view.restart_s = dice.below(3);
    if (c.view.checkpoint_s > 0) c.view.checkpoint_cost_s = dice.below(3);
  }
  return c;
}

/// The same with GPUs of some or all types cut by MIG, and more jobs that ask for a share.
inline Case random_case_with_mig(std::uint64_t seed) {
  Case c = random_case(seed);
  Dice dice(seed + 1'000'000);
  const std::int64_t rule = dice.below(2),
                     types = static_cast<std::int64_t>(c.view.machines.gpu_types.size());
  for (std::int64_t t = 0; t < types; ++t)
    c.view.mig.layouts.push_back(
        static_cast<std::int8_t>(t > 0 && dice.chance(30) ? -1 : 2 * dice.below(3) + rule));
  for (workload::LogJob& j : c.log.jobs) {
    if (j.nodes > 0 || !dice.chance(60)) continue;
    j.gpus = 1;
    j.gpu_milli = static_cast<std::int16_t>(1 + dice.below(dice.chance(50) ? 300 : 1000));
    if (dice.chance(20)) {
      j.nodes = static_cast<std::int16_t>(1 + dice.below(4));
      j.gpus = j.nodes;
    }
  }
  return c;
}

/// The same with more outages, of which most are announced, some long before, some at the last second.
inline Case random_case_announced(std::uint64_t seed, bool with_mig) {
  Case c = with_mig ? random_case_with_mig(seed) : random_case(seed);
  Dice dice(seed + 2'000'000);
  const auto machines = static_cast<std::int64_t>(c.view.machines.nodes.size());
  for (std::int64_t n = 1 + dice.below(6); n > 0; --n) {
    const std::int64_t from_s = 1 + dice.below(70);
    c.view.outages.push_back(
        {static_cast<std::uint32_t>(dice.below(machines)), from_s, from_s + 1 + dice.below(20)});
  }
  for (workload::NodeOutage& o : c.view.outages)
    if (o.from_s > 0 && dice.chance(75)) o.announced_s = dice.chance(50) ? 0 : dice.below(o.from_s);
  return c;
}

}  // namespace natgpu::testing
