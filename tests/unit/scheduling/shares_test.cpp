// SPDX-License-Identifier: Apache-2.0
// Fair shares as arithmetic, against worked examples from the literature and closed forms.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/scheduling/account_tree.hpp>
#include <natgpu/scheduling/decay.hpp>
#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/scheduling/multifactor.hpp>
#include <natgpu/scheduling/water_filling.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

constexpr double exact = 1e-9;
constexpr double day = 24 * 3600;

void check_shares(double capacity, const std::vector<double>& demands, const std::vector<double>& weights,
                  const std::vector<double>& expected) {
  const std::vector<double> shares = water_filling(capacity, demands, weights);
  REQUIRE(shares.size() == expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) CHECK(shares[i] == Approx(expected[i]).margin(exact));
}

/// Users in the order of their picks, as letters.
std::string picks(const Amounts& machine, const std::vector<TaskUser>& users,
                  const std::string& names = "ABC") {
  std::string text;
  for (const std::size_t u : progressive_picks(machine, users)) text += names[u];
  return text;
}

}  // namespace

TEST_CASE("max-min shares are those of Bertsekas & Gallager's filling, with weights and without") {
  check_shares(10, {2, 2.6, 4, 5}, {}, {2, 2.6, 2.7, 2.7});
  check_shares(16, {4, 2, 10, 4}, {2.5, 4, .5, 1}, {4, 2, 6, 4});
  check_shares(100, {20, 35, 60, 80}, {1, 2, 1, 4}, {12.5, 25, 12.5, 50});
}

TEST_CASE("nobody's max-min share can rise without that of one who has no more over weight falling") {
  std::uint64_t state = 5;
  const auto below = [&](std::uint64_t n) { return mix64(state += 0x9e3779b97f4a7c15ULL) % n; };
  for (int round = 0; round < 500; ++round) {
    std::vector<double> demands, weights;
    for (std::uint64_t n = 1 + below(8); n > 0; --n) {
      demands.push_back(static_cast<double>(below(40)) / 4);
      weights.push_back(static_cast<double>(1 + below(12)) / 4);
    }
    const double capacity = static_cast<double>(below(60));
    const std::vector<double> shares = water_filling(capacity, demands, weights);
    const double given = std::accumulate(shares.begin(), shares.end(), 0.0);
    const double asked = std::accumulate(demands.begin(), demands.end(), 0.0);
    CHECK(given == Approx(std::min(capacity, asked)).margin(exact));
    double level = 0;  // the highest over weight
    for (std::size_t i = 0; i < shares.size(); ++i) level = std::max(level, shares[i] / weights[i]);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      CHECK(shares[i] <= demands[i]);
      if (shares[i] < demands[i] - exact) CHECK(shares[i] / weights[i] == Approx(level).margin(exact));
    }
  }
}

TEST_CASE("water is filled to the brim of nothing, and no further than all demands") {
  CHECK(water_filling(5, {}).empty());
  check_shares(0, {1, 2}, {}, {0, 0});
  check_shares(9, {1, 2}, {}, {1, 2});
  check_shares(9, {1, std::numeric_limits<double>::infinity()}, {}, {1, 8});
  CHECK_THROWS_AS(water_filling(1, {1, 1}, {1}), InvariantError);
  CHECK_THROWS_AS(water_filling(1, {1}, {0}), InvariantError);
  CHECK_THROWS_AS(water_filling(-1, {1}), InvariantError);
}

TEST_CASE("use halves in a half-life") {
  const Decay week(7 * day);
  const double after_three = 1000 * week.factor(3 * day);
  CHECK(after_three == Approx(742.997145).epsilon(exact));
  CHECK((after_three + 200) * week.factor(4 * day) == Approx(634.590019).epsilon(exact));
  CHECK(8 * week.gain(14 * day) / day == Approx(60.593192).margin(1e-6));
  CHECK(8 * week.gain(1e6 * day) / day == Approx(80.790922).margin(1e-6));
  CHECK(week.factor(7 * day) == Approx(0.5).epsilon(exact));
  CHECK(Decay().factor(1e9) == 1);
  CHECK(Decay().gain(1e9) == 1e9);
}

