// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/compare.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

#include "holm.hpp"
#include "laws.hpp"
#include "paired.hpp"

namespace natgpu::experiment {
namespace {

constexpr double level = 0.95;
constexpr double power = 0.8;  // of the replications that would decide; Cohen's convention (1988)

const Estimate* find(const Summary& summary, std::string_view metric, const measures::Labels& labels) {
  const auto found = std::find_if(summary.estimates.begin(), summary.estimates.end(), [&](const Estimate& e) {
    return e.metric == metric && e.labels == labels;
  });
  return found == summary.estimates.end() ? nullptr : &*found;
}

/// Means over jobs that started or ended say nothing of those that did not.
bool is_over_survivors(std::string_view metric) {
  constexpr std::array<std::string_view, 3> prefixes{"jobs.wait.", "jobs.turnaround.",
                                                     "jobs.bounded_slowdown."};
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return metric.substr(0, p.size()) == p; });
}

bool holds_waiting_jobs(const Summary& summary, const Estimate& e) {
  const Estimate* censored = find(summary, "jobs.censored.count", e.labels);
  return is_over_survivors(e.metric) && censored != nullptr && censored->high > 0;
}

/// Whether more jobs never started under `of` than under `from`, beyond chance.
bool leaves_more_behind(const Summary& of, const Summary& from, const Estimate& e, double alpha) {
  constexpr std::array<const char*, 3> ends{"jobs.censored.count", "jobs.gave_up.count",
                                            "jobs.rejected.count"};
  return std::any_of(ends.begin(), ends.end(), [&](const char* metric) {
    const Estimate* a = find(of, metric, e.labels);
    const Estimate* b = find(from, metric, e.labels);
    if (a == nullptr || b == nullptr) return false;
    return p_above(paired_sample(*a, *b, paired_difference(*a, *b)), 0) <= alpha / 2;
  });
}

void count_improved(Compared& c) {
  for (const double d : c.difference.values) {
    const bool up = d > 0, down = d < 0;
    if (c.better == measures::Better::lower ? down : up) ++c.improved;
  }
  if (c.difference.n > 0) c.improved_share = clopper_pearson(c.improved, c.difference.n, level);
}

Compared measure(const PolicyRuns& policy, const Estimate& of, const Estimate& from,
                 const CompareOptions& options) {
  Compared c;
  c.policy = policy.policy;
  c.better = measures::better_of(of.metric, of.labels);
  c.of = of;
  c.from = from;
  c.difference = paired_difference(of, from);
  c.margin = options.margin * std::abs(from.mean);
  const Sample sample = paired_sample(of, from, c.difference);
  c.p = p_outside(sample, c.margin);
  const double deviation = standard_deviation(c.difference);
  c.effect = deviation > 0 ? c.difference.mean / deviation : std::nan("");
  c.correlation = correlation(of, from);
  const double unpaired =
      standard_deviation(of) * standard_deviation(of) + standard_deviation(from) * standard_deviation(from);
  c.variance_ratio = deviation > 0 ? unpaired / (deviation * deviation) : std::nan("");
  count_improved(c);
  c.outcomes = outcome_range(c.difference.values);
  return c;
}

bool is_equal(const Estimate& difference) {
  return difference.n > 0 && difference.low == 0 && difference.high == 0;
}

/// Why there can be no verdict whatever the figures say; empty where there can be one.
std::string obstacle(const Compared& c, const CompareOptions& options) {
  const std::size_t all = c.difference.values.size();
  if (!options.judged) return "a quick run at another than the real size is not judged";
  if (c.difference.n < all)
    return fmt::format("no value in {} of {} replications", all - c.difference.n, all);
  if (all < least_replications)
    return fmt::format("{} replications, verdicts need {}", all, least_replications);
  return {};
}

PairVerdict side_of(const Compared& c) {
  const bool up = c.difference.mean > 0;
  if (c.better == measures::Better::neither) return up ? PairVerdict::higher : PairVerdict::lower;
  return up == (c.better == measures::Better::higher) ? PairVerdict::better : PairVerdict::worse;
}

