// SPDX-License-Identifier: Apache-2.0
#include "escape.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/utf8.hpp>

namespace natgpu::report {
namespace {

constexpr std::array<std::string_view, 4> full_width_formula_signs{"\uFF1D", "\uFF0B", "\uFF0D",
                                                                   "\uFF20"};  // = + - @

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool looks_like_formula(std::string_view text) {
  if (text.empty()) return false;
  if (std::string_view("=+-@\t\r\n\0", 8).find(text.front()) != std::string_view::npos) return true;
  return std::any_of(full_width_formula_signs.begin(), full_width_formula_signs.end(),
                     [&](std::string_view sign) { return starts_with(text, sign); });
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Line breaks and tabs to spaces; then what no terminal or page should be sent.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return printable(line);
}

/// "1." and "1)" start a list.
bool ends_list_number(const std::string& line, std::size_t i) {
  return i > 0 && (i + 1 == line.size() || line[i + 1] == ' ') &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(i),
                     [](char d) { return d >= '0' && d <= '9'; });
}

/// Whether the character would be markup where it stands.
bool needs_backslash(const std::string& line, std::size_t i) {
  const char c = line[i];
  const auto is_one_of = [&](std::string_view marks) { return marks.find(c) != std::string_view::npos; };
  if (is_one_of("|\\`*[]~#$")) return true;
  if (c == '_')  // gpu_user stays readable in the raw text
    return i == 0 || i + 1 == line.size() || !is_word(line[i - 1]) || !is_word(line[i + 1]);
  if (is_one_of(".)")) return ends_list_number(line, i);
  if (i > 0) return false;
  // An image, a list, an underline, a quotation; but a bar such as ">= 3" stays readable.
  return is_one_of("!+-=") || (c == '>' && (line.size() == 1 || line[1] != '='));
}

}  // namespace

std::string csv_text(std::string_view text) {
  std::string cell(looks_like_formula(text) ? "'" : "");
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  replace_all(cell, "\"", "\"\"");
  return '"' + cell + '"';
}

std::string csv_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::string json_text(std::string_view text) {
  std::string out = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  replace_all(out, "<", "\\u003c");
  replace_all(out, "\u2028", "\\u2028");
  replace_all(out, "\u2029", "\\u2029");
  return out;
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string markdown_text(std::string_view text) {
  const std::string line = one_line(text);
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == ':' && starts_with(std::string_view(line).substr(i), "://"))
      out += "&#58;";                   // no address becomes a link by itself
    else if (c != ' ' || !out.empty())  // four spaces start a code block
      out += needs_backslash(line, i) ? std::string{'\\', c} : std::string{c};
  }
  return out;
}

std::string markdown_source(std::string_view text) {
  const auto is_safe = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:/?#@!$&()*+,;=%").find(c) != std::string_view::npos;
  };
  const bool address = (starts_with(text, "https://") || starts_with(text, "http://")) &&
                       std::all_of(text.begin(), text.end(), is_safe);
  if (!address) return markdown_text(text);
  std::string target(text);
  replace_all(target, "&", "&amp;");
  return '<' + target + '>';
}

std::string markdown_block(std::string_view text) {
  std::string body(text);
  std::replace(body.begin(), body.end(), '\r', ' ');
  std::string fence = "```";
  while (body.find(fence) != std::string::npos) fence += '`';
  std::string out = fence + "\n";
  while (!body.empty() && body.back() == '\n') body.pop_back();
  for (std::size_t from = 0; from <= body.size();) {
    const std::size_t to = std::min(body.find('\n', from), body.size());
    out += printable(std::string_view(body).substr(from, to - from)) + "\n";
    from = to + 1;
  }
  return out + fence + "\n";
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._/:=+,@%").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  std::string quoted(text);
  replace_all(quoted, "'", "'\\''");
  return "'" + quoted + "'";
}

}  // namespace natgpu::report
