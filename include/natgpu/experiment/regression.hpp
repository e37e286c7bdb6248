// SPDX-License-Identifier: Apache-2.0
// Metrics against values recorded earlier: non-inferiority within a margin, or equivalence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/scenario/scenario.hpp>

namespace natgpu::experiment {

/// One metric as it was recorded.
struct BaselineRow {
  std::string metric;
  measures::Labels labels;
  std::string unit;
  scenario::Side better = scenario::Side::higher;
  std::string margin;          ///< as a scenario states it
  std::vector<double> values;  ///< of replications 0, 1, ...; NaN where one has none
};

/// A scenario under a policy, as it was recorded.
struct BaselineEntry {
  std::string scenario, policy;
  std::string hash;  ///< model_hash() of the scenario it was recorded with
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> fingerprints;  ///< of replications 0, 1, ...
  std::vector<BaselineRow> rows;
};

struct RegressionResult {
  BaselineRow row;      ///< what it is held to
  Estimate now, then;   ///< of the replications compared
  Estimate difference;  ///< now - then; without values where runs are not paired
  bool paired = false;  ///< equal seeds: differences by replication
  double margin = 0;    ///< in the metric's unit
  double p_pass = 0;    ///< one-sided, of "not worse by more than the margin"; NaN without an interval
  double p_fail = 0,
         p_holm = 0;       ///< one-sided, of "worse by more than the margin"; p_holm over the whole check
  std::string obstacle;    ///< why there can be no verdict
  bool identical = false;  ///< the same number in every replication
  Verdict verdict = Verdict::inconclusive;
  std::string explanation;
};

/// SHA-256 of all that shapes a run but its seed and length: not of `seed`, `replications`, targets and
/// regressions.
std::string model_hash(const scenario::Scenario& scenario);

/// What can be told of `regressions` before anything runs: unknown metric or label, a margin that is none.
/// @returns findings E0502, E0503, E0504, E0505
std::vector<Finding> check_regressions(const scenario::Scenario& scenario);

/// The rows to record: the scenario's checks, else those of the entry before, else the headlines with 2 %.
/// @param before  may be null
/// @param mistakes  E0504 for checks that this run has no value for
std::vector<BaselineRow> baseline_rows(const scenario::Scenario& scenario, const Summary& summary,
                                       const BaselineEntry* before, std::vector<Finding>& mistakes);

/// Measures what the scenario's checks (else all rows of the baseline) come to, without verdicts.
/// @param mistakes  E0504 for checks without a value in this run, E0507 for those the baseline lacks
std::vector<RegressionResult> measure_regressions(const scenario::Scenario& scenario, const Summary& summary,
                                                  const std::vector<simulation::RunRecord>& records,
                                                  const BaselineEntry& baseline,
                                                  std::vector<Finding>& mistakes);

/// Gives the verdicts of a whole check at once: PASS where the interval lies on the right side of the margin,
/// FAIL where it lies beyond and Holm over all of them agrees, else INCONCLUSIVE.
void judge_regressions(const std::vector<RegressionResult*>& family);

/// Which replications' fingerprints differ from the baseline's. @pre equal seeds
std::vector<std::uint32_t> changed_replications(const std::vector<simulation::RunRecord>& records,
                                                const BaselineEntry& baseline);

std::string_view name_of(scenario::Side side);

/// What is wrong with "0.01", "600 s" or "2 % of baseline"; empty where nothing is.
std::string margin_flaw(const std::string& margin);

}  // namespace natgpu::experiment
