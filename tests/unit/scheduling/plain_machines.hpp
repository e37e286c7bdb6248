// SPDX-License-Identifier: Apache-2.0
// Pools of machines that come and go, filled by plain loops: first fit, every machine and every job looked at
// in every pass, nothing remembered but who waits and who runs.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>

namespace natgpu::testing {

class PlainMachines {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  struct Machine {
    std::int64_t gpus = 0;   ///< 0: it is not there
    std::uint32_t free = 0;  ///< a bit for each GPU
    std::int64_t leaves = forever;

    void fill(std::int64_t n) {
      gpus = n;
      free = (1U << n) - 1;
    }
    std::int64_t idle() const { return std::popcount(free); }
    /// The lowest free ones.
    std::uint32_t take(std::int64_t n) {
      std::uint32_t taken = 0;
      for (; n > 0; --n) {
        taken |= free & ~(free - 1);
        free &= free - 1;
      }
      return taken;
    }
  };
  struct Place {
    std::size_t pool = 0;
    std::vector<std::pair<std::size_t, std::uint32_t>> held;  ///< machine, GPUs
    std::int64_t length = 0;                                  ///< as requested
  };
  struct Job {
    std::uint32_t slot = 0, group = 0;
    std::int64_t gpus = 1, requested = 0;
  };
  struct Running {
    Job job;
    Place place;
    std::int64_t end = 0;
  };
  enum class Rule { none, fit, easy, easy_sjbf };
  using Pools = std::vector<std::vector<Machine>>;

  Pools pools;
  std::vector<std::int64_t> full;  ///< GPUs of a full machine, by pool
  std::vector<scheduling::GroupSpec> groups;
  std::int64_t slowdown_milli = 0;
  Rule rule = Rule::none;
  std::vector<Job> waiting;  ///< in queue order
  std::vector<Running> running;

  /// @returns slots that start, in order
  std::vector<std::uint32_t> pass(std::int64_t now) {
    std::vector<std::uint32_t> started;
    std::set<std::size_t> shut;
    std::optional<Job> head;
    std::vector<Job> later, left;
    for (const Job& job : waiting) {
      if (head && reserves()) {
        later.push_back(job);
        continue;
      }
      if (const auto place = find(pools, job, now, shut)) {
        begin(job, *place, now, started);
        continue;
      }
      left.push_back(job);
      if (rule == Rule::fit || all_shut(job, shut)) continue;
      const std::set<std::size_t> could = pools_for(job);
      if (could.empty()) continue;
      if (reserves()) head = job;
      shut.insert(could.begin(), could.end());
    }
    waiting = left;
    if (rule == Rule::easy_sjbf)
      std::stable_sort(later.begin(), later.end(),
                       [](const Job& a, const Job& b) { return a.requested < b.requested; });
    if (head) beside(*head, later, now, started);
    std::sort(waiting.begin(), waiting.end(), [](const Job& a, const Job& b) { return a.slot < b.slot; });
    return started;
  }
  void finish(std::uint32_t slot) {
    const auto it =
        std::find_if(running.begin(), running.end(), [&](const Running& r) { return r.job.slot == slot; });
    hand_back(pools, it->place);
    running.erase(it);
  }

