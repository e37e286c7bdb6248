// SPDX-License-Identifier: Apache-2.0
// Slurm's multifactor priority: a weighted sum of factors from 0 to 1.
#pragma once

#include <cstdint>

namespace natgpu::scheduling {

/// What a factor of 1 is worth. Those of the sample configuration in SchedMD, Multifactor Priority Plugin.
struct PriorityWeights {
  double age = 1000;
  double fair_share = 10000;
  double size = 1000;
  double queue = 1000;
  friend bool operator==(const PriorityWeights&, const PriorityWeights&) = default;
};

struct PriorityFactors {
  double age = 0;         ///< wait / longest wait that counts, at most 1
  double fair_share = 0;  ///< classic_factor, or fair_tree_factor
  double size = 0;        ///< GPUs of the job / GPUs of the machine
  double queue = 0;       ///< of the job's class
};

/// The weighted sum.
constexpr double priority(const PriorityWeights& weights, const PriorityFactors& factors) {
  return weights.age * factors.age + weights.fair_share * factors.fair_share + weights.size * factors.size +
         weights.queue * factors.queue;
}

/// As Slurm keeps it: a whole number (here the nearest). @pre 0 <= sum < 2^52
constexpr std::int64_t whole_priority(double sum) {
  return static_cast<std::int64_t>(sum + 0.5);
}

}  // namespace natgpu::scheduling
