// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace natgpu {

/// The text without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// What stands between separators, each part trimmed; empty parts are left out.
std::vector<std::string> parts_of(std::string_view text, char separator);

}  // namespace natgpu
