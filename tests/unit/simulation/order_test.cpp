// SPDX-License-Identifier: Apache-2.0
// Queue orders in replays, against plain loops that share nothing with the program.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"

using namespace natgpu;
using scheduling::Backfill;
using scheduling::EasyRule;
using scheduling::Order;

namespace {

using Starts = std::vector<std::int64_t>;

/// Random jobs of powers of two, so that the keys of wfp and unicef are exact fractions of whole numbers.
workload::JobLog random_log(std::uint64_t seed, std::int64_t gpus) {
  testing::MixedDice dice{seed};
  const auto random = [&dice](std::int64_t n) { return dice.below(n); };
  workload::JobLog log;
  log.max_procs = gpus;
  std::int64_t submit = 0;
  const std::int64_t jobs = 10 + random(50);
  for (std::int64_t i = 0; i < jobs; ++i) {
    submit += random(5);
    const std::int64_t requested = std::int64_t{1} << random(6);
    log.jobs.push_back({i + 1, submit, 1 + random(40), requested, 1 << random(4)});
  }
  return log;
}

int log2_of(std::int64_t power) {
  int n = 0;
  while (power > 1) power /= 2, ++n;
  return std::max(n, 1);
}
/// Whether job `a` stands before job `b` at `now`, ties aside: -1 yes, 1 no, 0 neither. Fractions are
/// compared by cross products.
int compare(Order order, const workload::LogJob& a, const workload::LogJob& b, std::int64_t now) {
  const auto sign = [](std::int64_t x, std::int64_t y) { return x < y ? -1 : x > y ? 1 : 0; };
  const std::int64_t wait_a = now - a.submit_s, wait_b = now - b.submit_s;
  switch (order) {
    case Order::sjf:
      return sign(a.requested_s, b.requested_s);
    case Order::ljf:
      return sign(b.requested_s, a.requested_s);
    case Order::saf:
      return sign(a.requested_s * a.gpus, b.requested_s * b.gpus);
    case Order::wfp: {
      const auto cube = [](std::int64_t x) { return x * x * x; };
      const std::int64_t left = cube(wait_a) * a.gpus * cube(b.requested_s);
      const std::int64_t right = cube(wait_b) * b.gpus * cube(a.requested_s);
      return left > right ? -1 : left < right ? 1 : 0;
    }
    case Order::unicef:
      return sign(wait_b * log2_of(a.gpus) * a.requested_s, wait_a * log2_of(b.gpus) * b.requested_s);
    default:
      return 0;
  }
}

struct Slow {
  const workload::JobLog& log;
  std::int64_t gpus;
  Order order;
  Backfill backfill;
  std::int64_t period = 0;
  EasyRule easy{};

  Starts start{};
  std::size_t holder = std::string::npos;
  std::int64_t shadow = 0, extra = 0;
  std::int64_t now = 0;

