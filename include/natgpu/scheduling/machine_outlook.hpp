// SPDX-License-Identifier: Apache-2.0
// Whether a gang may find room on machines to come, from an instant that moves on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/gang.hpp>
#include <natgpu/scheduling/machine_future.hpp>
#include <natgpu/scheduling/node_rules.hpp>

namespace natgpu::scheduling {

/// For one gang after another: what each machine has free during all of [t, t + length), for instants t that
/// rise. A machine is looked at again only when that changes.
class MachineOutlook {
 public:
  /// Machines go on as foreseen while this looks at them.
  /// @param shapes  tasks by number
  void begin(const MachineFuture& future, const NodePool& shapes, const GangKind& gang, bool may_spread,
             std::int64_t length);
  /// Moves on. @returns whether there is room for all parts of the gang, or where it may be spread for all
  /// its GPUs, on machines up to that level. If not, it finds no place.
  bool may_fit(std::int64_t t, std::size_t level);
  /// Lets the pool show what is free then. @pre may_fit() was asked for that instant
  void show(NodePool& pool) const;
  /// The same for a longer stretch of time from then on.
  void show(NodePool& pool, std::int64_t t, std::int64_t until) const;

 private:
  static constexpr std::size_t most_needs = 2;
  /// So many such tasks at once.
  struct Need {
    std::uint32_t task = 0;  ///< for machines that stay; those for machines that leave follow it
    std::int32_t tasks = 0;
    std::int64_t room = 0;  ///< there is for so many, of all machines
  };
  struct Seen {
    MachineFuture::Window window;
    std::array<std::int32_t, most_needs> room{};
  };

  void count(Seen& seen);

  const MachineFuture* future_ = nullptr;
  const NodePool* shapes_ = nullptr;
  std::array<Need, most_needs> needs_;
  std::size_t asked_ = 0;  ///< of needs_
  std::int64_t length_ = 0;
  std::size_t level_ = 0;
  std::vector<Seen> machines_;
};

}  // namespace natgpu::scheduling
