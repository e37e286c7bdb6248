// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <natgpu/experiment/outcomes.hpp>
#include <natgpu/measures/metric.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::experiment {

/// One metric over the replications of a run.
struct Estimate {
  std::string metric;
  measures::Labels labels;
  std::string unit;
  std::size_t n = 0;  ///< replications with a value
  double mean = 0;
  double half_width = 0;       ///< Student-t 95 %; NaN for n < 2 (printed as "not estimable")
  double low = 0, high = 0;    ///< least and largest value
  std::vector<double> values;  ///< in replication order; NaN where one has none, which counts in no statistic
};

/// Mean, Student-t half-width and extremes of the finite values; all values are kept.
void estimate_from_values(Estimate& estimate);

/// Of the finite values, with n - 1; NaN for n < 2.
double variance(const Estimate& estimate);
double standard_deviation(const Estimate& estimate);

/// One measure less another, replication by replication; the interval is that of the differences, not of
/// either measure. @pre both come from the same records
Estimate difference(const Estimate& whole, const Estimate& part);
/// One measure over another, alike, as a share; no value where the denominator is 0.
Estimate ratio(const Estimate& part, const Estimate& whole);

enum class Verdict : std::uint8_t { pass, fail, inconclusive };

/// A target against its estimate: PASS when the interval clears the bar, FAIL when it misses it.
struct TargetResult {
  scenario::Target target;
  Estimate estimate;
  Verdict verdict = Verdict::inconclusive;  ///< of the mean
  std::string explanation;
  std::optional<Share> futures;  ///< in how many futures the bar is met, where replications are futures
};

/// A published figure against what came out: PASS when the interval lies within the bounds, FAIL when it lies
/// outside them.
struct RealityResult {
  scenario::RealityCheck check;
  Estimate estimate;
  Verdict verdict = Verdict::inconclusive;  ///< of the mean
  std::string explanation;
  std::optional<Share> futures;  ///< in how many futures it lies within the bounds, where replications are
                                 ///< futures
};

struct Summary {
  std::vector<Estimate> estimates;     ///< in the order of the first record
  std::vector<TargetResult> targets;   ///< those that could be judged
  std::vector<RealityResult> reality;  ///< likewise
  std::vector<Diagnostic> mistakes;    ///< of those that could not: whoever settles targets must refuse them
};

/// What can be told of targets and reality checks before anything runs: an unknown metric or label key, a bar
/// without the metric's unit, or a bar that is none. For scenario::LoadOptions, which ties findings to the
/// file's lines.
/// @returns findings E0501 (bar), E0502 (metric), E0503 (unit), E0504 (labels), all in one go
std::vector<Finding> check_targets(const scenario::Scenario& scenario);

/// A scaled `--quick` run is no result and gets no verdict.
/// A target whose labels match nothing that was measured is a mistake (E0504), never a silent pass; the
/// figures and the other targets stay.
/// @pre records are in replication order
Summary summarise(const scenario::Scenario& scenario, const std::vector<simulation::RunRecord>& records);

/// Quantile of Student's t law, e.g. (0.975, 9) -> 2.262157.
double student_t_quantile(double p, double degrees_of_freedom);

}  // namespace natgpu::experiment