  std::int64_t end_of(std::size_t i) const {
    return start[i] + std::min(log.jobs[i].run_s, log.jobs[i].requested_s);
  }
  std::int64_t free_at(std::int64_t t) const {  // as requests have it
    std::int64_t free = gpus;
    for (std::size_t i = 0; i < start.size(); ++i)
      if (start[i] >= 0 && end_of(i) > now && start[i] + log.jobs[i].requested_s > t)
        free -= log.jobs[i].gpus;
    return free;
  }
  std::vector<std::size_t> queue() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < start.size(); ++i)
      if (start[i] < 0 && log.jobs[i].submit_s <= now && log.jobs[i].gpus <= gpus) all.push_back(i);
    const std::int64_t at = period > 0 ? now / period * period : now;
    std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
      workload::LogJob x = log.jobs[a], y = log.jobs[b];  // who came since has waited nothing
      x.submit_s = std::min(x.submit_s, at);
      y.submit_s = std::min(y.submit_s, at);
      return compare(order, x, y, at) < 0;
    });
    return all;
  }
  void pass() {
    std::vector<std::size_t> waiting = queue();
    std::size_t i = 0;
    for (; i < waiting.size() && log.jobs[waiting[i]].gpus <= free_at(now); ++i) start[waiting[i]] = now;
    if (i == waiting.size() || backfill == Backfill::none) return;
    const workload::LogJob& head = log.jobs[waiting[i]];
    if (easy.shadow == EasyRule::Shadow::refreshed || holder != waiting[i]) {
      holder = waiting[i];
      shadow = now;
      while (free_at(shadow) < head.gpus) ++shadow;
      extra = free_at(shadow) - head.gpus;
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (backfill == Backfill::easy_sjbf)
      std::stable_sort(waiting.begin(), waiting.end(), [&](std::size_t a, std::size_t b) {
        return log.jobs[a].requested_s < log.jobs[b].requested_s;
      });
    for (const std::size_t w : waiting) {
      const workload::LogJob& job = log.jobs[w];
      if (job.gpus > free_at(now)) continue;
      const std::int64_t end =
          now +
          (easy.waiting == EasyRule::Waiting::exact ? std::min(job.run_s, job.requested_s) : job.requested_s);
      const bool in_time = easy.compare == EasyRule::Compare::less ? end < shadow : end <= shadow;
      if (backfill != Backfill::fit && !in_time) {
        if (job.gpus > extra || easy.spare == EasyRule::Spare::unused) continue;
        extra -= job.gpus;
      }
      start[w] = now;
    }
  }
  Starts run() {
    start.assign(log.jobs.size(), -1);
    std::set<std::int64_t> instants;
    for (const workload::LogJob& job : log.jobs) instants.insert(job.submit_s);
    while (!instants.empty()) {
      now = *instants.begin();
      instants.erase(instants.begin());
      pass();
      for (std::size_t i = 0; i < start.size(); ++i)
        if (start[i] == now) instants.insert(end_of(i));
    }
    return start;
  }
};

/// Every waiting job holds a reservation. Whatever happens at an instant: if any job ended, each waiting one
/// in queue order is lifted out and put back; then those that have just come get theirs; then who is due
/// starts.
struct SlowConservative {
  const workload::JobLog& log;
  std::int64_t gpus;
  Order order;
  std::int64_t period = 0;

  Slow queue_of{log, gpus, order, Backfill::conservative, period};
  Starts reserved{};        ///< by job: the start it is promised, -1 without a promise
  std::int64_t latest = 0;  ///< by how much anybody started after the first promise

  bool free_throughout(std::size_t job, std::int64_t from) const {
    for (std::int64_t t = from; t < from + log.jobs[job].requested_s; ++t) {
      std::int64_t free = queue_of.free_at(t);
      for (std::size_t i = 0; i < reserved.size(); ++i)
        if (reserved[i] >= 0 && reserved[i] <= t && t < reserved[i] + log.jobs[i].requested_s)
          free -= log.jobs[i].gpus;
      if (free < log.jobs[job].gpus) return false;
    }
    return true;
  }
  void reserve(std::size_t job) {
    reserved[job] = -1;
    std::int64_t at = queue_of.now;
    while (!free_throughout(job, at)) ++at;
    reserved[job] = at;
  }
  Starts run() {
    Starts& start = queue_of.start;
    start.assign(log.jobs.size(), -1);
    reserved.assign(log.jobs.size(), -1);
    Starts promised = reserved;
    for (std::int64_t now = 0, left = static_cast<std::int64_t>(log.jobs.size()); left > 0; ++now) {
      queue_of.now = now;
      bool ended = false;
      for (std::size_t i = 0; i < start.size(); ++i) ended |= start[i] >= 0 && queue_of.end_of(i) == now;
      const std::vector<std::size_t> waiting = queue_of.queue();
      for (const std::size_t w : waiting)
        if (ended && reserved[w] >= 0) reserve(w);
      for (const std::size_t w : waiting)
        if (reserved[w] < 0) promised[w] = (reserve(w), reserved[w]);
      for (const std::size_t w : waiting) {
        if (reserved[w] != now) continue;
        latest = std::max(latest, now - promised[w]);
        start[w] = now;
        reserved[w] = -1;
        --left;
      }
    }
    return start;
  }
};

}  // namespace

