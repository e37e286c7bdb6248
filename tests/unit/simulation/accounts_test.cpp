// SPDX-License-Identifier: Apache-2.0
// Orders by account and class in replays: worked examples, closed forms, and what is refused.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"

using namespace natgpu;
using namespace natgpu::simulation;
using scheduling::Backfill;
using scheduling::Order;

namespace {

using Starts = std::vector<std::int64_t>;

struct Case {
  std::int64_t submit = 0;
  std::int32_t gpus = 1;
  std::int64_t requested = 1;
  std::int32_t user = 0, group = -1, queue = -1;
  std::int64_t runs = -1;  ///< -1: as requested
};

workload::JobLog log_of(const std::vector<Case>& cases) {
  workload::JobLog log;
  log.file = "log";
  std::int64_t id = 0;
  for (const Case& c : cases)
    log.jobs.push_back(
        {++id, c.submit, c.runs < 0 ? c.requested : c.runs, c.requested, c.gpus, c.user, c.group, c.queue});
  return log;
}

ReplayOptions under(Order order, Backfill backfill, std::int64_t gpus = 1) {
  ReplayOptions options;
  options.gpus = gpus;
  options.order = order;
  options.backfill = backfill;
  return options;
}

/// Users alone weigh, and what they used never fades.
ReplayOptions by_use_alone(Order order, Backfill backfill, std::int64_t gpus = 1) {
  ReplayOptions options = under(order, backfill, gpus);
  options.accounts.fair_share.half_life_s = 0;
  options.accounts.fair_share.weights = {0, 10000, 0, 0};
  return options;
}

Starts starts(const std::vector<Case>& cases, const ReplayOptions& options) {
  return replay(log_of(cases), options).start_s;
}

std::string refusal(const workload::JobLog& log, const ReplayOptions& options) {
  try {
    replay(log, options);
  } catch (const RunError& e) {
    return e.what();
  } catch (const ScenarioError& e) {
    return e.diagnostics().at(0).code + " " + e.diagnostics().at(0).message + "; " +
           e.diagnostics().at(0).help;
  }
  return "accepted";
}

}  // namespace

TEST_CASE("least use per share first starts A B A B A, without decay, under both of Slurm's orders") {
  const std::vector<Case> jobs{{0, 1, 2, 0}, {0, 1, 2, 0}, {0, 1, 2, 0}, {0, 1, 3, 1}, {0, 1, 3, 1}};
  for (const Order order : {Order::multifactor, Order::fairtree})
    for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy, Backfill::easy_sjbf}) {
      const ReplayResult r = replay(log_of(jobs), by_use_alone(order, backfill));
      CHECK(r.start_s == Starts{0, 5, 10, 2, 7});
      CHECK(r.end_s == Starts{2, 7, 12, 5, 10});
    }
}

TEST_CASE("who holds least is next: with one GPU, whoever's name comes first has it") {
  const std::vector<Case> jobs{{0, 1, 2, 1}, {0, 1, 3, 0}, {0, 1, 3, 0}};
  for (const Order order : {Order::maxmin, Order::drf})
    CHECK(starts(jobs, under(order, Backfill::fit)) == Starts{6, 0, 3});
}

TEST_CASE("maxmin deals GPUs out one account after another, by weight") {
  // 6 GPUs; user 0 comes first with all of its jobs.
  std::vector<Case> jobs(6, {0, 1, 10, 0});
  jobs.insert(jobs.end(), 6, {0, 1, 10, 1});
  ReplayOptions options = under(Order::maxmin, Backfill::none, 6);
  CHECK(starts(jobs, options) == Starts{0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10});
  options.accounts.shares.rows = {{"", "1", 2.0}};
  CHECK(starts(jobs, options) == Starts{0, 0, 10, 10, 10, 10, 0, 0, 0, 0, 10, 10});
}

TEST_CASE(
    "none stops at the next job that does not fit, fit goes on without its account, easy reserves for it") {
  // 4 GPUs, 2 of them held until 10. User 0's next job wants 3 and its second 1; user 1 wants 1 for long.
  const std::vector<Case> jobs{{0, 2, 10, 2}, {1, 3, 5, 0}, {1, 1, 2, 0}, {1, 1, 30, 1}, {1, 1, 9, 1}};
  CHECK(starts(jobs, under(Order::maxmin, Backfill::none, 4)) == Starts{0, 10, 15, 10, 15});
  CHECK(starts(jobs, under(Order::maxmin, Backfill::fit, 4)) == Starts{0, 10, 15, 1, 1});
  // The one spare GPU at 10 goes to user 1, who holds nothing yet but comes after user 0's second job.
  CHECK(starts(jobs, under(Order::maxmin, Backfill::easy, 4)) == Starts{0, 10, 1, 1, 15});
}

