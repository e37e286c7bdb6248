// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/regression.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "holm.hpp"
#include "margin.hpp"
#include "paired.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

using scenario::Side;

constexpr double alpha = 0.025;  // one-sided: the ends of a 95 % interval
constexpr const char* usual_margin = "2 % of baseline";

Question question_of(const scenario::RegressionCheck& check) {
  Question q{check.metric, {}};
  parse_labels(check.where, q.labels);
  return q;
}

Finding no_value(const std::string& metric, const std::string& where) {
  return {fmt::format("regressions.checks: {}", metric),
          fmt::format("it has no value where `{}`", printable(where)),
          "metrics.csv of a run lists what is measured", "E0504"};
}

BaselineRow row_of(const Estimate& e, Side better, const std::string& margin) {
  return {e.metric, e.labels, e.unit, better, margin, e.values};
}

const Estimate* find(const Summary& summary, const BaselineRow& row) {
  const auto found = std::find_if(summary.estimates.begin(), summary.estimates.end(), [&](const Estimate& e) {
    return e.metric == row.metric && e.labels == row.labels;
  });
  return found == summary.estimates.end() ? nullptr : &*found;
}

/// The first `n` values.
Estimate head(const Estimate& like, const std::vector<double>& values, std::size_t n) {
  Estimate e;
  e.metric = like.metric;
  e.labels = like.labels;
  e.unit = like.unit;
  e.values.assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(std::min(n, values.size())));
  estimate_from_values(e);
  return e;
}

