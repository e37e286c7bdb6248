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
#include <natgpu/conformance/plain_quota_reclaim.hpp>
#include <natgpu/scheduling/account_dispatcher.hpp>
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/scheduling/preemptive.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>

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
  std::int64_t leaves = -1;  ///< instant at which its notice is over
};

/// Machines of one GPU, of which so many come and go as GPUs do.
class MachinesOfOne : public PreemptiveMachines {
 public:
  MachinesOfOne(const PreemptiveRule& rule, std::size_t count, const std::vector<GroupSpec>& specs)
      : PreemptiveMachines(settings(count, specs), Streams(1, 0).open("nodes", "placement"), rule) {}
  void change_capacity(std::uint32_t p, std::int64_t delta) {
    for (; delta > 0; --delta) come({p, first(p, -1)}, 1);
    for (; delta < 0; ++delta) go({p, first(p, whole_gpu_milli)}, 1);
  }

 private:
  static MachineSettings settings(std::size_t count, const std::vector<GroupSpec>& specs) {
    MachineSettings s;
    for (std::size_t p = 0; p < count; ++p) s.pools.push_back({100, 1, {}});
    s.groups = specs;
    s.placement = Placement::consolidated;
    return s;
  }
  /// The first machine with so much idle; -1: that is not there.
  std::uint32_t first(std::uint32_t p, std::int32_t milli) const {
    std::uint32_t i = 0;
    const auto left = [&] { return pool(p).node(i).cpu_milli < 0 ? -1 : pool(p).node(i).free_milli[0]; };
    while (left() != milli) ++i;
    return i;
  }
};

/// @param least  GPUs that a pool keeps
/// @returns the first pass in which the two differ, or -1
template <class Fast, class Plain>
int first_difference(std::uint64_t seed, const PreemptiveRule& rule, bool by_class,
                     std::uint64_t& preempted_in_all, std::int64_t least = 0) {
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
  const auto end_notices = [&] {
    for (auto& [slot, a] : jobs) {
      if (a.leaves < 0 || a.leaves > now) continue;
      a.leaves = -1;
      both([s = slot](auto& d) { d.finish_job(s); });
      put(a);
    }
  };
  for (std::uint32_t p = 0; p < pools; ++p) both([&](auto& d) { d.change_capacity(p, 6); });
  for (int pass = 0; pass < 150; ++pass) {
    now += 1 + random.below(9);
    end_notices();
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
      if (it->second.leaves >= 0 || random.below(runs ? 12 : 40) > 0) {
        ++it;
        continue;
      }
      both([&](auto& d) { runs ? d.finish_job(slot) : d.withdraw_job(slot); });
      it = jobs.erase(it);
    }
    const auto pool = static_cast<std::uint32_t>(random.below(pools));
    const bool loses =
        plain.dispatcher.free(pool) > 0 && random.below(2) > 0 && fast.dispatcher.capacity(pool) > least;
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
      if (rule.notice > 0)
        a.leaves = now + rule.notice;
      else
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

/// Jobs of four accounts with quotas of 6/11, 3/11, 1/11 and 1/11; or their users, under two groups.
template <class Dispatcher, bool by_class, bool nested>
class WithQuotas : public Dispatcher {
 public:
  WithQuotas(const PreemptiveRule& rule, std::size_t all_pools, const std::vector<GroupSpec>& specs)
      : Dispatcher(rule, all_pools, specs, quotas_of(tree()), by_class) {}

  void submit(const WaitingJob& job, const Progress& progress, std::int64_t now, std::uint32_t group,
              bool firm) {
    this->attribute(job.slot, first + job.slot * 7 % 4);
    Dispatcher::submit(job, progress, now, group, firm);
  }

 private:
  static constexpr std::uint32_t first = nested ? 3 : 1;
  static AccountTree tree() {
    AccountTree tree;
    if (nested)
      for (const double share : {2.0, 1.0}) tree.add(AccountTree::root, share);
    for (const double share : {3.0, 1.5, 0.5, 0.5})
      tree.add(nested ? 1 + static_cast<std::uint32_t>(share < 1) : AccountTree::root, share);
    return tree;
  }
};
template <bool by_class, bool nested>
void quotas_agree(const PreemptiveRule& rule, std::uint64_t seeds, std::uint64_t& preempted) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(by_class, nested, rule.skips, rule.shield, rule.notice, rule.round, seed);
    const int difference = first_difference<WithQuotas<QuotaReclaim, by_class, nested>,
                                            WithQuotas<conformance::PlainQuotaReclaim, by_class, nested>>(
        seed, rule, by_class, preempted);
    REQUIRE(difference == -1);
  }
}

