// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace natgpu {

/// What `next_character` gives for bytes that are no UTF-8 (overlong forms and surrogates included).
inline constexpr char32_t invalid_character = 0xFFFFFFFF;

/// Reads the character at byte `at` and moves `at` behind it; behind one byte where it is no UTF-8.
/// @pre at < text.size()
char32_t next_character(std::string_view text, std::size_t& at);

/// Characters, not bytes; an invalid byte counts as one.
std::size_t character_count(std::string_view utf8);

/// C0 and C1 controls, DEL, and the marks that reverse the reading direction: none belongs on a terminal.
bool is_control(char32_t c);

/// The text with controls and invalid bytes replaced by `?`, so that no name of a file or key can steer a
/// terminal.
std::string printable(std::string_view utf8);

}  // namespace natgpu
