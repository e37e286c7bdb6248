// SPDX-License-Identifier: Apache-2.0
// One block on machines, minute by minute in plain loops over its GPUs, with machines that fail, GPUs that
// are taken back and gangs that are spread or not.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "node_cases.hpp"
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::PoolAreas;

namespace {

struct PlainJob {
  std::int64_t submit = 0, gpus = 1, run = 2, requested = 2, every = 0, restart = 0;
  std::int64_t done = 0, stall = 0, started = 0, end = 0,
               pace = 2;  ///< pace: halves of minutes a minute takes
  enum { to_come, waits, runs, gone } state = to_come;
  std::string ran;
};

/// A block of all machines from minute 0 on. All times are even, so that half as long again is whole minutes.
struct PlainMachines {
  struct Gpu {
    int machine = 0, holder = -1;
    std::int64_t since = 0;
    bool is_of_block = true;
  };
  std::int64_t per_node = 1, end = 0, reclaim_after = 0;
  std::int64_t spread_pace = 0;  ///< 0: jobs wait for the fewest machines
  std::vector<Gpu> gpus;
  std::vector<PlainJob> jobs;                         ///< in order of submission
  std::vector<std::pair<std::int64_t, int>> outages;  ///< minute, machine
  std::int64_t reserved = 0, left_over = 0, finished = 0, killed = 0, restarts = 0, spread = 0;
  bool over = false, changed = false;

