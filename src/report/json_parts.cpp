// SPDX-License-Identifier: Apache-2.0
#include "json_parts.hpp"

#include <array>
#include <cmath>
#include <vector>

#include "escape.hpp"

namespace natgpu::report {

const char* name_of(experiment::Verdict verdict) {
  static constexpr std::array<const char*, 3> names{"pass", "fail", "inconclusive"};
  return names[static_cast<std::size_t>(verdict)];
}

std::string labels_json(const measures::Labels& labels) {
  std::string out = "{";
  for (const auto& [key, value] : labels)
    out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "", json_text(key), json_text(value));
  return out + "}";
}

std::string interval_json(const experiment::Interval& i) {
  if (!std::isfinite(i.low) || !std::isfinite(i.high)) return "null";
  return fmt::format("[{}, {}]", json_number(i.low), json_number(i.high));
}

std::string estimate_json(const experiment::Estimate& e) {
  std::vector<std::string> values;
  for (const double v : e.values) values.push_back(json_number(v));
  return fmt::format(
      "\"metric\": {}, \"labels\": {}, \"unit\": {}, \"mean\": {}, \"ci95\": {}, \"range\": {}, \"n\": {}, "
      "\"values\": [{}]",
      json_text(e.metric), labels_json(e.labels), json_text(e.unit), json_number(e.mean),
      interval_json({e.mean - e.half_width, e.mean + e.half_width}),
      e.n == 0 ? "null" : fmt::format("[{}, {}]", json_number(e.low), json_number(e.high)), e.n,
      fmt::join(values, ", "));
}

}  // namespace natgpu::report
