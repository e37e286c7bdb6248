// SPDX-License-Identifier: Apache-2.0
// When a simulated mean counts as equal to an exact answer, and when the comparison is worth anything.
//
// The rule: 100 independent replications, warm-up deleted, mean X, standard error se. X agrees with an answer
// that lies within t(99, 0.99995) se of it. A run whose se is above 2 % of the exact answer fails as too
// noisy. So that agreement means something, the same run must also disagree with the answers to an input (a
// load, a run time) that is 5 % higher or lower. With NATGPU_TESTS=full in the environment runs are five
// times as long and se may be 1.2 % at most.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/experiment/replicate.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"

namespace natgpu::testing {

inline constexpr std::uint32_t replications = 100;
inline constexpr double t_limit = 4.0550;  ///< Student's t, 99 degrees of freedom, two-sided 1e-4

inline bool is_full_tier() {
  const char* tier = std::getenv("NATGPU_TESTS");
  return tier != nullptr && std::string(tier) == "full";
}
inline double noise_allowed() {
  return is_full_tier() ? 0.012 : 0.02;
}
/// Days to measure: so many, or five times as many.
inline int days_measured(int quick) {
  return is_full_tier() ? 5 * quick : quick;
}

struct Sample {
  double mean = 0, error = 0;  ///< standard error of the mean
  double variance = 0;
};

inline Sample sample_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Sample s;
  for (const double v : values) s.mean += v / n;
  for (const double v : values) s.variance += (v - s.mean) * (v - s.mean) / (n - 1);
  s.error = std::sqrt(s.variance / n);
  return s;
}

inline bool agrees(const Sample& s, double exact) {
  return std::abs(s.mean - exact) <= t_limit * s.error;
}

/// @param answer  answer(k) = the exact one if an input is k times what it is
template <class Answer>
void check_exact(const std::string& what, const Sample& s, Answer&& answer) {
  const double exact = answer(1.0);
  INFO(what << ": simulated " << s.mean << " with standard error " << s.error << ", exact " << exact << "; "
            << answer(0.95) << " or " << answer(1.05) << " with a fault");
  CHECK(s.error <= noise_allowed() * exact);
  CHECK(agrees(s, exact));
  CHECK_FALSE(agrees(s, answer(0.95)));
  CHECK_FALSE(agrees(s, answer(1.05)));
}

/// The answer where it is proportional to the input.
inline auto proportional(double exact) {
  return [exact](double k) { return k * exact; };
}

/// All replications of one scenario, and samples of their numbers.
class Runs {
 public:
  explicit Runs(const std::string& yaml, std::uint32_t count = replications) {
    const scenario::Scenario scenario = scenario_of(yaml);
    // Of the scenario's own: tests that share a seed would share their luck.
    std::uint64_t seed = 0;
    for (const char c : yaml) seed = mix64(seed + static_cast<unsigned char>(c));
    experiment::ReplicateOptions options;
    options.seed = seed;
    options.replications = count;
    records_ = experiment::replicate(scenario, options).records;
  }
  const std::vector<simulation::RunRecord>& records() const { return records_; }
  Sample of(const std::function<double(const simulation::RunRecord&)>& number) const {
    std::vector<double> values;
    for (const simulation::RunRecord& r : records_) values.push_back(number(r));
    return sample_of(values);
  }
  Sample of(const std::string& metric, const std::string& labels) const {
    return of([&](const simulation::RunRecord& r) { return value_of(r, metric, labels); });
  }
  /// Of two counts with the same labels, such as jobs that gave up out of those submitted.
  Sample share(const std::string& part, const std::string& whole, const std::string& labels) const {
    return of([&](const simulation::RunRecord& r) {
      return value_of(r, part, labels) / value_of(r, whole, labels);
    });
  }

 private:
  std::vector<simulation::RunRecord> records_;
};

}  // namespace natgpu::testing
