// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf on machines of several pools and types: on machines of one GPU against counted
// GPUs, while jobs and machines come and go; on larger ones by what must hold whatever places do.
#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

struct Luck {
  std::uint64_t state;
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % static_cast<std::uint64_t>(n));
  }
};

/// Pools of types, and groups of jobs that accept some types at speeds of their own.
struct Ground {
  std::vector<std::uint32_t> type_of;
  std::vector<GroupSpec> groups;
};
Ground draw_ground(Luck& dice) {
  Ground s;
  const auto types = static_cast<std::uint32_t>(1 + dice.below(3));
  for (std::uint32_t t = 0; t < types; ++t)
    for (std::int64_t n = 1 + dice.below(3); n > 0; --n) s.type_of.push_back(t);
  for (int g = 0; g < 4; ++g) {
    std::vector<double> speeds;
    for (std::uint32_t t = 0; t < types; ++t) speeds.push_back(0.35 * static_cast<double>(dice.below(6)));
    if (*std::max_element(speeds.begin(), speeds.end()) == 0) speeds.front() = 1;
    GroupSpec& spec = s.groups.emplace_back();
    for (std::uint32_t p = 0; p < s.type_of.size(); ++p)
      if (speeds[s.type_of[p]] > 0) spec.choices.push_back({p, speeds[s.type_of[p]]});
    std::stable_sort(spec.choices.begin(), spec.choices.end(),
                     [](const PoolChoice& a, const PoolChoice& b) { return a.speed > b.speed; });
  }
  return s;
}

/// Machines in the words of a dispatcher that counts GPUs: some come, and idle ones go.
class Machines : public GavelMachines {
 public:
  /// @param gpus  of each machine
  Machines(const PreemptiveRule& rule, const Ground& site, std::int16_t gpus = 1)
      : GavelMachines(settings_of(site, gpus), Streams(1, 0).open("nodes", "placement"), rule, site.type_of),
        gpus_(gpus),
        there_(site.type_of.size(), std::vector<bool>(most)) {}

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
  static MachineSettings settings_of(const Ground& site, std::int16_t gpus) {
    MachineSettings s;
    MachinePool pool;
    pool.machines = most;
    pool.gpus = gpus;
    s.pools.assign(site.type_of.size(), pool);
    s.groups = site.groups;
    s.placement = Placement::first;
    return s;
  }

  std::int16_t gpus_;
  std::vector<std::vector<bool>> there_;  ///< [pool][machine]
};
class Counted : public TypedGavelDispatcher {
 public:
  Counted(const PreemptiveRule& rule, const Ground& site)
      : TypedGavelDispatcher(rule, site.type_of, site.groups) {}
};

struct Asked {
  WaitingJob job;
  Progress progress;
  std::uint32_t group = 0;
  bool firm = false;
  double weight = 1;
  bool runs = false;
  std::int64_t since = 0;
};

/// A dispatcher, its jobs by slot, and what it said at each pass.
template <class Dispatcher>
class Side {
 public:
  using Word = std::tuple<char, std::uint64_t, std::uint32_t, std::int64_t>;  // what, job, pool, requested

  template <class... More>
  explicit Side(More... more) : dispatcher(more...) {}

  void ask(const Asked& a) { put(jobs[a.job.slot] = a); }
  void end(std::uint32_t slot) {
    dispatcher.finish_job(slot);
    jobs.erase(slot);
  }
  void give_up(std::uint32_t slot) {
    dispatcher.withdraw_job(slot);
    jobs.erase(slot);
  }
  /// It loses its GPUs and is in the queue again.
  void fail(std::uint32_t slot) {
    dispatcher.finish_job(slot);
    note_run(jobs[slot]);
    put(jobs[slot]);
  }
  void pass(std::int64_t now) {
    at(now);
    said.clear();
    dispatcher.pass(now, *this);
    std::stable_sort(said.begin(), said.end(), [](const Word& a, const Word& b) {
      // who loses GPUs loses them at once
      return std::pair(std::get<0>(a), std::get<0>(a) == 'p' ? std::get<1>(a) : 0) <
             std::pair(std::get<0>(b), std::get<0>(b) == 'p' ? std::get<1>(b) : 0);
    });
  }
  void preempt(const WaitingJob& job) {
    said.emplace_back('p', job.order.id, 0, 0);
    note_run(jobs[job.slot]);
    put(jobs[job.slot]);
  }
  void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    said.emplace_back('s', job.order.id, pool, requested);
    jobs[job.slot].runs = true;
    jobs[job.slot].since = now_;
  }
  void at(std::int64_t now) { now_ = now; }

  Dispatcher dispatcher;
  std::map<std::uint32_t, Asked> jobs;
  std::vector<Word> said;

 private:
  void note_run(Asked& a) {
    a.runs = false;
    a.progress.attained += now_ - a.since;
    a.progress.remaining = std::max<std::int64_t>(a.progress.remaining - (now_ - a.since) / 3, 1);
    a.progress.restart = a.job.slot % 3 * 10;
    a.job.requested = a.progress.remaining + a.progress.restart;
  }
  void put(const Asked& a) { dispatcher.submit(a.job, a.progress, now_, a.group, a.firm, a.weight); }
  std::int64_t now_ = 0;
};

