// SPDX-License-Identifier: Apache-2.0
// Pieces of JSON that several files are made of. Written by hand, not by a library, so that one number or one
// row stands on a line and a change shows as a changed line.
#pragma once

#include <string>

#include <fmt/format.h>

#include <natgpu/experiment/interval.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::report {

/// "pass", "fail", "inconclusive"
const char* name_of(experiment::Verdict verdict);

std::string labels_json(const measures::Labels& labels);

/// Both ends, or null where they cannot be estimated.
std::string interval_json(const experiment::Interval& interval);

/// `"metric": ..., "values": [...]`, without braces.
std::string estimate_json(const experiment::Estimate& e);

/// One line an item: readable, and a change shows as a changed line.
template <class Items, class Print>
std::string array_json(const Items& items, Print print) {
  if (items.empty()) return "[]";
  std::string out = "[";
  for (const auto& item : items) out += fmt::format("{}\n    {}", out.size() > 1 ? "," : "", print(item));
  return out + "\n  ]";
}

}  // namespace natgpu::report
