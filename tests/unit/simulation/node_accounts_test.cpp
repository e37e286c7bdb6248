// SPDX-License-Identifier: Apache-2.0
// Orders by account and class, on machines: against counted GPUs where both must agree, and by hand.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_nodes.hpp"

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

/// fairtree among users of equal shares, with use that never fades and a ranking at each pass, by plain
/// loops: all use is added up anew each time. Thousandths of a GPU x seconds, which are exact.
class PlainFairNodes : public PlainNodes {
 public:
  using PlainNodes::PlainNodes;

 private:
  struct Segment {
    std::size_t job;
    std::int64_t from, until, milli;
  };
  std::int64_t used(std::int32_t user) const {
    std::int64_t sum = 0;
    for (const Segment& s : segments_)
      if (log_.jobs[s.job].user == user) sum += (std::min(s.until, now_s_) - s.from) * s.milli;
    return sum;
  }
  /// What has started since the last pass runs on until it is seen to have stopped.
  void pass(std::int64_t t) override {
    now_s_ = t;
    for (Segment& s : segments_)
      if (s.until > t && (!jobs[s.job].running || jobs[s.job].start != s.from)) s.until = t;
    PlainNodes::pass(t);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!jobs[i].running || jobs[i].start != t) continue;
      std::int64_t milli = 0;
      for (const Held& h : jobs[i].held) milli += static_cast<std::int64_t>(h.gpus.size()) * h.milli;
      segments_.push_back({i, t, std::numeric_limits<std::int64_t>::max(), milli > 0 ? milli : 1000});
    }
  }
  std::vector<std::size_t> queue() const override {
    std::vector<std::size_t> q = PlainNodes::queue();
    std::stable_sort(q.begin(), q.end(), [this](std::size_t a, std::size_t b) {
      const std::int32_t ua = log_.jobs[a].user, ub = log_.jobs[b].user;
      return std::pair(used(ua), ua) < std::pair(used(ub), ub);
    });
    return q;
  }

  std::vector<Segment> segments_;
  std::int64_t now_s_ = 0;
};

}  // namespace

TEST_CASE("fairtree counts a shared GPU by its thousandths, as plain loops do") {
  std::uint64_t shares = 0;
  for (const bool mig : {false, true})
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
      Case c = mig ? random_case_with_mig(seed) : random_case(seed);
      testing::Dice dice(seed + 3'000'000);
      for (workload::LogJob& j : c.log.jobs) {
        j.user = static_cast<std::int32_t>(dice.below(4));
        if (j.gpu_milli < 1000) j.gpu_milli = static_cast<std::int16_t>(125 * (1 + j.gpu_milli / 150));
        shares += j.gpu_milli < 1000;
      }
      c.options.order = Order::fairtree;
      c.options.recalc_s = 0;
      c.options.accounts.fair_share.half_life_s = 0;
      const simulation::NodeReplayResult r = simulation::replay_on_nodes(c.log, c.options, c.view);
      PlainFairNodes plain(c.log, c.options, c.view);
      plain.run();
      CAPTURE(seed, mig, static_cast<int>(c.options.backfill));
      for (std::size_t i = 0; i < plain.jobs.size(); ++i) {
        INFO("job " << i);
        REQUIRE(r.replay.start_s[i] == plain.jobs[i].first);
        REQUIRE(r.replay.end_s[i] == plain.jobs[i].end);
      }
    }
  CHECK(shares > 10'000);
}

TEST_CASE("half a GPU for twenty seconds is less use than a whole one for fifteen") {
  // Both wait for two GPUs from 21 on, user 1 first; user 0 has used 10 GPU-seconds, user 1 has 15.
  workload::JobLog log =
      log_of({job(0, 1, 20), job(0, 1, 15), job(5, 2, 10), job(21, 2, 10), job(22, 2, 10)});
  const std::int32_t users[] = {0, 1, 2, 1, 0};
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].user = users[i];
  log.jobs[0].gpu_milli = 500;
  for (const Order order : {Order::fairtree, Order::multifactor}) {
    ReplayOptions options = options_of(Backfill::none);
    options.order = order;
    options.recalc_s = 0;
    options.accounts.fair_share.half_life_s = 0;
    options.accounts.fair_share.weights = {0, 10'000, 0, 0};
    CHECK(simulation::replay_on_nodes(log, options, view_of("1x2")).replay.start_s ==
          std::vector<std::int64_t>{0, 0, 20, 40, 30});
  }
}

TEST_CASE("the size of a job is its part of the machines, of a share too") {
  // All wait for the whole GPU that is held until 10; size alone has weight.
  workload::JobLog log = log_of({job(0, 1, 10), job(1, 1, 10), job(2, 1, 10), job(3, 1, 10)});
  const std::int16_t milli[] = {1000, 300, 500, 1000};
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].gpu_milli = milli[i];
  for (workload::LogJob& j : log.jobs) j.user = 1;
  ReplayOptions options = options_of(Backfill::none);
  options.order = Order::multifactor;
  options.recalc_s = 0;
  options.accounts.fair_share.weights = {0, 0, 1'000, 0};
  CHECK(simulation::replay_on_nodes(log, options, view_of("1x1")).replay.start_s ==
        std::vector<std::int64_t>{0, 20, 20, 10});
}

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
