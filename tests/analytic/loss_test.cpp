// SPDX-License-Identifier: Apache-2.0
// Jobs that are lost: by zero patience, by patience that ends, by a full queue. Chains are solved, not looked
// up.
#include <algorithm>
#include <map>
#include <utility>

#include "chain.hpp"
#include "queue.hpp"

using namespace natgpu::testing;

namespace {

Sample lost(const Runs& runs, const std::string& labels = measured) {
  return runs.share("jobs.gave_up.count", "jobs.submitted.count", labels);
}

}  // namespace

TEST_CASE("jobs without patience are lost as Erlang B says, whatever the law of their run times") {
  const auto erlang_b = [](double load) {
    double blocked = 1;
    for (int k = 1; k <= 5; ++k) blocked = load * blocked / (k + load * blocked);
    return blocked;
  };
  REQUIRE(erlang_b(3) == Approx(81.0 / 736).epsilon(1e-12));
  for (const std::string& run_time :
       {exponential(1), constant(1), std::string("{dist: lognormal, mean: 1200 s, cv: 2}")}) {
    INFO(run_time);
    const Runs runs(yaml_of({5, {{"users", 3, run_time, "1 GPU", "0 s"}}, 8}));
    check_exact("share lost", lost(runs), [&](double k) { return erlang_b(3 * k); });
    CHECK(runs.of("jobs.wait.mean", measured).mean == 0);
  }
}

namespace {

constexpr int gpus = 8, large_gpus = 4;
struct TwoSizes {
  double small_lost = 0, large_lost = 0, busy = 0;
};

/// 8 GPUs; small jobs of 1 GPU at load 2 `factor`, large ones of 4 at load `factor`; none waits.
TwoSizes two_sizes(double factor) {
  std::vector<std::pair<int, int>> states;
  std::map<std::pair<int, int>, Eigen::Index> index;
  for (int large = 0; large * large_gpus <= gpus; ++large)
    for (int small = 0; small + large * large_gpus <= gpus; ++small) {
      index[{small, large}] = static_cast<Eigen::Index>(states.size());
      states.emplace_back(small, large);
    }
  Rates rates =
      Rates::Zero(static_cast<Eigen::Index>(states.size()), static_cast<Eigen::Index>(states.size()));
  const auto connect = [&](std::pair<int, int> a, std::pair<int, int> b, double up, double down) {
    if (index.count(b) == 0) return;
    rates(index[a], index[b]) = up;
    rates(index[b], index[a]) = down;
  };
  for (const auto& s : states) {
    connect(s, {s.first + 1, s.second}, 2 * factor, s.first + 1);
    connect(s, {s.first, s.second + 1}, factor, s.second + 1);
  }
  const Eigen::VectorXd law = stationary(rates);
  TwoSizes answer;
  for (const auto& s : states) {
    const int used = s.first + large_gpus * s.second;
    const double p = law(index[s]);
    if (used == gpus) answer.small_lost += p;
    if (used > gpus - large_gpus) answer.large_lost += p;
    answer.busy += p * used;
  }
  return answer;
}

}  // namespace

TEST_CASE("two sizes of jobs without patience are lost as their Markov chain says") {
  // Kaufman 1981 and Roberts 1981 give the same without a chain.
  REQUIRE(two_sizes(1).small_lost == Approx(739.0 / 9379).epsilon(1e-9));
  REQUIRE(two_sizes(1).large_lost == Approx(4339.0 / 9379).epsilon(1e-9));

  const Runs runs(
      yaml_of({gpus,
               {{"small", 2, exponential(1), "1 GPU", "0 s"}, {"large", 1, exponential(1), "4 GPU", "0 s"}},
               24}));
  check_exact("small jobs lost", lost(runs, measured_of("small")),
              [](double k) { return two_sizes(k).small_lost; });
  check_exact("large jobs lost", lost(runs, measured_of("large")),
              [](double k) { return two_sizes(k).large_lost; });
  check_exact("share allocated", runs.of("gpu.allocated.share", measured),
              [](double k) { return two_sizes(k).busy / gpus; });
}

TEST_CASE("jobs whose patience is exponential give up as Palm's chain says") {
  // 10 GPUs, load 12, mean patience 2
  constexpr int servers = 10, most = 120;
  constexpr double arrivals = 12, impatience = 0.5;
  const auto give_up = [&](double k) {
    std::vector<double> up(most, k * arrivals), down;
    for (int n = 1; n <= most; ++n)
      down.push_back(std::min(n, servers) + impatience * std::max(n - servers, 0));
    const Eigen::VectorXd law = stationary(birth_and_death(up, down));
    const double queue = mean_of(law, [&](double n) { return std::max(n - servers, 0.0); });
    return impatience * queue / (k * arrivals);
  };
  REQUIRE(give_up(1) == Approx(0.195655944).epsilon(1e-8));

  const Runs runs(yaml_of({servers, {{"users", arrivals, exponential(1), "1 GPU", exponential(2)}}, 1}));
  check_exact("share that gives up", lost(runs), give_up);
}

TEST_CASE("a queue with a limit rejects and delays as its chain says") {
  // 3 GPUs, load 3, at most 2 jobs waiting
  constexpr int servers = 3, room = 2;
  const auto law = [&](double k) {
    std::vector<double> up(servers + room, 3.0 * k), down;
    for (int n = 1; n <= servers + room; ++n) down.push_back(std::min(n, servers));
    return stationary(birth_and_death(up, down));
  };
  const auto rejected = [&](double k) { return law(k)(servers + room); };
  const auto wait = [&](double k) {
    const double queue = mean_of(law(k), [&](double n) { return std::max(n - servers, 0.0); });
    return queue / (3 * k * (1 - rejected(k)));
  };

  const Runs runs(yaml_of({servers, {{"users", 3}}, 12, "{order: fcfs, backfill: none, queue_limit: 2}"}));
  check_exact("share rejected", runs.share("jobs.rejected.count", "jobs.submitted.count", measured),
              rejected);
  check_exact("mean wait", mean_wait(runs), wait);
}
