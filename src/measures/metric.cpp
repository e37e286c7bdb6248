// SPDX-License-Identifier: Apache-2.0
#include <natgpu/measures/metric.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

namespace natgpu::measures {
namespace {

constexpr std::array<std::string_view, 15> keys_in_order = {
    "period",  "at",  "sector", "group", "vertical", "domain", "site",   "region",
    "tranche", "gpu", "class",  "state", "cause",    "payer",  "reading"};

}  // namespace

const MetricRow& row_of(const std::vector<MetricRow>& rows, std::string_view metric) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const MetricRow& r) { return r.name == metric; });
  if (row == rows.end()) throw InvariantError(fmt::format("metric `{}` is in no table of metrics", metric));
  return *row;
}

std::string to_string(const Labels& labels) {
  std::string text;
  auto next = keys_in_order.begin();
  for (const auto& [key, value] : labels) {
    const auto found = std::find(next, keys_in_order.end(), key);
    NATGPU_ENSURE(found != keys_in_order.end(), "label keys are known, single and in canonical order");
    next = found + 1;
    if (!text.empty()) text += ';';
    text += key;
    text += '=';
    text += value;
  }
  return text;
}

}  // namespace natgpu::measures