  static std::int64_t longer(std::int64_t minutes, std::int64_t pace) { return minutes * pace / 2; }
  bool is_empty() const {
    return std::none_of(gpus.begin(), gpus.end(), [](const Gpu& g) { return g.is_of_block; });
  }
  void leave(int job, std::int64_t now) {
    changed = true;
    for (Gpu& g : gpus)
      if (g.holder == job) {
        g.holder = -1;
        g.since = now;
      }
    PlainJob& j = jobs[static_cast<std::size_t>(job)];
    j.ran += fmt::format("{}{:.6g}-{:.6g}", j.ran.empty() ? "" : " ", in_hours(j.started), in_hours(now));
  }
  void finish() {
    over = true;
    for (Gpu& g : gpus) g.is_of_block = false;
    for (PlainJob& j : jobs)
      if (j.state == PlainJob::waits) {
        j.state = PlainJob::gone;
        ++left_over;
      }
  }
  void complete(std::int64_t now) {
    for (int i = 0; i < std::ssize(jobs); ++i) {
      PlainJob& j = jobs[static_cast<std::size_t>(i)];
      if (j.state != PlainJob::runs || j.end != now) continue;
      leave(i, now);
      ++(j.started + j.stall + longer(j.run - j.done, j.pace) > now ? killed : finished);
      j.state = PlainJob::gone;
    }
    if (now == end && !over) finish();
  }
  void reclaim(std::int64_t now) {
    if (over || reclaim_after == 0) return;
    for (Gpu& g : gpus)
      if (g.is_of_block && g.holder < 0 && g.since + reclaim_after <= now) {
        g.is_of_block = false;
        changed = true;
      }
    if (is_empty()) finish();
  }
  void fail(int machine, std::int64_t now) {
    if (over) return;
    bool any = false;
    for (Gpu& g : gpus) {
      if (g.machine != machine || !g.is_of_block) continue;
      any = true;
      if (g.holder >= 0) {
        const int i = g.holder;
        PlainJob& j = jobs[static_cast<std::size_t>(i)];
        leave(i, now);
        const std::int64_t on = std::max<std::int64_t>(now - j.started - j.stall, 0);
        if (j.every > 0)  // on * 2 / pace minutes of work
          j.done =
              std::max(j.done, std::min((j.done * j.pace + on * 2) / (j.every * j.pace) * j.every, j.run));
        j.stall = j.restart;
        j.state = PlainJob::waits;
        ++restarts;
      }
    }
    for (Gpu& g : gpus)
      if (g.machine == machine) g.is_of_block = false;
    changed = changed || any;
    if (any && is_empty()) finish();
  }
  /// GPUs of the block on each machine, idle ones or all.
  std::map<int, std::int64_t> rooms(bool all) const {
    std::map<int, std::int64_t> rooms;
    for (const Gpu& g : gpus)
      if (g.is_of_block && (all || g.holder < 0)) ++rooms[g.machine];
    return rooms;
  }
  /// Fewest machines that have so many together, looked for among all sets of machines; 0: none have.
  static std::int64_t fewest(const std::map<int, std::int64_t>& rooms, std::int64_t wanted) {
    std::vector<std::int64_t> sizes;
    for (const auto& [machine, size] : rooms) sizes.push_back(size);
    std::int64_t best = 0;
    for (unsigned set = 1; set < 1U << sizes.size(); ++set) {
      std::int64_t sum = 0, machines = 0;
      for (std::size_t m = 0; m < sizes.size(); ++m)
        if ((set >> m & 1U) != 0) sum += sizes[m], ++machines;
      if (sum >= wanted && (best == 0 || machines < best)) best = machines;
    }
    return best;
  }
  void take(int job, std::int64_t wanted) {
    while (wanted > 0) {
      int where = -1;
      std::int64_t most = 0, least = 0;
      for (const auto& [machine, idle] : rooms(false)) {
        const std::int64_t part = std::min(idle, wanted);
        if (part > most || (part == most && idle < least)) where = machine, most = part, least = idle;
      }
      for (Gpu& g : gpus)
        if (g.machine == where && g.is_of_block && g.holder < 0 && most > 0) {
          g.holder = job;
          --most;
          --wanted;
        }
    }
  }
  void start(std::int64_t now) {
    if (over) return;
    for (int i = 0; i < std::ssize(jobs); ++i) {
      PlainJob& j = jobs[static_cast<std::size_t>(i)];
      if (j.state != PlainJob::waits) continue;
      const std::int64_t requested = j.requested - j.done + j.stall;
      const std::int64_t needs = (j.gpus + per_node - 1) / per_node;
      const auto pace_on = [&](std::int64_t machines) { return machines > needs ? spread_pace : 2; };
      const auto in_time = [&](std::int64_t machines) {
        const std::int64_t pace = pace_on(machines);
        return machines > 0 && pace > 0 && now + longer(requested, pace) <= end;
      };
      if (!in_time(fewest(rooms(true), j.gpus))) continue;  // never again
      const std::int64_t machines = fewest(rooms(false), j.gpus);
      if (!in_time(machines)) return;
      take(i, j.gpus);
      j.state = PlainJob::runs;
      j.started = now;
      j.pace = pace_on(machines);
      spread += machines > needs;
      j.end = now + std::min(j.stall + longer(j.run - j.done, j.pace), longer(requested, j.pace));
    }
  }
  void run(std::int64_t minutes) {
    for (std::int64_t now = 0; now < minutes; ++now) {
      complete(now);
      reclaim(now);
      for (const auto& [at, machine] : outages)
        if (at == now) fail(machine, now);
      for (PlainJob& j : jobs)
        if (j.submit == now && j.state == PlainJob::to_come) {
          j.state = over ? PlainJob::gone : PlainJob::waits;
          changed = true;
        }
      if (std::exchange(changed, false)) start(now);
      for (const Gpu& g : gpus) reserved += g.is_of_block && g.holder < 0;
    }
  }
};

PlainMachines block_of(Dice& dice) {
  PlainMachines b;
  const auto even = [&](std::int64_t low, std::int64_t high) {
    return 2 * (low / 2 + dice.below((high - low) / 2 + 1));
  };
  b.per_node = 2 + dice.below(3);
  const std::int64_t machines = 2 + dice.below(4), size = machines * b.per_node;
  b.end = even(1500, 3000);
  b.reclaim_after = dice.below(2) == 0 ? 0 : even(60, 900);
  b.spread_pace = std::vector<std::int64_t>{0, 2, 3}[static_cast<std::size_t>(dice.below(3))];
  for (int m = 0; m < machines; ++m)
    for (int g = 0; g < b.per_node; ++g) b.gpus.push_back({m});
  for (int i = 0; i < 35; ++i) {
    PlainJob j;
    j.submit = even(2, 1400);
    j.gpus = 1 + dice.below(dice.below(3) == 0 ? size : b.per_node + 1);
    j.run = even(2, dice.below(3) == 0 ? 900 : 200);
    j.requested = std::max<std::int64_t>(j.run + even(0, 80) - 20, 2);
    const std::int64_t kind = dice.below(3);
    j.every = kind > 0 ? 120 : 0;
    j.restart = kind == 2 ? 60 : 0;
    b.jobs.push_back(j);
  }
  std::stable_sort(b.jobs.begin(), b.jobs.end(),
                   [](const PlainJob& x, const PlainJob& y) { return x.submit < y.submit; });
  for (int m = 0; m < machines; ++m)
    if (dice.below(3) == 0) b.outages.emplace_back(even(10, 1400), m);
  return b;
}

const char* locality_of(std::int64_t pace) {
  return pace == 0 ? "0" : pace == 2 ? "1" : "1.5";
}

}  // namespace

