// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/summary.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

constexpr double confidence = 0.95;
constexpr double not_estimable = std::numeric_limits<double>::quiet_NaN();

measures::Labels sorted(measures::Labels labels) {
  std::sort(labels.begin(), labels.end());
  return labels;
}

/// Numbers of the estimates that a list of measurements falls to, for each record in turn.
class EstimateIndex {
 public:
  EstimateIndex(std::vector<Estimate>& estimates, const std::vector<measures::MetricRow>& rows)
      : estimates_(estimates), rows_(rows) {}

  std::size_t of(const measures::Measurement& m) {
    const auto [at, is_new] = known_.try_emplace(std::make_pair(m.metric, m.labels), estimates_.size());
    if (is_new) {
      Estimate e;
      e.metric = m.metric;
      e.labels = m.labels;
      e.unit = measures::row_of(rows_, m.metric).unit_of(m.labels);
      estimates_.push_back(std::move(e));
    }
    return at->second;
  }

 private:
  std::vector<Estimate>& estimates_;
  const std::vector<measures::MetricRow>& rows_;
  std::map<std::pair<std::string, measures::Labels>, std::size_t> known_;
};

/// What to write instead of labels that match nothing: those with one more label, else those that look alike.
std::string nearest_labels(const std::vector<Estimate>& estimates, const std::string& metric,
                           const std::string& where, const measures::Labels& labels) {
  std::vector<std::string> written;
  for (const Estimate& e : estimates) {
    if (e.metric != metric) continue;
    written.push_back(e.labels.empty() ? "no labels" : measures::to_string(e.labels));
    const measures::Labels known = sorted(e.labels);
    if (!labels.empty() && std::includes(known.begin(), known.end(), labels.begin(), labels.end()))
      return fmt::format("did you mean `{}`?", written.back());
  }
  if (written.empty()) return "this run has not measured it; is its part of the model switched off?";
  const std::string near = nearest_name(where, written);
  if (!near.empty()) return fmt::format("did you mean `{}`?", near);
  const bool many = written.size() > 8;
  if (many) written.resize(8);
  return fmt::format("it has: {}{}", fmt::join(written, ", "), many ? ", ..." : "");
}

measures::Labels labels_of(const std::string& where) {
  measures::Labels labels;
  parse_labels(where, labels);
  return sorted(std::move(labels));
}

std::string explain(const TargetResult& result) {
  const Estimate& e = result.estimate;
  const char* verdict = result.verdict == Verdict::pass   ? "the whole 95 % interval meets the bar"
                        : result.verdict == Verdict::fail ? "the whole 95 % interval misses the bar"
                                                          : "the 95 % interval holds the bar";
  if (e.n == 0) return "not measured in any replication";
  if (e.n < 2)
    return fmt::format("{:.6g} {} in one replication, which has no interval; run more", e.mean, e.unit);
  return fmt::format("{:.6g} {} ± {:.3g} (95 % CI, {} replications): {}", e.mean, e.unit, e.half_width, e.n,
                     verdict);
}

void settle(const scenario::Target& target, Summary& summary) {
  Bar bar;
  parse_bar(target.expect, bar);  // check_target has seen to it
  const Estimate* estimate = find_estimate(summary, target.metric, target.where);
  if (estimate == nullptr) {
    summary.mistakes.push_back(nothing_measured(summary, fmt::format("targets[{}]", target.name),
                                                target.metric, target.where, target.at));
    return;
  }
  TargetResult result;
  result.target = target;
  result.estimate = *estimate;
  result.verdict = judge(bar, *estimate);
  result.explanation = explain(result);
  summary.targets.push_back(std::move(result));
}

}  // namespace

Diagnostic diagnose(const Diagnostic& at, const Finding& finding) {
  Diagnostic d = at;
  d.code = finding.code;
  d.message = fmt::format("{}: {}", finding.path, finding.message);
  d.help = finding.help;
  return d;
}

const Estimate* find_estimate(const Summary& summary, const std::string& metric, const std::string& where) {
  const measures::Labels labels = labels_of(where);
  const auto found = std::find_if(summary.estimates.begin(), summary.estimates.end(), [&](const Estimate& e) {
    return e.metric == metric && sorted(e.labels) == labels;
  });
  return found == summary.estimates.end() ? nullptr : &*found;
}

Diagnostic nothing_measured(const Summary& summary, const std::string& item, const std::string& metric,
                            const std::string& where, const Diagnostic& at) {
  return diagnose(at, {item + ".where", fmt::format("{} has no value where `{}`", metric, where),
                       nearest_labels(summary.estimates, metric, where, labels_of(where)), "E0504"});
}

