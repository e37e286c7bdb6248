// SPDX-License-Identifier: Apache-2.0
#include "length_option.hpp"

#include <fmt/format.h>

#include <natgpu/core/time.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "command.hpp"

namespace natgpu::cli {
namespace {

constexpr double longest_s = 1e10;  // 317 years

}  // namespace

std::int64_t length_of(const std::string& option, std::string_view text) {
  double value = 0;
  const std::string shown = printable(std::string(text));
  switch (parse_quantity(text, Dimension::time, value)) {
    case QuantityError::none:
      break;
    case QuantityError::unit_missing:
      throw UsageError(fmt::format("{} {} has no unit", option, shown),
                       fmt::format("write `{} {}s`, or use min, h, d", option, shown));
    default:
      throw UsageError(fmt::format("{} takes a length of time, not `{}`", option, shown),
                       fmt::format("write for instance `{} 2h`", option));
  }
  if (value < 0 || value > longest_s)
    throw UsageError(fmt::format("{} {} is out of range", option, shown), "0 s to 1e10 s");
  return value == 0 ? 0 : ticks_from_seconds(value).count();
}

}  // namespace natgpu::cli
