// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/node_rules.hpp>
#include <natgpu/supply/fleet.hpp>

namespace natgpu::simulation {

/// Which machine of its pool each node of a tranche is: tranche after tranche, in the order of the file, as
/// many as the tranche's public units fill; behind these any that come beyond, as where power lets in part of
/// a node.
class MachineLayout {
 public:
  MachineLayout(const supply::Fleet& fleet, const std::vector<supply::Device>& hardware)
      : fleet_(fleet), numbers_(fleet.tranches()), in_pool_(fleet.pools().size()) {
    for (std::uint32_t t = 0; t < fleet.tranches(); ++t) {
      const std::int64_t per_node = hardware[fleet.pools()[fleet.pool_of(t)].device].per_node;
      for (std::int64_t left = fleet.public_units_of(t); left > 0; left -= per_node) add(t);
    }
  }
  /// One more node of the tranche. @returns its machine
  scheduling::Machine add(std::uint32_t tranche) {
    const std::uint32_t pool = fleet_.pool_of(tranche);
    numbers_[tranche].push_back(in_pool_[pool]++);
    return {pool, numbers_[tranche].back()};
  }
  std::uint32_t pools() const { return static_cast<std::uint32_t>(in_pool_.size()); }
  std::uint32_t machines_in(std::uint32_t pool) const { return in_pool_[pool]; }
  std::size_t machines_of(std::uint32_t tranche) const { return numbers_[tranche].size(); }
  scheduling::Machine machine(std::uint32_t tranche, std::uint32_t ordinal) const {
    return {fleet_.pool_of(tranche), numbers_[tranche][ordinal]};
  }

 private:
  const supply::Fleet& fleet_;
  std::vector<std::vector<std::uint32_t>> numbers_;  ///< by tranche and ordinal
  std::vector<std::uint32_t> in_pool_;               ///< machines, by pool
};

}  // namespace natgpu::simulation
