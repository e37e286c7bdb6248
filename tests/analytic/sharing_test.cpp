// SPDX-License-Identifier: Apache-2.0
// One GPU shared by all who are there: time in system as Kleinrock, and Fayolle, Mitrani and Iasnogorodski
// say.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/replay.hpp>

#include "acceptance.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// Seconds of one unit of time of the formulas: a log's times are whole seconds.
constexpr double unit_s = 10'000;

/// Draws of one replication.
class Chance {
 public:
  Chance(const std::string& what, std::uint64_t replication) : state_(replication) {
    for (const char c : what) state_ = mix64(state_ + static_cast<unsigned char>(c));
  }
  double uniform() {
    state_ += 0x9e3779b97f4a7c15;
    return (static_cast<double>(mix64(state_) >> 11) + 0.5) * 0x1p-53;
  }
  double exponential(double mean) { return -mean * std::log(uniform()); }
  /// With that mean, and a standard deviation of as much.
  double lognormal(double mean) {
    const double sigma = std::sqrt(std::log(2.0));
    const double normal = std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
    return mean * std::exp(sigma * normal - sigma * sigma / 2);
  }

 private:
  std::uint64_t state_;
};

struct Class {
  double rate = 1, mean = 1, weight = 1;
  double (*service)(Chance&, double) = [](Chance& c, double m) { return c.exponential(m); };
};

/// Mean time in system of each class on one GPU, in units, over so many jobs of each replication.
std::vector<Sample> times_in_system(const std::string& what, const std::vector<Class>& classes,
                                    std::size_t jobs) {
  std::vector<std::vector<double>> means(classes.size());
  for (std::uint64_t r = 0; r < replications; ++r) {
    Chance chance(what, r);
    simulation::ReplayOptions options;
    options.gpus = 1;
    options.backfill = scheduling::Backfill::none;
    options.sharing = scheduling::Sharing::ps;
    double rate = 0;
    for (std::size_t k = 0; k < classes.size(); ++k) {
      rate += classes[k].rate;
      options.weights[static_cast<std::int32_t>(k)] = classes[k].weight;
    }
    workload::JobLog log;
    double clock = 0;
    for (std::size_t i = 0; i < jobs; ++i) {
      clock += chance.exponential(1 / rate);
      std::size_t k = 0;
      for (double u = chance.uniform() * rate; k + 1 < classes.size() && u >= classes[k].rate; ++k)
        u -= classes[k].rate;
      workload::LogJob job;
      job.id = static_cast<std::int64_t>(i) + 1;
      job.submit_s = std::llround(clock * unit_s);
      job.run_s = job.requested_s =
          std::max(1LL, std::llround(classes[k].service(chance, classes[k].mean) * unit_s));
      job.gpus = 1;
      job.queue = static_cast<std::int32_t>(k);
      log.jobs.push_back(job);
    }
    const simulation::ReplayResult result = simulation::replay(log, options);
    std::vector<double> sum(classes.size()), count(classes.size());
    for (std::size_t i = jobs / 10; i < jobs; ++i) {  // a tenth to warm up
      const auto k = static_cast<std::size_t>(log.jobs[i].queue);
      sum[k] += static_cast<double>(result.end_s[i] - log.jobs[i].submit_s) / unit_s;
      ++count[k];
    }
    for (std::size_t k = 0; k < classes.size(); ++k) means[k].push_back(sum[k] / count[k]);
  }
  std::vector<Sample> samples;
  for (const std::vector<double>& m : means) samples.push_back(sample_of(m));
  return samples;
}

std::size_t jobs_measured(std::size_t quick) {
  return is_full_tier() ? 5 * quick : quick;
}

}  // namespace

TEST_CASE(
    "one GPU shared by all keeps jobs as long as their load says, whatever the law of their run times") {
  const Class laws[] = {{0.8, 1, 1, [](Chance&, double mean) { return mean; }},
                        {0.8, 1, 1},
                        {0.8, 1, 1, [](Chance& c, double mean) { return c.lognormal(mean); }}};
  int law = 0;
  for (const Class& c : laws) {
    const std::string what = "law " + std::to_string(law++);
    const auto samples = times_in_system(what, {c}, jobs_measured(10'000));
    check_exact(what, samples[0], [](double k) { return k / (1 - k * 0.8); });
  }
}

TEST_CASE("shares by weight keep two classes as long as discriminatory processor sharing says") {
  struct Case {
    Class one, two;
  };
  const Case cases[] = {{{0.3, 1, 2}, {0.4, 1, 1}}, {{0.4, 0.5, 3}, {0.2, 2, 1}}};
  const auto answer = [](const Case& c, double k, bool first) {
    const double m1 = 1 / (k * c.one.mean), m2 = 1 / (k * c.two.mean), g1 = c.one.weight, g2 = c.two.weight;
    const double r1 = c.one.rate / m1, r2 = c.two.rate / m2, r = r1 + r2;
    const double d = m1 * g1 * (1 - r1) + m2 * g2 * (1 - r2);
    return first ? (1 + m1 * r2 * (g2 - g1) / d) / (m1 * (1 - r))
                 : (1 + m2 * r1 * (g1 - g2) / d) / (m2 * (1 - r));
  };
  CHECK(answer(cases[0], 1, true) == Approx(8.0 / 3).epsilon(1e-9));
  CHECK(answer(cases[0], 1, false) == Approx(23.0 / 6).epsilon(1e-9));
  CHECK(answer(cases[1], 1, true) == Approx(0.857843137).epsilon(1e-8));
  CHECK(answer(cases[1], 1, false) == Approx(5.196078431).epsilon(1e-8));
  for (const Case& c : cases) {
    const std::string what = "weights " + std::to_string(c.one.weight);
    const auto samples = times_in_system(what, {c.one, c.two}, jobs_measured(20'000));
    check_exact(what + ", first", samples[0], [&](double k) { return answer(c, k, true); });
    check_exact(what + ", second", samples[1], [&](double k) { return answer(c, k, false); });
  }
}
