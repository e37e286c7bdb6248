// SPDX-License-Identifier: Apache-2.0
// drf and maxmin on machines: against plain loops, against counted GPUs where both must agree, against what
// is published, and against what the rule promises.
#include <algorithm>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "catch.hpp"
#include "node_cases.hpp"
#include "plain_account_nodes.hpp"
#include "plain_difference.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Order;
using simulation::NodeReplayResult;
using simulation::replay_on_nodes;
using simulation::ReplayOptions;

namespace {

/// Users in up to three groups, or without; some jobs have no user. Weights are whole.
void add_accounts(std::uint64_t seed, Case& c) {
  Dice dice(seed + 2'000'000);
  const bool groups = dice.chance(40);
  const std::int64_t users = 1 + dice.below(5);
  for (workload::LogJob& j : c.log.jobs) {
    j.user = static_cast<std::int32_t>(dice.chance(5) ? -1 : dice.below(users));
    if (groups) j.group = static_cast<std::int32_t>(dice.below(3));
  }
  c.log.jobs.front().user = 0;
  std::vector<workload::ShareRow>& rows = c.options.accounts.shares.rows;
  if (dice.chance(50)) rows.push_back({groups ? "1" : "", "0", static_cast<double>(1 + dice.below(4))});
  if (groups && dice.chance(50)) rows.push_back({"2", "", 3.0});
}
Case random_accounts(std::uint64_t seed, bool mig) {
  Case c = mig ? random_case_with_mig(seed) : random_case(seed);
  add_accounts(seed, c);
  c.options.order = seed % 3 == 0 ? Order::maxmin : Order::drf;
  c.options.backfill = static_cast<Backfill>(seed / 3 % 3);
  return c;
}

/// One machine; all GPUs of one type.
simulation::NodeView one_machine(std::int32_t gpus, std::int32_t cpu_milli, std::int32_t memory_mib) {
  simulation::NodeView view;
  view.placement = scheduling::Placement::first;
  view.machines.file = "machine.csv";
  view.machines.nodes.push_back({gpus, cpu_milli, memory_mib, 0});
  view.machines.gpu_types.add("A");
  return view;
}
workload::LogJob task(std::int32_t user, std::int32_t gpus, std::int32_t cpu_milli, std::int32_t memory_mib,
                      std::int16_t gpu_milli = 1000) {
  workload::LogJob j = job(0, gpus, 10);
  j.user = user;
  j.cpu_milli = cpu_milli;
  j.memory_mib = memory_mib;
  j.gpu_milli = gpu_milli;
  return j;
}
/// Tasks of each user that start at once.
std::vector<std::int64_t> at_once(const std::vector<workload::LogJob>& jobs, const simulation::NodeView& view,
                                  const ReplayOptions& options) {
  const workload::JobLog log = log_of(jobs);
  const NodeReplayResult r = replay_on_nodes(log, options, view);
  std::vector<std::int64_t> started;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    started.resize(std::max(started.size(), static_cast<std::size_t>(jobs[i].user) + 1));
    started[static_cast<std::size_t>(jobs[i].user)] += r.replay.start_s[i] == 0;
  }
  return started;
}
ReplayOptions under(Order order, Backfill backfill) {
  ReplayOptions options = options_of(backfill);
  options.order = order;
  return options;
}
std::vector<workload::LogJob> many(int n, const workload::LogJob& task_of_user) {
  return std::vector<workload::LogJob>(static_cast<std::size_t>(n), task_of_user);
}
std::vector<workload::LogJob> operator+(std::vector<workload::LogJob> a,
                                        const std::vector<workload::LogJob>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("under drf and maxmin jobs start, end and stand on machines where plain loops have them") {
  int restarted = 0, spread = 0, overtaken = 0, cut = 0;
  for (const bool mig : {false, true})
    for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
      const Case c = random_accounts(seed, mig);
      const NodeReplayResult r = replay_on_nodes(c.log, c.options, c.view);
      PlainAccountNodes plain(c.log, c.options, c.view);
      plain.run();
      INFO("seed " << seed << ", mig " << mig << ", order " << static_cast<int>(c.options.order)
                   << ", backfill " << static_cast<int>(c.options.backfill) << ", placement "
                   << static_cast<int>(c.view.placement) << ", outages " << c.view.outages.size());
      REQUIRE(difference(r, plain) == "");
      restarted += r.nodes.restarted > 0;
      spread += r.nodes.spread > 0;
      overtaken += plain.overtaken > 0;
      cut += r.nodes.mig.given > r.nodes.mig.asked;
    }
  CHECK(restarted > 300);
  CHECK(spread > 300);
  CHECK(overtaken > 3'000);
  CHECK(cut > 1'000);
}

TEST_CASE("on machines of one GPU whoever holds least starts when it does on counted GPUs") {
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    Dice dice(seed);
    Case c;
    std::int64_t submit_s = 0;
    for (int i = 0; i < 80; ++i) {
      c.log.jobs.push_back(job(submit_s += dice.below(4), 1, 1 + dice.below(40), 1 + dice.below(45)));
      if (seed % 2 == 0) c.log.jobs.back().gpus = static_cast<std::int32_t>(1 + dice.below(4));
    }
    add_accounts(seed, c);
    c.log.max_procs = 6;
    for (const Order order : {Order::drf, Order::maxmin})
      for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
        // Where gangs wait, counted GPUs are reserved as a number, and machines one by one.
        if (seed % 2 == 0 && backfill == Backfill::easy) continue;
        c.options.order = order;
        c.options.backfill = backfill;
        INFO("seed " << seed << ", order " << static_cast<int>(order) << ", backfill "
                     << static_cast<int>(backfill));
        const simulation::ReplayResult r = replay_on_nodes(c.log, c.options, view_of("6x1")).replay;
        const simulation::ReplayResult counted = simulation::replay(c.log, c.options);
        REQUIRE(r.start_s == counted.start_s);
        REQUIRE(r.end_s == counted.end_s);
      }
  }
}

