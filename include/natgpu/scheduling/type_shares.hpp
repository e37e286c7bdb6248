// SPDX-License-Identifier: Apache-2.0
// Target shares of time of jobs on several types of GPU, under gavel-las and gavel-ftf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/scheduling/gavel_shares.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// Types of GPU, and how fast classes of jobs are on them.
struct GpuTypes {
  std::vector<std::int64_t> gpus;  ///< of each type
  std::vector<std::vector<double>>
      speeds;  ///< [class][type]: work done in a unit of time; 0: cannot run there
  std::vector<std::int64_t>
      largest;  ///< gang on each type, whose GPUs may stand in several pools; empty: all

  std::size_t count() const { return gpus.size(); }
  /// Of a gang of so many GPUs, which runs on GPUs of one type: 0 where it finds no place.
  double speed(std::size_t job_class, std::size_t type, std::int64_t gang) const {
    return gang <= (largest.empty() ? gpus : largest)[type] ? speeds[job_class][type] : 0.0;
  }
  /// The best of these; 0 where the gang has a place on no type.
  double best_speed(std::size_t job_class, std::int64_t gang) const;
};

struct TypedClaim {
  ShareClaim job;             ///< `remaining` in units of work
  std::size_t job_class = 0;  ///< row of GpuTypes::speeds
};

/// The work that the job would do in a unit of time if each had its part, by weight, of the GPUs of every
/// type to itself. A job that asks for less than its part goes over all types in proportion to their GPUs,
/// and stands still on those where it cannot run. @returns above 0 where the job can run anywhere
double fair_speed(const GpuTypes& types, double weight_of_all, const TypedClaim& claim);

/// Shares of time of each job on each type, so that no job has more than all of the time and the GPUs of each
/// type suffice on average. A job's speed is the sum of share x speed over types.
///
/// gavel-las: the least of speed x GPUs / (weight x speed with equal time on all GPUs) is as large as can be,
/// then the next, and so on. gavel-ftf: the largest of (elapsed + remaining / speed) / isolated is as small
/// as can be, then the next, and so on. So speeds are unique and nobody's can be raised without lowering
/// another's that is no better off; the shares need not be unique. Sources: Narayanan et al., Gavel, OSDI
/// 2020, sections 4.1 to 4.3. Speeds are exact to 10^-8 of a job's best. Where every job is equally fast on
/// all types that have GPUs its time is that of `time_shares`, and types are filled one after another.
///
/// Cost: a few linear programs for each level at which jobs are settled, of which there are seldom more than
/// types. Jobs that are alike count as one; under gavel-ftf hardly any are.
/// @pre  every job has a type where it can run, and counts of GPUs are not negative
/// @returns [claim x types + type], each from 0 to 1
std::vector<double> type_shares(Order order, const GpuTypes& types, const std::vector<TypedClaim>& claims);

/// Who solves the programs, with its version.
std::string program_solver();

}  // namespace natgpu::scheduling
