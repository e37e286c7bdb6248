// SPDX-License-Identifier: Apache-2.0
// Dispatchers that take GPUs back, and those that rank accounts, over several pools and groups of jobs,
// against plain loops. With one pool the conformance kit compares them.
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include <natgpu/conformance/plain_class_preemption.hpp>
#include <natgpu/conformance/plain_preemptive.hpp>
#include <natgpu/scheduling/account_dispatcher.hpp>
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/preemptive.hpp>

#include "catch.hpp"
#include "plain_holdings.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

using Start = std::tuple<std::uint64_t, std::uint32_t, std::int64_t>;  // job, pool, requested there

/// Random events, and what a dispatcher and plain loops made of them.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  std::vector<GroupSpec> groups(std::size_t count, std::uint32_t pools) {
    std::vector<GroupSpec> all(count);
    for (GroupSpec& g : all) {
      for (std::uint32_t p = 0; p < pools; ++p)
        if (below(3) > 0 || (g.choices.empty() && p + 1 == pools))
          g.choices.push_back({p, 0.25 * static_cast<double>(1 + below(8))});
      std::stable_sort(g.choices.begin(), g.choices.end(),
                       [](const PoolChoice& a, const PoolChoice& b) { return a.speed > b.speed; });
    }
    return all;
  }

 private:
  std::mt19937_64 random_;
};

constexpr std::uint32_t pools = 3;
constexpr std::size_t groups = 4;

// --- preemption

/// One side of a duel: a dispatcher, and what it said in the last pass.
template <class Dispatcher>
struct Side {
  Dispatcher dispatcher;
  std::vector<Start> starts;
  std::vector<std::uint32_t> preempted;  // slots
  void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    starts.emplace_back(job.order.id, pool, requested);
  }
  void preempt(const WaitingJob& job) { preempted.push_back(job.slot); }
  void pass(std::int64_t now) {
    starts.clear();
    preempted.clear();
    dispatcher.pass(now, *this);
    std::sort(preempted.begin(), preempted.end());
  }
};

struct Asked {
  WaitingJob job;
  Progress progress;
  std::uint32_t group = 0;
  bool firm = false, runs = false;
  std::int64_t since = 0;
};

/// @returns the first pass in which the two differ, or -1
template <class Fast, class Plain>
int first_difference(std::uint64_t seed, const PreemptiveRule& rule, bool by_class,
                     std::uint64_t& preempted_in_all) {
  Numbers random(seed);
  const std::vector<GroupSpec> specs = random.groups(groups, pools);
  Side<Fast> fast{Fast(rule, pools, specs), {}, {}};
  Side<Plain> plain{Plain(rule, pools, specs), {}, {}};
  std::map<std::uint32_t, Asked> jobs;  // by slot
  std::uint32_t next_slot = 0;
  std::int64_t now = 1;
  std::uint64_t preempted = 0;
  const auto both = [&](auto&& act) {
    act(fast.dispatcher);
    act(plain.dispatcher);
  };
  const auto put = [&](const Asked& a) {
    both([&](auto& d) { d.submit(a.job, a.progress, now, a.group, a.firm); });
  };
  for (std::uint32_t p = 0; p < pools; ++p) both([&](auto& d) { d.change_capacity(p, 6); });
  for (int pass = 0; pass < 150; ++pass) {
    now += 1 + random.below(9);
    for (std::int64_t i = random.below(3); i > 0; --i) {
      Asked a;
      a.job.slot = next_slot++;
      a.job.order = {by_class ? random.below(3) : now, a.job.slot};
      a.job.requested = 1 + random.below(60);
      a.job.gpus = static_cast<std::int32_t>(1 + random.below(5));
      a.progress.remaining = a.job.requested;
      a.group = static_cast<std::uint32_t>(random.below(groups));
      a.firm = random.below(8) == 0;
      jobs[a.job.slot] = a;
      put(a);
    }
    for (auto it = jobs.begin(); it != jobs.end();) {
      const std::uint32_t slot = it->first;
      const bool runs = it->second.runs;
      if (random.below(runs ? 12 : 40) > 0) {
        ++it;
        continue;
      }
      both([&](auto& d) { runs ? d.finish_job(slot) : d.withdraw_job(slot); });
      it = jobs.erase(it);
    }
    const auto pool = static_cast<std::uint32_t>(random.below(pools));
    const bool loses = plain.dispatcher.free(pool) > 0 && random.below(2) > 0;
    if (random.below(4) == 0) both([&](auto& d) { d.change_capacity(pool, loses ? -1 : 1); });
    fast.pass(now);
    plain.pass(now);
    if (fast.starts != plain.starts || fast.preempted != plain.preempted) return pass;
    preempted += plain.preempted.size();
    for (const std::uint32_t slot : plain.preempted) {
      Asked& a = jobs[slot];
      a.runs = false;
      a.progress.attained += now - a.since;
      a.progress.remaining = std::max<std::int64_t>(a.progress.remaining - (now - a.since) / 2, 1);
      a.progress.restart = random.below(3);
      put(a);
    }
    for (const auto& [id, where, requested] : plain.starts) {
      Asked& a = jobs[static_cast<std::uint32_t>(id)];
      a.runs = true;
      a.since = now;
    }
  }
  preempted_in_all += preempted;
  return -1;
}

