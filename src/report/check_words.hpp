// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/report/check.hpp>

namespace natgpu::report {

std::string_view word_of(experiment::Verdict verdict);  ///< "PASS"
std::string_view word_of(CheckKind kind);               ///< "target"
/// "target well-used: gpu.allocated.share period=2026 >= 0.4"
std::string title_of(const CheckRow& row);
/// 0 for PASS, up to 4 for a failed check of level error.
int severity(const CheckRow& row);

struct Counts {
  std::size_t passed = 0, failed = 0, inconclusive = 0;
  std::size_t warned = 0;  ///< failed or inconclusive, of level warn
};
Counts count(const std::vector<CheckRow>& rows);

}  // namespace natgpu::report