TEST_CASE("600 random blocks on machines run their jobs as plain loops over their GPUs do, job for job") {
  std::int64_t left_over = 0, killed = 0, restarts = 0, spread = 0, over_early = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    PlainMachines plain = block_of(dice);
    const auto gpus = std::ssize(plain.gpus);
    MachineScript<> s(
        gpus / plain.per_node, plain.per_node,
        fmt::format("  project: [{{name: block, duration: 1 d, jobs: {{mix: [{{name: plain}}]}}, "
                    "reclaim_after: {} min}}]\n",
                    plain.reclaim_after),
        fmt::format("placement: best, locality: {}", locality_of(plain.spread_pace)));
    const std::size_t block = s.project(0, {static_cast<std::int32_t>(gpus), in_hours(plain.end)});
    for (const auto& [at, machine] : plain.outages)
      s.machine_broken(in_hours(at), in_hours(at + 30), static_cast<std::uint32_t>(machine));
    for (const PlainJob& j : plain.jobs)
      s.inside(in_hours(j.submit), block,
               {static_cast<std::int32_t>(j.gpus), in_hours(j.run), in_hours(j.requested), -1,
                j.every == 0    ? "plain"
                : j.restart > 0 ? "slow"
                                : "saved"});
    s.run(60);
    plain.run(3600);
    over_early += plain.over && s.jobs()[0].gone < hour_ticks(in_hours(plain.end));
    std::size_t seen = 1;  // the block itself is job 0
    for (const PlainJob& j : plain.jobs) {
      if (s.jobs()[0].gone <= hour_ticks(in_hours(j.submit)) && j.ran.empty()) continue;
      REQUIRE(seen < s.jobs().size());
      REQUIRE(s.ran(seen++) == j.ran);
    }
    CHECK(static_cast<std::int64_t>(s.counts().left_over) == plain.left_over);
    CHECK(static_cast<std::int64_t>(s.counts().killed) == plain.killed);
    CHECK(static_cast<std::int64_t>(s.counts().finished) == plain.finished + 1);
    CHECK(static_cast<std::int64_t>(s.counts().restarts) == plain.restarts);
    CHECK(static_cast<std::int64_t>(s.counts().spread) == plain.spread);
    CHECK(s.area(&PoolAreas::reserved) == Approx(in_hours(plain.reserved)).epsilon(1e-12));
    left_over += plain.left_over;
    killed += plain.killed;
    restarts += plain.restarts;
    spread += plain.spread;
    over_early += plain.over;
  }
  CHECK(left_over > 300);
  CHECK(killed > 300);
  CHECK(restarts > 300);
  CHECK(spread > 200);
  CHECK(over_early > 30);
}
