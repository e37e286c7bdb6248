// SPDX-License-Identifier: Apache-2.0
// Sweeps on disk: an immutable plan, shards that survive a kill, and their merged tables.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::report {

/// What is to be run at each point. Equal plans have equal hashes, and no other plan has.
struct SweepPlan {
  std::string scenario_file;                     ///< as given, from the folder in which the sweep is run
  std::string scenario_hash;                     ///< of the scenario with the common settings alone
  std::vector<std::string> settings;             ///< common to all points
  std::vector<std::string> paths;                ///< that vary; `policy` stands for the policy
  std::vector<std::vector<std::string>> points;  ///< a value for each path
  std::vector<std::string> metrics;              ///< questions; empty: the usual ones
  std::uint64_t seed = 0;
  std::uint32_t replications = 0;
  std::string hash;  ///< SHA-256 of all of the above
};

/// With the hash filled in.
SweepPlan sealed(SweepPlan plan);
std::string plan_json(const SweepPlan& plan);
/// @throws ScenarioError E0510, if the file is no plan or was changed since it was made
SweepPlan read_plan(const std::string& path);

/// One part of a plan: points `index`, `index + count`, ...
struct Shard {
  std::size_t index = 0, count = 1;  ///< index from 0
};

/// A shard's results while it runs: points are appended one by one, each with its digest, so that after a
/// kill at any instant all but the last are still good.
class ShardWriter {
 public:
  /// Opens the shard's file in the folder; what an earlier run left whole in it is kept, a torn end is cut
  /// off.
  /// @throws RunError, also where another process holds it
  ShardWriter(const std::string& folder, const SweepPlan& plan, Shard shard);
  ~ShardWriter();
  /// The whole shard was finished before; nothing is left to do.
  bool is_finished() const { return finished_; }
  /// Points of the shard in their order; so many of them are done.
  std::size_t done() const { return done_; }
  bool was_torn() const { return torn_; }

  void add(std::size_t point, const std::vector<experiment::Estimate>& estimates);
  void sync();
  /// Adds the footer and gives the file its final name. @pre all points of the shard were added
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
  bool finished_ = false, torn_ = false;
  std::size_t done_ = 0;
};

struct SweepStatus {
  std::size_t points = 0, done = 0;               ///< of the plan; done in finished and unfinished shards
  std::vector<std::string> finished, unfinished;  ///< file names
  std::vector<std::size_t> missing;               ///< points in no finished shard
};
/// @throws RunError on a shard of another plan or version, or a damaged one
SweepStatus sweep_status(const std::string& folder, const SweepPlan& plan);

/// Writes points.csv, results.csv, summary.csv and results.sqlite from the finished shards, in the order of
/// the points: the bytes do not depend on how many shards there were. Two shards with different results for
/// one point are refused.
/// @returns the status; with points missing nothing is written unless `partial`
SweepStatus merge_sweep(const std::string& folder, const SweepPlan& plan, bool partial);

}  // namespace natgpu::report
