// SPDX-License-Identifier: Apache-2.0
// Replays on machines: jobs hold GPUs or shares of them, cores and memory on typed nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <natgpu/scheduling/node_pool.hpp>
#include <natgpu/simulation/mig_use.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/node_list.hpp>
#include <natgpu/workload/node_outages.hpp>

namespace natgpu::simulation {

struct NodeView {
  workload::NodeList machines;
  scheduling::Placement placement = scheduling::Placement::best;
  /// Thousandths of its time that a gang takes on more machines than the fewest it needs. 0: it waits for the
  /// fewest (but under lowest-id, where machines do not count, it takes its time and no more).
  std::int64_t slowdown_milli = 0;
  std::vector<workload::NodeOutage> outages;
  /// Work between two checkpoints (0: none), how long the job takes to write one, on any machines, and what a
  /// job that lost its GPUs takes before it goes on with its work. A job writes none at its end. Under orders
  /// that take GPUs back ReplayOptions::segments says so, and not these.
  std::int64_t checkpoint_s = 0, checkpoint_cost_s = 0, restart_s = 0;
  bool fragmentation = false;  ///< measured (under fgd in any case)
  MigUse mig{};
};

/// GPU time in thousandths of a GPU x seconds, or parts of a second, from the first submission to the last
/// end. useful + stopped + lost + preempted + checkpoints + restarts + idle + down = nominal, checked in
/// every run.
struct NodeTime {
  Area nominal = 0;
  Area useful = 0;       ///< of work that was finished
  Area stopped = 0;      ///< of jobs stopped at their requested time
  Area lost = 0;         ///< of work behind the last checkpoint when a machine failed
  Area preempted = 0;    ///< the same, when machines were taken back
  Area checkpoints = 0;  ///< while those were written that were of use
  Area restarts = 0;     ///< before work went on
  Area idle = 0;
  Area down = 0;
  std::int64_t units_per_s = 1;  ///< a second has so many of its units: ticks, under orders that preempt
};

/// Jobs that the machines could not hold, were they empty.
struct NeverFits {
  std::string reason;
  std::uint64_t jobs = 0;
};

/// Instances of GPUs that MIG cuts.
struct MigFigures {
  std::vector<MigStarts> starts;  ///< by profile
  /// As NodeTime: what their jobs asked for, and what they held.
  Area asked = 0, given = 0;
};

struct NodeFigures {
  std::uint64_t machines = 0;
  std::int64_t gpus_milli = 0;  ///< of all machines, thousandths
  NodeTime time;
  double allocated_share = 0;  ///< mean over time, of all GPUs
  /// F, mean over time: GPUs that are free and that an expected job cannot use; and their share of those that
  /// are free. NaN where it was not measured.
  double fragmented_gpus = 0, fragmented_of_free = 0;
  /// Work between two checkpoints, seconds; 0: all is kept, none: nothing is. And what writing one and a
  /// restart take.
  std::optional<double> checkpoint_s;
  double checkpoint_cost_s = 0, restart_s = 0;
  std::uint64_t spread = 0;     ///< starts on more machines than the fewest
  std::uint64_t failures = 0;   ///< outages that began
  std::uint64_t announced = 0;  ///< those of them that were known beforehand
  std::uint64_t restarted = 0;  ///< jobs that lost their GPUs, each time
  std::vector<NeverFits> never_fit;
  MigFigures mig;
  /// Machines of each job's last start, in rising order.
  std::span<const std::uint32_t> machines_of(std::size_t job) const {
    return std::span(held).subspan(from[job], count[job]);
  }
  std::vector<std::uint32_t> held;
  std::vector<std::size_t> from;
  std::vector<std::uint32_t> count;
};

struct NodeReplayResult {
  ReplayResult replay;  ///< start_s: first start; end_s: last end
  NodeFigures nodes;
};

/// Why there are no replays on machines with these options, and what to do; empty where there are.
std::string not_on_nodes(const ReplayOptions& options);

/// Replays a log on machines, under srtf, srsf, las or las2d with backfill none or fit, and else with any.
/// docs/nodes.md defines the rules.
/// @throws ScenarioError E0411 if the machines cannot be used
/// @throws RunError on options that the node view does not have
/// @throws Interrupted when stopped
NodeReplayResult replay_on_nodes(const workload::JobLog& log, const ReplayOptions& options,
                                 const NodeView& view);

}  // namespace natgpu::simulation