TEST_CASE("on machines, too, tasks of the published example of drf run three to two") {
  // Ghodsi et al., NSDI 2011, section 4.1: 9 CPUs and 18 GB, tasks of <1, 4 GB> and <3, 1 GB>. The machine's
  // GPU is asked for by nobody.
  const simulation::NodeView view = one_machine(1, 9'000, 18 * 1'024);
  const auto jobs = many(9, task(0, 0, 1'000, 4 * 1'024)) + many(9, task(1, 0, 3'000, 1'024));
  for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
    CHECK(at_once(jobs, view, under(Order::drf, backfill)) == std::vector<std::int64_t>{3, 2});
    ReplayOptions twice = under(Order::drf, backfill);
    twice.accounts.shares.rows = {{"", "0", 2.0}};
    CHECK(at_once(jobs, view, twice) == std::vector<std::int64_t>{4, 1});
  }
  // 16 GPUs, 128 CPUs, 1024 GB; a user whose next task does not fit drops out.
  const auto three = many(20, task(0, 1, 4'000, 64 * 1'024)) + many(20, task(1, 2, 8'000, 32 * 1'024)) +
                     many(20, task(2, 0, 16'000, 128 * 1'024));
  CHECK(at_once(three, one_machine(16, 128'000, 1'024 * 1'024), under(Order::drf, Backfill::fit)) ==
        std::vector<std::int64_t>{8, 4, 3});
}

TEST_CASE("half a GPU counts as a half, and an instance as what it takes") {
  // Four GPUs: two of whole ones, and two of halves. Would a half count as one, user 0 had one and a half.
  const auto jobs = many(9, task(0, 1, 0, 0, 500)) + many(9, task(1, 1, 0, 0));
  for (const Order order : {Order::drf, Order::maxmin}) {
    CHECK(at_once(jobs, view_of("1x4"), under(order, Backfill::fit)) == std::vector<std::int64_t>{4, 2});
    CHECK(at_once(jobs, view_of("4x1"), under(order, Backfill::none)) == std::vector<std::int64_t>{4, 2});
  }
  // A fiftieth and an eighth of an A100 both take one of its seven instances.
  simulation::NodeView cut = view_of("1x1");
  cut.mig.layouts = {scheduling::mig_layout_number(1, scheduling::MigPosition::most_left)};
  const auto instances = many(9, task(0, 1, 0, 0, 20)) + many(9, task(1, 1, 0, 0, 125));
  CHECK(at_once(instances, cut, under(Order::maxmin, Backfill::fit)) == std::vector<std::int64_t>{4, 3});
}

TEST_CASE("each type of GPU is a resource of its own under drf, and all are alike under maxmin") {
  // User 0 holds the one GPU of type A and would have some of the eight of type B, which user 1 asks for too.
  simulation::NodeView view;
  view.placement = scheduling::Placement::first;
  view.machines.file = "machines.csv";
  view.machines.nodes = {{1, 64'000, 1'000, 0}, {8, 64'000, 1'000, 1}};
  view.machines.gpu_types.add("A");
  view.machines.gpu_types.add("B");
  workload::JobLog log = log_of(many(8, task(0, 1, 0, 0)) + many(8, task(1, 1, 0, 0)));
  log.gpu_types.add("A");
  log.gpu_types.add("B");
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].gpu_type = i == 0 ? 0 : 1;
  const auto of_user_1 = [&](Order order) {
    const NodeReplayResult r = replay_on_nodes(log, under(order, Backfill::fit), view);
    return std::count(r.replay.start_s.begin() + 8, r.replay.start_s.end(), 0);
  };
  CHECK(of_user_1(Order::drf) == 8);
  CHECK(of_user_1(Order::maxmin) == 4);
}

