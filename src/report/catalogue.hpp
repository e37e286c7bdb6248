// SPDX-License-Identifier: Apache-2.0
// Every fixed sentence of the report, in each language. Metric names, units and paths stay as they are in the
// files.
#pragma once

#include <string>
#include <string_view>

#include <natgpu/report/files.hpp>
#include <natgpu/scenario/scenario.hpp>

namespace natgpu::report {

/// Sentences with {} take arguments in the order given here; Korean ones may number them.
enum class Say : unsigned char {
  title,               ///< scenario title
  policy_line,         ///< policy, replications, seed
  quick_banner,        ///< scale
  interrupted_banner,  ///< finished, asked
  reading_hint,
  differs,
  findings,
  finding_gap,          ///< day, on paper, precision, public, allocated, percent
  finding_target,       ///< day, value, percent, target
  finding_use,          ///< year, allocated, useful
  finding_unconfirmed,  ///< year, percent
  finding_assumed,      ///< assumed, all
  targets,
  target,
  bar,
  estimate,
  verdict,
  pass,
  fail,
  inconclusive,
  warn_only,
  verdict_note,
  futures_note,
  not_judged,
  targets_unjudged,
  reality,
  reality_text,
  reality_check,
  published,
  agrees,
  futures,
  futures_text,  ///< futures that p5 and p95 need
  uncertain,
  distribution,
  known,
  period,
  outcomes,
  readings,
  readings_text,
  readings_scaled,  ///< scale
  readings_end,     ///< day
  readings_by_year,
  counts,
  of_target,
  waterfall,
  waterfall_text,
  gap_title,
  losses_title,
  stocks_title,
  means_title,
  waterfall_means,
  who,
  who_text,
  waits_text,
  use,
  use_text,
  jobs,
  jobs_text,
  energy,
  energy_text,
  failures,
  failures_text,
  adoption,
  adoption_text,
  measure,
  unit,
  total,
  replications_column,
  not_estimable,
  assumptions,
  assumptions_text,  ///< stated values, merely assumed ones, without status
  path,
  value,
  range,
  source,
  as_of,
  status,
  method,
  method_replications,  ///< finished, asked
  method_seed,
  method_streams,
  method_semantics,  ///< order, backfill, view, pass, ties, floor in seconds
  method_sharing,    ///< sharing, floor in seconds
  method_intervals,
  method_futures,
  method_horizon,         ///< start, end, as_of
  method_horizon_steady,  ///< start, end, days left out, as_of
  method_runoff,          ///< days
  method_access,
  method_fingerprint,
  method_demand_hash,
  method_failure_hash,
  method_scenario_hash,
  method_version,
  limits,
  limits_text,
  includes,
  excludes,
  warnings,
  warning_times,  ///< replications in which it came
  reproduce,
  reproduce_text,
  files_text,
  count
};

/// One language's sentences, and which of a scenario's texts to take.
class Catalogue {
 public:
  explicit Catalogue(bool korean) : korean_(korean) {}
  std::string_view operator()(Say sentence) const;
  /// The scenario's own words; where one language is missing the other stands in.
  const std::string& local(const scenario::LocalText& text) const;
  /// What a label value means in words; the value itself where the catalogue has none.
  std::string label(std::string_view key, std::string_view value) const;
  /// What a metric is called in words; its own name where the catalogue has none.
  std::string metric(std::string_view name) const;

 private:
  bool korean_;
};

}  // namespace natgpu::report
