// SPDX-License-Identifier: Apache-2.0
// Pools of types and jobs at random, and two dispatchers of target shares that are told the same of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/scheduling/typed_gavel.hpp>

#include "mixed_dice.hpp"

namespace natgpu::testing {

/// Pools of types, and groups of jobs that accept some types at speeds of their own.
struct Ground {
  std::vector<std::uint32_t> type_of;
  std::vector<scheduling::GroupSpec> groups;
};
inline Ground draw_ground(MixedDice& dice) {
  Ground ground;
  const auto types = static_cast<std::uint32_t>(1 + dice.below(3));
  for (std::uint32_t t = 0; t < types; ++t)
    for (std::int64_t n = 1 + dice.below(3); n > 0; --n) ground.type_of.push_back(t);
  for (int g = 0; g < 4; ++g) {
    std::vector<double> speeds;
    for (std::uint32_t t = 0; t < types; ++t) speeds.push_back(0.35 * static_cast<double>(dice.below(6)));
    if (*std::max_element(speeds.begin(), speeds.end()) == 0) speeds.front() = 1;
    scheduling::GroupSpec& spec = ground.groups.emplace_back();
    for (std::uint32_t p = 0; p < ground.type_of.size(); ++p)
      if (speeds[ground.type_of[p]] > 0) spec.choices.push_back({p, speeds[ground.type_of[p]]});
    std::stable_sort(
        spec.choices.begin(), spec.choices.end(),
        [](const scheduling::PoolChoice& a, const scheduling::PoolChoice& b) { return a.speed > b.speed; });
  }
  return ground;
}

struct GavelJob {
  scheduling::WaitingJob job;
  scheduling::Progress progress;
  std::uint32_t group = 0;
  bool firm = false;
  double weight = 1;
  bool runs = false, stops = false;
  std::int64_t since = 0, free_at = 0;
};
inline GavelJob draw_job(MixedDice& dice, std::uint64_t id, std::int64_t now) {
  GavelJob a;
  a.job.order = {now, id};
  a.job.requested = 1 + dice.below(4000);
  a.job.gpus = static_cast<std::int32_t>(1 + dice.below(dice.below(3) == 0 ? 7 : 2));
  a.progress.remaining = a.job.requested;
  a.group = static_cast<std::uint32_t>(dice.below(4));
  a.firm = dice.below(8) == 0;
  a.weight = static_cast<double>(1 + dice.below(3));
  return a;
}

/// A dispatcher, its jobs by slot, and what it said at each pass.
template <class Dispatcher>
class GavelSide {
 public:
  using Word = std::tuple<char, std::uint64_t, std::uint32_t, std::int64_t>;  // what, job, pool, requested

  /// @param more  what the dispatcher takes beside the rule and the ground
  template <class... More>
  explicit GavelSide(const scheduling::PreemptiveRule& rule, const Ground& ground, More... more)
      : notice_(rule.notice), dispatcher(rule, ground.type_of, ground.groups, more...) {}

  void ask(const GavelJob& a) { put(jobs[a.job.slot] = a); }
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
    GavelJob& a = jobs[slot];
    if (a.runs) note_run(a);
    a.stops = false;
    put(a);
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
  void preempt(const scheduling::WaitingJob& job) {
    said.emplace_back('p', job.order.id, 0, 0);
    GavelJob& a = jobs[job.slot];
    note_run(a);
    if (notice_ == 0) return put(a);
    a.stops = true;
    a.free_at = now_ + notice_;
  }
  void start(const scheduling::WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    said.emplace_back('s', job.order.id, pool, requested);
    jobs[job.slot].runs = true;
    jobs[job.slot].since = now_;
  }
  void at(std::int64_t now) { now_ = now; }

 private:
  void note_run(GavelJob& a) {
    a.runs = false;
    a.progress.attained += now_ - a.since;
    a.progress.remaining = std::max<std::int64_t>(a.progress.remaining - (now_ - a.since) / 3, 1);
    a.progress.restart = a.job.slot % 3 * 10;
    if (asks_for_rest) a.job.requested = a.progress.remaining + a.progress.restart;
  }
  void put(const GavelJob& a) { dispatcher.submit(a.job, a.progress, now_, a.group, a.firm, a.weight); }
  std::int64_t notice_, now_ = 0;

 public:
  Dispatcher dispatcher;
  std::map<std::uint32_t, GavelJob> jobs;
  std::vector<Word> said;
  bool asks_for_rest = false;  ///< who lost GPUs requests what is left of the job, not all of it again
};

struct GavelTally {
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
void happen_to_jobs(MixedDice& dice, const Jobs& jobs, std::uint64_t& next_id, std::int64_t now,
                    Both&& both) {
  for (const auto& [slot, asked] : std::map(jobs)) {  // a copy: jobs leave
    const std::uint32_t s = slot;
    if (asked.stops && asked.free_at <= now) {
      both([&](auto& side) { side.fail(s); });
      continue;
    }
    const std::int64_t luck = dice.below(40);
    if (asked.runs && luck < 3) both([&](auto& side) { side.end(s); });
    if ((asked.runs || asked.stops) && luck == 3) both([&](auto& side) { side.fail(s); });
    if (!asked.runs && !asked.stops && luck == 4) both([&](auto& side) { side.give_up(s); });
  }
  for (std::int64_t n = dice.below(3); n > 0 && jobs.size() < 14; --n) {
    GavelJob a = draw_job(dice, next_id++, now);
    while (jobs.count(a.job.slot) > 0) ++a.job.slot;  // slots are used again
    both([&](auto& side) { side.ask(a); });
  }
}

/// Passes while jobs and GPUs come and go. @returns the first in which the two differ, or -1
template <class Fast, class Plain>
int first_difference(MixedDice& dice, const Ground& ground, GavelSide<Fast>& fast, GavelSide<Plain>& plain,
                     GavelTally& tally) {
  const auto both = [&](auto&& act) {
    act(fast);
    act(plain);
  };
  const auto pools = static_cast<std::uint32_t>(ground.type_of.size());
  for (std::uint32_t p = 0; p < pools; ++p) {
    const std::int64_t gpus = 1 + dice.below(6);
    both([&](auto& side) { side.dispatcher.change_capacity(p, gpus); });
  }
  std::uint64_t next_id = 0;
  std::int64_t now = 0;
  for (int pass = 0; pass < 120; ++pass) {
    now += dice.below(3) == 0 ? dice.below(60) : 100 - now % 100;
    both([&](auto& side) { side.at(now); });
    happen_to_jobs(dice, plain.jobs, next_id, now, both);
    if (dice.below(4) == 0) {
      const auto p = static_cast<std::uint32_t>(dice.below(pools));
      const std::int64_t delta =
          dice.below(2) == 0 ? 1 + dice.below(3) : -std::min(plain.dispatcher.free(p), 1 + dice.below(3));
      both([&](auto& side) { side.dispatcher.change_capacity(p, delta); });
    }
    both([&](auto& side) { side.pass(now); });
    if (fast.said != plain.said) return pass;
    if constexpr (requires { plain.dispatcher.next_start(); })
      if (fast.dispatcher.next_start() != plain.dispatcher.next_start()) return pass;
    tally.count(plain.said);
    for (std::uint32_t p = 0; p < pools; ++p)
      if (fast.dispatcher.free(p) != plain.dispatcher.free(p) || plain.dispatcher.free(p) < 0) return pass;
  }
  return -1;
}

}  // namespace natgpu::testing
