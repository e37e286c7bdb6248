// SPDX-License-Identifier: Apache-2.0
// One GPU under preemption against closed answers: Schrage and Miller's of the shortest remaining time, and
// Cobham's of classes, resumed. Jobs are drawn into logs, which are replayed.
#include <cstdint>
#include <functional>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/simulation/replay.hpp>

#include "acceptance.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr double mean_run_s = 100'000;  // so that whole seconds make no difference

std::int64_t whole_exponential(const natgpu::Stream& stream, std::uint64_t job, std::uint32_t what,
                               double mean) {
  Draw draw(stream, job, what);
  return 1 + static_cast<std::int64_t>(-portable_log(1 - draw.unit()) * mean);
}

/// Mean times in the system by class, 1 on, in mean run times. Rates are per mean run time.
using Times = std::vector<double>;
Times times_of(std::uint32_t replication, const std::vector<double>& rates, std::size_t jobs,
               const simulation::ReplayOptions& options) {
  double rate = 0;
  for (const double r : rates) rate += r;
  Streams streams(20'240'601, replication);
  const natgpu::Stream draws = streams.open("test", "jobs");
  workload::JobLog log;
  log.max_procs = 1;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    at += whole_exponential(draws, i, 0, mean_run_s / rate);
    const std::int64_t run = whole_exponential(draws, i, 1, mean_run_s);
    log.jobs.push_back({static_cast<std::int64_t>(i) + 1, at, run, run, 1});
    double u = Draw(draws, i, 2).unit() * rate;
    std::int32_t user = 1;
    for (std::size_t c = 0; c + 1 < rates.size() && u >= rates[c]; ++c, ++user) u -= rates[c];
    log.jobs.back().user = user;
  }
  const simulation::ReplayResult result = simulation::replay(log, options);
  Times sums(rates.size()), counts(rates.size());
  for (std::size_t i = jobs / 10; i < jobs; ++i) {
    const auto c = static_cast<std::size_t>(log.jobs[i].user - 1);
    sums[c] += in_seconds(Duration{result.segmented[i].end}) - static_cast<double>(log.jobs[i].submit_s);
    ++counts[c];
  }
  for (std::size_t c = 0; c < sums.size(); ++c) sums[c] /= counts[c] * mean_run_s;
  return sums;
}
/// By class, over replications.
std::vector<Sample> samples(const std::vector<double>& rates, const simulation::ReplayOptions& options) {
  const std::size_t jobs = is_full_tier() ? 100'000 : 20'000;
  std::vector<std::vector<double>> values(rates.size());
  for (std::uint32_t r = 0; r < replications; ++r) {
    const Times times = times_of(r, rates, jobs, options);
    for (std::size_t c = 0; c < times.size(); ++c) values[c].push_back(times[c]);
  }
  std::vector<Sample> all;
  for (const auto& v : values) all.push_back(sample_of(v));
  return all;
}

/// Schrage & Miller 1966 for exponential sizes of mean 1, integrated numerically.
double srpt_time(double rate) {
  constexpr int steps = 200'000;
  constexpr double top = 40, h = top / steps;
  double mean = 0, residence = 0;
  const auto load = [&](double x) { return rate * (1 - (1 + x) * portable_exp(-x)); };
  for (int i = 0; i < steps; ++i) {
    const double x = (i + 0.5) * h;
    const double tail = portable_exp(-x);
    residence += h / (1 - load(x));
    const double squares = 2 - (x * x + 2 * x + 2) * tail + x * x * tail;
    const double idle = 1 - load(x);
    mean += h * tail * (rate * squares / (2 * idle * idle) + residence - 0.5 * h / idle);
  }
  return mean;
}

std::int64_t user_of(const natgpu_job* job) {
  return job->account;
}

}  // namespace

TEST_CASE("under srtf jobs stay as long as Schrage and Miller say") {
  REQUIRE(srpt_time(0.5) == Approx(1.425372664).epsilon(1e-6));
  REQUIRE(srpt_time(0.8) == Approx(2.352773270).epsilon(1e-6));
  simulation::ReplayOptions options;
  options.order = scheduling::Order::srtf;
  options.backfill = scheduling::Backfill::fit;
  for (const double rate : {0.5, 0.8})
    check_exact("time in the system", samples({rate}, options)[0],
                [rate](double k) { return srpt_time(k * rate); });
}

TEST_CASE("classes that take the GPU of lower ones stay as long as Cobham says, resumed") {
  static natgpu_policy table{};
  table.abi = NATGPU_POLICY_ABI;
  table.size = sizeof(natgpu_policy);
  table.key = user_of;
  simulation::ReplayOptions options;
  options.backfill = scheduling::Backfill::fit;
  options.plugged.table = &table;
  options.by_class = true;
  for (const std::vector<double>& rates : {std::vector<double>{0.3, 0.4}, {0.2, 0.3, 0.3}}) {
    const std::vector<Sample> measured_times = samples(rates, options);
    for (std::size_t c = 0; c < rates.size(); ++c)
      check_exact("class " + std::to_string(c + 1), measured_times[c], [&](double k) {
        double above =
            0;  // load of the classes above; R of all up to this one is their load, E[S^2] / 2 being 1
        for (std::size_t i = 0; i < c; ++i) above += k * rates[i];
        const double with = above + k * rates[c];
        return 1 / (1 - above) + with / ((1 - above) * (1 - with));
      });
  }
}
