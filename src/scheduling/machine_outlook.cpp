// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/machine_outlook.hpp>

#include <limits>

#include <natgpu/scheduling/job_group.hpp>

namespace natgpu::scheduling {
namespace {

void show_as(NodePool& pool, std::uint32_t i, const Node& node) {
  if (!(pool.node(i) == node)) pool.set(i, node);
}

}  // namespace

void MachineOutlook::begin(const MachineFuture& future, const NodePool& shapes, const GangKind& gang,
                           bool may_spread, std::int64_t length) {
  future_ = &future;
  shapes_ = &shapes;
  needs_[0] = {gang.part, gang.parts, 0};
  asked_ = 1;
  if (may_spread && gang.unit != GangKind::none) needs_[asked_++] = {gang.unit, gang.units, 0};
  length_ = length;
  level_ = 0;
  machines_.resize(future.size());
  for (Seen& seen : machines_) {
    seen.window.same_until = std::numeric_limits<std::int64_t>::min();
    seen.room = {};
  }
}

/// Counts the machine's room anew.
void MachineOutlook::count(Seen& seen) {
  for (std::size_t n = 0; n < asked_; ++n) {
    Need& need = needs_[n];
    need.room -= seen.room[n];
    seen.room[n] = seen.window.free.room_for(shapes_->shape(need.task + level_), need.tasks);
    need.room += seen.room[n];
  }
}

bool MachineOutlook::may_fit(std::int64_t t, std::size_t level) {
  const bool all = level != level_;
  level_ = level;
  for (std::uint32_t i = 0; i < machines_.size(); ++i) {
    Seen& seen = machines_[i];
    const bool changed = t >= seen.window.same_until;
    if (changed) seen.window = future_->window(i, t, end_after(t, length_));
    if (changed || all) count(seen);
  }
  for (std::size_t n = 0; n < asked_; ++n)
    if (needs_[n].room >= needs_[n].tasks) return true;
  return false;
}

void MachineOutlook::show(NodePool& pool) const {
  for (std::uint32_t i = 0; i < machines_.size(); ++i) show_as(pool, i, machines_[i].window.free);
}

void MachineOutlook::show(NodePool& pool, std::int64_t t, std::int64_t until) const {
  for (std::uint32_t i = 0; i < machines_.size(); ++i) show_as(pool, i, future_->window(i, t, until).free);
}

}  // namespace natgpu::scheduling
