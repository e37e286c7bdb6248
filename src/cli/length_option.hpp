// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace natgpu::cli {

/// A length of time that an option states with its unit, in ticks; 0 s to 1e10 s.
/// @throws UsageError
std::int64_t length_of(const std::string& option, std::string_view text);

}  // namespace natgpu::cli
