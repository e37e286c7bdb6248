// SPDX-License-Identifier: Apache-2.0
// Target shares on several types of GPU: the example of the paper, cases solved by hand, and the definition
// of max-min fairness, put to random cases by a linear program of another make.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/type_shares.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"
#include "plain_simplex.hpp"

using namespace natgpu;
using testing::MixedDice;
using namespace natgpu::scheduling;

namespace {

constexpr double exact = 1e-8;
using Row = std::vector<double>;

/// Types, and jobs of a class of their own each.
struct Case {
  GpuTypes types;
  std::vector<TypedClaim> claims;

  void add(Row speeds, std::int64_t gpus = 1, double weight = 1) {
    types.speeds.push_back(std::move(speeds));
    claims.push_back({{gpus, weight, 0, 1, 1}, claims.size()});
  }
  double weights() const {
    double sum = 0;
    for (const TypedClaim& c : claims) sum += c.job.weight;
    return sum;
  }
  double speed(std::size_t i, std::size_t j) const {
    return types.speed(claims[i].job_class, j, claims[i].job.gpus);
  }
  double best(std::size_t i) const {
    double best = 0;
    for (std::size_t j = 0; j < types.count(); ++j) best = std::max(best, speed(i, j));
    return best;
  }
  /// Work done in a unit of time.
  double worked(const Row& shares, std::size_t i) const {
    double sum = 0;
    for (std::size_t j = 0; j < types.count(); ++j) sum += shares[i * types.count() + j] * speed(i, j);
    return sum;
  }
  double mean(std::size_t i) const {
    double sum = 0, all = 0;
    for (std::size_t j = 0; j < types.count(); ++j) {
      sum += speed(i, j) * static_cast<double>(types.gpus[j]);
      all += static_cast<double>(types.gpus[j]);
    }
    return sum / all;
  }
  /// The more, the better off.
  double level(Order order, double speed, std::size_t i) const {
    const ShareClaim& c = claims[i].job;
    return order == Order::gavel_ftf ? c.isolated / (c.elapsed + c.remaining / speed)
                                     : speed * static_cast<double>(c.gpus) / (c.weight * mean(i));
  }
};

Row las(const Case& c) {
  return type_shares(Order::gavel_las, c.types, c.claims);
}
void check_row(const Row& found, const Row& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(exact));
}

Case random_case(MixedDice& dice, std::int64_t most_jobs) {
  Case c;
  const auto types = static_cast<std::size_t>(1 + dice.below(4));
  for (std::size_t j = 0; j < types; ++j) c.types.gpus.push_back(1 + dice.below(8));
  for (std::int64_t n = 1 + dice.below(most_jobs); n > 0; --n) {
    Row speeds;
    for (std::size_t j = 0; j < types; ++j)
      speeds.push_back(dice.below(4) == 0 ? 0.0 : static_cast<double>(1 + dice.below(12)) / 4);
    c.add(speeds, 1 + dice.below(4), static_cast<double>(1 + dice.below(3)));
    if (c.best(c.claims.size() - 1) == 0) {
      c.claims.pop_back();
      c.types.speeds.pop_back();
      continue;
    }
    ShareClaim& job = c.claims.back().job;
    job.elapsed = static_cast<double>(dice.below(200));
    job.remaining = static_cast<double>(1 + dice.below(100));
    job.isolated = job.elapsed * 0.5 + job.remaining * static_cast<double>(1 + dice.below(4));
  }
  return c;
}

void check_room(const Case& c, const Row& shares) {
  const std::size_t k = c.types.count();
  Row load(k, 0.0);
  for (std::size_t i = 0; i < c.claims.size(); ++i) {
    double time = 0;
    for (std::size_t j = 0; j < k; ++j) {
      const double x = shares[i * k + j];
      REQUIRE(x >= 0);
      if (c.speed(i, j) == 0) REQUIRE(x == 0);
      time += x;
      load[j] += x * static_cast<double>(c.claims[i].job.gpus);
    }
    REQUIRE(time <= 1 + exact);
  }
  for (std::size_t j = 0; j < k; ++j) REQUIRE(load[j] <= static_cast<double>(c.types.gpus[j]) * (1 + exact));
}

