// SPDX-License-Identifier: Apache-2.0
// Policies against a base on common random numbers: the same replications of the same seed, difference by
// difference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/experiment/interval.hpp>
#include <natgpu/experiment/outcomes.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/measures/direction.hpp>

namespace natgpu::experiment {

/// Replications below which no verdict is given: Student's t trusts in means that are nearly normal.
constexpr std::size_t least_replications = 10;

/// A metric to compare. Labels that name no time mean the last whole year, or the last day.
struct Question {
  std::string metric;
  measures::Labels labels;
};

/// Reads "jobs.wait.mean" or "jobs.wait.mean:period=2026;sector=labs".
/// @returns findings E0502 (metric), E0504 (labels)
std::vector<Finding> read_question(const std::string& text, Question& question);

/// The headlines of the table of directions, and what the scenario's targets are about.
std::vector<Question> usual_questions(const scenario::Scenario& scenario);

/// One policy's replications, and what they come to.
struct PolicyRuns {
  std::string policy;
  const std::vector<simulation::RunRecord>* records = nullptr;
  const Summary* summary = nullptr;
};

struct CompareOptions {
  double alpha = 0.05;  ///< of the family of all comparisons, on both sides
  double margin = 0;    ///< as a share of the base's mean: smaller differences are of no interest
  bool judged = true;   ///< a run at another than the real size gets no verdicts
};

/// `higher` and `lower` where the metric has no better side; `equal`: the same number in every replication.
enum class PairVerdict : std::uint8_t { better, worse, higher, lower, equal, undecided };
std::string_view name_of(PairVerdict verdict);

/// One metric of one policy against the base's.
struct Compared {
  std::string policy;
  measures::Better better = measures::Better::neither;
  Estimate of, from;          ///< the policy's and the base's
  Estimate difference;        ///< of - from by replication, with its unadjusted interval
  OutcomeRange outcomes;      ///< of the differences
  double margin = 0;          ///< in the metric's unit
  double p = 0;               ///< two-sided, of a difference beyond the margin; NaN where it was not tested
  double p_holm = 0;          ///< adjusted for all tests of the comparison
  double effect = 0;          ///< mean difference / standard deviation of the differences; NaN without spread
  double correlation = 0;     ///< of the two policies' values over replications; NaN without spread
  double variance_ratio = 0;  ///< variance of the difference of unpaired runs / of the paired ones
  std::size_t improved = 0;   ///< replications in which the policy is on the better side (else: above)
  Interval improved_share;    ///< Clopper-Pearson 95 %
  PairVerdict verdict = PairVerdict::undecided;
  std::string reason;                                     ///< of no verdict
  bool lower_bound_of = false, lower_bound_from = false;  ///< waits whose cohort holds jobs that still wait
  std::optional<std::size_t> replications_to_decide;  ///< with power 80 %, if this difference and spread stay
  double detectable = 0;  ///< smallest difference from the margin that these replications would tell
};

/// How far two policies saw the same world.
struct Pairing {
  std::string policy;
  std::size_t replications = 0;
  std::size_t same_demand = 0;    ///< with equal hashes over every request
  std::size_t same_failures = 0;  ///< with equal hashes over every failure
};

struct Comparison {
  std::string base;
  CompareOptions options;
  std::size_t replications = 0;
  std::size_t tests = 0;          ///< size of Holm's family
  std::vector<Compared> rows;     ///< by question, then by policy
  std::vector<Pairing> pairings;  ///< by policy
  std::vector<Finding> mistakes;  ///< questions without an answer (E0504)
};

/// Compares every other policy with that at `base`.
/// @pre records of all policies are of the same seed and the same replications, in their order
Comparison compare(const std::vector<PolicyRuns>& policies, std::size_t base,
                   const std::vector<Question>& questions, const CompareOptions& options);

/// The estimate that answers the question, or null. @returns the last whole year of several
const Estimate* answer(const Summary& summary, const Question& question);

}  // namespace natgpu::experiment