TEST_CASE("drf starts at once what dominant shares say, with CPUs and memory") {
  testing::MixedDice random{7};
  for (int round = 0; round < 200; ++round) {
    const scheduling::Amounts machine{1 + random.below(32), 1000 * (1 + random.below(256)),
                                      1024 * (1 + random.below(512))};
    std::vector<scheduling::TaskUser> users;
    workload::JobLog log;
    ReplayOptions options = under(Order::drf, Backfill::fit, machine[0]);
    options.accounts.cpu_milli = machine[1];
    options.accounts.memory_mib = machine[2];
    for (std::int32_t u = 0; u < 1 + random.below(4); ++u) {
      scheduling::TaskUser user;
      user.task = {1 + random.below(4), 1000 * random.below(16), 1024 * random.below(32)};
      user.weight = static_cast<double>(1 + random.below(3));
      users.push_back(user);
      options.accounts.shares.rows.push_back({"", std::to_string(u), user.weight});
      for (int k = 0; k < 40; ++k) {
        log.jobs.push_back({k, 0, 9, 9, static_cast<std::int32_t>(user.task[0]), u});
        log.jobs.back().cpu_milli = static_cast<std::int32_t>(user.task[1]);
        log.jobs.back().memory_mib = static_cast<std::int32_t>(user.task[2]);
      }
    }
    const ReplayResult r = replay(log, options);
    std::vector<std::int64_t> at_once(users.size()), expected(users.size());
    for (std::size_t i = 0; i < log.jobs.size(); ++i)
      at_once[static_cast<std::size_t>(log.jobs[i].user)] += r.start_s[i] == 0;
    for (const std::size_t u : scheduling::progressive_picks(machine, users)) ++expected[u];
    for (std::int64_t& n : expected) n = std::min<std::int64_t>(n, 40);
    CHECK(at_once == expected);
  }
}

TEST_CASE("a job that wants more cores or memory than the machine has never starts, and is in nobody's way") {
  workload::JobLog log = log_of({{0, 1, 5, 0}, {0, 1, 5, 0}});
  log.jobs[0].cpu_milli = 9000;
  ReplayOptions options = under(Order::drf, Backfill::none);
  options.accounts.cpu_milli = 8000;
  CHECK(replay(log, options).start_s == Starts{-1, 0});
}

TEST_CASE("no account with a backlog has less than its share of the machine under drf and maxmin") {
  // Users with jobs of other lengths and other zeal; 0 always has a backlog, and so has 1.
  for (const Order order : {Order::drf, Order::maxmin})
    for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
      testing::MixedDice random{3};
      constexpr std::int64_t gpus = 12, until = 4000, users = 3;
      std::vector<Case> jobs;
      for (std::int64_t i = 0; i < 3000; ++i) jobs.push_back({0, 1, 1 + random.below(30), 0});
      for (std::int64_t i = 0; i < 9000; ++i) jobs.push_back({0, 1, 1 + random.below(9), 1});
      for (std::int64_t i = 0; i < 900; ++i) jobs.push_back({i * 4, 1, 1 + random.below(60), 2});
      const workload::JobLog log = log_of(jobs);
      const ReplayResult r = replay(log, under(order, backfill, gpus));
      for (std::int32_t user : {0, 1}) {
        std::int64_t used = 0;
        for (std::size_t i = 0; i < jobs.size(); ++i)
          if (jobs[i].user == user)
            used += std::max<std::int64_t>(0, std::min(r.end_s[i], until) - std::min(r.start_s[i], until));
        INFO("user " << user << " had " << used);
        CHECK(users * used >= gpus * until);
      }
    }
}

TEST_CASE("what nothing announced will hold is passed over, and retried when capacity is gained") {
  // 8 GPUs that fall to 2 at 100. Job 1 of 6 GPUs and 50 s has no room while job 0 is to run to 90.
  const std::vector<Case> jobs{{0, 6, 90, 0, -1, -1, 20}, {1, 6, 50, 0}, {2, 1, 5, 0}};
  for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
    ReplayOptions options = under(Order::maxmin, backfill, 8);
    options.announced = {{100, -6}};
    // Job 0 ends early, at 20: fit, under which nobody is blocked, sees that job 1 fits then.
    CHECK(starts(jobs, options) == Starts{0, backfill == Backfill::fit ? 20 : -1, 2});
    options.announced = {{100, -6}, {300, 6}};
    CHECK(starts(jobs, options) == Starts{0, 20, backfill == Backfill::easy ? 2 : 20});
  }
}