/// The most that job `i` can work if all that are no better off keep what they have, but for 5e-9 of it: jobs
/// are few, and speeds and gangs at most 48 times apart, so that this is worth less than 10^-5 to any.
double most_for(const Case& c, Order order, const Row& shares, std::size_t i) {
  const std::size_t k = c.types.count(), n = c.claims.size();
  PlainSimplex program(n * k);
  for (std::size_t j = 0; j < k; ++j) {
    Row row(n * k, 0.0);
    for (std::size_t m = 0; m < n; ++m) row[m * k + j] = static_cast<double>(c.claims[m].job.gpus);
    program.at_most(std::move(row), static_cast<double>(c.types.gpus[j]));
  }
  const double own = c.level(order, c.worked(shares, i), i);
  for (std::size_t m = 0; m < n; ++m) {
    Row time(n * k, 0.0), speed(n * k, 0.0);
    for (std::size_t j = 0; j < k; ++j) {
      time[m * k + j] = 1;
      speed[m * k + j] = c.speed(m, j);
    }
    program.at_most(std::move(time), 1);
    const double has = c.worked(shares, m);
    if (m != i && c.level(order, has, m) <= own * (1 + 1e-6))
      program.at_least(std::move(speed), has * (1 - 5e-9));
  }
  Row costs(n * k, 0.0);
  for (std::size_t j = 0; j < k; ++j) costs[i * k + j] = c.speed(i, j);
  const std::optional<double> most = program.maximum(costs);
  REQUIRE(most.has_value());
  return *most;
}

}  // namespace

TEST_CASE("the example of Gavel's section 4.1 has the paper's shares") {
  // One V100 and one K80. The paper: 0.45 0; 0.45 0.09; 0.09 0.91, about a tenth more for each than with a
  // third of each GPU. By hand: 12/11 of that, the second and the third job sharing the K80.
  Case c;
  c.types.gpus = {1, 1};
  for (const Row& speeds : {Row{4, 1}, Row{3, 1}, Row{2, 1}}) c.add(speeds);
  const Row shares = las(c);
  check_row(shares, {5.0 / 11, 0, 5.0 / 11, 1.0 / 11, 1.0 / 11, 10.0 / 11});
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(c.worked(shares, i) == Approx(12.0 / 11 * fair_speed(c.types, 3, c.claims[i])).margin(exact));
}

TEST_CASE("jobs of opposite preferences have the type they are fast on") {
  Case c;
  c.types.gpus = {1, 1};
  c.add({2, 1});
  c.add({1, 2});
  check_row(las(c), {1, 0, 0, 1});
  check_row(type_shares(Order::gavel_ftf, c.types, c.claims), {1, 0, 0, 1});
}

TEST_CASE("who is settled leaves the others to go on") {
  // Three jobs can only use the one GPU of A, a third of the time each, which is 2/3 of the time that an
  // equal share would give them. The fourth has all of B; Gavel's first program would let it stop at 2/3 as
  // well.
  Case only;
  only.types.gpus = {1, 1};
  for (int i = 0; i < 3; ++i) only.add({1, 0});
  only.add({1, 1});
  check_row(las(only), {1.0 / 3, 0, 1.0 / 3, 0, 1.0 / 3, 0, 0, 1});

  // One GPU of A, two of B: three jobs for A alone, of mean speed 1/3, three for both. 3 x = y = c and
  // 3 x + 3 y = 3: c = 3/4, so those on both take the time of 1/4 of A as well.
  Case both;
  both.types.gpus = {1, 2};
  for (int i = 0; i < 3; ++i) both.add({1, 0});
  for (int i = 0; i < 3; ++i) both.add({1, 1});
  const Row shares = las(both);
  for (std::size_t i = 0; i < 3; ++i) CHECK(both.worked(shares, i) == Approx(0.25).margin(exact));
  for (std::size_t i = 3; i < 6; ++i) CHECK(both.worked(shares, i) == Approx(0.75).margin(exact));
}

TEST_CASE("the golden ratio of gavel-ftf stays where a type is added that nobody can use") {
  Case c;
  c.types.gpus = {1, 7};
  for (const double elapsed : {10.0, 0.0}) {
    c.add({1, 0});
    c.claims.back().job = {1, 1, elapsed, 10, 20};
  }
  const Row shares = type_shares(Order::gavel_ftf, c.types, c.claims);
  check_row(shares, {(std::sqrt(5.0) - 1) / 2, 0, (3 - std::sqrt(5.0)) / 2, 0});
}

TEST_CASE("a gang has no place on a type with fewer GPUs, and an equal share is less to it") {
  Case c;
  c.types.gpus = {4, 2};
  c.add({1, 5}, 4);
  c.add({1, 1}, 2);
  CHECK(fair_speed(c.types, 2, c.claims[0]) ==
        Approx(0.75 * 4 / 6));  // 3 of 4 GPUs of the time, 4 of 6 of use
  check_row(las(c), {1, 0, 0, 1});
}

