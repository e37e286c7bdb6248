// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace natgpu::experiment {

/// What a metric may be worse by: "0.01", "600 s", or "2 % of baseline".
struct Margin {
  double value = 0;
  bool relative = false;  ///< a share of the baseline's mean
  std::string unit;       ///< as written; may be empty
};

/// @returns an empty text, or what is wrong with it
std::string parse_margin(std::string_view text, Margin& margin);

/// Shares and counts may be written without a unit, all else may not.
bool unit_agrees(const std::string& written, std::string_view unit);

}  // namespace natgpu::experiment