void judge(Compared& c, const Summary& of, const Summary& from, const Comparison& whole) {
  const CompareOptions& options = whole.options;
  c.reason = obstacle(c, options);
  const double alpha = options.alpha / 2 / static_cast<double>(std::max<std::size_t>(whole.tests, 1));
  const double deviation = standard_deviation(c.difference);
  if (c.difference.n > 1) {
    const double freedom = static_cast<double>(c.difference.n) - 1;
    c.detectable = (student_t_quantile(1 - alpha, freedom) + student_t_quantile(power, freedom)) * deviation /
                   std::sqrt(static_cast<double>(c.difference.n));
  }
  if (!c.reason.empty()) return;
  if (is_equal(c.difference)) {
    c.verdict = PairVerdict::equal;
    return;
  }
  if (c.p_holm <= options.alpha) {
    c.verdict = side_of(c);
    if (c.verdict == PairVerdict::better && is_over_survivors(c.of.metric) &&
        leaves_more_behind(of, from, c.of, options.alpha)) {
      c.verdict = PairVerdict::undecided;
      c.reason = "of started jobs only, and fewer start";
    }
    return;
  }
  const double excess = std::abs(c.difference.mean) - c.margin;
  c.replications_to_decide = replications_to_decide(excess, deviation, alpha, power);
  c.reason = c.margin > 0 && excess <= 0 ? "within the margin" : "chance explains it";
}

Pairing pairing_of(const PolicyRuns& of, const PolicyRuns& from) {
  Pairing p;
  p.policy = of.policy;
  p.replications = of.records->size();
  for (std::size_t r = 0; r < p.replications; ++r) {
    const simulation::RunRecord &a = (*of.records)[r], &b = (*from.records)[r];
    NATGPU_ENSURE(a.seed == b.seed && a.replication == b.replication, "pairs share their draws");
    if (a.demand_hash == b.demand_hash) ++p.same_demand;
    if (a.failure_hash == b.failure_hash) ++p.same_failures;
  }
  return p;
}

}  // namespace

std::string_view name_of(PairVerdict verdict) {
  static constexpr std::array<std::string_view, 6> names{"better", "worse", "higher",
                                                         "lower",  "equal", "undecided"};
  return names[static_cast<std::size_t>(verdict)];
}

Comparison compare(const std::vector<PolicyRuns>& policies, std::size_t base,
                   const std::vector<Question>& questions, const CompareOptions& options) {
  const PolicyRuns& from = policies.at(base);
  Comparison whole;
  whole.base = from.policy;
  whole.options = options;
  whole.replications = from.records->size();
  std::vector<const Summary*> summaries;  // of each row's policy
  std::vector<double> p;
  std::vector<const Estimate*> asked;
  for (const Question& question : questions) {
    const Estimate* b = answer(*from.summary, question);
    if (b == nullptr) {
      whole.mistakes.push_back({question.metric, "the base has no value of it with these labels",
                                "metrics.csv of a run lists what is measured", "E0504"});
      continue;
    }
    if (std::find(asked.begin(), asked.end(), b) != asked.end()) continue;  // a target on a headline
    asked.push_back(b);
    for (const PolicyRuns& policy : policies) {
      if (&policy == &from) continue;
      Estimate missing = *b;
      missing.values.assign(b->values.size(), std::nan(""));
      const Estimate* a = find(*policy.summary, b->metric, b->labels);
      whole.rows.push_back(measure(policy, a == nullptr ? missing : *a, *b, options));
      Compared& row = whole.rows.back();
      row.lower_bound_of = holds_waiting_jobs(*policy.summary, row.of);
      row.lower_bound_from = holds_waiting_jobs(*from.summary, row.from);
      if (!obstacle(row, options).empty()) row.p = std::nan("");
      summaries.push_back(policy.summary);
      p.push_back(row.p);
    }
  }
  const std::vector<double> adjusted = holm(p);
  whole.tests = static_cast<std::size_t>(
      std::count_if(p.begin(), p.end(), [](double value) { return !std::isnan(value); }));
  for (std::size_t i = 0; i < whole.rows.size(); ++i) {
    whole.rows[i].p_holm = adjusted[i];
    judge(whole.rows[i], *summaries[i], *from.summary, whole);
  }
  for (const PolicyRuns& policy : policies)
    if (&policy != &from) whole.pairings.push_back(pairing_of(policy, from));
  return whole;
}

}  // namespace natgpu::experiment