void estimate_from_values(Estimate& e) {
  e.n = 0;
  e.mean = e.half_width = e.low = e.high = not_estimable;
  double sum = 0;
  for (const double v : e.values) {
    if (!std::isfinite(v)) continue;
    sum += v;
    e.low = e.n == 0 ? v : std::min(e.low, v);
    e.high = e.n == 0 ? v : std::max(e.high, v);
    ++e.n;
  }
  if (e.n == 0) return;
  // Equal values have exactly that mean and no spread, which a division might miss in the last digit.
  e.mean = e.low == e.high ? e.low : sum / static_cast<double>(e.n);
  if (e.n < 2) return;
  e.half_width = student_t_quantile(0.5 + confidence / 2, static_cast<double>(e.n - 1)) *
                 std::sqrt(variance(e) / static_cast<double>(e.n));
}

double variance(const Estimate& e) {
  if (e.n < 2) return not_estimable;
  double squares = 0;
  for (const double v : e.values)
    if (std::isfinite(v)) squares += (v - e.mean) * (v - e.mean);
  return squares / static_cast<double>(e.n - 1);
}

double standard_deviation(const Estimate& e) {
  return std::sqrt(variance(e));
}

namespace {

/// Replications in which both have a value.
template <class Combine>
Estimate combine(const Estimate& a, const Estimate& b, Combine of) {
  NATGPU_ENSURE(a.values.size() == b.values.size(), "measures of the same replications are combined");
  Estimate e;
  e.unit = a.unit;
  for (std::size_t r = 0; r < a.values.size(); ++r) e.values.push_back(of(a.values[r], b.values[r]));
  estimate_from_values(e);
  return e;
}

}  // namespace

Estimate difference(const Estimate& whole, const Estimate& part) {
  return combine(whole, part, [](double a, double b) { return a - b; });
}

Estimate ratio(const Estimate& part, const Estimate& whole) {
  Estimate e = combine(part, whole, [](double a, double b) { return b == 0 ? not_estimable : a / b; });
  e.unit = "share";
  return e;
}

Summary summarise(const std::vector<scenario::Target>& targets,
                  const std::vector<simulation::RunRecord>& records,
                  const std::vector<measures::MetricRow>& rows,
                  const std::vector<scenario::RealityCheck>& reality_checks) {
  Summary summary;
  EstimateIndex index(summary.estimates, rows);
  for (std::size_t r = 0; r < records.size(); ++r)
    for (const measures::Measurement& m : records[r].measurements) {
      const std::size_t at = index.of(m);
      // What a replication did not measure is a gap, so that equal places mean equal replications.
      std::vector<double>& values = summary.estimates[at].values;
      NATGPU_ENSURE(values.size() <= r, "a replication measures each metric and labels once");
      values.resize(r, not_estimable);
      values.push_back(m.value);
    }
  for (Estimate& e : summary.estimates) {
    e.values.resize(records.size(), not_estimable);
    estimate_from_values(e);
  }
  if (records.empty()) return summary;

  for (const scenario::Target& target : targets) {
    std::vector<Finding> found;
    check_target(target, rows, found);
    for (const Finding& f : found) summary.mistakes.push_back(diagnose(target.at, f));
    if (found.empty()) settle(target, summary);
  }
  settle_reality(reality_checks, rows, summary);
  return summary;
}

namespace {

/// Of the replications that have a value; nothing holds of NaN.
template <class Holds>
Share share_where(const Estimate& e, Holds holds) {
  return share_of(static_cast<std::size_t>(std::count_if(e.values.begin(), e.values.end(), holds)), e.n);
}

template <class Result>
void withhold(Result& result, double scale) {
  result.verdict = Verdict::inconclusive;
  result.futures.reset();
  result.explanation = fmt::format("a quick run at {} of the real size is not judged", scale);
}

}  // namespace

void count_futures(Summary& summary) {
  for (TargetResult& t : summary.targets) {
    Bar bar;
    parse_bar(t.target.expect, bar);  // a target that was settled has one
    t.futures = share_where(t.estimate, [&](double v) { return meets(bar, v); });
  }
  for (RealityResult& r : summary.reality)
    r.futures = share_where(r.estimate, [&](double v) { return agrees(r.check, v); });
}

void withhold_verdicts(Summary& summary, double scale) {
  for (TargetResult& t : summary.targets) withhold(t, scale);
  for (RealityResult& r : summary.reality) withhold(r, scale);
}

}  // namespace natgpu::experiment
