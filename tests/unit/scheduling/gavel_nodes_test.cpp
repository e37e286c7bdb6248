// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on machines of several pools and types: on machines of one GPU against counted
// GPUs, while jobs and machines come and go; on larger ones by what must hold whatever places do.
#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>

#include "catch.hpp"
#include "gavel_cases.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;
using namespace natgpu::testing;

namespace {

/// Machines in the words of a dispatcher that counts GPUs: some come, and idle ones go.
class Machines : public GavelMachines {
 public:
  /// @param gpus  of each machine
  Machines(const PreemptiveRule& rule, const std::vector<std::uint32_t>& type_of,
           const std::vector<GroupSpec>& groups, std::int16_t gpus = 1)
      : GavelMachines(settings_of(type_of.size(), groups, gpus), Streams(1, 0).open("nodes", "placement"),
                      rule, type_of),
        gpus_(gpus),
        there_(type_of.size(), std::vector<bool>(most)) {}

  /// @param delta  whole machines
  void change_capacity(std::uint32_t p, std::int64_t delta) {
    for (std::uint32_t i = 0; i < most && delta != 0; ++i) {
      if (delta > 0 && !there_[p][i]) {
        come({p, i}, gpus_);
        there_[p][i] = true;
        delta -= gpus_;
      } else if (delta < 0 && there_[p][i] && jobs_on({p, i}).empty()) {
        go({p, i}, gpus_);
        there_[p][i] = false;
        delta += gpus_;
      }
    }
    REQUIRE(delta == 0);
  }

 private:
  static constexpr std::uint32_t most = 60;
  static MachineSettings settings_of(std::size_t pools, const std::vector<GroupSpec>& groups,
                                     std::int16_t gpus) {
    MachineSettings s;
    MachinePool pool;
    pool.machines = most;
    pool.gpus = gpus;
    s.pools.assign(pools, pool);
    s.groups = groups;
    s.placement = Placement::first;
    return s;
  }

  std::int16_t gpus_;
  std::vector<std::vector<bool>> there_;  ///< [pool][machine]
};
PreemptiveRule draw_rule(MixedDice& dice, Order order) {
  PreemptiveRule rule;
  rule.order = order;
  rule.round = 100;
  rule.skips = dice.below(3) > 0;
  rule.shield = dice.below(4) == 0 ? 150 : 0;
  return rule;
}

/// @returns the first pass in which machines of one GPU and counted GPUs differ, or -1
int first_difference_of(std::uint64_t seed, Order order, GavelTally& tally) {
  MixedDice dice{seed};
  const Ground ground = draw_ground(dice);
  const PreemptiveRule rule = draw_rule(dice, order);
  GavelSide<Machines> machines(rule, ground);
  GavelSide<TypedGavelDispatcher> counted(rule, ground);
  machines.asks_for_rest = counted.asks_for_rest = true;
  return first_difference(dice, ground, machines, counted, tally);
}

}  // namespace

TEST_CASE("on machines of one GPU, over pools of several types, target shares decide as on counted GPUs") {
  for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
    GavelTally tally;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      CAPTURE(seed, static_cast<int>(order));
      REQUIRE(first_difference_of(seed, order, tally) == -1);
    }
    CAPTURE(tally.starts, tally.preemptions, tally.moves);
    CHECK(tally.preemptions > 5000);
    CHECK(tally.moves > 1000);
    CHECK(tally.starts > tally.preemptions);
  }
}

TEST_CASE(
    "a gang goes to the site where it finds a free machine, though as many GPUs are idle on the first") {
  PreemptiveRule rule;
  rule.order = Order::gavel_las;
  rule.round = 100;
  const Ground ground{{0, 0}, {GroupSpec{{{0, 1.0}, {1, 1.0}}}}};
  GavelSide<Machines> side(rule, ground, std::int16_t{2});
  side.asks_for_rest = true;
  side.dispatcher.change_capacity(0, 4);
  const auto ask = [&](std::uint32_t slot, std::int32_t gpus) {
    GavelJob a;
    a.job = {{0, slot}, 10'000, gpus, slot};
    a.progress.remaining = 10'000;
    side.ask(a);
  };
  using Words = std::vector<GavelSide<Machines>::Word>;
  for (const std::uint32_t slot : {0U, 1U, 2U}) ask(slot, 1);
  ask(3, 2);
  side.pass(0);
  CHECK(side.said == Words{{'s', 0, 0, 10'000}, {'s', 1, 0, 10'000}, {'s', 2, 0, 10'000}});
  side.at(50);
  side.end(1);  // one GPU is idle on each machine of the first site
  side.dispatcher.change_capacity(1, 2);
  side.pass(100);  // the gang is due first
  CHECK(side.said == Words{{'s', 3, 1, 10'000}});
}

TEST_CASE("on machines of four no GPU is given twice, and every job that machines could hold has its turns") {
  std::uint64_t starts = 0;
  std::int64_t longest = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    MixedDice dice{seed};
    const Ground ground = draw_ground(dice);
    PreemptiveRule rule = draw_rule(dice, seed % 2 == 0 ? Order::gavel_las : Order::gavel_ftf);
    rule.skips = true;
    rule.shield = 0;
    GavelSide<Machines> side(rule, ground, std::int16_t{4});
    side.asks_for_rest = true;
    const std::size_t pools = ground.type_of.size();
    std::vector<std::int64_t> gpus;
    for (std::uint32_t p = 0; p < pools; ++p) {
      gpus.push_back(4 * (1 + dice.below(3)));
      side.dispatcher.change_capacity(p, gpus.back());
    }
    std::map<std::uint32_t, std::pair<std::uint32_t, std::int64_t>> runs;  // pool, GPUs
    std::map<std::uint32_t, std::int64_t> ran_last;
    for (std::uint32_t slot = 0; slot < 14; ++slot) {
      GavelJob a = draw_job(dice, slot, 0);
      a.job.slot = slot;
      a.firm = false;
      a.job.requested = a.progress.remaining = 1'000'000'000;
      side.ask(a);
      ran_last[slot] = 0;
    }
    CAPTURE(seed);
    for (std::int64_t now = 0; now < 30'000; now += 100) {
      side.pass(now);
      for (const auto& [what, id, pool, requested] : side.said)
        if (what == 'p') runs.erase(static_cast<std::uint32_t>(id));
      for (const auto& [what, id, pool, requested] : side.said) {
        const auto slot = static_cast<std::uint32_t>(id);
        if (what != 's') continue;
        runs[slot] = {pool, side.jobs.at(slot).job.gpus};
        ++starts;
      }
      std::vector<std::int64_t> used(pools);
      for (const auto& [slot, where] : runs) {
        used[where.first] += where.second;
        ran_last[slot] = now;
      }
      for (std::uint32_t p = 0; p < pools; ++p) REQUIRE(side.dispatcher.free(p) == gpus[p] - used[p]);
      for (const auto& [slot, last] : ran_last) {
        const auto& choices = ground.groups[side.jobs.at(slot).group].choices;
        const std::int64_t gang = side.jobs.at(slot).job.gpus;
        if (std::none_of(choices.begin(), choices.end(), [&](const auto& c) { return gpus[c.pool] >= gang; }))
          continue;
        longest = std::max(longest, (now - last) / 100);
      }
    }
  }
  CAPTURE(starts, longest);
  CHECK(starts > 10'000);
  CHECK(longest < 60);
}
