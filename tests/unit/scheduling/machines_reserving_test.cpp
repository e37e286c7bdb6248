// SPDX-License-Identifier: Apache-2.0
// Reservations on machines of several pools that come, break, leave and are known to leave, against plain
// loops over all instants; and what a promise is worth.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "machine_cases.hpp"
#include "plain_machines.hpp"
#include "plain_promises.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Machine;

namespace {

struct Spot {
  std::size_t pool = 0;
  std::int64_t start = 0, end = 0;
  PlainMachines::Place place;
};

class PlainReserving : public PlainMachines, public PlainPromises<Spot> {
 public:
  explicit PlainReserving(const PlainMachines& machines) : PlainMachines(machines) {}

  std::map<std::uint32_t, std::int64_t> keys;  ///< of the order, by slot
  std::vector<std::uint32_t> pass(std::int64_t now) {
    now_ = now;
    started_.clear();
    pass_at(now);
    return started_;
  }

 private:
  std::vector<std::uint32_t> in_order() const override {
    std::vector<std::pair<std::int64_t, std::uint32_t>> order;
    for (const Job& w : waiting) order.emplace_back(keys.at(w.slot), w.slot);
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> slots;
    for (const auto& [key, slot] : order) slots.push_back(slot);
    return slots;
  }
  const Job& job(std::uint32_t slot) const {
    return *std::find_if(waiting.begin(), waiting.end(), [slot](const Job& w) { return w.slot == slot; });
  }
  Pools at(std::int64_t t) const {
    Pools all = pools;
    for (auto& machines : all)
      for (Machine& m : machines) m.fill(m.gpus);
    for (const Running& r : running)
      if (t < r.end) take(all, r.place);
    for (const auto& [slot, spot] : reserved)
      if (spot.start <= t && t < spot.end) take(all, spot.place);
    return all;
  }
  Pools throughout(std::int64_t from, std::int64_t until) const {
    Pools least = at(from);
    std::set<std::int64_t> changes;
    for (const Running& r : running) changes.insert(r.end);
    for (const auto& [slot, spot] : reserved) changes.insert({spot.start, spot.end});
    for (const std::int64_t t : changes) {
      if (t <= from || t >= until) continue;
      const Pools then = at(t);
      for (std::size_t p = 0; p < least.size(); ++p)
        for (std::size_t m = 0; m < least[p].size(); ++m) least[p][m].free &= then[p][m].free;
    }
    return least;
  }
  std::optional<Place> place_for(const scheduling::PoolChoice& c, const Job& j, std::int64_t t,
                                 std::int64_t length) const {
    const Pools free = throughout(t, t + length);
    std::optional<Place> place = together(free, c.pool, j.gpus, t + length);
    if (!place && slowdown_milli > 0 && j.gpus > 1) place = spread(free, c.pool, j.gpus, t + length);
    return place;
  }
  std::optional<Spot> spot_at(const scheduling::PoolChoice& c, const Job& j, std::int64_t t) const {
    const std::int64_t shortest = scheduling::time_at_speed(j.requested, c.speed),
                       longer = (shortest * slowdown_milli + 999) / 1000;
    std::optional<Place> place = place_for(c, j, t, shortest);
    if (place && is_spread(*place, j.gpus) && slowdown_milli > 1000) place = place_for(c, j, t, longer);
    if (!place) return std::nullopt;
    place->length = is_spread(*place, j.gpus) ? longer : shortest;
    return Spot{c.pool, t, t + place->length, *place};
  }
  std::optional<Spot> best_place(std::uint32_t slot, std::int64_t latest) const override {
    std::optional<Spot> best;
    for (const scheduling::PoolChoice& c : groups[job(slot).group].choices) {
      std::set<std::int64_t> instants{now_};
      for (const Running& r : running)
        if (r.place.pool == c.pool && r.end > now_) instants.insert(r.end);
      for (const auto& [other, spot] : reserved)
        if (spot.pool == c.pool && spot.end > now_) instants.insert(spot.end);
      for (const std::int64_t t : instants) {
        if (t > latest) break;
        const std::optional<Spot> spot = spot_at(c, job(slot), t);
        if (!spot) continue;
        if (!best || spot->end < best->end) best = spot;
        break;
      }
    }
    return best;
  }
  std::optional<Spot> place_now(std::uint32_t slot) const override {
    for (const scheduling::PoolChoice& c : groups[job(slot).group].choices)
      if (const auto spot = spot_at(c, job(slot), now_)) return spot;
    return std::nullopt;
  }
  bool overflows(const Spot& spot) const override {
    for (const auto& [m, gpus] : spot.place.held) {
      if (pools[spot.pool][m].gpus == 0 || pools[spot.pool][m].leaves < spot.end) return true;
      for (const Running& r : running)
        for (const auto& [machine, held] : r.place.held)
          if (r.place.pool == spot.pool && machine == m && (held & gpus) != 0 && r.end > spot.start)
            return true;
    }
    return false;
  }
  void begin(std::uint32_t slot, const Spot& spot) override {
    take(pools, spot.place);
    running.push_back({job(slot), spot.place, spot.end});
    started_.push_back(slot);
    waiting.erase(
        std::find_if(waiting.begin(), waiting.end(), [slot](const Job& w) { return w.slot == slot; }));
  }

