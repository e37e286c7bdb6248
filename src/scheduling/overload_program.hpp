// SPDX-License-Identifier: Apache-2.0
// The one linear program of the room, and the one user of Clp.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace natgpu::scheduling {

/// Jobs that are alike, over several types of GPU.
struct ProgramJob {
  std::vector<double> pace;  ///< by type, of the job's best: from 0, where it cannot run, to 1
  std::vector<double> load;  ///< by type: part of its GPUs that the jobs take with all of their time
};

/// The least overload of the most loaded type, if every job has the pace that it demands:
///
///   minimise theta,  sum_j pace_mj x_mj >= demand_m,  sum_j x_mj <= 1,  sum_m load_mj x_mj <= theta,  x >= 0
///
/// Each further call begins from the last solution. Same calls, same answers: one thread, no clock, no random
/// perturbation.
class OverloadProgram {
 public:
  OverloadProgram(std::size_t types, const std::vector<ProgramJob>& jobs);
  ~OverloadProgram();
  OverloadProgram(const OverloadProgram&) = delete;
  OverloadProgram& operator=(const OverloadProgram&) = delete;

  /// @param demands  of each job, from 0 to 1
  /// @returns theta
  double solve(const std::vector<double>& demands);
  /// What a unit of each type's capacity is worth in theta: not negative, of sum 1.
  std::vector<double> prices() const;
  /// x, [job x types + type].
  std::vector<double> shares() const;

 private:
  struct Model;
  std::size_t types_, jobs_;
  std::unique_ptr<Model> model_;
};

}  // namespace natgpu::scheduling
