// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace natgpu::measures {

/// Label keys in their canonical order: period, at, sector, group, vertical, domain, site, region, tranche,
/// gpu, class, state, cause, payer, reading.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// What a measure is. Each room lists its own rows; docs/metrics.md is checked against them.
struct MetricRow {
  std::string_view name;     ///< "gpu.allocated.share"; the last part names the statistic
  std::string_view unit;     ///< "share", "GPU.h", "s", "MWh"
  std::string_view labels;   ///< label keys it carries, comma separated: "period,site,gpu"
  std::string_view formula;  ///< one sentence that lets a reader recompute it
  /// Where the unit follows from a label: its unit, or empty for labels that settle none. Null: always
  /// `unit`.
  std::string_view (*unit_by_label)(const Labels&) = nullptr;

  std::string_view unit_of(const Labels& with) const {
    return unit_by_label != nullptr ? unit_by_label(with) : unit;
  }
};

/// The row of a metric. @throws InvariantError where the table has none
const MetricRow& row_of(const std::vector<MetricRow>& rows, std::string_view metric);

/// "period=2027;sector=sme": canonical order, `;` between.
/// @throws InvariantError on a key that is unknown, repeated or out of order
std::string to_string(const Labels& labels);

/// One number of one replication. Long form, as in metrics.csv.
struct Measurement {
  std::string metric;
  Labels labels;
  double value = 0;
};

}  // namespace natgpu::measures