Asked draw_job(Luck& dice, std::uint64_t id, std::int64_t now) {
  Asked a;
  a.job.order = {now, id};
  a.job.requested = 1 + dice.below(4000);
  a.job.gpus = static_cast<std::int32_t>(1 + dice.below(dice.below(3) == 0 ? 7 : 2));
  a.progress.remaining = a.job.requested;
  a.group = static_cast<std::uint32_t>(dice.below(4));
  a.firm = dice.below(8) == 0;
  a.weight = static_cast<double>(1 + dice.below(3));
  return a;
}
PreemptiveRule draw_rule(Luck& dice, Order order) {
  PreemptiveRule rule;
  rule.order = order;
  rule.round = 100;
  rule.skips = dice.below(3) > 0;
  rule.shield = dice.below(4) == 0 ? 150 : 0;
  return rule;
}

struct Tally {
  std::uint64_t starts = 0, preemptions = 0, moves = 0;
  template <class Words>
  void count(const Words& said) {
    for (const auto& [what, id, pool, requested] : said) {
      starts += what == 's';
      preemptions += what == 'p';
      const std::uint64_t mover = id;
      moves += what == 's' && std::any_of(said.begin(), said.end(), [mover](const auto& w) {
                 return std::get<0>(w) == 'p' && std::get<1>(w) == mover;
               });
    }
  }
};

/// What happens to jobs between two passes. @param both  tells it to each side
template <class Jobs, class Both>
void happen(Luck& dice, const Jobs& jobs, std::uint64_t& next_id, std::int64_t now, Both&& both) {
  for (const auto& [slot, asked] : std::map(jobs)) {  // a copy: jobs leave
    const std::uint32_t s = slot;
    const std::int64_t luck = dice.below(40);
    if (asked.runs && luck < 3) both([&](auto& side) { side.end(s); });
    if (asked.runs && luck == 3) both([&](auto& side) { side.fail(s); });
    if (!asked.runs && luck == 4) both([&](auto& side) { side.give_up(s); });
  }
  for (std::int64_t n = dice.below(3); n > 0 && jobs.size() < 14; --n) {
    Asked a = draw_job(dice, next_id++, now);
    while (jobs.count(a.job.slot) > 0) ++a.job.slot;  // slots are used again
    both([&](auto& side) { side.ask(a); });
  }
}

/// @returns the first pass in which machines of one GPU and counted GPUs differ, or -1
int first_difference(std::uint64_t seed, Order order, Tally& tally) {
  Luck dice{seed};
  const Ground site = draw_ground(dice);
  const PreemptiveRule rule = draw_rule(dice, order);
  Side<Machines> machines(rule, site);
  Side<Counted> counted(rule, site);
  const auto both = [&](auto&& act) {
    act(machines);
    act(counted);
  };
  for (std::uint32_t p = 0; p < site.type_of.size(); ++p) {
    const std::int64_t gpus = 1 + dice.below(6);
    both([&](auto& side) { side.dispatcher.change_capacity(p, gpus); });
  }
  std::uint64_t next_id = 0;
  std::int64_t now = 0;
  for (int pass = 0; pass < 120; ++pass) {
    now += dice.below(3) == 0 ? dice.below(60) : 100 - now % 100;
    both([&](auto& side) { side.at(now); });
    happen(dice, counted.jobs, next_id, now, both);
    if (dice.below(4) == 0) {
      const auto p = static_cast<std::uint32_t>(dice.below(static_cast<std::int64_t>(site.type_of.size())));
      const std::int64_t delta =
          dice.below(2) == 0 ? 1 + dice.below(3) : -std::min(counted.dispatcher.free(p), 1 + dice.below(3));
      both([&](auto& side) { side.dispatcher.change_capacity(p, delta); });
    }
    both([&](auto& side) { side.pass(now); });
    if (machines.said != counted.said) return pass;
    if (machines.dispatcher.next_start() != counted.dispatcher.next_start()) return pass;
    tally.count(counted.said);
    for (std::uint32_t p = 0; p < site.type_of.size(); ++p)
      if (machines.dispatcher.free(p) != counted.dispatcher.free(p)) return pass;
  }
  return -1;
}

}  // namespace

TEST_CASE("on machines of one GPU, over pools of several types, target shares decide as on counted GPUs") {
  for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      CAPTURE(seed, static_cast<int>(order));
      REQUIRE(first_difference(seed, order, tally) == -1);
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
  Side<Machines> side(rule, ground, std::int16_t{2});
  side.dispatcher.change_capacity(0, 4);
  const auto ask = [&](std::uint32_t slot, std::int32_t gpus) {
    Asked a;
    a.job = {{0, slot}, 10'000, gpus, slot};
    a.progress.remaining = 10'000;
    side.ask(a);
  };
  using Words = std::vector<Side<Machines>::Word>;
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
    Luck dice{seed};
    const Ground ground = draw_ground(dice);
    PreemptiveRule rule = draw_rule(dice, seed % 2 == 0 ? Order::gavel_las : Order::gavel_ftf);
    rule.skips = true;
    rule.shield = 0;
    Side<Machines> side(rule, ground, std::int16_t{4});
    const std::size_t pools = ground.type_of.size();
    std::vector<std::int64_t> gpus;
    for (std::uint32_t p = 0; p < pools; ++p) {
      gpus.push_back(4 * (1 + dice.below(3)));
      side.dispatcher.change_capacity(p, gpus.back());
    }
    std::map<std::uint32_t, std::pair<std::uint32_t, std::int64_t>> runs;  // pool, GPUs
    std::map<std::uint32_t, std::int64_t> ran_last;
    for (std::uint32_t slot = 0; slot < 14; ++slot) {
      Asked a = draw_job(dice, slot, 0);
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
