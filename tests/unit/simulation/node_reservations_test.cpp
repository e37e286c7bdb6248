// SPDX-License-Identifier: Apache-2.0
// Conservative and reservations on machines: against plain loops, against the named view and easy where they
// must agree, and by hand.
#include <algorithm>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/workload/swf.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_conservative_nodes.hpp"
#include "plain_difference.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// What many cases met, so that none goes by untested.
struct Met {
  std::uint64_t reservations = 0, broken = 0, spread = 0, late = 0;
};

/// What differs between natgpu and the plain loops, or nothing.
std::string difference_of(const Case& c, Met& met) {
  const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
  PlainConservativeNodes plain(c.log, c.options, c.view);
  plain.run();
  if (const std::string found = difference(r, plain); !found.empty()) return found;
  for (std::size_t i = 0; i < plain.jobs.size(); ++i)
    if (plain.jobs[i].fits && plain.jobs[i].first < 0) return "job " + std::to_string(i) + " never starts";
  if (r.replay.broken_promises != plain.broken)
    return std::to_string(r.replay.broken_promises) + " broken promises, plainly " +
           std::to_string(plain.broken);
  // With a limit the last reservation gives way to a job that comes before it in the queue.
  if (c.view.outages.empty() && c.options.reservations == 0 && plain.late > 0)
    return "a start behind its promise";
  met.broken += plain.broken;
  met.late += plain.late;
  met.spread += r.nodes.spread;
  return {};
}

Case reserving(Case c, std::uint64_t seed) {
  const std::int64_t holders = static_cast<std::int64_t>(seed % 5);
  c.options.backfill = holders == 0 ? Backfill::conservative : Backfill::reservations;
  c.options.reservations = holders;
  if (seed % 3 == 0) c.options.order = Order::wfp;  // ranked anew at each pass
  return c;
}

workload::JobLog random_log(std::uint64_t seed) {
  Dice dice(seed);
  return plain_log(dice, 12);
}

}  // namespace

TEST_CASE("reservations on machines are where and when plain loops over all instants have them") {
  Met met;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    const Case c = reserving(random_case(seed), seed);
    INFO("seed " << seed << ", placement " << static_cast<int>(c.view.placement) << ", holders "
                 << c.options.reservations << ", slowdown " << c.view.slowdown_milli << ", outages "
                 << c.view.outages.size());
    REQUIRE(difference_of(c, met) == "");
  }
  CHECK(met.broken > 300);
  CHECK(met.late > 300);
  CHECK(met.spread > 300);
}

TEST_CASE("reserved instances of MIG are where plain loops over positions have them") {
  Met met;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    const Case c = reserving(random_case_with_mig(seed), seed);
    INFO("seed " << seed << ", placement " << static_cast<int>(c.view.placement) << ", holders "
                 << c.options.reservations);
    REQUIRE(difference_of(c, met) == "");
  }
}

TEST_CASE("under lowest-id conservative on machines is the named view's, wherever machines end") {
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    const workload::JobLog log = random_log(seed);
    ReplayOptions options = options_of(Backfill::conservative);
    const std::string machines = seed % 3 == 0 ? "12x1" : seed % 3 == 1 ? "3x4" : "2x6";
    const NodeReplayResult r = replay_on_nodes(log, options, view_of(machines.c_str(), Placement::lowest_id));
    options.named = true;
    INFO("seed " << seed << ", machines " << machines);
    REQUIRE(r.replay.start_s == simulation::replay(log, options).start_s);
  }
}

TEST_CASE("the KTH log is promised the machines of lowest number that the named view promises it") {
  NATGPU_TRACE_OR_SKIP(file, "KTH-SP2-1996-2-filtered.swf.gz");
  const workload::JobLog log = workload::read_swf(file);
  ReplayOptions options = options_of(Backfill::conservative);
  const NodeReplayResult r = replay_on_nodes(log, options, view_of("25x4", Placement::lowest_id));
  options.named = true;
  CHECK(r.replay.start_s == simulation::replay(log, options).start_s);
}

TEST_CASE("one reservation on machines is easy's in every order, under rules that keep to the lowest place") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const workload::JobLog log = random_log(seed);
    const NodeView view = view_of("3x4", seed % 2 == 0 ? Placement::lowest_id : Placement::first);
    for (const Order order : {Order::fcfs, Order::sjf, Order::wfp, Order::unicef}) {
      ReplayOptions options = options_of(Backfill::easy);
      options.order = order;
      options.recalc_s = seed % 3 == 0 ? 7 : 0;
      const NodeReplayResult easy = replay_on_nodes(log, options, view);
      options.backfill = Backfill::reservations;
      options.reservations = 1;
      INFO("seed " << seed << ", order " << static_cast<int>(order));
      REQUIRE(replay_on_nodes(log, options, view).replay.start_s == easy.replay.start_s);
    }
  }
}
