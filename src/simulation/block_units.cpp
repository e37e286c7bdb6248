// SPDX-License-Identifier: Apache-2.0
#include "block_units.hpp"

#include <algorithm>
#include <functional>

#include <natgpu/core/ensure.hpp>

namespace natgpu::simulation {

using scheduling::GpuPlace;

BlockUnits::BlockUnits(const std::vector<GpuPlace>& places, std::int64_t now) {
  for (const GpuPlace& place : places) units_.push_back({place, no_index, now});
  tell_machines_apart();
}

void BlockUnits::tell_machines_apart() {
  machines_.clear();
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (i == 0 || units_[i].place.node != units_[i - 1].place.node) machines_.push_back({i, 0, 0});
    ++machines_.back().size;
    machines_.back().idle += units_[i].holder == no_index ? 1 : 0;
  }
}

/// Taking the largest first leads to the fewest.
std::int64_t BlockUnits::machines_for(std::int64_t gpus, std::int64_t Machine::*there) const {
  std::vector<std::int64_t> sizes;
  for (const Machine& m : machines_) sizes.push_back(m.*there);
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  std::int64_t machines = 0;
  for (auto size = sizes.begin(); gpus > 0; ++size, ++machines) {
    if (size == sizes.end()) return too_many;
    gpus -= *size;
  }
  return machines;
}

BlockUnits::Machine& BlockUnits::next_for(std::int64_t gpus) {
  Machine* best = nullptr;
  std::int64_t most = 0;
  for (Machine& m : machines_) {
    const std::int64_t takes = std::min(m.idle, gpus);
    if (takes == 0 || takes < most || (takes == most && m.idle >= best->idle)) continue;
    best = &m;
    most = takes;
  }
  NATGPU_ENSURE(best != nullptr, "a job starts inside where enough is idle");
  return *best;
}

void BlockUnits::occupy(std::uint32_t job, std::int64_t gpus) {
  while (gpus > 0) {
    Machine& m = next_for(gpus);
    std::int64_t here = std::min(m.idle, gpus);
    gpus -= here;
    m.idle -= here;
    for (std::size_t i = m.first; here > 0; ++i)
      if (units_[i].holder == no_index) {
        units_[i].holder = job;
        --here;
      }
  }
}

void BlockUnits::vacate(std::uint32_t job, std::int64_t now) {
  for (Machine& m : machines_)
    for (std::size_t i = m.first; i < m.first + static_cast<std::size_t>(m.size); ++i)
      if (units_[i].holder == job) {
        units_[i].holder = no_index;
        units_[i].idle_since = now;
        ++m.idle;
      }
}

std::vector<std::uint32_t> BlockUnits::holders(std::int64_t first, std::int64_t count) const {
  std::vector<std::uint32_t> jobs;
  for (std::int64_t i = first; i < first + count; ++i) {
    const std::uint32_t job = units_[static_cast<std::size_t>(i)].holder;
    if (job != no_index && std::find(jobs.begin(), jobs.end(), job) == jobs.end()) jobs.push_back(job);
  }
  return jobs;
}

std::pair<std::int64_t, std::int64_t> BlockUnits::on_machine(std::uint32_t node) const {
  for (const Machine& m : machines_)
    if (units_[m.first].place.node == node) return {static_cast<std::int64_t>(m.first), m.size};
  return {0, 0};
}

std::int64_t BlockUnits::first_idle_since() const {
  std::int64_t since = -1;
  for (const Unit& u : units_)
    if (u.holder == no_index && (since < 0 || u.idle_since < since)) since = u.idle_since;
  return since;
}

template <class Leaves>
std::vector<GpuPlace> BlockUnits::remove_if(Leaves&& leaves) {
  std::vector<GpuPlace> gone;
  std::vector<Unit> kept;
  for (const Unit& u : units_) {
    if (leaves(u))
      gone.push_back(u.place);
    else
      kept.push_back(u);
  }
  units_ = std::move(kept);
  tell_machines_apart();
  return gone;
}

std::vector<GpuPlace> BlockUnits::remove(std::int64_t first, std::int64_t count) {
  const Unit* from = units_.data() + first;
  return remove_if([=](const Unit& u) { return &u >= from && &u < from + count; });
}

std::vector<GpuPlace> BlockUnits::remove_idle_since(std::int64_t instant) {
  return remove_if([=](const Unit& u) { return u.holder == no_index && u.idle_since <= instant; });
}

}  // namespace natgpu::simulation