TEST_CASE("use gathered second by second is that gathered at once, to nine digits") {
  for (const double half_life : {day, 7 * day}) {
    const Decay decay(half_life);
    double use = 0;
    for (int s = 0; s < 100'000; ++s) use = use * decay.factor(1) + 3 * decay.gain(1);
    CHECK(use == Approx(3 * decay.gain(100'000)).epsilon(exact));
  }
}

TEST_CASE("Slurm's own factor leaves a little more than a half after a half-life") {
  CHECK(slurm_decay_factor(7 * day, 7 * day) == Approx(0.500073).margin(5e-7));
}

TEST_CASE("classic fair-share factors are those of SchedMD's worked example") {
  AccountTree tree;
  const auto a = tree.add(AccountTree::root, 40), b = tree.add(a, 30), u1 = tree.add(b), c = tree.add(a, 10);
  const auto u2 = tree.add(c), u3 = tree.add(c), d = tree.add(AccountTree::root, 60), e = tree.add(d, 25);
  const auto u4 = tree.add(e), f = tree.add(d, 35), u5 = tree.add(f);
  CHECK(tree.users() == 5);
  std::vector<double> own(tree.size());
  own[u1] = .2, own[u2] = .25, own[u4] = .25;
  const std::vector<double> effective = effective_use(tree, use_with_children(tree, own));
  const std::vector<double> shares = normalised_shares(tree);
  const std::uint32_t users[] = {u1, u2, u3, u4, u5};
  const double expected[] = {.3875, .275, .15, .25, .145833333333};
  const double factors[] = {.408478863, .022097087, .125, .5, .749153538};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(effective[users[i]] == Approx(expected[i]).margin(exact));
    CHECK(classic_factor(effective[users[i]], shares[users[i]]) == Approx(factors[i]).margin(exact));
  }
  CHECK(classic_factor(.5, .25, 1) == Approx(.25).margin(exact));
  CHECK(classic_factor(.5, .25, 4) == Approx(.707106781).margin(exact));
}

TEST_CASE("a priority is the weighted sum of its factors") {
  const PriorityWeights weights{1000, 5000, 500, 0};
  const double sum = priority(weights, {.25, classic_factor(.5, .25), 16.0 / 64, 1});
  CHECK(sum == Approx(1625).margin(exact));
  CHECK(whole_priority(sum) == 1625);
}

TEST_CASE("Fair Tree ranks by level values, depth first") {
  AccountTree tree;
  const auto defence = tree.add(AccountTree::root, 10), industry = tree.add(AccountTree::root, 30);
  const auto science = tree.add(AccountTree::root, 60);
  const auto ed = tree.add(defence), cy = tree.add(industry, 2), di = tree.add(industry, 1);
  const auto ana = tree.add(science), bo = tree.add(science);
  std::vector<double> own(tree.size());
  own[ana] = 20, own[bo] = 10, own[cy] = 50, own[di] = 10, own[ed] = 10;
  const std::vector<std::uint32_t> ranked = fair_tree(tree, use_with_children(tree, own));
  CHECK(ranked == std::vector<std::uint32_t>{bo, ana, ed, di, cy});
  for (std::size_t place = 0; place < 5; ++place)
    CHECK(fair_tree_factor(place, tree.users()) == Approx(1 - .2 * static_cast<double>(place)).margin(exact));
}

TEST_CASE("Fair Tree puts who used nothing first, and equals in name order") {
  AccountTree tree;
  const auto a = tree.add(AccountTree::root), b = tree.add(AccountTree::root),
             c = tree.add(AccountTree::root);
  const auto ranked = [&](double ua, double ub, double uc) { return fair_tree(tree, {0, ua, ub, uc}); };
  CHECK(ranked(0, 0, 0) == std::vector<std::uint32_t>{a, b, c});
  CHECK(ranked(3, 2, 0) == std::vector<std::uint32_t>{c, b, a});
  CHECK(ranked(2, 1, 2) == std::vector<std::uint32_t>{b, a, c});
}

TEST_CASE("dominant resource fairness picks as in Ghodsi et al.") {
  // 9 CPUs and 18 GB stand as thousandths of a core and MiB; no GPUs.
  const Amounts machine{0, 9000, 18 * 1024};
  const TaskUser a{{0, 1000, 4 * 1024}}, b{{0, 3000, 1024}};
  CHECK(picks(machine, {a, b}) == "ABABA");
  CHECK(picks(machine, {b, a}, "BA") == "BAABA");  // the paper's, where B comes first on the tie
  TaskUser twice = a;
  twice.weight = 2;
  const std::string weighted = picks(machine, {twice, b});
  CHECK(std::count(weighted.begin(), weighted.end(), 'A') == 4);
  CHECK(std::count(weighted.begin(), weighted.end(), 'B') == 1);
}

TEST_CASE("a user whose next task does not fit drops out, and the others go on") {
  const std::string order = picks({16, 128, 1024}, {{{1, 4, 64}}, {{2, 8, 32}}, {{0, 16, 128}}});
  CHECK(std::count(order.begin(), order.end(), 'A') == 8);
  CHECK(std::count(order.begin(), order.end(), 'B') == 4);
  CHECK(std::count(order.begin(), order.end(), 'C') == 3);
}
