// SPDX-License-Identifier: Apache-2.0
// One GPU or several, Poisson jobs, replayed from logs made for it: waits by class and by length.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/simulation/replay.hpp>

#include "acceptance.hpp"
#include "queue.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// Seconds of one unit of time: so many that no two jobs come or end together.
constexpr double seconds_a_unit = 1e6;

struct Class {
  double rate = 0;               ///< jobs per unit of time
  std::vector<double> means{1};  ///< units; one: exponential; several: constant, one of them
  double first = 1;              ///< of several: the part that has the first
};

std::int64_t exponential_s(double mean, double unit) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(-mean * seconds_a_unit * portable_log(unit)));
}

/// Jobs of all classes by submission; a job's queue is its class, its group the place among the class's
/// means.
workload::JobLog poisson_log(const std::vector<Class>& classes, std::uint32_t replication, std::size_t jobs,
                             int gpus) {
  const natgpu::Stream stream = Streams(20260101, replication).open("tests", "priority");
  double all = 0;
  for (const Class& c : classes) all += c.rate;
  workload::JobLog log;
  log.max_procs = gpus;
  std::int64_t submit = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    Draw draw(stream, i, 0);
    submit += exponential_s(1 / all, draw.unit());
    double which = draw.unit() * all;
    std::size_t k = 0;
    while (k + 1 < classes.size() && which >= classes[k].rate) which -= classes[k++].rate;
    const Class& c = classes[k];
    const std::size_t mean = c.means.size() > 1 && draw.unit() >= c.first;
    const std::int64_t run = c.means.size() > 1 ? static_cast<std::int64_t>(c.means[mean] * seconds_a_unit)
                                                : exponential_s(c.means[0], draw.unit());
    workload::LogJob job{static_cast<std::int64_t>(i), submit, run, run, 1};
    job.queue = static_cast<std::int32_t>(k);
    job.group = static_cast<std::int32_t>(mean);
    log.jobs.push_back(job);
  }
  return log;
}

/// Mean waits in units of the jobs for which `counts`, by replication, without the first tenth.
template <class Counts>
Sample mean_wait(const std::vector<Class>& classes, scheduling::Order order, std::size_t jobs,
                 Counts&& counts, int gpus = 1) {
  std::vector<double> means;
  simulation::ReplayOptions options;
  options.order = order;
  options.backfill = scheduling::Backfill::none;
  for (std::uint32_t r = 0; r < replications; ++r) {
    const workload::JobLog log = poisson_log(classes, r, is_full_tier() ? 5 * jobs : jobs, gpus);
    const simulation::ReplayResult result = simulation::replay(log, options);
    double sum = 0, n = 0;
    for (std::size_t i = log.jobs.size() / 10; i < log.jobs.size(); ++i)
      if (counts(log.jobs[i])) {
        sum += static_cast<double>(result.start_s[i] - log.jobs[i].submit_s) / seconds_a_unit;
        ++n;
      }
    means.push_back(sum / n);
  }
  return sample_of(means);
}

/// Cobham: Wq_k = R / ((1 - s_(k-1)) (1 - s_k)). @param faster  all rates times that
double cobham(const std::vector<Class>& classes, std::size_t k, double faster) {
  double residual = 0, before = 0;
  for (const Class& c : classes)
    residual += faster * c.rate * c.means[0] * c.means[0];  // E[S^2] / 2 = mean^2
  for (std::size_t i = 0; i < k; ++i) before += faster * classes[i].rate * classes[i].means[0];
  return residual / ((1 - before) * (1 - before - faster * classes[k].rate * classes[k].means[0]));
}

/// The same with several GPUs and equal exponential services of one unit: the mean time until one of the busy
/// GPUs is free takes the place of R.
double cobham(const std::vector<Class>& classes, std::size_t k, double faster, int gpus) {
  double all = 0, before = 0;
  for (const Class& c : classes) all += faster * c.rate;
  for (std::size_t i = 0; i < k; ++i) before += faster * classes[i].rate / gpus;
  const double until_free = erlang_c_wait(gpus, all) * (1 - all / gpus);
  return until_free / ((1 - before) * (1 - before - faster * classes[k].rate / gpus));
}

