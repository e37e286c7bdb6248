// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/sharing.hpp>

#include <algorithm>
#include <cmath>

#include <natgpu/scheduling/water_filling.hpp>

namespace natgpu::scheduling {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
/// Taken off a pace that is a part, in 1 / Lane::tick: more than the rounding of the division may have given
/// all together beyond the pool's GPUs.
constexpr std::int64_t rounding_of_shares = 64;

/// What jobs of one kind ask for together, and weigh together.
struct Demand {
  double gpus, weight;
};
Demand demand_of(double weight, std::int32_t gpus, std::size_t jobs) {
  return {static_cast<double>(gpus) * static_cast<double>(jobs), weight * static_cast<double>(jobs)};
}

}  // namespace

void ProcessorSharing::advance(std::int64_t now) {
  for (auto& [kind, lane] : lanes_) lane.run(now - now_);
  now_ = now;
}

std::vector<std::uint32_t> ProcessorSharing::due() const {
  std::vector<Lane::Due> all;
  for (const auto& [kind, lane] : lanes_) lane.due(all);
  return slots_in_order(all);
}

void ProcessorSharing::leave(std::uint32_t slot) {
  Member& m = members_.at(slot);
  const Kind kind{m.job.weight, m.job.gpus};
  exit(m);
  if (lanes_.at(kind).empty()) lanes_.erase(kind);
  remove(slot);
  changed_ = true;
}

void ProcessorSharing::resize(std::int64_t gpus) {
  gpus_ = gpus;
  changed_ = true;
}

void ProcessorSharing::decide(std::int64_t now, std::vector<std::uint32_t>& started) {
  advance(now);
  for (const SharingJob& job : submitted_) {
    enter(lanes_[{job.weight, job.gpus}], add(job), 0);
    started.push_back(job.slot);
    changed_ = true;
  }
  submitted_.clear();
  if (changed_) divide();
  changed_ = false;
}

void ProcessorSharing::divide() {
  std::vector<double> demands, weights;
  std::int64_t wanted = 0;
  for (const auto& [kind, lane] : lanes_) {
    const Demand d = demand_of(kind.first, kind.second, lane.size());
    demands.push_back(d.gpus);
    weights.push_back(d.weight);
    wanted += kind.second * static_cast<std::int64_t>(lane.size());
  }
  const std::vector<double> shares = water_filling(static_cast<double>(gpus_), demands, weights);
  std::size_t i = 0;
  for (auto& [kind, lane] : lanes_) {
    const double part = shares[i] / demands[i];
    const auto pace = static_cast<std::int64_t>(part * static_cast<double>(Lane::tick));
    lane.set_pace(shares[i] >= demands[i] ? Lane::tick
                                          : std::max<std::int64_t>(pace - rounding_of_shares, 0));
    ++i;
  }
  allocated_ = std::min(wanted, gpus_);
}

double ProcessorSharing::pace_of(const SharingJob& job) const {
  const Kind own{job.weight, job.gpus};
  std::vector<double> demands{static_cast<double>(job.gpus)}, weights{job.weight};
  for (const auto& [kind, lane] : lanes_) {
    const Demand d = demand_of(kind.first, kind.second, lane.size());
    demands.push_back(d.gpus);
    weights.push_back(d.weight);
  }
  for (const SharingJob& other : submitted_) {
    demands.push_back(other.gpus);
    weights.push_back(other.weight);
  }
  return water_filling(static_cast<double>(gpus_), demands, weights).front() / job.gpus;
}

void ProcessorSharing::pass(std::int64_t now, SharingChanges& changes) {
  advance(now);
  changes.ended = due();
  for (const std::uint32_t slot : changes.ended) leave(slot);
  decide(now, changes.started);
}

std::int64_t ProcessorSharing::next_change() const {
  std::int64_t ticks = never;
  for (const auto& [kind, lane] : lanes_) ticks = std::min(ticks, lane.ticks_to_next());
  return ticks < never - now_ ? now_ + ticks : never;
}

}  // namespace natgpu::scheduling