TEST_CASE("conservative agrees with plain loops in every order, and keeps its promises in those that move") {
  std::size_t unlike = 0;  // schedules other than in order of submission
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::int64_t gpus = 8 + static_cast<std::int64_t>(seed % 13);
    const workload::JobLog log = random_log(seed, gpus);
    simulation::ReplayOptions options;
    options.backfill = Backfill::conservative;
    const Starts first_come = simulation::replay(log, options).start_s;
    for (const Order order : {Order::fcfs, Order::sjf, Order::saf, Order::wfp, Order::unicef})
      for (const std::int64_t period : {0, 7}) {
        if (period > 0 && !moves(order)) continue;
        CAPTURE(seed, static_cast<int>(order), period);
        options.order = order;
        options.recalc_s = period;
        SlowConservative slow{log, gpus, order, period};
        const Starts starts = simulation::replay(log, options).start_s;
        REQUIRE(starts == slow.run());
        REQUIRE(slow.latest == 0);
        unlike += moves(order) && starts != first_come;
      }
  }
  CHECK(unlike > 150);
}

TEST_CASE("in an order that moves, one reservation is EASY's and as many as jobs are conservative's") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const workload::JobLog log = random_log(seed, 4 + static_cast<std::int64_t>(seed % 13));
    for (const Order order : {Order::wfp, Order::unicef}) {
      CAPTURE(seed, static_cast<int>(order));
      const auto starts = [&](Backfill backfill, std::int64_t reservations) {
        simulation::ReplayOptions options;
        options.order = order;
        options.backfill = backfill;
        options.reservations = reservations;
        return simulation::replay(log, options).start_s;
      };
      CHECK(starts(Backfill::reservations, 1) == starts(Backfill::easy, 0));
      CHECK(starts(Backfill::reservations, 1000) == starts(Backfill::conservative, 0));
    }
  }
}

TEST_CASE("every order agrees with plain loops under none, fit, easy and easy-sjbf") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const std::int64_t gpus = 4 + static_cast<std::int64_t>(seed % 13);
    const workload::JobLog log = random_log(seed, gpus);
    for (const Order order : {Order::fcfs, Order::sjf, Order::ljf, Order::saf, Order::wfp, Order::unicef})
      for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy, Backfill::easy_sjbf})
        for (const std::int64_t period : {0, 7}) {
          if (period > 0 && !moves(order)) continue;
          CAPTURE(seed, static_cast<int>(order), static_cast<int>(backfill), period);
          simulation::ReplayOptions options;
          options.order = order;
          options.backfill = backfill;
          options.recalc_s = period;
          REQUIRE(simulation::replay(log, options).start_s == Slow{log, gpus, order, backfill, period}.run());
        }
  }
}

TEST_CASE("every choice of the parts of EASY agrees with plain loops, in an order that is settled or moves") {
  std::size_t unlike = 0;  // schedules other than the usual
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    const std::int64_t gpus = 4 + static_cast<std::int64_t>(seed % 13);
    const workload::JobLog log = random_log(seed, gpus);
    for (const Order order : {Order::fcfs, Order::wfp}) {
      simulation::ReplayOptions options;
      options.order = order;
      const Starts usual = simulation::replay(log, options).start_s;
      for (int parts = 1; parts < 16; ++parts) {
        options.easy = {
            static_cast<EasyRule::Spare>(parts & 1), static_cast<EasyRule::Shadow>(parts >> 1 & 1),
            static_cast<EasyRule::Compare>(parts >> 2 & 1), static_cast<EasyRule::Waiting>(parts >> 3 & 1)};
        if (moves(order) && options.easy.waiting == EasyRule::Waiting::exact) continue;
        CAPTURE(seed, static_cast<int>(order), parts);
        const Starts starts = simulation::replay(log, options).start_s;
        REQUIRE(starts == Slow{log, gpus, order, Backfill::easy, 0, options.easy}.run());
        unlike += starts != usual;
      }
    }
  }
  CHECK(unlike > 1000);
}

TEST_CASE("`<` in place of `<=` at the shadow is the published mutant's schedule") {
  workload::JobLog log;
  log.max_procs = 10;
  log.jobs = {{1, 0, 10, 10, 8}, {2, 1, 10, 10, 10}, {3, 2, 8, 8, 2}};
  simulation::ReplayOptions options;
  CHECK(simulation::replay(log, options).start_s == Starts{0, 10, 2});
  options.easy.compare = EasyRule::Compare::less;
  CHECK(simulation::replay(log, options).start_s == Starts{0, 10, 20});
}

