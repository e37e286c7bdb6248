// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/sharing.hpp>

namespace natgpu::scheduling {
namespace {

/// The lane's clock at which a job that began at `offset` has had its service.
Area end_of(const SharingJob& job, Area offset) {
  if (job.service == SharingJob::endless) return Lane::nowhere;
  return offset + Area{job.service} * Lane::tick - Lane::rounding;
}

}  // namespace

Area SharedPool::progress(std::uint32_t slot) const {
  const Member& m = members_.at(slot);
  return m.lane->clock() - m.offset;
}

Area SharedPool::held(std::uint32_t slot) const {
  const Member& m = members_.at(slot);
  return Area{m.lane->pace()} * m.job.gpus;
}

std::vector<std::uint32_t> SharedPool::larger_than(std::int64_t gpus) const {
  if (sizes_.empty() || sizes_.rbegin()->first <= gpus) return {};
  std::vector<Lane::Due> found;
  for (const auto& [slot, m] : members_)
    if (m.job.gpus > gpus) found.emplace_back(m.sequence, slot);
  return slots_in_order(found);
}

std::vector<std::uint32_t> SharedPool::slots_in_order(std::vector<Lane::Due>& jobs) {
  std::sort(jobs.begin(), jobs.end());
  std::vector<std::uint32_t> slots;
  for (const auto& [sequence, slot] : jobs) slots.push_back(slot);
  return slots;
}

void SharedPool::enter(Lane& lane, Member& m, Area had) {
  m.lane = &lane;
  m.offset = lane.clock() - had;
  lane.add(end_of(m.job, m.offset), m.sequence, m.job.slot);
}

void SharedPool::exit(Member& m) {
  m.lane->remove(end_of(m.job, m.offset), m.sequence, m.job.slot);
  m.lane = nullptr;
}

SharedPool::Member& SharedPool::add(const SharingJob& job) {
  const auto [at, is_new] = members_.emplace(job.slot, Member{job, nullptr, 0, submissions_++});
  NATGPU_ENSURE(is_new && job.gpus <= gpus_, "a job joins once, a pool that can hold it");
  ++sizes_[job.gpus];
  return at->second;
}

void SharedPool::remove(std::uint32_t slot) {
  const auto at = members_.find(slot);
  const auto size = sizes_.find(at->second.job.gpus);
  if (--size->second == 0) sizes_.erase(size);
  members_.erase(at);
}

}  // namespace natgpu::scheduling