// --- what accounts hold

/// What random events make of a dispatcher by account and of plain loops.
template <Backfill B>
class HoldingsDuel {
 public:
  /// @param moves  whether changes of capacity are announced, and known ends of running jobs move
  HoldingsDuel(std::uint64_t seed, bool one_resource, bool moves)
      : random_(seed),
        moves_(moves),
        specs_(random_.groups(groups, pools)),
        fast_{AccountDispatcher<B>(resources(one_resource), specs_, weights), {}, {}},
        plain_{testing::PlainHoldings<B>(resources(one_resource), specs_, weights), {}, {}} {
    for (std::uint32_t p = 0; p < pools; ++p) change(p, 6);
  }
  /// @returns the first pass in which the two differ, or -1
  int run() {
    for (int pass = 0; pass < 150; ++pass) {
      now_ += 1 + random_.below(9);
      for (std::int64_t i = random_.below(5); i > 0; --i) submit();
      leave();
      if (random_.below(4) == 0) change_any();
      if (moves_) move();
      fast_.pass(now_);
      plain_.pass(now_);
      if (fast_.starts != plain_.starts || fast_.dispatcher.waiting() != plain_.dispatcher.waiting())
        return pass;
      for (const auto& [id, where, requested] : plain_.starts) {
        Job& j = jobs_[static_cast<std::uint32_t>(id)];
        j.runs = true;
        j.pool = where;
        j.end = now_ + requested;
      }
    }
    return -1;
  }

 private:
  struct Job {
    WaitingJob job;
    Claimant who;
    std::uint32_t group = 0;
    bool runs = false;
    std::uint32_t pool = 0;
    std::int64_t end = 0;
  };
  struct Step {
    std::uint32_t pool;
    std::int64_t at, delta;
  };
  inline static const std::vector<double> weights{1, 2, 1, 0.5};
  static SharedResources resources(bool one) {
    if (one) return {{1, 0, 0}, {0, 0, 0}};
    return {{12, 6, 0, 0}, {0, 0, 1}};  // two types of GPU in three pools
  }