  std::int64_t now_ = 0;
  std::vector<std::uint32_t> started_;
};

struct Reserving {
  scheduling::MachineSettings settings;
  PlainReserving plain;
};
Reserving random_reserving(Draws& draw) {
  const Setting s = random_setting(draw, PlainMachines::Rule::fit);
  return {s.settings, PlainReserving(s.plain)};
}

struct Tally {
  std::size_t starts = 0, moved = 0, broken = 0;
};

class Duel : public MachineDuel<Reserving, scheduling::ConservativeMachines> {
 public:
  /// @param calm  nothing is lost, and nobody runs longer than foreseen
  Duel(std::uint64_t seed, std::int64_t holders, bool calm)
      : MachineDuel(seed, random_reserving,
                    [holders](const Reserving& s) {
                      return scheduling::ConservativeMachines(s.settings, placement_stream(), holders);
                    }),
        calm_(calm) {
    if (holders > 0) plain_.holders = static_cast<std::size_t>(holders);
  }

  void fight(Tally& tally) {
    std::int64_t now = 0;
    for (; now < 300; now = next(now)) {
      end_some(now);
      change_machines();
      if (draw_.one_in(6) && !calm_) plan_departures(now);
      if (draw_.one_in(3)) move_an_end(now);
      submit_some();
      if (draw_.one_in(8)) withdraw_one();
      pass(now, tally);
    }
    // All that any machines can hold have their turn.
    for (int i = 0; i < 10'000 && dispatcher_.waiting() > dispatcher_.unholdable(); ++i, now = next(now)) {
      end_some(now);
      pass(now, tally);
    }
    REQUIRE(dispatcher_.waiting() == dispatcher_.unholdable());
    tally.broken += dispatcher_.broken_promises();
  }

