// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/account_lanes.hpp>

namespace natgpu::scheduling {

void AccountLanes::insert(std::uint32_t row, std::uint32_t kind, const WaitingJob& job) {
  const auto [it, is_new] = place_of_.try_emplace({row, kind});
  if (is_new) {
    if (spare_.empty()) {
      spare_.push_back(static_cast<std::uint32_t>(lanes_.size()));
      lanes_.emplace_back();
    }
    it->second = spare_.back();
    spare_.pop_back();
    lanes_[it->second].kind = kind;
    lanes_[it->second].front = job.order;
    fronts_[row].insert({job.order, it->second});
  }
  lanes_[it->second].jobs.insert(job);
  move_front(row, it->second);
}

bool AccountLanes::erase(std::uint32_t row, std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  const auto it = place_of_.find({row, kind});
  if (it == place_of_.end() || !lanes_[it->second].jobs.erase(key, gpus)) return false;
  const std::uint32_t place = it->second;
  if (!lanes_[place].jobs.empty()) {
    move_front(row, place);
    return true;
  }
  fronts_[row].erase({lanes_[place].front, place});
  place_of_.erase(it);
  spare_.push_back(place);
  return true;
}

void AccountLanes::move_front(std::uint32_t row, std::uint32_t place) {
  Lane& lane = lanes_[place];
  const QueueKey front = lane.jobs.front()->order;
  if (front == lane.front) return;
  fronts_[row].erase({lane.front, place});
  fronts_[row].insert({front, place});
  lane.front = front;
}

}  // namespace natgpu::scheduling
