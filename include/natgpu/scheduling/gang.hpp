// SPDX-License-Identifier: Apache-2.0
// Jobs of several parts, placed on machines all at once or not at all.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/node_pool.hpp>

namespace natgpu::scheduling {

/// What jobs of one kind ask for. Tasks are named by their place in the pool's mix.
struct GangKind {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t part = none;  ///< so many equal parts, each on one machine; machines may hold several
  std::int32_t parts = 1;
  std::uint32_t rest = none;  ///< and one smaller part
  std::uint32_t unit = none;  ///< one GPU of the job, with its share of the rest: where it may be spread
  std::int32_t units = 0;     ///< GPUs of the job
  std::int32_t fewest = 1;    ///< machines that it needs when all are empty
  friend bool operator==(const GangKind&, const GangKind&) = default;
};

/// How gangs may be placed.
struct GangRule {
  Placement placement = Placement::best;
  bool may_spread = false;  ///< one that finds no room as it stands takes GPUs wherever they are
};

/// Places gangs on a pool. Under most rules each part goes where the rule sends a task. Under `consolidated`
/// a machine takes as many parts as it has room for before another is asked. A gang that is spread takes of
/// each machine all GPUs that it can, machine by machine in the order of the rule; under `lowest-id` every
/// gang that may be spread is.
/// What fails, fails whatever the order of parts: of all tasks that fit a machine, taking one lowers its room
/// by one, and a rest finds no room only where the parts have taken all.
class GangPlacer {
 public:
  explicit GangPlacer(const GangRule& rule) : rule_(rule) {}

  /// Takes all that the gang needs and says where, or nothing. @returns false if there is no room
  /// @param dice  its index is that of the first part; the others count on
  bool place(NodePool& pool, const GangKind& kind, const Dice& dice, std::vector<Hold>& holds) const;
  /// After place() found none: how many tasks more the machines must have room for, of the kind that
  /// smallest_of() names, before it can.
  std::int64_t missing(const NodePool& pool, const GangKind& kind) const;
  /// Whether the rule may put it on more machines than it needs though it would find room on the fewest.
  bool may_spread_at_will(const GangKind& kind) const {
    if (kind.fewest == kind.units) return false;  // on more there is no place for it
    if (rule_.placement == Placement::lowest_id && rule_.may_spread && kind.unit != GangKind::none)
      return true;
    return kind.fewest < kind.parts + (kind.rest != GangKind::none ? 1 : 0);
  }
  /// The smallest task that must find room on a machine for the gang to gain anything by it.
  std::uint32_t smallest_of(const GangKind& kind) const {
    if (rule_.may_spread && kind.unit != GangKind::none) return kind.unit;
    return kind.rest != GangKind::none ? kind.rest : kind.part;
  }

 private:
  bool place_parts(NodePool& pool, const GangKind& kind, const Dice& dice, std::vector<Hold>& holds) const;

  GangRule rule_;
};

/// Takes all that they say if it is free, or nothing. @returns false if it is not
bool take_if_free(NodePool& pool, const std::vector<Hold>& holds);
/// Hands back all that they say.
void give_back(NodePool& pool, const std::vector<Hold>& holds);
/// Machines among the holds, each counted once.
std::int32_t machines_of(const std::vector<Hold>& holds);

}  // namespace natgpu::scheduling
