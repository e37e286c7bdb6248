// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/utf8.hpp>

namespace natgpu {
namespace {

struct Lead {
  std::size_t length;
  char32_t bits;
  char32_t least;  // the smallest character that needs so many bytes
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if ((byte & 0xE0) == 0xC0) return {2, static_cast<char32_t>(byte & 0x1F), 0x80};
  if ((byte & 0xF0) == 0xE0) return {3, static_cast<char32_t>(byte & 0x0F), 0x800};
  if ((byte & 0xF8) == 0xF0) return {4, static_cast<char32_t>(byte & 0x07), 0x10000};
  return {0, 0, 0};
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& at) {
  const std::size_t start = at++;
  const Lead lead = lead_of(static_cast<unsigned char>(text[start]));
  if (lead.length == 0 || start + lead.length > text.size()) return invalid_character;
  char32_t c = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xC0) != 0x80) return invalid_character;
    c = c << 6 | (byte & 0x3F);
  }
  if (c < lead.least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return invalid_character;
  at = start + lead.length;
  return c;
}

std::size_t character_count(std::string_view utf8) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < utf8.size(); ++count) next_character(utf8, at);
  return count;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string printable(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t start = at;
    const char32_t c = next_character(utf8, at);
    if (c == invalid_character || is_control(c))
      out += '?';
    else
      out += utf8.substr(start, at - start);
  }
  return out;
}

}  // namespace natgpu