TEST_CASE("under drf nobody with a backlog has less than a task below its part of its dominant resource") {
  // Sharing incentive (Ghodsi et al., section 3), for tasks that do not divide: whoever drops out finds a
  // resource full but for its own task, and of nobody's share more than its own and that one's last task.
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    Dice dice(seed);
    const auto gpus = static_cast<std::int32_t>(4 + dice.below(13));
    const auto cpu = static_cast<std::int32_t>(32'000 + 1'000 * dice.below(200));
    const auto memory = static_cast<std::int32_t>(100'000 + dice.below(900'000));
    std::vector<workload::LogJob> jobs;
    std::vector<double> step, weight;  // of each user: a task's dominant share
    ReplayOptions options = under(Order::drf, Backfill::fit);
    const auto milli = static_cast<std::int16_t>(250 << dice.below(3));  // all leave no odd part of a GPU
    const std::int64_t users = 2 + dice.below(4);
    double sum_of_steps = 0, sum_of_weights = 0;
    for (std::int32_t u = 0; u < users; ++u) {
      const auto t = task(u, 1, static_cast<std::int32_t>(500 * dice.below(8)),
                          static_cast<std::int32_t>(500 * dice.below(16)), milli);
      step.push_back(std::max({milli / 1000.0 / gpus, 1.0 * t.cpu_milli / cpu, 1.0 * t.memory_mib / memory}));
      weight.push_back(static_cast<double>(1 + dice.below(3)));
      options.accounts.shares.rows.push_back({"", std::to_string(u), weight.back()});
      sum_of_steps += step.back();
      sum_of_weights += weight.back();
      jobs = jobs + many(100, t);
    }
    const auto started = at_once(jobs, one_machine(gpus, cpu, memory), options);
    CAPTURE(seed, users, gpus);
    for (std::size_t u = 0; u < step.size(); ++u) {
      const double promised = weight[u] / sum_of_weights * (1 - sum_of_steps);
      REQUIRE(static_cast<double>(started[u]) * step[u] >= promised - 1e-9);
    }
  }
}

TEST_CASE("what drf and maxmin do not go with on machines is refused with a reason") {
  const auto refusal = [](const ReplayOptions& options) { return simulation::not_on_nodes(options); };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(refusal(under(Order::drf, Backfill::easy)).empty());
  CHECK(has(refusal(under(Order::maxmin, Backfill::easy_sjbf)), "choose backfill none, fit or easy"));
  CHECK(has(refusal(under(Order::drf, Backfill::conservative)), "choose backfill none, fit or easy"));
  ReplayOptions cpus = under(Order::drf, Backfill::fit);
  cpus.accounts.cpu_milli = 1'000;
  CHECK(has(refusal(cpus), "leave --cpus and --memory out"));
}