TEST_CASE("Fair Tree ranks groups before their users") {
  // At 10 group 1 has used less than group 0, and its user 2 less than its user 1; at 20 it is the other way.
  const std::vector<Case> jobs{{0, 4, 10, 0, 0}, {0, 2, 10, 1, 1}, {0, 1, 10, 2, 1},
                               {5, 8, 10, 3, 0}, {5, 8, 10, 1, 1}, {5, 8, 10, 2, 1}};
  CHECK(starts(jobs, by_use_alone(Order::fairtree, Backfill::none, 8)) == Starts{0, 0, 0, 20, 30, 10});
  // As accounts of their own, user 3 has used nothing.
  std::vector<Case> flat = jobs;
  for (Case& c : flat) c.group = -1;
  CHECK(starts(flat, by_use_alone(Order::fairtree, Backfill::none, 8)) == Starts{0, 0, 0, 10, 30, 20});
}

TEST_CASE("use fades with its half-life, so that the heavy user of long ago comes before the one of today") {
  // User 0 held 1 GPU for 100 s up to 100, user 1 for 60 s up to 400; both ask again at 390.
  const std::vector<Case> jobs{{0, 1, 100, 0}, {340, 1, 60, 1}, {390, 1, 10, 1}, {390, 1, 10, 0}};
  ReplayOptions options = by_use_alone(Order::fairtree, Backfill::none);
  CHECK(starts(jobs, options) == Starts{0, 340, 400, 410});
  options.accounts.fair_share.half_life_s = 100;  // 100 counts for at most 100 x 2^-3 at 400
  CHECK(starts(jobs, options) == Starts{0, 340, 410, 400});
}

TEST_CASE("between two recalculations accounts keep their rank") {
  // User 0's first job ends at 50; its second comes before user 1's until the ranking at 100.
  const std::vector<Case> jobs{{0, 1, 50, 0}, {10, 1, 50, 1}, {10, 1, 30, 0}, {10, 1, 30, 0}};
  ReplayOptions options = by_use_alone(Order::fairtree, Backfill::none);
  CHECK(starts(jobs, options) == Starts{0, 50, 100, 130});
  options.recalc_s = 100;
  CHECK(starts(jobs, options) == Starts{0, 110, 50, 80});
}

TEST_CASE("multifactor weighs age, size and queue as well") {
  // A long job holds the GPUs until 100; then what waits starts one after another.
  const std::vector<Case> jobs{{0, 4, 100, 9, -1, 7}, {10, 2, 10, 0, -1, 5}, {20, 4, 10, 1, -1, 6}};
  ReplayOptions options = under(Order::multifactor, Backfill::none, 4);
  scheduling::FairShareRule& rule = options.accounts.fair_share;
  rule.longest_age_s = 1000;
  rule.weights = {1000, 0, 0, 0};
  CHECK(starts(jobs, options) == Starts{0, 100, 110});
  rule.weights = {1000, 0, 40, 0};  // 90 + 20 of job 1 against 80 + 40 of job 2
  CHECK(starts(jobs, options) == Starts{0, 110, 100});
  rule.weights = {1000, 0, 20, 0};  // 90 + 10 against 80 + 20: the earlier submission
  CHECK(starts(jobs, options) == Starts{0, 100, 110});
  rule.weights = {1000, 0, 0, 30};
  options.accounts.classes = {"6", "5", "7"};  // factors 1, 2/3, 1/3: 90 + 20 against 80 + 30
  CHECK(starts(jobs, options) == Starts{0, 100, 110});
  rule.weights.queue = 33;
  CHECK(starts(jobs, options) == Starts{0, 110, 100});
}

TEST_CASE("multifactor may take Fair Tree's place for its fair-share factor") {
  const std::vector<Case> jobs{{0, 4, 10, 0, 0}, {0, 2, 10, 1, 1}, {0, 1, 10, 2, 1},
                               {5, 8, 10, 3, 0}, {5, 8, 10, 1, 1}, {5, 8, 10, 2, 1}};
  ReplayOptions options = by_use_alone(Order::multifactor, Backfill::none, 8);
  options.accounts.fair_share.factor = scheduling::FairShareRule::Factor::tree;
  CHECK(starts(jobs, options) == Starts{0, 0, 0, 20, 30, 10});
}