 private:
  std::int64_t next(std::int64_t now) { return std::min(now + 1 + draw_.below(6), dispatcher_.next_start()); }
  void pass(std::int64_t now, Tally& tally) {
    sink_.now = now;
    sink_.slots.clear();
    dispatcher_.pass(now, sink_);
    INFO("instant " << now);
    REQUIRE(sink_.slots == plain_.pass(now));
    for (const PlainMachines::Running& r : plain_.running)
      REQUIRE(sink_.runs.at(r.job.slot).first == r.place.pool);
    REQUIRE(dispatcher_.waiting() == plain_.waiting.size());
    REQUIRE(dispatcher_.broken_promises() == plain_.broken);
    REQUIRE(dispatcher_.next_start() > now);
    for (const std::uint32_t slot : sink_.slots) promised(slot, now, tally);
    for (const PlainMachines::Job& w : plain_.waiting) {
      REQUIRE(dispatcher_.promised(w.slot) == plain_.promised(w.slot));
      promised(w.slot, dispatcher_.promised(w.slot), tally);
    }
    check_free();
    tally.starts += sink_.slots.size();
  }
  void promised(std::uint32_t slot, std::int64_t at, Tally& tally) {
    const auto before = promises_.find(slot);
    if (before != promises_.end()) {
      if (calm_) REQUIRE(at <= before->second);
      tally.moved += at < before->second ? 1 : 0;
    }
    if (at != PlainReserving::no_time) promises_[slot] = at;
  }
  void finish(std::uint32_t slot) override {
    MachineDuel::finish(slot);
    plain_.freed = true;
  }
  bool breaks() override { return !calm_ && MachineDuel::breaks(); }
  void come(const Machine& machine, std::int64_t gpus) override {
    MachineDuel::come(machine, gpus);
    plain_.gain();
  }
  void go(const Machine& machine) override {
    for (const std::uint32_t slot : dispatcher_.jobs_on(machine)) promises_.erase(slot);
    MachineDuel::go(machine);
    plain_.look_for_overflows();
  }
  void plan_departures(std::int64_t now) override {
    const PlainMachines::Pools before = plain_.pools;
    const std::uint32_t p = plan_departures_within(now, 90);
    plain_.look_for_overflows();
    for (std::size_t m = 0; m < before[p].size(); ++m)
      if (before[p][m].gpus > 0 && plain_.pools[p][m].leaves > before[p][m].leaves) return plain_.gain();
  }
  /// A running job is known to end at another time.
  void move_an_end(std::int64_t now) {
    if (plain_.running.empty()) return;
    const auto which =
        static_cast<std::size_t>(draw_.below(static_cast<std::int64_t>(plain_.running.size())));
    PlainMachines::Running& r = plain_.running[which];
    const std::int64_t end = now + 1 + draw_.below(calm_ ? std::max<std::int64_t>(r.end - now, 1) : 60);
    if (calm_ && end > r.end) return;
    dispatcher_.extend_job(r.job.slot, end);
    plain_.freed |= end < r.end;
    r.end = end;
    plain_.look_for_overflows();
  }
  void describe(const PlainMachines::Job& job) override { plain_.keys[job.slot] = draw_.below(100); }
  void wait(const PlainMachines::Job& job) override {
    plain_.waiting.push_back(job);
    plain_.fresh.insert(job.slot);
    submit(job);
  }
  void submit(const PlainMachines::Job& job) override {
    dispatcher_.submit(job.group, {key(job), job.requested, static_cast<std::int32_t>(job.gpus), job.slot});
  }
  void withdraw(const PlainMachines::Job& job) override {
    REQUIRE(dispatcher_.withdraw(job.group, key(job), static_cast<std::int32_t>(job.gpus)));
    plain_.leave(job.slot);
  }
  scheduling::QueueKey key(const PlainMachines::Job& job) const {
    return {plain_.keys.at(job.slot), job.slot};
  }

  bool calm_;
  std::map<std::uint32_t, std::int64_t> promises_;
  Starts sink_;
};

}  // namespace

TEST_CASE("reservations on machines that come, break and leave are those of plain loops") {
  Tally all, few;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Duel(seed, 0, false).fight(all);
    Duel(seed, 1 + static_cast<std::int64_t>(seed % 4), false).fight(few);
  }
  CHECK(all.starts > 10'000);
  CHECK(few.starts > 10'000);
  CHECK(all.broken > 1'000);
}

TEST_CASE("while nothing is lost no start on machines is later than it was promised, and nobody starves") {
  Tally tally;
  for (std::uint64_t seed = 1'001; seed <= 1'200; ++seed) {
    CAPTURE(seed);
    Duel(seed, 0, true).fight(tally);
  }
  CHECK(tally.moved > 1'000);
  CHECK(tally.broken == 0);
}