/// The same numbers, and the same gaps.
bool is_identical(const Estimate& a, const Estimate& b) {
  return a.values.size() == b.values.size() &&
         std::equal(a.values.begin(), a.values.end(), b.values.begin(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

std::size_t gaps(const Estimate& e) {
  return e.values.size() - e.n;
}

std::string obstacle_of(const RegressionResult& r) {
  const std::size_t least = std::min(r.now.values.size(), r.then.values.size());
  if (least < least_replications)
    return fmt::format("{} replications, verdicts need {}", least, least_replications);
  if (r.identical) return {};
  if (gaps(r.now) > 0 || gaps(r.then) > 0)
    return fmt::format("no value in {} of {} replications (baseline: {} of {})", gaps(r.now),
                       r.now.values.size(), gaps(r.then), r.then.values.size());
  return {};
}

/// p of "not worse by more than the margin" and of "worse by more than it", both one-sided.
void test(RegressionResult& r, const Sample& s) {
  const double m = r.margin;
  switch (r.row.better) {
    case Side::higher:
      r.p_pass = p_above(s, -m);
      r.p_fail = p_below(s, -m);
      return;
    case Side::lower:
      r.p_pass = p_below(s, m);
      r.p_fail = p_above(s, m);
      return;
    case Side::same:  // two one-sided tests (Schuirmann, J. Pharmacokinetics 15, 1987)
      r.p_pass = std::max(p_above(s, -m), p_below(s, m));
      r.p_fail = std::min(p_above(s, m), p_below(s, -m));
      return;
  }
}

RegressionResult measure(const BaselineRow& row, const Estimate& now, bool paired) {
  RegressionResult r;
  r.row = row;
  r.paired = paired;
  const std::size_t n = paired ? std::min(now.values.size(), row.values.size())
                               : std::max(now.values.size(), row.values.size());
  r.now = head(now, now.values, n);
  r.then = head(now, row.values, n);
  Margin margin;
  parse_margin(row.margin, margin);  // check_regressions and the reader of baselines have seen to it
  r.margin = margin.relative ? margin.value * std::abs(r.then.mean) : margin.value;
  Sample sample;
  if (paired) {
    r.difference = paired_difference(r.now, r.then);
    sample = paired_sample(r.now, r.then, r.difference);
    r.identical = is_identical(r.now, r.then);
  } else {
    sample = welch_sample(r.now, r.then);
    r.difference = head(now, {}, 0);
    r.difference.mean = sample.mean;
    r.difference.half_width = half_width(sample, 0.95);
    r.difference.n = sample.n;
  }
  r.obstacle = obstacle_of(r);
  r.p_pass = r.p_fail = std::nan("");
  if (r.obstacle.empty() && !r.identical) test(r, sample);
  return r;
}

std::string explain(const RegressionResult& r) {
  if (!r.obstacle.empty()) return r.obstacle;
  if (r.identical) return fmt::format("identical in all {} replications", r.now.values.size());
  const char* where = r.verdict == Verdict::pass   ? "the interval stays within the margin"
                      : r.verdict == Verdict::fail ? "the interval lies beyond the margin"
                      : r.p_fail <= alpha          ? "beyond the margin, but not after Holm"
                                                   : "the interval holds the margin";
  return fmt::format("{:.6g} -> {:.6g} {}, difference {:+.4g} ± {:.3g} (95 % CI, {}), margin {:.4g}: {}",
                     r.then.mean, r.now.mean, r.row.unit, r.difference.mean, r.difference.half_width,
                     r.paired ? fmt::format("{} pairs", r.difference.n) : "unpaired: other seed", r.margin,
                     where);
}

}  // namespace

std::string_view name_of(Side side) {
  static constexpr std::array<std::string_view, 3> names{"higher", "lower", "same"};
  return names[static_cast<std::size_t>(side)];
}

std::string model_hash(const scenario::Scenario& scenario) {
  constexpr std::array<std::string_view, 5> no_part_of_it{"seed = ", "replications = ", "targets",
                                                          "reality_checks", "regressions"};
  std::string kept;
  for (std::size_t from = 0; from < scenario.resolved.size();) {
    const std::size_t to = std::min(scenario.resolved.find('\n', from), scenario.resolved.size());
    const std::string_view line = std::string_view(scenario.resolved).substr(from, to - from);
    const bool skipped = std::any_of(no_part_of_it.begin(), no_part_of_it.end(), [&](std::string_view start) {
      return line.substr(0, start.size()) == start;
    });
    if (!skipped) kept.append(line).append(1, '\n');
    from = to + 1;
  }
  return sha256_hex(kept);
}

std::string margin_flaw(const std::string& margin) {
  Margin parsed;
  return parse_margin(margin, parsed);
}

std::vector<Finding> check_regressions(const scenario::Scenario& scenario) {
  std::vector<Finding> all;
  const auto& checks = scenario.regressions.checks;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const auto refuse = [&](Finding f) {
      f.path = fmt::format("regressions.checks[{}].{}", i + 1, f.path);
      all.push_back(std::move(f));
    };
    std::vector<Finding> of_labels;
    const measures::MetricRow* row =
        check_labelled(checks[i].metric, checks[i].where, simulation::metric_rows(), of_labels);
    for (Finding& f : of_labels) refuse(std::move(f));
    Margin margin;
    const std::string flaw = parse_margin(checks[i].margin, margin);
    if (!flaw.empty())
      refuse({"margin", flaw, "write it like `0.01`, `600 s` or `2 % of baseline`", "E0505"});
    if (!flaw.empty() || row == nullptr || margin.relative || !of_labels.empty()) continue;
    const std::string_view unit = row->unit_of(question_of(checks[i]).labels);
    if (!unit_agrees(margin.unit, unit))
      refuse({"margin", fmt::format("unit `{}`, but {} is in {}", printable(margin.unit), row->name, unit),
              fmt::format("state the margin in {}", unit), "E0503"});
  }
  return all;
}

std::vector<BaselineRow> baseline_rows(const scenario::Scenario& scenario, const Summary& summary,
                                       const BaselineEntry* before, std::vector<Finding>& mistakes) {
  std::vector<BaselineRow> rows;
  for (const scenario::RegressionCheck& check : scenario.regressions.checks) {
    const Estimate* e = answer(summary, question_of(check));
    if (e == nullptr)
      mistakes.push_back(no_value(check.metric, check.where));
    else
      rows.push_back(row_of(*e, check.better, check.margin));
  }
  if (!scenario.regressions.checks.empty()) return rows;
  if (before != nullptr) {
    for (const BaselineRow& old : before->rows)
      if (const Estimate* e = find(summary, old); e == nullptr)
        mistakes.push_back(no_value(old.metric, measures::to_string(old.labels)));
      else
        rows.push_back(row_of(*e, old.better, old.margin));
    return rows;
  }
  for (const measures::Direction& d : measures::directions())
    if (d.headline)
      if (const Estimate* e = answer(summary, {std::string(d.metric), {}}); e != nullptr)
        rows.push_back(
            row_of(*e, d.better == measures::Better::higher ? Side::higher : Side::lower, usual_margin));
  return rows;
}

std::vector<RegressionResult> measure_regressions(const scenario::Scenario& scenario, const Summary& summary,
                                                  const std::vector<simulation::RunRecord>& records,
                                                  const BaselineEntry& baseline,
                                                  std::vector<Finding>& mistakes) {
  NATGPU_ENSURE(!records.empty(), "a check has replications");
  const bool paired = records.front().seed == baseline.seed;
  std::vector<RegressionResult> results;
  if (scenario.regressions.checks.empty()) {
    for (const BaselineRow& row : baseline.rows)
      if (const Estimate* e = find(summary, row); e == nullptr)
        mistakes.push_back(no_value(row.metric, measures::to_string(row.labels)));
      else
        results.push_back(measure(row, *e, paired));
    return results;
  }
  for (const scenario::RegressionCheck& check : scenario.regressions.checks) {
    const Estimate* e = answer(summary, question_of(check));
    if (e == nullptr) {
      mistakes.push_back(no_value(check.metric, check.where));
      continue;
    }
    const auto row = std::find_if(baseline.rows.begin(), baseline.rows.end(), [&](const BaselineRow& b) {
      return b.metric == e->metric && b.labels == e->labels;
    });
    if (row == baseline.rows.end()) {
      mistakes.push_back({fmt::format("regressions.checks: {}", check.metric),
                          "the baseline does not hold it", "record it with --update-baseline", "E0507"});
      continue;
    }
    BaselineRow held = *row;  // the file says what is measured, the scenario how it is judged
    held.better = check.better;
    held.margin = check.margin;
    results.push_back(measure(held, *e, paired));
  }
  return results;
}

void judge_regressions(const std::vector<RegressionResult*>& family) {
  std::vector<double> p;
  for (const RegressionResult* r : family) p.push_back(r->p_fail);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) {
    RegressionResult& r = *family[i];
    r.p_holm = adjusted[i];
    r.verdict = Verdict::inconclusive;
    if (r.obstacle.empty()) {
      if (r.identical || r.p_pass <= alpha)
        r.verdict = Verdict::pass;
      else if (r.p_holm <= alpha)
        r.verdict = Verdict::fail;
    }
    r.explanation = explain(r);
  }
}

std::vector<std::uint32_t> changed_replications(const std::vector<simulation::RunRecord>& records,
                                                const BaselineEntry& baseline) {
  std::vector<std::uint32_t> changed;
  for (const simulation::RunRecord& r : records)
    if (r.replication < baseline.fingerprints.size() && baseline.fingerprints[r.replication] != r.fingerprint)
      changed.push_back(r.replication);
  return changed;
}

}  // namespace natgpu::experiment
