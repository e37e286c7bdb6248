// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/experiment/solve.hpp>

#include <fmt/format.h>
#include "../../../src/experiment/statistics.hpp"

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;
using Outcome = Solution::Outcome;

namespace {

using Response = std::function<double(std::size_t point, std::uint32_t replication)>;

Solution solve_on(std::size_t points, const std::string& bar, const Response& response,
                  std::size_t* tried = nullptr, SolveOptions options = {}) {
  return solve(
      points, bar,
      [&](std::size_t point) -> std::optional<Estimate> {
        if (tried != nullptr) ++*tried;
        Estimate e;
        for (std::uint32_t r = 0; r < 12; ++r) e.values.push_back(response(point, r));
        estimate_from_values(e);
        return e;
      },
      options);
}

double noise(std::uint64_t experiment, std::uint32_t r) {
  return normal_quantile(Streams(3, 0).open("test", "noise").unit(experiment, r));
}

double rising(std::size_t point, std::uint32_t) {
  return static_cast<double>(point);
}
double falling(std::size_t point, std::uint32_t) {
  return 100 - static_cast<double>(point);
}

}  // namespace

TEST_CASE("without chance the answer is exact, on either side and for each kind of bar") {
  Solution s = solve_on(101, ">= 42", rising);
  CHECK(s.outcome == Outcome::found);
  CHECK(s.smallest);
  CHECK(s.answer == 42);
  CHECK(s.estimate == 42);
  CHECK(s.excluded == std::optional<std::size_t>(41));
  CHECK(solve_on(101, "> 42", rising).answer == 43);
  s = solve_on(101, "<= 42", rising);
  CHECK_FALSE(s.smallest);
  CHECK(s.answer == 42);
  CHECK(s.excluded == std::optional<std::size_t>(43));
  CHECK(solve_on(101, "< 42", rising).answer == 41);
  s = solve_on(101, "<= 42", falling);
  CHECK(s.smallest);
  CHECK(s.answer == 58);
  CHECK(solve_on(2, ">= 1", rising).answer == 1);
}

TEST_CASE("a search tries few values of many") {
  std::size_t tried = 0;
  CHECK(solve_on(100000, ">= 77777", rising, &tried).answer == 77777);
  CHECK(tried <= 2 + 3 + 18);
}

TEST_CASE("what is met everywhere or nowhere is said, not searched") {
  CHECK(solve_on(101, ">= 0", rising).outcome == Outcome::met_everywhere);
  CHECK(solve_on(101, ">= 200", rising).outcome == Outcome::met_nowhere);
}

TEST_CASE("a response that turns is refused where it turns, and noise is no turn") {
  const auto humped = [](std::size_t point, std::uint32_t r) {
    const double x = static_cast<double>(point) / 100;
    return (point == 100 ? 3.0 : 4 * x * (1 - x)) + 0.01 * noise(point, r);
  };
  const Solution s = solve_on(101, ">= 2", humped);
  CHECK(s.outcome == Outcome::not_monotone);
  CHECK(s.against == 50);
  const auto noisy = [](std::size_t point, std::uint32_t r) {
    return 0.1 * static_cast<double>(point) + noise(point, r);
  };
  int refused = 0;
  for (int bar = 10; bar < 90; ++bar)
    refused += solve_on(101, fmt::format(">= {}", 0.1 * bar), noisy).outcome == Outcome::not_monotone;
  CHECK(refused <= 8);
}

TEST_CASE("the answer meets the bar in 95 % of 1000 experiments, and what is excluded misses it in as many") {
  // True response: the point; bar 50. Chance shared by all points, as with common random numbers.
  int met = 0, excluded = 0, sharp = 0;
  for (std::uint64_t e = 0; e < 1000; ++e) {
    const Solution s = solve_on(101, ">= 50", [&](std::size_t point, std::uint32_t r) {
      return static_cast<double>(point) + 10 * noise(1000 + e, r);
    });
    REQUIRE(s.outcome == Outcome::found);
    met += s.answer >= 50;
    excluded += !s.excluded || *s.excluded < 50;
    sharp += s.answer <= 60;
  }
  CHECK(met >= 926);
  CHECK(met <= 981);  // points are whole, so that it is a little more than 95 %
  CHECK(excluded >= 926);
  CHECK(sharp >= 900);
}

TEST_CASE("a value that some replications cannot measure is not met, and not excluded either") {
  const auto overloaded = [](std::size_t point, std::uint32_t r) {
    return point < 20 && r == 5 ? std::numeric_limits<double>::quiet_NaN() : falling(point, r);
  };
  const Solution s = solve_on(101, "<= 90", overloaded);
  CHECK(s.outcome == Outcome::found);
  CHECK(s.answer == 20);
  CHECK_FALSE(s.excluded);
}

TEST_CASE("an interrupt gives no answer") {
  const Solution s = solve(10, ">= 5", [](std::size_t) { return std::optional<Estimate>(); }, {});
  CHECK(s.outcome == Outcome::interrupted);
}

TEST_CASE("goals are read with metric, labels and bar, and refused like targets") {
  Goal goal;
  CHECK(read_goal("jobs.wait.mean:period=2030;sector=labs <= 600 s", goal).empty());
  CHECK(goal.question.metric == "jobs.wait.mean");
  CHECK(goal.question.labels.size() == 2);
  CHECK(goal.expect == "<= 600 s");
  const auto code = [&](const std::string& text) {
    const auto found = read_goal(text, goal);
    return found.empty() ? std::string("none") : found.front().code;
  };
  CHECK(code("jobs.wait.mean<=600 s") == "none");
  CHECK(code("gpu.useful.share >= 0.5") == "none");
  CHECK(code("jobs.wait.mean") == "E0501");
  CHECK(code("jobs.wiat.mean <= 600 s") == "E0502");
  CHECK(code("jobs.wait.mean <= 10") == "E0503");
  CHECK(code("jobs.wait.mean:site=x <= 600 s") == "E0504");
}