TEST_CASE("nobody can be better off without one going down who is no better off: random cases") {
  for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
    MixedDice dice{101};
    for (int k = 0; k < 1500; ++k) {
      const Case c = random_case(dice, 7);
      if (c.claims.empty()) continue;
      const bool possible = std::all_of(c.claims.begin(), c.claims.end(), [&](const TypedClaim& claim) {
        return c.best(static_cast<std::size_t>(&claim - c.claims.data())) > 0;
      });
      REQUIRE(possible);
      const Row shares = type_shares(order, c.types, c.claims);
      INFO("order " << static_cast<int>(order) << " case " << k);
      check_room(c, shares);
      for (std::size_t i = 0; i < c.claims.size(); ++i) {
        const double has = c.worked(shares, i);
        REQUIRE(has > 0);
        REQUIRE(most_for(c, order, shares, i) <= has * (1 + 1e-5));
      }
    }
  }
}

TEST_CASE(
    "no time and no GPU is left that would make a job faster: hundreds of jobs, speeds 1,000 times apart") {
  MixedDice dice{3};
  for (int k = 0; k < 60; ++k) {
    Case c;
    for (std::int64_t n = 2 + dice.below(5); n > 0; --n)
      c.types.gpus.push_back(std::int64_t{1} << dice.below(12));
    for (std::int64_t n = 50 + dice.below(200); n > 0; --n) {
      Row speeds;
      for (std::size_t j = 0; j < c.types.count(); ++j) {
        const bool runs = dice.below(5) != 0;
        const int exponent = runs ? static_cast<int>(dice.below(10)) - 5 : 0;
        speeds.push_back(runs ? std::ldexp(1 + static_cast<double>(dice.below(4)) / 4, exponent) : 0.0);
      }
      // Drawn one after the other: as arguments of one call they would differ between compilers.
      const double weight = static_cast<double>(1 + dice.below(50)) / 10;
      c.add(speeds, std::int64_t{1} << dice.below(8), weight);
      if (c.best(c.claims.size() - 1) == 0) {
        c.claims.pop_back();
        c.types.speeds.pop_back();
        continue;
      }
      ShareClaim& job = c.claims.back().job;
      job.elapsed = static_cast<double>(dice.below(2) * dice.below(100'000));
      job.remaining = static_cast<double>(1 + dice.below(100'000));
    }
    const double weights = c.weights();
    for (TypedClaim& claim : c.claims)
      claim.job.isolated =
          claim.job.elapsed * 0.8 + claim.job.remaining / fair_speed(c.types, weights, claim);
    for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
      const Row shares = type_shares(order, c.types, c.claims);
      check_room(c, shares);
      const std::size_t types = c.types.count();
      for (std::size_t j = 0; j < types; ++j) {
        double free = static_cast<double>(c.types.gpus[j]);
        for (std::size_t i = 0; i < c.claims.size(); ++i)
          free -= shares[i * types + j] * static_cast<double>(c.claims[i].job.gpus);
        for (std::size_t i = 0; i < c.claims.size(); ++i) {
          double time = 1;
          for (std::size_t t = 0; t < types; ++t) time -= shares[i * types + t];
          const double more =
              std::min(time, free / static_cast<double>(c.claims[i].job.gpus)) * c.speed(i, j);
          INFO("case " << k << " order " << static_cast<int>(order) << " job " << i << " type " << j);
          REQUIRE(more <= 1e-3 * c.worked(shares, i));
        }
      }
    }
  }
}

TEST_CASE("under gavel-las every job works at least as fast as with its part of every type") {
  // As long as nobody's part is more than it asks for: else who is capped may be helped at others' cost.
  MixedDice dice{7};
  int tried = 0;
  for (int k = 0; k < 3000; ++k) {
    const Case c = random_case(dice, 12);
    double gpus = 0;
    for (const std::int64_t g : c.types.gpus) gpus += static_cast<double>(g);
    const double weights = c.weights();
    const bool capped = std::any_of(c.claims.begin(), c.claims.end(), [&](const TypedClaim& claim) {
      return gpus * claim.job.weight / weights > static_cast<double>(claim.job.gpus);
    });
    if (capped || c.claims.empty()) continue;
    ++tried;
    const Row shares = las(c);
    for (std::size_t i = 0; i < c.claims.size(); ++i)
      REQUIRE(c.worked(shares, i) >= fair_speed(c.types, weights, c.claims[i]) * (1 - exact));
  }
  CHECK(tried > 100);
}

TEST_CASE("the unit of a job's speed, of weights and of GPUs changes nothing") {
  MixedDice dice{19};
  for (int k = 0; k < 300; ++k) {
    const Case c = random_case(dice, 8);
    Case other = c;
    for (std::size_t i = 0; i < other.claims.size(); ++i) {
      for (double& s : other.types.speeds[i]) s *= i % 2 == 0 ? 8 : 0.5;
      other.claims[i].job.weight *= 3;
      other.claims[i].job.gpus *= 5;
    }
    for (std::int64_t& g : other.types.gpus) g *= 5;
    const Row shares = las(c), others = las(other);
    for (std::size_t i = 0; i < c.claims.size(); ++i) {
      const double speed = c.worked(shares, i) * (i % 2 == 0 ? 8 : 0.5);
      REQUIRE(other.worked(others, i) == Approx(speed).epsilon(1e-7));
    }
  }
}

TEST_CASE("on one type, and on types that are alike, the programs agree with filling up") {
  for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
    MixedDice dice{31};
    for (int k = 0; k < 500; ++k) {
      // One type, or two alike, and one more that only a job of its own can use, so that programs are needed.
      Case c = random_case(dice, 10);
      const std::size_t alike = 1 + static_cast<std::size_t>(k % 2);
      c.types.gpus.assign(alike + 1, 4 + dice.below(12));
      std::vector<ShareClaim> plain;
      for (std::size_t i = 0; i < c.claims.size(); ++i) {
        c.types.speeds[i].assign(alike + 1, 2);
        c.types.speeds[i].back() = 0;
        plain.push_back(c.claims[i].job);
        plain.back().remaining /= 2;
      }
      c.add(Row(alike + 1, 0.0));
      c.types.speeds.back().back() = 1;
      const double gpus = static_cast<double>(c.types.gpus[0]) * static_cast<double>(alike);
      const Row expected = time_shares(order, gpus, plain);
      const Row shares = type_shares(order, c.types, c.claims);
      check_room(c, shares);
      for (std::size_t i = 0; i < plain.size(); ++i)
        REQUIRE(c.worked(shares, i) == Approx(2 * expected[i]).epsilon(1e-7));
    }
  }
}

TEST_CASE("where types make no difference each is filled in turn, and a job is split once at most a border") {
  Case c;
  c.types.gpus = {3, 2};
  for (int i = 0; i < 4; ++i) c.add({2, 2}, 2);
  // 5 GPUs for 8: 5/8 of the time each, 5/4 GPUs. Two fill 5/2 of 3; the third has 1/2 there and 3/4 of 2.
  check_row(las(c), {0.625, 0, 0.625, 0, 0.25, 0.375, 0, 0.625});
  MixedDice dice{5};
  for (int k = 0; k < 500; ++k) {
    Case r = random_case(dice, 9);
    for (std::int64_t& g : r.types.gpus) g += 4;
    for (std::size_t i = 0; i < r.claims.size(); ++i)
      r.types.speeds[i].assign(r.types.count(), static_cast<double>(1 + dice.below(3)));
    if (r.claims.empty()) continue;
    for (const Order order : {Order::gavel_las, Order::gavel_ftf}) {
      std::vector<ShareClaim> plain;
      double gpus = 0;
      for (const std::int64_t g : r.types.gpus) gpus += static_cast<double>(g);
      for (std::size_t i = 0; i < r.claims.size(); ++i) {
        plain.push_back(r.claims[i].job);
        plain.back().remaining /= r.types.speeds[i][0];
      }
      const Row expected = time_shares(order, gpus, plain);
      const Row shares = type_shares(order, r.types, r.claims);
      check_room(r, shares);
      for (std::size_t i = 0; i < plain.size(); ++i)
        REQUIRE(r.worked(shares, i) == Approx(expected[i] * r.types.speeds[i][0]).epsilon(1e-12));
    }
  }
}

TEST_CASE("equal calls have equal answers to the last bit") {
  MixedDice dice{77};
  for (int k = 0; k < 50; ++k) {
    const Case c = random_case(dice, 20);
    const Row first = type_shares(Order::gavel_ftf, c.types, c.claims);
    las(c);  // what another program leaves behind does not count
    CHECK(type_shares(Order::gavel_ftf, c.types, c.claims) == first);
  }
}
