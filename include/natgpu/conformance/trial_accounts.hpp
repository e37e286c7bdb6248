// SPDX-License-Identifier: Apache-2.0
// Who the accounts of random workloads are, to orders that rank accounts.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/account_tree.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/scheduling/fair_share.hpp>

namespace natgpu::conformance {

/// Accounts 0 and 1 are users of one group, 2 the only one of another; account 1 has two shares.
inline scheduling::AccountTree trial_tree() {
  scheduling::AccountTree tree;
  const std::uint32_t pair = tree.add(scheduling::AccountTree::root, 1);
  const std::uint32_t single = tree.add(scheduling::AccountTree::root, 2);
  tree.add(pair, 1);
  tree.add(pair, 2);
  tree.add(single, 1);
  return tree;
}
/// The tree's node of an account; those beyond the third share its nodes.
inline std::uint32_t trial_node(std::int64_t account) {
  return 3 + static_cast<std::uint32_t>(account % 3);
}
/// Weights of the same nodes.
inline const std::vector<double>& trial_weights() {
  static const std::vector<double> weights{1, 1, 1, 1, 2, 1};
  return weights;
}

/// Random workloads state GPUs alone; cores follow from a job's number, so that drf has two resources.
inline scheduling::Claimant trial_claimant(std::int64_t account, std::uint32_t slot) {
  return {trial_node(account), static_cast<double>(account % 3) / 2, 1000 * (1 + slot * 5 % 9), 0};
}
inline constexpr scheduling::Amounts trial_machine{8, 20'000, 0};  ///< 20 cores: some jobs wait for them
inline constexpr scheduling::Amounts gpus_alone{1, 0, 0};

/// Short times, as the workloads are.
inline scheduling::FairShareRule trial_rule() {
  scheduling::FairShareRule rule;
  rule.half_life_s = 100;
  rule.longest_age_s = 200;
  return rule;
}
inline constexpr std::int64_t trial_gpus = 16;  ///< of which the size factor is a part

}  // namespace natgpu::conformance
