// SPDX-License-Identifier: Apache-2.0
// The statistics behind summarise(), on plain data, so that they can be tested without a scenario file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

/// A bar as a target states it: ">= 30000 H100e".
struct Bar {
  enum class Comparison : std::uint8_t { at_least, above, at_most, below };
  Comparison comparison = Comparison::at_least;
  double bound = 0;
  std::string unit;  ///< as written; may be empty
};

/// "30000 H100e" in number and unit. @returns an empty text, or what is wrong with it
std::string parse_figure(std::string_view text, double& value, std::string& unit);

/// @returns an empty text, or what is wrong with it
std::string parse_bar(std::string_view text, Bar& bar);

bool meets(const Bar& bar, double value);

/// Counts for each target and reality check the replications that meet it, which are futures.
void count_futures(Summary& summary);

/// PASS when the whole interval meets the bar, FAIL when none of it does, else INCONCLUSIVE.
Verdict judge(const Bar& bar, const Estimate& estimate);

/// "period=2027;sector=sme" to labels, in the order written. @returns an empty text, or what is wrong with it
std::string parse_labels(std::string_view text, measures::Labels& labels);

/// Adds the mistakes of a target that can be told before anything runs: form, metric, unit, label keys.
void check_target(const scenario::Target& target, const std::vector<measures::MetricRow>& rows,
                  std::vector<Finding>& found);

/// The same of a reality check (reality.cpp).
void check_reality(const scenario::RealityCheck& check, const std::vector<measures::MetricRow>& rows,
                   std::vector<Finding>& found);

/// Adds the mistakes of a metric with labels and of figures that are to be in its unit: E0501 to E0504.
/// @param figures  name of the field, number, unit; what is wrong with the text, if anything
struct StatedFigure {
  std::string field, flaw, unit;
};
void check_figures(const std::string& item, const std::string& metric, const std::string& where,
                   const std::vector<StatedFigure>& figures, std::vector<Finding>& found,
                   const std::vector<measures::MetricRow>& rows);

/// The estimate with these labels, in any order, or null.
const Estimate* find_estimate(const Summary& summary, const std::string& metric, const std::string& where);
/// What to say where there is none, at the item's place. @param item  "targets[goal]"
Diagnostic nothing_measured(const Summary& summary, const std::string& item, const std::string& metric,
                            const std::string& where, const Diagnostic& at);
/// A finding at the item's place, as far as the scenario came from a file.
Diagnostic diagnose(const Diagnostic& at, const Finding& finding);

/// Judges the reality checks, or says why not.
void settle_reality(const std::vector<scenario::RealityCheck>& checks,
                    const std::vector<measures::MetricRow>& rows, Summary& summary);
/// Whether the value lies within the bounds.
bool agrees(const scenario::RealityCheck& check, double value);

/// Takes back the verdicts of a run whose capacity and demand were scaled.
void withhold_verdicts(Summary& summary, double scale);

/// Adds the mistakes of a metric with labels ("period=2027;sector=sme"): E0502, E0504. Their paths are
/// "metric" and "where".
/// @returns the metric's row, or null
const measures::MetricRow* check_labelled(const std::string& metric, std::string_view where,
                                          const std::vector<measures::MetricRow>& rows,
                                          std::vector<Finding>& found);

/// Of any records and table of metrics.
Summary summarise(const std::vector<scenario::Target>& targets,
                  const std::vector<simulation::RunRecord>& records,
                  const std::vector<measures::MetricRow>& rows,
                  const std::vector<scenario::RealityCheck>& reality_checks = {});

}  // namespace natgpu::experiment
