// SPDX-License-Identifier: Apache-2.0
// What accounts hold of machines, and their shares of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_books.hpp>
#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::scheduling {

/// What shares of machines are parts of.
struct MachineResources {
  SharedResources shared;  ///< GPUs in thousandths; cores and memory 0 where they do not count
  /// The resource that each machine's GPUs are, where there is one pool; empty: those of the pools.
  std::vector<std::uint32_t> gpus_of_machine;
};

/// GPUs, cores and memory held by accounts, exactly as their jobs hold them: parts of a GPU in thousandths,
/// of one that MIG cuts the memory slices of the instance.
class MachineHoldings {
 public:
  /// @param weights  by account, positive
  MachineHoldings(MachineResources whole, std::vector<double> weights)
      : resources_(std::move(whole)),
        weights_(std::move(weights)),
        held_(weights_.size() * resources_.shared.sizes.size()) {}

  /// A job of the account takes what the hold says (sign +1), or hands it back (-1).
  void hold(std::uint32_t account, std::uint32_t pool, const Hold& h, std::int64_t sign) {
    const SharedResources& shared = resources_.shared;
    const std::vector<std::uint32_t>& of_machine = resources_.gpus_of_machine;
    std::int64_t* held = held_.data() + account * shared.sizes.size();
    held[of_machine.empty() ? shared.gpus_of[pool] : of_machine[h.node]] += sign * h.total_milli();
    held[shared.types()] += sign * h.cpu_milli;
    held[shared.types() + 1] += sign * h.memory_mib;
  }
  /// The account's dominant share over its weight.
  double share(std::uint32_t account) const {
    const std::vector<std::int64_t>& sizes = resources_.shared.sizes;
    return dominant_share(held_.data() + account * sizes.size(), sizes.data(), sizes.size(),
                          weights_[account]);
  }

 private:
  MachineResources resources_;
  std::vector<double> weights_;
  std::vector<std::int64_t> held_;  ///< by (account, resource)
};

}  // namespace natgpu::scheduling
