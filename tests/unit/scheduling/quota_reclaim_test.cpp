// SPDX-License-Identifier: Apache-2.0
// Quotas, and what accounts hold of a pool under quota reclaim after each pass.
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

/// Accounts 1, 2, ... with these shares.
AccountTree flat(const std::vector<double>& shares) {
  AccountTree tree;
  for (const double share : shares) tree.add(AccountTree::root, share);
  return tree;
}
bool equal(const Quota& a, Area part, Area whole) {
  return a.part == part && a.whole == whole;
}

/// One pool, jobs that run until they are told to end, and what each account holds.
class Pool {
 public:
  Pool(const PreemptiveRule& rule, const std::vector<double>& shares, std::int64_t gpus)
      : quotas_(quotas_of(flat(shares))), shield_(rule.shield), dispatcher_(rule, quotas_) {
    change(gpus);
  }
  void change(std::int64_t delta) {
    up_ += delta;
    dispatcher_.change_capacity(0, delta);
  }
  std::uint32_t submit(std::uint32_t account, std::int32_t gpus = 1, bool firm = false) {
    const auto slot = static_cast<std::uint32_t>(jobs_.size());
    jobs_.push_back({account, gpus, firm, false, -1});
    queue(slot);
    return slot;
  }
  void end(std::uint32_t slot) {
    jobs_[slot].runs = false;
    jobs_[slot].done = true;
    dispatcher_.finish_job(slot);
  }
  /// @returns slots of jobs that lost their GPUs
  std::vector<std::uint32_t> pass(std::int64_t now) {
    now_ = now;
    lost_.clear();
    dispatcher_.pass(now, *this);
    for (const std::uint32_t slot : lost_) queue(slot);
    return lost_;
  }
  void start(const WaitingJob& job, std::uint32_t, std::int64_t) {
    jobs_[job.slot].runs = true;
    jobs_[job.slot].since = now_;
  }
  void preempt(const WaitingJob& job) {
    jobs_[job.slot].runs = false;
    lost_.push_back(job.slot);
  }

  bool runs(std::uint32_t slot) const { return jobs_[slot].runs; }
  std::size_t jobs() const { return jobs_.size(); }
  std::int64_t idle() const { return dispatcher_.free(0); }
  std::int64_t held(std::uint32_t account) const {
    std::int64_t sum = 0;
    for (const Job& j : jobs_)
      if (j.runs && j.account == account) sum += j.gpus;
    return sum;
  }
  bool within(std::uint32_t account, std::int64_t gpus) const {
    return gpus * quotas_[account].whole <= quotas_[account].part * up_;
  }
  /// Whether somebody waits with whom its account were within its quota, while an account beyond its own has
  /// a job that could be taken.
  bool owes() const {
    bool could_take = false, entitled = false;
    for (const Job& j : jobs_) {
      if (j.runs && !j.firm && j.since < now_ && now_ - j.since >= shield_)
        could_take |= !within(j.account, held(j.account));
      if (!j.runs && !j.done) entitled |= within(j.account, held(j.account) + j.gpus);
    }
    return could_take && entitled;
  }
  /// Whether somebody who waits would fit.
  bool idles() const {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [this](const Job& j) { return !j.runs && !j.done && j.gpus <= idle(); });
  }

 private:
  struct Job {
    std::uint32_t account;
    std::int32_t gpus;
    bool firm, runs;
    std::int64_t since;
    bool done = false;
  };
  void queue(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    dispatcher_.attribute(slot, j.account);
    dispatcher_.submit({{slot, slot}, 100, j.gpus, slot}, {}, now_, 0, j.firm);
  }
  std::vector<Quota> quotas_;
  std::int64_t shield_, up_ = 0, now_ = 0;
  QuotaReclaim dispatcher_;
  std::vector<Job> jobs_;  // by slot
  std::vector<std::uint32_t> lost_;
};

