// SPDX-License-Identifier: Apache-2.0
// Blocks against independent answers: the same blocks as plain jobs, and one block minute by minute in plain
// loops over its units, with failures, repairs and units that are taken back.
#include <algorithm>
#include <utility>
#include <vector>

#include <natgpu/core/hash.hpp>

#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::PoolAreas;

namespace {

/// Whole numbers below n, one after another.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(mix64(seed)) {}
  std::int64_t below(std::int64_t n) {
    state_ = mix64(state_ + 1);
    return static_cast<std::int64_t>(state_ % static_cast<std::uint64_t>(n));
  }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }

 private:
  std::uint64_t state_;
};

std::string classes(std::int64_t reclaim_after) {
  return fmt::format(
      "  project: [{{name: block, duration: 1 d, jobs: {{mix: [{{name: plain}}]}}, reclaim_after: {} "
      "min}}]\n",
      reclaim_after);
}

// --- blocks as jobs

template <scheduling::Backfill B>
void compare_with_jobs(std::uint64_t seed) {
  Dice dice(seed);
  const std::int64_t gpus = dice.between(3, 12);
  Script<B> blocks(gpus, classes(0)), jobs(gpus, classes(0));
  for (int i = 0; i < 40; ++i) {
    const double at = in_hours(dice.below(4000)), duration = in_hours(dice.between(1, 900));
    const auto size = static_cast<std::int32_t>(dice.between(1, gpus + 1));
    const double patience = dice.below(3) == 0 ? in_hours(dice.below(600)) : -1;
    if (dice.below(3) > 0)
      blocks.project(at, {size, duration, patience});
    else
      blocks.job(at, {size, duration, -1, patience});
    jobs.job(at, {size, duration, -1, patience});
  }
  blocks.run(200);
  jobs.run(200);
  INFO("seed " << seed);
  REQUIRE(blocks.jobs().size() == jobs.jobs().size());
  for (std::size_t i = 0; i < jobs.jobs().size(); ++i) CHECK(blocks.ran(i) == jobs.ran(i));
  CHECK(blocks.counts().gave_up == jobs.counts().gave_up);
  CHECK(blocks.counts().rejected == jobs.counts().rejected);
  CHECK(blocks.counts().waited == jobs.counts().waited);
  CHECK(blocks.area(&PoolAreas::reserved) + blocks.area(&PoolAreas::allocated) ==
        Approx(jobs.area(&PoolAreas::allocated)).epsilon(1e-12));
  CHECK(blocks.area(&PoolAreas::reserved) > 0);
}

// --- one block, minute by minute

struct PlainJob {
  std::int64_t submit = 0, gpus = 1, run = 1, requested = 1, every = 0, restart = 0;
  std::int64_t done = 0, stall = 0, started = 0, end = 0;
  enum { to_come, waits, runs, gone } state = to_come;
  std::string ran;
};
struct PlainBreak {
  std::int64_t at = 0, until = 0, units = 1;
  double fraction = 0;
  bool uniform = true;
};

/// A block that holds its whole pool from minute 0 on.
struct PlainBlock {
  static constexpr int idle = -1;

  struct Unit {
    int holder = idle;
    std::int64_t since = 0;
  };
  std::int64_t end = 0, reclaim_after = 0;
  std::vector<Unit> line;
  std::vector<PlainJob> jobs;  ///< in order of submission
  std::vector<PlainBreak> breaks;
  std::int64_t outside = 0;  ///< idle units of the common pool
  std::int64_t reserved = 0, left_over = 0, finished = 0, killed = 0, restarts = 0;
  bool over = false;
  bool changed = false;  ///< since jobs were last looked at

