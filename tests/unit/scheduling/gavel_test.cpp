// SPDX-License-Identifier: Apache-2.0
// Target shares of time against closed answers, and what jobs receive of them round by round.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/gavel_shares.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"

using namespace natgpu;
using testing::MixedDice;
using namespace natgpu::scheduling;

namespace {

constexpr double exact = 1e-9;
using Shares = std::vector<double>;

std::vector<ShareClaim> claims(const std::vector<std::int64_t>& gpus, const std::vector<double>& weights) {
  std::vector<ShareClaim> all;
  for (std::size_t i = 0; i < gpus.size(); ++i)
    all.push_back({gpus[i], weights.empty() ? 1.0 : weights[i], 0, 0, 0});
  return all;
}
void check_shares(const Shares& shares, const Shares& expected) {
  REQUIRE(shares.size() == expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) CHECK(shares[i] == Approx(expected[i]).margin(exact));
}
double rho(const ShareClaim& c, double share) {
  return (c.elapsed + c.remaining / share) / c.isolated;
}

/// Jobs without an end on one pool, round after round. Time is in ticks, a round is 1000 of them.
class Rounds {
 public:
  static constexpr std::int64_t round = 1000;

  explicit Rounds(std::int64_t gpus, Order order = Order::gavel_las) : dispatcher_(rule(order)) {
    dispatcher_.change_capacity(0, gpus);
  }
  void join(std::int32_t gpus, double weight = 1) {
    const auto slot = static_cast<std::uint32_t>(jobs_.size());
    jobs_.push_back({{{0, slot}, 1'000'000'000, gpus, slot}, 0, -1});
    dispatcher_.entitle(slot, weight);
    dispatcher_.submit(jobs_[slot].waiting, {1'000'000'000, 0, 0}, now_);
  }
  /// The job is done where it stands.
  void leave(std::uint32_t slot) {
    if (jobs_[slot].since < 0) return;
    jobs_[slot].received = received(slot);
    jobs_[slot].since = -1;
    dispatcher_.finish_job(slot);
  }
  bool runs(std::uint32_t slot) const { return jobs_[slot].since >= 0; }
  void pass_one() {
    dispatcher_.pass(now_, *this);
    now_ += round;
  }
  /// In rounds.
  double received_rounds(std::uint32_t slot) const {
    return static_cast<double>(received(slot)) / static_cast<double>(round);
  }

  void preempt(const WaitingJob& job) {
    Job& j = jobs_[job.slot];
    j.received = received(job.slot);
    j.since = -1;
    dispatcher_.submit(j.waiting, {1'000'000'000 - j.received, j.received, 0}, now_);
  }
  void start(const WaitingJob& job, std::uint32_t, std::int64_t) { jobs_[job.slot].since = now_; }

 private:
  struct Job {
    WaitingJob waiting;
    std::int64_t received, since;
  };
  static PreemptiveRule rule(Order order) {
    PreemptiveRule r;
    r.order = order;
    r.round = round;
    return r;
  }
  std::int64_t received(std::uint32_t slot) const {
    const Job& j = jobs_[slot];
    return j.received + (j.since >= 0 ? now_ - j.since : 0);
  }

  GavelDispatcher dispatcher_;
  std::vector<Job> jobs_;
  std::int64_t now_ = 0;
};

}  // namespace

TEST_CASE("gavel-las divides GPUs max-min fairly, and a gang has them for a part of the time") {
  const auto shares = [](double gpus, const std::vector<std::int64_t>& demands, const Shares& weights) {
    return time_shares(Order::gavel_las, gpus, claims(demands, weights));
  };
  // 4/3 each; the first asks for 1, and leaves 3/2 to each of the others.
  check_shares(shares(4, {1, 2, 4}, {}), {1, 0.75, 0.375});
  check_shares(shares(8, {1, 2, 4}, {}), {1, 1, 1});
  check_shares(shares(1, {1, 1, 1, 1}, {}), {0.25, 0.25, 0.25, 0.25});
  // Bertsekas & Gallager's example: 4, 2, 6 and 4 of 16; and 12.5, 25, 12.5, 50 of 100.
  check_shares(shares(16, {4, 2, 10, 4}, {2.5, 4, .5, 1}), {1, 1, 0.6, 1});
  check_shares(shares(100, {20, 35, 60, 80}, {1, 2, 1, 4}), {0.625, 25.0 / 35, 12.5 / 60, 0.625});
}

TEST_CASE("gavel-ftf gives more to a job that has waited, in the golden ratio in this case") {
  // One GPU, 10 of work each and a fair half. The first has waited for 10 in vain:
  // 10 / (20 rho - 10) + 10 / (20 rho) = 1, so rho = (3 + sqrt 5) / 4.
  const std::vector<ShareClaim> two{{1, 1, 10, 10, 20}, {1, 1, 0, 10, 20}};
  const Shares shares = time_shares(Order::gavel_ftf, 1, two);
  check_shares(shares, {(std::sqrt(5.0) - 1) / 2, (3 - std::sqrt(5.0)) / 2});
  CHECK(rho(two[0], shares[0]) == Approx((3 + std::sqrt(5.0)) / 4).margin(exact));
  CHECK(rho(two[1], shares[1]) == Approx((3 + std::sqrt(5.0)) / 4).margin(exact));
}

TEST_CASE("gavel-ftf leaves newcomers their fair shares, whatever their work") {
  check_shares(time_shares(Order::gavel_ftf, 4, {{4, 1, 0, 10, 20}, {4, 1, 0, 9000, 18000}}), {0.5, 0.5});
  // What one that asks for less leaves is divided: 1 of 4 GPUs, then 3/2 of 2 and of 4, at 4/3 fair each.
  check_shares(time_shares(Order::gavel_ftf, 4, {{1, 1, 0, 50, 50}, {2, 1, 0, 10, 15}, {4, 1, 0, 10, 30}}),
               {1, 0.75, 0.375});
}

TEST_CASE("under gavel-ftf nobody's finish can come nearer without another's, later already, going off") {
  MixedDice dice{11};
  for (int k = 0; k < 2000; ++k) {
    const auto gpus = static_cast<double>(1 + dice.below(16));
    std::vector<ShareClaim> all;
    double asked = 0;
    for (std::int64_t n = 1 + dice.below(9); n > 0; --n) {
      const auto remaining = static_cast<double>(1 + dice.below(1000));
      all.push_back(
          {1 + dice.below(8), 1, static_cast<double>(dice.below(2000)), remaining,
           static_cast<double>(dice.below(2000)) + remaining * static_cast<double>(1 + dice.below(9))});
      asked += static_cast<double>(all.back().gpus);
    }
    const Shares shares = time_shares(Order::gavel_ftf, gpus, all);
    double given = 0, worst_shared = 0, best_shared = 1e300;
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(shares[i] > 0);
      CHECK(shares[i] <= 1);
      given += shares[i] * static_cast<double>(all[i].gpus);
      if (shares[i] == 1) continue;
      worst_shared = std::max(worst_shared, rho(all[i], shares[i]));
      best_shared = std::min(best_shared, rho(all[i], shares[i]));
    }
    CHECK(given == Approx(std::min(gpus, asked)).epsilon(exact));
    if (asked <= gpus) continue;
    CHECK(worst_shared == Approx(best_shared).epsilon(exact));  // all that have less than all of the time
    for (std::size_t i = 0; i < all.size(); ++i)
      if (shares[i] == 1) CHECK(rho(all[i], 1) >= worst_shared * (1 - exact));
  }
}

TEST_CASE("a fair share is a part of the GPUs by weight, and never more than all of the time") {
  CHECK(isolated_share(8, 4, {4, 1, 0, 0, 0}) == 0.5);
  CHECK(isolated_share(8, 4, {4, 2, 0, 0, 0}) == 1);
  CHECK(isolated_share(8, 4, {1, 1, 0, 0, 0}) == 1);
}

TEST_CASE("shares rank by multiples of 2^-20, of which the least is one") {
  CHECK(on_grid(1) == whole_share);
  CHECK(on_grid(0.5) == whole_share / 2);
  CHECK(on_grid(1e-9) == 1);
  CHECK(on_grid(1.0 / 3) == 349525);  // 2^20 / 3 = 349525.33
}

TEST_CASE("where shares stand still jobs rank as by Gavel's share over time received") {
  MixedDice dice{3};
  constexpr std::int64_t round = 360'000'000;
  for (int k = 0; k < 5000; ++k) {
    const std::int64_t got_a = dice.below(100), got_b = dice.below(100), a = 1 + dice.below(whole_share),
                       b = 1 + dice.below(whole_share);
    const auto rank = [&](std::int64_t share, std::int64_t got) {
      return mark_moves(got * round, share) + mark_moves(round, share) / 2;
    };
    // Gavel: the larger share / (rounds received + 1/2) comes first.
    const std::int64_t left = a * (2 * got_b + 1), right = b * (2 * got_a + 1);
    if (left > right) CHECK(rank(a, got_a) < rank(b, got_b));
    if (left < right) CHECK(rank(a, got_a) > rank(b, got_b));
  }
}

TEST_CASE("long jobs receive their targets, to within a round at any time") {
  // Of 4 GPUs by weights 3, 2, 1, 1, 1 the first two would have more than one: 2 are left for three.
  Rounds weighted(4);
  for (const double w : {3.0, 2.0, 1.0, 1.0, 1.0}) weighted.join(1, w);
  Rounds gangs(4);  // two of three at a time
  for (int i = 0; i < 3; ++i) gangs.join(2);
  Rounds one(1, Order::gavel_ftf);
  for (int i = 0; i < 3; ++i) one.join(1);
  for (int t = 1; t <= 1000; ++t) {
    weighted.pass_one();
    gangs.pass_one();
    one.pass_one();
    const Shares targets{1, 1, 2.0 / 3, 2.0 / 3, 2.0 / 3};
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(std::abs(weighted.received_rounds(i) - targets[i] * t) <= 1);
    for (std::uint32_t i = 0; i < 3; ++i) {
      CHECK(std::abs(gangs.received_rounds(i) - t * 2.0 / 3) <= 1);
      CHECK(std::abs(one.received_rounds(i) - t / 3.0) <= 1);
    }
  }
}

TEST_CASE("where gangs leave GPUs idle all fall behind alike") {
  // Shares 1, 3/4 and 3/8 of 4 GPUs, but the widest runs alone. It gets 3/11 of the time and the narrowest
  // 8/11, both 8/11 of their targets; the other could have 3/4 of the time, and 8/11 are left.
  Rounds r(4);
  for (const std::int32_t gpus : {1, 2, 4}) r.join(gpus);
  for (int t = 0; t < 11'000; ++t) r.pass_one();
  CHECK(r.received_rounds(0) == Approx(8000).margin(2));
  CHECK(r.received_rounds(1) == Approx(8000).margin(2));
  CHECK(r.received_rounds(2) == Approx(3000).margin(2));
}

TEST_CASE("who used GPUs that nobody else could does not wait for it when others come") {
  // Ten gangs of 4 on 5 GPUs have shares of 5/48, and two narrow jobs 5/12; one hole is left for these, half
  // of the time each. Then there are twelve narrow ones, with shares of 5/22.
  Rounds r(5);
  for (int i = 0; i < 10; ++i) r.join(4);
  r.join(1);
  r.join(1);
  for (int t = 0; t < 1200; ++t) r.pass_one();
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(r.received_rounds(i) == Approx(120).margin(1));
  CHECK(r.received_rounds(10) == Approx(600).margin(3));
  for (int i = 0; i < 10; ++i) r.join(1);
  for (int t = 0; t < 120; ++t) r.pass_one();
  for (std::uint32_t i = 10; i < 22; ++i)
    CHECK(r.received_rounds(i) - (i < 12 ? 600 : 0) == Approx(120 * 5.0 / 22).margin(4));
}

TEST_CASE("every job has its part of the GPUs, or all it asks for, but for a stated number of rounds") {
  // Gangs of one size that fill the machine, so that targets can be met; weights from 1 to 4.
  MixedDice dice{17};
  double worst = 0;
  for (int k = 0; k < 300; ++k) {
    const std::int64_t size = 1 + dice.below(4), places = 1 + dice.below(8);
    const auto jobs = static_cast<std::uint32_t>(1 + dice.below(20));
    Rounds r(size * places);
    Shares weights;
    double all = 0;
    for (std::uint32_t i = 0; i < jobs; ++i) {
      weights.push_back(static_cast<double>(1 + dice.below(4)));
      all += weights.back();
      r.join(static_cast<std::int32_t>(size), weights.back());
    }
    for (int t = 1; t <= 200; ++t) {
      r.pass_one();
      for (std::uint32_t i = 0; i < jobs; ++i) {
        const double part = std::min(1.0, weights[i] / all * static_cast<double>(places));
        const double behind = part * t - r.received_rounds(i);
        worst = std::max(worst, behind / (1 + part * jobs / (2.0 * static_cast<double>(places))));
      }
    }
  }
  CHECK(worst <= 1);
}

TEST_CASE("a job has its part while others come and go, but for three rounds") {
  MixedDice dice{23};
  for (int k = 0; k < 200; ++k) {
    const std::int64_t gpus = 1 + dice.below(8), busy = 1 + dice.below(3 * gpus);
    Rounds r(gpus);
    std::vector<std::uint32_t> present;
    Shares parts;  // by job: rounds that were its part so far
    for (int t = 0; t < 300; ++t) {
      while (static_cast<std::int64_t>(present.size()) < busy || dice.below(4) == 0) {
        r.join(1);
        present.push_back(static_cast<std::uint32_t>(parts.size()));
        parts.push_back(0);
      }
      const double part = std::min(1.0, static_cast<double>(gpus) / static_cast<double>(present.size()));
      r.pass_one();
      std::vector<std::uint32_t> staying;
      for (const std::uint32_t slot : present) {
        parts[slot] += part;
        REQUIRE(parts[slot] - r.received_rounds(slot) <= 3);
        if (r.runs(slot) && dice.below(6) == 0)
          r.leave(slot);
        else
          staying.push_back(slot);
      }
      present = staying;
    }
  }
}
