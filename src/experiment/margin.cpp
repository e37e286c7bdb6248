// SPDX-License-Identifier: Apache-2.0
#include "margin.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

namespace natgpu::experiment {

std::string parse_margin(std::string_view text, Margin& margin) {
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = std::min(text.find(' ', first), text.size());
  const std::string_view number = text.substr(first, end - first);
  const std::size_t unit = std::min(text.find_first_not_of(' ', end), text.size());
  margin.unit = std::string(text.substr(unit, text.find_last_not_of(' ') + 1 - unit));
  if (parse_number(number, margin.value) != QuantityError::none || margin.value < 0)
    return fmt::format("`{}` is no margin", printable(text));
  margin.relative = margin.unit == "% of baseline";
  if (margin.relative) {
    margin.value /= 100;
    margin.unit.clear();
  }
  return {};
}

bool unit_agrees(const std::string& written, std::string_view unit) {
  return written == unit || (written.empty() && (unit == "share" || unit == "1"));
}

}  // namespace natgpu::experiment
