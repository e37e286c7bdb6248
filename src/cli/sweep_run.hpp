// SPDX-License-Identifier: Apache-2.0
// The points of one shard: loaded, simulated and written.
#pragma once

#include <functional>
#include <vector>

#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/report/sweep.hpp>

namespace natgpu::cli {

/// Runs what a shard lacks, some points at a time. While these are simulated, those before are written and
/// those behind them are read, so that no thread waits for files.
class ShardRun {
 public:
  using Load = std::function<scenario::Scenario(std::size_t point)>;

  ShardRun(const report::SweepPlan& plan, report::Shard shard, report::ShardWriter& writer, Load load,
           std::vector<experiment::Question> questions);
  /// @returns false if it was interrupted; what was finished is kept
  bool go(unsigned threads);
  /// Of the shard, those done before included.
  std::size_t points() const { return done_before_ + todo_.size(); }
  /// Questions that no point of this run has answered: probably misspelt. None where nothing was left to run.
  std::vector<experiment::Question> unanswered() const;

 private:
  struct Batch {
    std::size_t from = 0, to = 0;  ///< of todo_
    std::vector<scenario::Scenario> scenarios;
    std::vector<experiment::Replications> done;
  };
  Batch load(std::size_t from) const;
  void write(const Batch& batch);
  /// Leaves what is asked for: all of sixteen points' measures would be most of the sweep's memory.
  void trim(simulation::RunRecord& record) const;
  std::vector<experiment::Estimate> answers(const std::vector<simulation::RunRecord>& records);

  const report::SweepPlan& plan_;
  report::Shard shard_;
  report::ShardWriter& writer_;
  Load load_;
  std::vector<experiment::Question> questions_;
  std::vector<char> answered_;
  std::vector<std::size_t> todo_;
  std::size_t done_before_ = 0;
};

}  // namespace natgpu::cli
