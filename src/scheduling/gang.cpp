// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/gang.hpp>

#include <algorithm>
#include <optional>

namespace natgpu::scheduling {
namespace {

void take(NodePool& pool, std::size_t shape, std::uint32_t node, const Dice& dice, std::int32_t tasks,
          std::vector<Hold>& holds) {
  const int gpu = pool.gpu_for(shape, node, dice);
  holds.push_back(pool.node(node).hold(node, pool.shape(shape), gpu, tasks));
  pool.take(holds.back());
}

bool place_spread(NodePool& pool, const GangKind& kind, const Dice& dice, std::vector<Hold>& holds) {
  if (pool.room_for(kind.unit, kind.units) < kind.units) return false;
  const TaskShape& task = pool.shape(kind.unit);
  Dice of_part = dice;
  for (std::int32_t left = kind.units; left > 0; ++of_part.index) {
    const std::uint32_t node = pool.find(kind.unit, of_part, left).value();
    const std::int32_t here = pool.node(node).room_for(task, left);
    take(pool, kind.unit, node, of_part, here, holds);
    left -= here;
  }
  return true;
}

}  // namespace

bool GangPlacer::place(NodePool& pool, const GangKind& kind, const Dice& dice,
                       std::vector<Hold>& holds) const {
  holds.clear();
  const bool may_spread = rule_.may_spread && kind.unit != GangKind::none;
  // Shares of cores and memory are rounded up, so that a gang may fit in parts and not GPU by GPU.
  if (may_spread && rule_.placement == Placement::lowest_id)
    return place_spread(pool, kind, dice, holds) || place_parts(pool, kind, dice, holds);
  return place_parts(pool, kind, dice, holds) || (may_spread && place_spread(pool, kind, dice, holds));
}

bool GangPlacer::place_parts(NodePool& pool, const GangKind& kind, const Dice& dice,
                             std::vector<Hold>& holds) const {
  const bool fills = rule_.placement == Placement::consolidated;
  if (kind.parts > 1 && pool.room_for(kind.part, kind.parts) < kind.parts) return false;
  const TaskShape& task = pool.shape(kind.part);
  Dice of_part = dice;
  for (std::int32_t left = kind.parts; left > 0;) {
    const std::optional<std::uint32_t> node = pool.find(kind.part, of_part, left);
    if (!node) return false;  // only of one part: of several, room has been counted
    do take(pool, kind.part, *node, of_part, 1, holds), ++of_part.index, --left;
    while (fills && left > 0 && pool.node(*node).fits(task));
  }
  if (kind.rest == GangKind::none) return true;
  std::optional<std::uint32_t> node;
  if (fills && pool.node(holds.back().node).fits(pool.shape(kind.rest)))
    node = holds.back().node;
  else
    node = pool.find(kind.rest, of_part);
  if (node) {
    take(pool, kind.rest, *node, of_part, 1, holds);
    return true;
  }
  give_back(pool, holds);
  holds.clear();
  return false;
}

std::int64_t GangPlacer::missing(const NodePool& pool, const GangKind& kind) const {
  const std::uint32_t smallest = smallest_of(kind);
  if (smallest == kind.unit && smallest != kind.part) return 1;  // in parts or spread: whichever comes first
  if (kind.rest != GangKind::none || kind.parts == 1) return 1;
  return std::max<std::int64_t>(kind.parts - pool.room_for(kind.part, kind.parts), 1);
}

bool take_if_free(NodePool& pool, const std::vector<Hold>& holds) {
  for (std::size_t i = 0; i < holds.size(); ++i) {
    if (pool.node(holds[i].node).has(holds[i])) {
      pool.take(holds[i]);
      continue;
    }
    while (i > 0) pool.give_back(holds[--i]);
    return false;
  }
  return true;
}

void give_back(NodePool& pool, const std::vector<Hold>& holds) {
  for (const Hold& h : holds) pool.give_back(h);
}

std::int32_t machines_of(const std::vector<Hold>& holds) {
  std::vector<std::uint32_t> nodes;
  for (const Hold& h : holds) nodes.push_back(h.node);
  std::sort(nodes.begin(), nodes.end());
  return static_cast<std::int32_t>(std::unique(nodes.begin(), nodes.end()) - nodes.begin());
}

}  // namespace natgpu::scheduling