auto of_class(std::size_t k) {
  return [k](const workload::LogJob& job) { return job.queue == static_cast<std::int32_t>(k); };
}

}  // namespace

TEST_CASE("classes wait as Cobham says where a running job is not stopped") {
  const std::vector<std::vector<Class>> cases{{{.3}, {.4}}, {{.2}, {.3}, {.3}}, {{.6, {.5}}, {.2, {2}}}};
  const std::vector<std::vector<double>> published{{1, 10.0 / 3}, {1, 2, 8}, {19.0 / 14, 95.0 / 21}};
  for (std::size_t c = 0; c < cases.size(); ++c)
    for (std::size_t k = 0; k < cases[c].size(); ++k) {
      REQUIRE(cobham(cases[c], k, 1) == Approx(published[c][k]).epsilon(1e-12));
      const Sample waits = mean_wait(cases[c], scheduling::Order::priority, 40'000, of_class(k));
      check_exact("wait of class " + std::to_string(k) + " in case " + std::to_string(c), waits,
                  [&](double by) { return cobham(cases[c], k, by); });
    }
}

TEST_CASE("classes wait as Cobham says at several GPUs") {
  struct Case {
    int gpus;
    std::vector<Class> classes;
    std::vector<double> published;
  };
  const std::vector<Case> cases{{4, {{1.2}, {2.0}}, {0.213011597, 1.065057985}},
                                {8, {{2}, {2}, {2.4}}, {0.076274154, 0.152548308, 0.572056157}}};
  for (const Case& c : cases)
    for (std::size_t k = 0; k < c.classes.size(); ++k) {
      REQUIRE(cobham(c.classes, k, 1, c.gpus) == Approx(c.published[k]).epsilon(1e-8));
      const Sample waits = mean_wait(c.classes, scheduling::Order::priority, 40'000, of_class(k), c.gpus);
      check_exact("wait of class " + std::to_string(k) + " at " + std::to_string(c.gpus) + " GPUs", waits,
                  [&](double by) { return cobham(c.classes, k, by, c.gpus); });
    }
}

TEST_CASE("whatever order is blind to length, waits weighted by load add up to the same") {
  // Kleinrock 1965: the sum of rho_k Wq_k is rho R / (1 - rho).
  const std::vector<Class> classes{{.6, {.5}}, {.2, {2}}};
  const auto sum = [](double by) {
    const double rho = by * .7, residual = by * (.6 * .25 + .2 * 4);
    return rho * residual / (1 - rho);
  };
  for (const auto order :
       {scheduling::Order::fcfs, scheduling::Order::priority, scheduling::Order::lottery}) {
    const Sample first = mean_wait(classes, order, 40'000, of_class(0));
    const Sample second = mean_wait(classes, order, 40'000, of_class(1));
    // The two means are of the same logs: their errors add up at most.
    check_exact("sum", {.3 * first.mean + .4 * second.mean, .3 * first.error + .4 * second.error}, sum);
  }
}

TEST_CASE("short jobs and long ones wait as Phipps says where the shortest comes first") {
  const std::vector<Class> sizes{{.5, {1, 5}, .8}};
  const auto of_length = [](std::int32_t length) {
    return [length](const workload::LogJob& job) { return job.group == length; };
  };
  // R = lam E[S^2] / 2; small: R / (1 - rho_small), long: R / ((1 - rho_small)(1 - rho)).
  const auto small = [](double by) { return by * 1.45 / (1 - by * .4); };
  const auto large = [](double by) { return by * 1.45 / ((1 - by * .4) * (1 - by * .9)); };
  REQUIRE(small(1) == Approx(29.0 / 12).epsilon(1e-12));
  REQUIRE(large(1) == Approx(145.0 / 6).epsilon(1e-12));
  check_exact("short", mean_wait(sizes, scheduling::Order::sjf, 60'000, of_length(0)), small);
  check_exact("long", mean_wait(sizes, scheduling::Order::sjf, 240'000, of_length(1)), large);
}