  void leave(int job, std::int64_t now) {
    changed = true;
    for (Unit& u : line)
      if (u.holder == job) u = {idle, now};
    PlainJob& j = jobs[static_cast<std::size_t>(job)];
    j.ran += fmt::format("{}{:.6g}-{:.6g}", j.ran.empty() ? "" : " ", in_hours(j.started), in_hours(now));
  }
  void finish() {
    over = true;
    outside += std::ssize(line);
    line.clear();
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
      ++(j.started + j.stall + j.run - j.done > now ? killed : finished);
      j.state = PlainJob::gone;
    }
    if (now == end && !over) finish();
  }
  void reclaim(std::int64_t now) {
    if (over || reclaim_after == 0) return;
    for (std::size_t u = line.size(); u-- > 0;)
      if (line[u].holder == idle && line[u].since + reclaim_after <= now) {
        line.erase(line.begin() + static_cast<std::ptrdiff_t>(u));
        ++outside;
        changed = true;
      }
    if (line.empty()) finish();
  }
  void lose(std::int64_t from, std::int64_t until, std::int64_t now) {
    for (std::int64_t u = from; u < until; ++u) {
      const int i = line[static_cast<std::size_t>(u)].holder;
      if (i == idle) continue;
      PlainJob& j = jobs[static_cast<std::size_t>(i)];
      leave(i, now);
      const std::int64_t worked = std::max<std::int64_t>(now - j.started - j.stall, 0);
      if (j.every > 0) j.done = std::max(j.done, std::min((j.done + worked) / j.every * j.every, j.run));
      j.stall = j.restart;
      j.state = PlainJob::waits;
      ++restarts;
    }
    changed = changed || until > from;
    line.erase(line.begin() + from, line.begin() + until);
    if (line.empty() && !over && until > from) finish();
  }
  void fail(const PlainBreak& b, std::int64_t now) {
    const std::int64_t held = std::ssize(line), up = held + outside;
    if (b.uniform) {
      const auto first = static_cast<std::int64_t>(b.fraction * static_cast<double>(up - b.units + 1));
      const std::int64_t hit = std::min(first + b.units, held) - std::min(first, held);
      lose(std::min(first, held), std::min(first + b.units, held), now);
      outside -= b.units - hit;
    } else {
      const std::int64_t hit = std::max<std::int64_t>(b.units - outside, 0);
      lose(held - hit, held, now);
      outside -= b.units - hit;
    }
  }
  void start(std::int64_t now) {
    if (over) return;
    for (int i = 0; i < std::ssize(jobs); ++i) {
      PlainJob& j = jobs[static_cast<std::size_t>(i)];
      if (j.state != PlainJob::waits) continue;
      const std::int64_t requested = j.requested - j.done + j.stall;
      if (j.gpus > std::ssize(line) || now + requested > end) continue;  // never again
      const std::int64_t free =
          std::count_if(line.begin(), line.end(), [](const Unit& u) { return u.holder == idle; });
      if (j.gpus > free) return;
      std::int64_t missing = j.gpus;
      for (Unit& u : line)
        if (missing > 0 && u.holder == idle) {
          u.holder = i;
          --missing;
        }
      j.state = PlainJob::runs;
      j.started = now;
      j.end = now + std::min(j.stall + j.run - j.done, requested);
    }
  }
  void run(std::int64_t minutes) {
    for (std::int64_t now = 0; now < minutes; ++now) {
      complete(now);
      reclaim(now);
      for (const PlainBreak& b : breaks)
        if (b.at == now) fail(b, now);
      for (const PlainBreak& b : breaks)
        if (b.until == now) outside += b.units;
      for (PlainJob& j : jobs)
        if (j.submit == now && j.state == PlainJob::to_come) {
          j.state = over ? PlainJob::gone : PlainJob::waits;
          changed = true;
        }
      if (std::exchange(changed, false)) start(now);
      for (const Unit& u : line) reserved += u.holder == idle;
    }
  }
};

PlainBlock block_of(Dice& dice) {
  PlainBlock b;
  b.end = dice.between(1500, 3000);
  b.line.resize(static_cast<std::size_t>(dice.between(3, 9)));
  const auto size = std::ssize(b.line);
  b.reclaim_after = dice.below(2) == 0 ? 0 : dice.between(60, 900);
  for (int i = 0; i < 30; ++i) {
    PlainJob j;
    j.submit = dice.between(1, 1400);
    j.gpus = dice.between(1, std::max<std::int64_t>(size / 2, 1));
    if (dice.below(5) == 0) j.gpus = size;
    j.run = dice.between(1, dice.below(3) == 0 ? 900 : 200);
    j.requested = std::max<std::int64_t>(j.run + dice.between(-20, 60), 1);
    const std::int64_t kind = dice.below(3);
    j.every = kind > 0 ? 120 : 0;
    j.restart = kind == 2 ? 60 : 0;
    b.jobs.push_back(j);
  }
  std::stable_sort(b.jobs.begin(), b.jobs.end(),
                   [](const PlainJob& x, const PlainJob& y) { return x.submit < y.submit; });
  std::int64_t down = 0;  // never more than the pool has, whenever repairs come
  for (int i = 0; i < 3; ++i) {
    PlainBreak f;
    f.at = dice.between(10, 1400);
    f.until = f.at + dice.between(1, 400);
    f.units = dice.between(1, 2);
    f.fraction = static_cast<double>(dice.below(1000)) / 1000;
    f.uniform = dice.below(2) == 0;
    if ((down += f.units) < size) b.breaks.push_back(f);
  }
  return b;
}

}  // namespace

TEST_CASE("blocks in which nothing runs start and end as jobs of their size and length do") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    compare_with_jobs<scheduling::Backfill::none>(seed);
    compare_with_jobs<scheduling::Backfill::easy>(seed + 1000);
    compare_with_jobs<scheduling::Backfill::conservative>(seed + 2000);
  }
}

TEST_CASE("600 random blocks run their jobs as plain loops over their units do, job for job") {
  std::int64_t left_over = 0, killed = 0, restarts = 0, over_early = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    PlainBlock plain = block_of(dice);
    Script<> s(std::ssize(plain.line), classes(plain.reclaim_after));
    const std::size_t block =
        s.project(0, {static_cast<std::int32_t>(plain.line.size()), in_hours(plain.end)});
    for (const PlainBreak& b : plain.breaks)
      s.broken(in_hours(b.at), in_hours(b.until), b.units, b.fraction,
               b.uniform ? supply::Victim::uniform : supply::Victim::last_started);
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
      CHECK(s.ran(seen++) == j.ran);
    }
    CHECK(static_cast<std::int64_t>(s.counts().left_over) == plain.left_over);
    CHECK(static_cast<std::int64_t>(s.counts().killed) == plain.killed);
    CHECK(static_cast<std::int64_t>(s.counts().finished) == plain.finished + 1);
    CHECK(static_cast<std::int64_t>(s.counts().restarts) == plain.restarts);
    CHECK(s.area(&PoolAreas::reserved) == Approx(in_hours(plain.reserved)).epsilon(1e-12));
    left_over += plain.left_over;
    killed += plain.killed;
    restarts += plain.restarts;
  }
  CHECK(left_over > 300);
  CHECK(killed > 300);
  CHECK(restarts > 300);
  CHECK(over_early > 30);
}
