// SPDX-License-Identifier: Apache-2.0
// Pools of machines, groups of jobs and what becomes of them, at random.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "plain_machines.hpp"

namespace natgpu::testing {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

/// What is the same for both.
struct Setting {
  scheduling::MachineSettings settings;
  PlainMachines plain;
};

inline Setting random_setting(Draws& draw, PlainMachines::Rule rule) {
  Setting s;
  const std::int64_t pools = 1 + draw.below(3);
  for (std::int64_t p = 0; p < pools; ++p) {
    const auto machines = static_cast<std::uint32_t>(1 + draw.below(5));
    const auto gpus = static_cast<std::int16_t>(1 + draw.below(4));
    scheduling::MachinePool pool;
    pool.machines = machines;
    pool.gpus = gpus;
    s.settings.pools.push_back(pool);
    s.plain.pools.emplace_back(machines);
    s.plain.full.push_back(gpus);
  }
  const std::int64_t groups = 1 + draw.below(3);
  for (std::int64_t g = 0; g < groups; ++g) {
    scheduling::GroupSpec spec;
    double speed = 4;
    for (std::int64_t p = 0; p < pools; ++p)
      if (!draw.one_in(3))
        spec.choices.push_back({static_cast<std::uint32_t>(p), speed /= draw.one_in(2) ? 2 : 1});
    if (spec.choices.empty()) spec.choices.push_back({0, 1.0});
    s.settings.groups.push_back(spec);
  }
  s.settings.placement = scheduling::Placement::first;
  s.settings.slowdown_milli = draw.one_in(2) ? 0 : 1000 + 250 * draw.below(5);
  s.plain.groups = s.settings.groups;
  s.plain.slowdown_milli = s.settings.slowdown_milli;
  s.plain.rule = rule;
  return s;
}

/// Notes who starts, where and until when.
struct Starts {
  std::int64_t now = 0;
  std::vector<std::uint32_t> slots;
  std::map<std::uint32_t, std::pair<std::uint32_t, std::int64_t>> runs;  ///< pool, requested end
  void start(const scheduling::WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    slots.push_back(job.slot);
    runs[job.slot] = {pool, now + requested};
  }
};

}  // namespace natgpu::testing
