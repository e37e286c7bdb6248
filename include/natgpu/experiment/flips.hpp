// SPDX-License-Identifier: Apache-2.0
// Whether a ranking of policies holds when inputs are shaken: in how many futures two policies change places.
// After Tsafrir, Ouaknine & Feitelson, "Reducing performance evaluation sensitivity and variability by input
// shaking", MASCOTS 2007.
#pragma once

#include <string>
#include <vector>

#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/outcomes.hpp>

namespace natgpu::experiment {

/// Two policies in the order of their means with the values as stated.
struct PairFlip {
  std::string first, second;               ///< the first is better; else higher, where the metric has no side
  double first_mean = 0, second_mean = 0;  ///< as stated
  Share futures;                           ///< futures in which the second is strictly before the first
  Share chance;                            ///< the same of replications with the values as stated: dice alone
};

/// One question's pairs. Pairs that are equal as stated have no order to flip and are left out.
struct Flips {
  Estimate asked;  ///< metric, labels and unit
  measures::Better better = measures::Better::neither;
  std::vector<PairFlip> pairs;
  Share any;         ///< futures in which any pair is flipped
  Share any_chance;  ///< replications as stated in which any is
};

/// @param stated  replications with the values as stated
/// @param futures  replications with the uncertain values drawn; policies in the same order
std::vector<Flips> ranking_flips(const std::vector<PolicyRuns>& stated,
                                 const std::vector<PolicyRuns>& futures,
                                 const std::vector<Question>& questions);

}  // namespace natgpu::experiment