TEST_CASE("priority ranks queues as stated, or by name, ties by submission") {
  const std::vector<Case> jobs{{0, 1, 10, 0, -1, 9},
                               {1, 1, 10, 0, -1, 3},
                               {2, 1, 10, 0, -1, 5},
                               {3, 1, 10, 0, -1, 5},
                               {4, 1, 10, 0, -1, 4}};
  ReplayOptions options = under(Order::priority, Backfill::none);
  CHECK(starts(jobs, options) == Starts{0, 10, 30, 40, 20});
  options.accounts.classes = {"5"};  // the others come last, in one class
  CHECK(starts(jobs, options) == Starts{0, 30, 10, 20, 40});
  options.backfill = Backfill::conservative;
  CHECK(starts(jobs, options) == Starts{0, 10, 20, 30, 40});  // a reservation, once given, is kept
}

TEST_CASE("accounts with names stand in the order of their names, and shares find them") {
  workload::JobLog log = log_of({{0, 1, 10, 0}, {0, 1, 10, 1}, {0, 1, 10, 2}});
  for (const char* name : {"zoe", "ana", "lee"}) log.users.add(name);
  ReplayOptions options = by_use_alone(Order::fairtree, Backfill::none);
  CHECK(replay(log, options).start_s == Starts{20, 0, 10});
  options.order = Order::maxmin;
  options.accounts.shares.rows = {{"", "lee", 3}, {"", "nobody", 2}};
  const ReplayResult r = replay(log, options);
  CHECK(r.start_s == Starts{20, 0, 10});
  CHECK(r.without_jobs == std::vector<std::string>{"nobody"});
}

TEST_CASE("one account alone, and an account for each job, are served first come, first served") {
  testing::MixedDice random{21};
  for (int round = 0; round < 150; ++round) {
    std::vector<Case> jobs;
    std::int64_t submit = 0;
    const std::int64_t gpus = 2 + random.below(15);
    for (std::int64_t n = 5 + random.below(60); n > 0; --n) {
      if (random.below(2) == 0) submit += random.below(12);
      const std::int64_t requested = 1 + random.below(40);
      jobs.push_back({submit, static_cast<std::int32_t>(1 + random.below(gpus)), requested, 0, -1, -1,
                      1 + random.below(requested + 3)});
    }
    std::vector<Case> each = jobs;
    for (std::size_t i = 0; i < each.size(); ++i) each[i].user = static_cast<std::int32_t>(i);
    for (const Backfill backfill : {Backfill::none, Backfill::fit, Backfill::easy}) {
      ReplayOptions first_come = under(Order::fcfs, backfill, gpus);
      if (round % 3 == 1) {  // as pyss has it
        first_come.semantics = {scheduling::PassRule::event, scheduling::Ties::arrival_first};
      } else if (round % 3 == 2) {
        const std::int64_t from = 1 + random.below(200), lost = 1 + random.below(gpus);
        first_come.announced = {{from, -lost}, {from + 1 + random.below(100), lost}};
        if (round % 2 == 0) first_come.announced.pop_back();  // for good
      }
      const Starts expected = starts(jobs, first_come);
      for (const Order order : {Order::drf, Order::maxmin, Order::fairtree}) {
        INFO("round " << round << ", backfill " << static_cast<int>(backfill) << ", order "
                      << static_cast<int>(order));
        ReplayOptions options = first_come;
        options.order = order;
        if (order == Order::fairtree ||
            backfill != Backfill::fit)  // one account that drops out leaves nobody
          CHECK(starts(jobs, options) == expected);
        if (order != Order::fairtree)  // who has used GPUs of late goes on, the others never had any
          CHECK(starts(each, options) == expected);
      }
    }
  }
}

TEST_CASE("orders by account refuse what has no meaning, and say why") {
  const workload::JobLog log = log_of({{0, 1, 10, 0, -1, 2}});
  const workload::JobLog nobody = log_of({{0, 1, 10, -1}});
  for (const Order order : {Order::multifactor, Order::fairtree, Order::drf, Order::maxmin}) {
    CHECK(refusal(nobody, under(order, Backfill::none)).find("E0421 the log names no users or groups") == 0);
  }
  for (const Order order : {Order::drf, Order::maxmin})
    for (const Backfill backfill : {Backfill::easy_sjbf, Backfill::conservative})
      CHECK(refusal(log, under(order, backfill)).find("after each start") != std::string::npos);
  ReplayOptions options = under(Order::drf, Backfill::fit);
  options.accounts.cpu_milli = 1000;
  CHECK(refusal(log, options) == "E0421 the log states no CPUs; leave --cpus out");
  options = under(Order::priority, Backfill::none);
  options.accounts.classes = {"3"};
  CHECK(refusal(log, options) == "E0421 the log has no queue `3` to rank as a class; its queues: 2");
}
