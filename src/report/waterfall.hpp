// SPDX-License-Identifier: Apache-2.0
// The gap between what is on paper and what is used, worked out replication by replication.
#pragma once

#include <deque>
#include <vector>

#include "figures.hpp"

namespace natgpu::report {

/// Lines made of differences and ratios of measures, with the estimates they point to.
class DerivedLines {
 public:
  DerivedLines() = default;
  DerivedLines(const DerivedLines&) = delete;
  DerivedLines& operator=(const DerivedLines&) = delete;

  /// On paper (ordered), allocated, the gap, and allocated as a share of the paper. Empty without both ends.
  /// @param states  lines of one metric, whose only row label is the state
  std::vector<YearLine> gap(const std::vector<YearLine>& states);

  /// What each step from one state to the next takes away; together they are the gap. Empty where a state is
  /// missing. Rows are "ordered", "delivered" and so on, for what goes no further than that state.
  std::vector<YearLine> losses(const std::vector<YearLine>& states);

 private:
  using Combine = experiment::Estimate (*)(const experiment::Estimate&, const experiment::Estimate&);
  YearLine combined(const YearLine& a, const YearLine& b, const char* row, Combine combine);

  std::deque<experiment::Estimate> estimates_;  // does not move what it holds
};

}  // namespace natgpu::report