PreemptiveRule rule_of(bool skips, std::int64_t shield = 0) {
  PreemptiveRule rule;
  rule.skips = skips;
  rule.shield = shield;
  return rule;
}

}  // namespace

TEST_CASE("quotas are fractions in lowest terms of their level, and those of users parts of their group's") {
  const std::vector<Quota> q = quotas_of(flat({3, 1}));
  CHECK(equal(q[1], 3, 4));
  CHECK(equal(q[2], 1, 4));
  CHECK(equal(quotas_of(flat({0.5, 0.25, 0.25}))[1], 2, 4));
  CHECK(equal(quotas_of(flat({1}))[1], 1, 1));
  AccountTree nested;
  const std::uint32_t first = nested.add(AccountTree::root, 60), second = nested.add(AccountTree::root, 30);
  for (int i = 0; i < 3; ++i) nested.add(first);
  nested.add(second, 2);
  const std::vector<Quota> users = quotas_of(nested);
  CHECK(equal(users[3], 2, 9));
  CHECK(equal(users[6], 1, 3));
  CHECK(users[first].of(1000) == 0);
}

TEST_CASE("quotas are exact where doubles are not, and with as many GPUs and accounts as there may be") {
  const std::vector<Quota> thirds = quotas_of(flat({1, 1, 1}));
  CHECK(thirds[1].of(3) == 1);
  CHECK(thirds[1].of(2) == 0);
  CHECK(thirds[1].of(2'999'999'999) == 999'999'999);
  const std::vector<Quota> tenths = quotas_of(flat({0.1, 0.2, 0.7}));
  CHECK(tenths[3].of(10) == 7);  // 0.7 x 10 / 1.0 in doubles: 7, or less
  CHECK(tenths[1].of(1'000'000'000) == 100'000'000);
  AccountTree large;
  const std::uint32_t group = large.add(AccountTree::root, 99'999'998.999999);
  large.add(AccountTree::root, 1);
  large.add(group, 99'999'998.999999);
  large.add(group, 1.000001);
  CHECK(quotas_of(large)[3].of(1'000'000'000) == 999'999'979);
  CHECK(quotas_of(large)[4].of(1'000'000'000) == 10);
}

TEST_CASE("shares that cannot be counted are told") {
  CHECK(quota_flaw(flat({3, 0.000001})).empty());
  CHECK_THAT(quota_flaw(flat({3, 0.0000009})), Catch::Contains("less than a millionth"));
  CHECK_THAT(quota_flaw(flat({6e7, 6e7})), Catch::Contains("hundred million"));
}

TEST_CASE("two accounts with a backlog hold their quotas after the first reclaim, and nobody loses more") {
  for (const bool skips : {true, false})
    for (const std::int64_t gpus : {4, 10, 96, 97, 98, 99}) {
      CAPTURE(skips, gpus);
      Pool pool(rule_of(skips, 20), {3, 1}, gpus);
      for (std::int64_t i = 0; i < 2 * gpus; ++i) pool.submit(2);
      CHECK(pool.pass(1).empty());
      CHECK(pool.held(2) == gpus);  // it borrows all that is idle
      for (std::int64_t i = 0; i < 2 * gpus; ++i) pool.submit(1);
      CHECK(pool.pass(2).empty());  // inside the shield
      CHECK(pool.pass(21).size() == static_cast<std::size_t>(3 * gpus / 4));
      for (const std::int64_t at : {22, 50, 90}) {
        CHECK(pool.held(1) == 3 * gpus / 4);
        CHECK(pool.held(1) + pool.held(2) == gpus);
        CHECK(pool.pass(at).empty());
      }
      std::uint32_t last = 0;  // one of the first account's ends: its next takes the place
      while (!pool.runs(last) || last < 2 * gpus) ++last;
      pool.end(last);
      CHECK(pool.pass(91).empty());
      CHECK(pool.held(1) == 3 * gpus / 4);
    }
}

TEST_CASE("nobody loses GPUs at the instant of its start, in a second pass at it either") {
  Pool pool(rule_of(true), {1, 1}, 2);
  pool.submit(2);
  pool.submit(2);
  pool.pass(1);
  pool.submit(1);
  CHECK(pool.pass(1).empty());
  CHECK(pool.pass(2) == std::vector<std::uint32_t>{1});

  struct Lost {
    void start(const WaitingJob&, std::uint32_t, std::int64_t) {}
    void preempt(const WaitingJob& job) { slots.push_back(job.slot); }
    std::vector<std::uint32_t> slots;
  } lost;
  ClassPreemption by_class(rule_of(true));
  by_class.change_capacity(0, 1);
  by_class.submit({{2, 0}, 100, 1, 0}, {}, 1);
  by_class.pass(1, lost);
  by_class.submit({{1, 1}, 100, 1, 1}, {}, 1);
  by_class.pass(1, lost);
  CHECK(lost.slots.empty());
  by_class.pass(2, lost);
  CHECK(lost.slots == std::vector<std::uint32_t>{0});
}

TEST_CASE("no account below its quota waits while another holds more than its own and could lose it") {
  std::uint64_t reclaimed = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    const std::int64_t shield = below(3) * 7;
    Pool pool(rule_of(below(2) == 0, shield), {1.0 + static_cast<double>(below(5)), 1, 0.5}, 1 + below(20));
    for (std::int64_t now = 1; now < 120; now += 1 + below(6)) {
      for (std::int64_t i = below(4); i > 0; --i)
        pool.submit(1 + static_cast<std::uint32_t>(below(3)), 1, below(10) == 0);
      for (std::uint32_t slot = 0; slot < pool.jobs(); ++slot)
        if (pool.runs(slot) && below(15) == 0) pool.end(slot);
      if (below(4) == 0) pool.change(pool.idle() > 0 && below(2) == 0 ? -1 : 1);
      reclaimed += pool.pass(now).size();
      CAPTURE(seed, now);
      REQUIRE_FALSE(pool.owes());
      REQUIRE_FALSE(pool.idles());
    }
  }
  CHECK(reclaimed > 4'000);
}

TEST_CASE("an account comes down to its quota, and below it by less than the last job that it loses") {
  std::uint64_t below_quota = 0, reclaimed = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    Pool pool(rule_of(below(2) == 0), {3, 2, 1}, 4 + below(20));
    std::vector<std::int32_t> sizes;
    for (std::int64_t now = 1; now < 100; now += 1 + below(6)) {
      for (std::int64_t i = below(4); i > 0; --i) {
        sizes.push_back(static_cast<std::int32_t>(1 + below(5)));
        pool.submit(1 + static_cast<std::uint32_t>(below(3)), sizes.back());
      }
      for (std::uint32_t slot = 0; slot < pool.jobs(); ++slot)
        if (pool.runs(slot) && below(20) == 0) pool.end(slot);
      std::map<std::uint32_t, std::int64_t> before;
      for (std::uint32_t a = 1; a <= 3; ++a) before[a] = pool.held(a);
      const std::vector<std::uint32_t> lost = pool.pass(now);
      reclaimed += lost.size();
      std::int32_t largest = 0;
      for (const std::uint32_t slot : lost) largest = std::max(largest, sizes[slot]);
      CAPTURE(seed, now);
      for (std::uint32_t a = 1; a <= 3; ++a) {
        if (pool.held(a) >= before[a]) continue;   // it lost nothing, or got more
        REQUIRE_FALSE(pool.within(a, before[a]));  // it was beyond its quota
        REQUIRE_FALSE(pool.within(a, pool.held(a) + largest));
        below_quota += pool.within(a, pool.held(a) + 1) ? 1 : 0;
      }
    }
  }
  CHECK(reclaimed > 3'000);
  CHECK(below_quota > 100);  // gangs do come down below it
}