  template <class Act>
  void both(Act&& act) {
    act(fast_.dispatcher);
    act(plain_.dispatcher);
  }
  void put(Job& j) {
    j.runs = false;
    both([&](auto& d) { d.submit(j.who, j.job, j.group); });
  }
  void submit() {
    Job j;
    j.job.slot = next_slot_++;
    j.job.order = {now_, j.job.slot};
    j.job.requested = 1 + random_.below(40);
    j.job.gpus = static_cast<std::int32_t>(1 + random_.below(random_.below(4) == 0 ? 7 : 3));
    j.who = {static_cast<std::uint32_t>(random_.below(4)), 0, 0, 0};
    j.group = static_cast<std::uint32_t>(random_.below(groups));
    put(jobs_[j.job.slot] = j);
  }
  void finish(const Job& j) {
    both([&](auto& d) { d.finish_of(j.job, j.end, j.pool); });
  }
  /// Jobs end, at their known ends or before, and waiting ones give up.
  void leave() {
    for (auto it = jobs_.begin(); it != jobs_.end();) {
      const Job& j = it->second;
      const bool goes = j.runs ? j.end <= now_ || random_.below(12) == 0 : random_.below(40) == 0;
      if (!goes) {
        ++it;
        continue;
      }
      if (j.runs)
        finish(j);
      else
        both([&](auto& d) { d.withdraw_of(j.job); });
      it = jobs_.erase(it);
    }
  }
  void change(std::uint32_t pool, std::int64_t delta) {
    both([&](auto& d) { d.change_capacity(pool, delta); });
  }
  void change_any() {
    const auto pool = static_cast<std::uint32_t>(random_.below(pools));
    const bool loses = plain_.dispatcher.free(pool) > 0 && random_.below(2) > 0;
    change(pool, loses ? -1 : 1);
  }
  /// What was announced comes, more is announced, and running jobs turn out to end at other times.
  void move() {
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const Step s = steps_[i];
      if (s.at > now_) continue;
      steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(i));
      both([&](auto& d) { d.withdraw_foreseen(s.pool, s.at, s.delta); });
      come(s);
    }
    if (random_.below(6) == 0) {
      const auto pool = static_cast<std::uint32_t>(random_.below(pools));
      const std::int64_t gpus = 1 + random_.below(4), down = now_ + 1 + random_.below(60);
      announce({pool, down, -gpus});
      if (random_.below(3) > 0) announce({pool, down + 1 + random_.below(60), gpus});
    }
    for (auto& [slot, j] : jobs_) {
      if (!j.runs || random_.below(15) > 0) continue;
      const std::int64_t end = now_ + 1 + random_.below(40);
      fast_.dispatcher.extend(j.pool, j.job.gpus, j.end, end);
      plain_.dispatcher.extend(j.job, end);
      j.end = end;
    }
  }
  void announce(const Step& s) {
    steps_.push_back(s);
    both([&](auto& d) { d.foresee(s.pool, s.at, s.delta); });
  }
  /// Who runs on GPUs that are lost goes back to the queue. A loss that finds less takes what there is.
  void come(const Step& s) {
    for (auto& [slot, j] : jobs_) {
      if (plain_.dispatcher.free(s.pool) + s.delta >= 0) break;
      if (!j.runs || j.pool != s.pool) continue;
      finish(j);
      put(j);
    }
    change(s.pool, std::max(s.delta, -plain_.dispatcher.free(s.pool)));
  }

  Numbers random_;
  bool moves_;
  std::vector<GroupSpec> specs_;
  Side<AccountDispatcher<B>> fast_;
  Side<testing::PlainHoldings<B>> plain_;
  std::map<std::uint32_t, Job> jobs_;  // by slot
  std::vector<Step> steps_;            // announced
  std::uint32_t next_slot_ = 0;
  std::int64_t now_ = 1;
};

/// Seeds at which the two differ.
template <Backfill B>
std::vector<std::uint64_t> disagreements_of_holdings(std::uint64_t seeds, bool one_resource, bool moves) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    if (HoldingsDuel<B>(seed, one_resource, moves).run() != -1) all.push_back(seed);
  return all;
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

TEST_CASE("orders that take GPUs back on machines of one GPU agree with plain loops that count GPUs") {
  std::uint64_t preempted = 0;
  for (const Order order : {Order::srtf, Order::srsf, Order::las, Order::las2d})
    for (const bool skips : {true, false})
      for (const std::int64_t shield : {0, 15})
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
          PreemptiveRule rule = rule_of(order, skips);
          rule.shield = shield;
          CAPTURE(static_cast<int>(order), skips, shield, seed);
          // A gang of five that a pool could not hold would block it where GPUs are counted.
          REQUIRE(first_difference<MachinesOfOne, conformance::PlainPreemptive>(seed, rule, false, preempted,
                                                                                5) == -1);
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

TEST_CASE("quota reclaim agrees with plain loops over several pools, in order of submission and by class") {
  std::uint64_t preempted = 0;
  for (const bool skips : {true, false})
    for (const std::int64_t shield : {0, 15})
      for (const std::int64_t notice : {0, 12})
        for (const std::int64_t round : {0, 8}) {
          PreemptiveRule rule = rule_of(Order::fcfs, skips);
          rule.shield = shield;
          rule.notice = notice;
          rule.round = round;
          quotas_agree<false, false>(rule, 60, preempted);
          quotas_agree<false, true>(rule, 60, preempted);
          quotas_agree<true, false>(rule, 60, preempted);
        }
  CHECK(preempted > 10'000);
}

TEST_CASE("drf and maxmin agree with plain loops over several pools") {
  const std::vector<std::uint64_t> nowhere;
  for (const bool one_resource : {true, false}) {
    CAPTURE(one_resource);
    CHECK(disagreements_of_holdings<Backfill::none>(100, one_resource, false) == nowhere);
    CHECK(disagreements_of_holdings<Backfill::fit>(100, one_resource, false) == nowhere);
    for (const bool moves : {false, true}) {
      CAPTURE(moves);
      CHECK(disagreements_of_holdings<Backfill::easy>(1000, one_resource, moves) == nowhere);
    }
  }
}