PreemptiveRule rule_of(Order order, bool skips) {
  PreemptiveRule rule;
  rule.order = order;
  rule.skips = skips;
  if (order == Order::las) rule.quantum = 10;
  if (order == Order::las2d) {
    rule.limits = {20, 80};
    rule.promote = 2;
  }
  return rule;
}

// --- what accounts hold

/// @returns the first pass in which the two differ, or -1
template <Backfill B>
int first_difference_of_holdings(std::uint64_t seed, bool one_resource) {
  Numbers random(seed);
  const std::vector<GroupSpec> specs = random.groups(groups, pools);
  SharedResources resources{{12, 6, 0, 0}, {0, 0, 1}};  // two types of GPU in three pools
  if (one_resource) resources = {{1, 0, 0}, {0, 0, 0}};
  const std::vector<double> weights{1, 2, 1, 0.5};
  Side<AccountDispatcher<B>> fast{AccountDispatcher<B>(resources, specs, weights), {}, {}};
  Side<testing::PlainHoldings<B>> plain{testing::PlainHoldings<B>(resources, specs, weights), {}, {}};
  struct Job {
    WaitingJob job;
    bool runs = false;
    std::uint32_t pool = 0;
    std::int64_t end = 0;
  };
  std::map<std::uint32_t, Job> jobs;  // by slot
  std::uint32_t next_slot = 0;
  std::int64_t now = 1;
  const auto both = [&](auto&& act) {
    act(fast.dispatcher);
    act(plain.dispatcher);
  };
  for (std::uint32_t p = 0; p < pools; ++p) both([&](auto& d) { d.change_capacity(p, 6); });
  for (int pass = 0; pass < 150; ++pass) {
    now += 1 + random.below(9);
    for (std::int64_t i = random.below(5); i > 0; --i) {
      Job j;
      j.job.slot = next_slot++;
      j.job.order = {now, j.job.slot};
      j.job.requested = 1 + random.below(40);
      j.job.gpus = static_cast<std::int32_t>(1 + random.below(random.below(4) == 0 ? 7 : 3));
      const Claimant who{static_cast<std::uint32_t>(random.below(4)), 0, 0, 0};
      const auto group = static_cast<std::uint32_t>(random.below(groups));
      jobs[j.job.slot] = j;
      both([&](auto& d) { d.submit(who, j.job, group); });
    }
    for (auto it = jobs.begin(); it != jobs.end();) {
      const Job j = it->second;
      const bool goes = j.runs ? j.end <= now || random.below(12) == 0 : random.below(40) == 0;
      if (!goes) {
        ++it;
        continue;
      }
      both([&](auto& d) { j.runs ? d.finish_of(j.job, j.end, j.pool) : void(d.withdraw_of(j.job)); });
      it = jobs.erase(it);
    }
    const auto pool = static_cast<std::uint32_t>(random.below(pools));
    const bool loses = plain.dispatcher.free(pool) > 0 && random.below(2) > 0;
    if (random.below(4) == 0) both([&](auto& d) { d.change_capacity(pool, loses ? -1 : 1); });
    fast.pass(now);
    plain.pass(now);
    if (fast.starts != plain.starts || fast.dispatcher.waiting() != plain.dispatcher.waiting()) return pass;
    for (const auto& [id, where, requested] : plain.starts) {
      Job& j = jobs[static_cast<std::uint32_t>(id)];
      j.runs = true;
      j.pool = where;
      j.end = now + requested;
    }
  }
  return -1;
}

}  // namespace

TEST_CASE("orders that take GPUs back agree with plain loops over several pools") {
  std::uint64_t preempted = 0;
  for (const Order order : {Order::srtf, Order::srsf, Order::las, Order::las2d})
    for (const bool skips : {true, false})
      for (const std::int64_t shield : {0, 15})
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
          PreemptiveRule rule = rule_of(order, skips);
          rule.shield = shield;
          CAPTURE(static_cast<int>(order), skips, shield, seed);
          REQUIRE(first_difference<PreemptiveDispatcher, conformance::PlainPreemptive>(seed, rule, false,
                                                                                       preempted) == -1);
        }
  CHECK(preempted > 1000);
}

TEST_CASE("preemption by class agrees with plain loops over several pools") {
  std::uint64_t preempted = 0;
  for (const bool skips : {true, false})
    for (const std::int64_t shield : {0, 15})
      for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        PreemptiveRule rule = rule_of(Order::priority, skips);
        rule.shield = shield;
        CAPTURE(skips, shield, seed);
        REQUIRE(first_difference<ClassPreemption, conformance::PlainClassPreemption>(seed, rule, true,
                                                                                     preempted) == -1);
      }
  CHECK(preempted > 1000);
}

TEST_CASE("drf and maxmin agree with plain loops over several pools") {
  for (const bool one_resource : {true, false})
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      CAPTURE(one_resource, seed);
      REQUIRE(first_difference_of_holdings<Backfill::none>(seed, one_resource) == -1);
      REQUIRE(first_difference_of_holdings<Backfill::fit>(seed, one_resource) == -1);
    }
}