TEST_CASE("parts of EASY beside another backfill or announced outages are refused by name") {
  simulation::ReplayOptions options;
  options.easy.spare = EasyRule::Spare::unused;
  options.backfill = Backfill::fit;
  CHECK_THROWS_WITH(simulation::replay(random_log(1, 8), options), Catch::Contains("parts of EASY"));
  options.backfill = Backfill::easy;
  options.announced = {{5, -1}, {6, 1}};
  CHECK_THROWS_WITH(simulation::replay(random_log(1, 8), options), Catch::Contains("parts of EASY"));
}

TEST_CASE("a lottery draws one place for each job, by seed, and each order settles what it is named for") {
  workload::JobLog log;
  log.max_procs = 1;
  log.jobs.push_back({1, 0, 100, 100, 1});
  for (std::int64_t i = 2; i <= 30; ++i) log.jobs.push_back({i, 1, 10, 10, 1});
  simulation::ReplayOptions options;
  options.order = Order::lottery;
  options.backfill = Backfill::none;
  const Starts one = simulation::replay(log, options).start_s;
  CHECK(simulation::replay(log, options).start_s == one);
  CHECK_FALSE(std::is_sorted(one.begin(), one.end()));
  options.seed = 2;
  CHECK(simulation::replay(log, options).start_s != one);
  options.backfill = Backfill::conservative;  // another rule, the same places
  const Starts reserved = simulation::replay(log, options).start_s;
  Starts sorted = reserved;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < sorted.size(); ++i)
    CHECK(sorted[i] == 100 + 10 * (static_cast<std::int64_t>(i) - 1));
}

TEST_CASE("jobs tried by their true run time in an order that moves are refused by name") {
  simulation::ReplayOptions options;
  options.order = Order::wfp;
  options.easy.waiting = EasyRule::Waiting::exact;
  CHECK_THROWS_WITH(simulation::replay(random_log(1, 8), options), Catch::Contains("by requested times"));
  options.easy = {};
  options.order = Order::fcfs;
  options.reservations = 3;
  CHECK_THROWS_WITH(simulation::replay(random_log(1, 8), options), Catch::Contains("with no other"));
}

namespace {

/// M/G/1 by replay: Poisson arrivals and exponential service in whole seconds, mean service 10^4 s.
simulation::ReplayResult single_server(double load, Order order, std::uint64_t seed, std::size_t jobs) {
  const auto exponential = [&](std::uint64_t job, std::uint64_t purpose) {
    const std::uint64_t bits = mix64(mix64(seed * 1000 + purpose) + job);
    return -std::log((static_cast<double>(bits >> 11) + 0.5) * 0x1p-53);
  };
  workload::JobLog log;
  log.max_procs = 1;
  double clock = 0;
  for (std::uint64_t i = 0; i < jobs; ++i) {
    clock += 1e4 / load * exponential(i, 1);
    const auto service = static_cast<std::int64_t>(1e4 * exponential(i, 2)) + 1;
    log.jobs.push_back(
        {static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(clock), service, service, 1});
  }
  simulation::ReplayOptions options;
  options.order = order;
  options.backfill = Backfill::none;
  return simulation::replay(log, options);
}

}  // namespace

TEST_CASE("shortest job first on one server waits as Phipps 1956 says, and size-blind orders as Erlang") {
  constexpr double sjf = 0.712686332, blind = 1.0;  // M/M/1 at load 0.5, in mean services
  constexpr int replications = 30;
  for (const auto& [order, known] :
       {std::pair{Order::sjf, sjf}, std::pair{Order::fcfs, blind}, std::pair{Order::lottery, blind}}) {
    double sum = 0, squares = 0;
    for (int r = 0; r < replications; ++r) {
      const double wait =
          single_server(0.5, order, static_cast<std::uint64_t>(r) + 1, 40000).mean_wait_s / 1e4;
      sum += wait;
      squares += wait * wait;
    }
    const double mean = sum / replications;
    const double error = std::sqrt((squares / replications - mean * mean) / (replications - 1));
    CAPTURE(static_cast<int>(order), mean, error);
    CHECK(error <= 0.02 * known);
    CHECK(std::abs(mean - known) <= 4.5055 * error);
    CHECK(std::abs(mean - 1.05 * known) > 4.5055 * error);  // 5 % off would be seen
  }
}