 protected:
  bool reserves() const { return rule == Rule::easy || rule == Rule::easy_sjbf; }
  static void hand_back(Pools& pools, const Place& place) {
    for (const auto& [machine, gpus] : place.held) pools[place.pool][machine].free |= gpus;
  }
  static void take(Pools& pools, const Place& place) {
    for (const auto& [machine, gpus] : place.held) pools[place.pool][machine].free &= ~gpus;
  }
  bool all_shut(const Job& job, const std::set<std::size_t>& shut) const {
    return std::all_of(groups[job.group].choices.begin(), groups[job.group].choices.end(),
                       [&](const auto& c) { return shut.count(c.pool) > 0; });
  }
  /// Parts of a gang: full machines, then the rest.
  std::vector<std::int64_t> parts(std::size_t pool, std::int64_t gpus) const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(gpus / full[pool]), full[pool]);
    if (gpus % full[pool] > 0) all.push_back(gpus % full[pool]);
    return all;
  }
  std::optional<Place> together(const Pools& all, std::size_t pool, std::int64_t gpus,
                                std::int64_t until) const {
    std::vector<Machine> machines = all[pool];
    Place place{pool, {}, 0};
    for (const std::int64_t part : parts(pool, gpus)) {
      std::size_t m = 0;
      while (m < machines.size() && (machines[m].idle() < part || machines[m].leaves < until)) ++m;
      if (m == machines.size()) return std::nullopt;
      place.held.push_back({m, machines[m].take(part)});
    }
    return place;
  }
  static std::optional<Place> spread(const Pools& all, std::size_t pool, std::int64_t gpus,
                                     std::int64_t until) {
    Place place{pool, {}, 0};
    for (std::size_t m = 0; m < all[pool].size() && gpus > 0; ++m) {
      Machine machine = all[pool][m];
      const std::int64_t here = machine.leaves < until ? 0 : std::min(machine.idle(), gpus);
      if (here > 0) place.held.push_back({m, machine.take(here)});
      gpus -= here;
    }
    if (gpus > 0) return std::nullopt;
    return place;
  }
  bool is_spread(const Place& place, std::int64_t gpus) const {
    std::set<std::size_t> machines;
    for (const auto& [machine, n] : place.held) machines.insert(machine);
    return static_cast<std::int64_t>(machines.size()) > (gpus - 1) / full[place.pool] + 1;
  }
  std::optional<Place> find_in(const Pools& all, const scheduling::PoolChoice& c, const Job& job,
                               std::int64_t now) const {
    const std::int64_t shortest = scheduling::time_at_speed(job.requested, c.speed);
    for (const std::int64_t factor : {std::int64_t{1000}, slowdown_milli}) {
      if (factor == 0) break;
      const std::int64_t longer = (shortest * factor + 999) / 1000;
      const std::int64_t until = now == forever ? forever : now + longer;
      std::optional<Place> place = together(all, c.pool, job.gpus, until);
      if (!place && slowdown_milli > 0 && job.gpus > 1) place = spread(all, c.pool, job.gpus, until);
      if (!place) return std::nullopt;
      place->length = is_spread(*place, job.gpus) ? (shortest * slowdown_milli + 999) / 1000 : shortest;
      const bool gone_by_then = std::any_of(place->held.begin(), place->held.end(), [&](const auto& h) {
        return all[c.pool][h.first].leaves < now + place->length;
      });
      if (!gone_by_then) return place;
    }
    return std::nullopt;
  }
  std::optional<Place> find(const Pools& all, const Job& job, std::int64_t now,
                            const std::set<std::size_t>& shut = {}) const {
    for (const scheduling::PoolChoice& c : groups[job.group].choices)
      if (shut.count(c.pool) == 0)
        if (const auto place = find_in(all, c, job, now)) return place;
    return std::nullopt;
  }
  /// Pools whose machines, were they empty and there for ever, could hold the job.
  std::set<std::size_t> pools_for(const Job& job) const {
    Pools empty = pools;
    for (auto& machines : empty)
      for (Machine& m : machines) {
        m.fill(m.gpus);
        m.leaves = forever;
      }
    std::set<std::size_t> could;
    for (const scheduling::PoolChoice& c : groups[job.group].choices)
      if (find_in(empty, c, job, 0)) could.insert(c.pool);
    return could;
  }
  void begin(const Job& job, const Place& place, std::int64_t now, std::vector<std::uint32_t>& started) {
    take(pools, place);
    running.push_back({job, place, now + place.length});
    started.push_back(job.slot);
  }
  /// Behind the head's reservation.
  void beside(const Job& head, const std::vector<Job>& later, std::int64_t now,
              std::vector<std::uint32_t>& started) {
    Reservation r = reserve(head, now);
    for (const Job& job : later)
      if (!begin_beside(job, r, now, started)) waiting.push_back(job);
  }
  /// What is left of machines when the head is on them.
  struct Reservation {
    Pools then;
    std::int64_t shadow = forever;
    std::set<std::pair<std::size_t, std::size_t>> machines;
  };
  Reservation reserve(const Job& head, std::int64_t now) const {
    std::set<std::int64_t> ends;
    for (const Running& r : running) ends.insert(r.end);
    Reservation kept;
    for (const std::int64_t end : ends) {
      kept.then = pools;
      for (const Running& r : running)
        if (r.end <= end) hand_back(kept.then, r.place);
      const auto place = find(kept.then, head, std::max(end, now));
      if (!place) continue;
      take(kept.then, *place);
      for (const auto& [machine, gpus] : place->held) kept.machines.insert({place->pool, machine});
      kept.shadow = std::max(end, now);
      break;
    }
    return kept;
  }
  /// @returns false if it does not start
  bool begin_beside(const Job& job, Reservation& kept, std::int64_t now,
                    std::vector<std::uint32_t>& started) {
    if (const auto place = find(pools, job, now); place && place->length <= kept.shadow - now) {
      begin(job, *place, now, started);
      return true;
    }
    Pools rest = pools;
    for (const auto& [pool, machine] : kept.machines)
      rest[pool][machine].free = pools[pool][machine].free & kept.then[pool][machine].free;
    const auto place = find(rest, job, now);
    if (!place) return false;
    for (const auto& [machine, gpus] : place->held)
      if (kept.machines.count({place->pool, machine}) > 0) kept.then[place->pool][machine].free &= ~gpus;
    begin(job, *place, now, started);
    return true;
  }
};

}  // namespace natgpu::testing
