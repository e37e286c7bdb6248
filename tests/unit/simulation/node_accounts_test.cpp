// SPDX-License-Identifier: Apache-2.0
// Orders by account and class, on machines: against counted GPUs where both must agree, and by hand.
#include <string>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Order;
using simulation::ReplayOptions;

namespace {

/// Jobs of three users in two groups and two queues, on up to four GPUs.
workload::JobLog random_log(std::uint64_t seed) {
  std::uint64_t state = seed;
  const auto below = [&state](std::uint64_t n) {
    return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % n);
  };
  workload::JobLog log;
  log.max_procs = 6;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 120; ++i) {
    workload::LogJob j;
    j.id = i + 1;
    j.submit_s = at += below(5);
    j.run_s = 1 + below(40);
    j.requested_s = j.run_s + below(40);
    j.gpus = static_cast<std::int32_t>(1 + below(4));
    j.user = static_cast<std::int32_t>(below(3));
    j.group = j.user % 2;
    j.queue = static_cast<std::int32_t>(below(2));
    log.jobs.push_back(j);
  }
  return log;
}

ReplayOptions under(Order order, Backfill backfill) {
  ReplayOptions o = options_of(backfill);
  o.order = order;
  o.gpus = 6;
  o.recalc_s = order == Order::fairtree ? 0 : 7;
  o.accounts.fair_share.factor = scheduling::FairShareRule::Factor::tree;
  return o;
}

}  // namespace

TEST_CASE("by account and class jobs start on machines of one GPU as on counted GPUs") {
  const simulation::NodeView view = view_of("6x1");
  for (const Order order : {Order::priority, Order::multifactor, Order::fairtree})
    for (const Backfill backfill : {Backfill::none, Backfill::fit})
      for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const workload::JobLog log = random_log(seed);
        const ReplayOptions options = under(order, backfill);
        CAPTURE(static_cast<int>(order), static_cast<int>(backfill), seed);
        REQUIRE(simulation::replay_on_nodes(log, options, view).replay.start_s ==
                simulation::replay(log, options).start_s);
      }
}

TEST_CASE("what a job on a lost machine held no longer counts as its account's use") {
  // On two machines of one GPU user 2 has used 10 s when its machine is lost, user 1 has 30 s when its first
  // job ends. Would the lost job go on counting, both had 30 s, and user 1 came first.
  workload::JobLog log;
  const auto add = [&log](std::int64_t submit_s, std::int64_t run_s, std::int32_t user) {
    log.jobs.push_back(job(submit_s, 1, run_s));
    log.jobs.back().user = user;
  };
  add(0, 100, 2);
  add(0, 30, 1);
  add(20, 5, 1);
  simulation::NodeView view = view_of("2x1");
  view.outages = {{1, 10, 1'000}};
  ReplayOptions options = options_of(Backfill::none);
  options.order = Order::fairtree;
  options.recalc_s = 0;
  options.accounts.fair_share.half_life_s = 0;
  const simulation::ReplayResult r = simulation::replay_on_nodes(log, options, view).replay;
  CHECK(r.end_s == std::vector<std::int64_t>{130, 30, 135});
}
