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

/// @returns an empty text, or what is wrong with it
std::string parse_bar(std::string_view text, Bar& bar);

/// PASS when the whole interval meets the bar, FAIL when none of it does, else INCONCLUSIVE.
Verdict judge(const Bar& bar, const Estimate& estimate);

/// "period=2027;sector=sme" to labels, in the order written. @returns an empty text, or what is wrong with it
std::string parse_labels(std::string_view text, measures::Labels& labels);

/// Adds the mistakes of a target that can be told before anything runs: form, metric, unit, label keys.
void check_target(const scenario::Target& target, const std::vector<measures::MetricRow>& rows,
                  std::vector<Finding>& found);

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
                  const std::vector<measures::MetricRow>& rows);

}  // namespace natgpu::experiment
