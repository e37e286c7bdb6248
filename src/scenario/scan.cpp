// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/utf8.hpp>

#include <fmt/format.h>

#include "document.hpp"

namespace natgpu::scenario {
namespace {

constexpr std::size_t most_bytes = 8u << 20;
constexpr std::size_t longest_line = 64u << 10;
// Opened and not closed brackets, quotes ignored. The exact limit on nesting is kept while parsing; this one
// only keeps the parser's look-ahead from growing with a file of nothing but brackets.
constexpr int most_open_brackets = 1000;

/// CR LF becomes LF, so that lines are what editors call lines. A lone CR stays and is refused later.
std::string with_plain_line_ends(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (bytes[at] != '\r' || at + 1 == bytes.size() || bytes[at + 1] != '\n') text += bytes[at];
  return text;
}

struct Scan {
  const std::string& text;
  int source;
  Mistakes& mistakes;
  bool is_good = true;  // else no parser may see the text
  bool goes_on = true;
  int refused_line = 0;

  /// The first of each line: a file in another encoding has many.
  void refuse(Fault fault, const Mark& mark, std::string message, std::string help) {
    if (mark.line != refused_line) mistakes.add(fault, mark, 1, std::move(message), std::move(help));
    refused_line = mark.line;
    is_good = false;
  }
  void stop(const Mark& mark, std::string message, std::string help) {
    refuse(Fault::limit_exceeded, mark, std::move(message), std::move(help));
    goes_on = false;
  }

  void check_character(char32_t c, const Mark& mark) {
    if (c == invalid_character)
      refuse(Fault::not_utf8, mark, "bytes that are no UTF-8", "save the file as UTF-8");
    else if (c != U'\n' && c != U'\t' && (is_control(c) || c == 0xFEFF))
      refuse(Fault::control_character, mark,
             fmt::format("control character U+{:04X}", static_cast<unsigned>(c)),
             c == U'\r' ? "end lines with LF or CR LF" : "delete it");
  }

  void check() {
    Mark mark{source, 1, 0};
    bool in_indent = true;
    int open_brackets = 0;
    for (std::size_t at = 0; at < text.size() && goes_on;) {
      const std::size_t start = at;
      const char32_t c = next_character(text, at);
      check_character(c, mark);
      if (c == U'\t' && in_indent)
        refuse(Fault::tab_indent, mark, "a tab in the indentation", "indent with blanks");
      if (c == U'[' || c == U'{') ++open_brackets;
      if ((c == U']' || c == U'}') && open_brackets > 0) --open_brackets;
      if (open_brackets > most_open_brackets)
        stop(mark, "brackets nested too deeply", "at most 64 levels can be read");
      in_indent = in_indent && c == U' ';
      mark.byte += static_cast<int>(at - start);
      if (static_cast<std::size_t>(mark.byte) > longest_line)
        stop({source, mark.line, 0}, "a line of more than 64 KiB", "break it into several lines");
      if (c == U'\n') {
        mark = {source, mark.line + 1, 0};
        in_indent = true;
      }
    }
  }
};

}  // namespace

std::optional<int> scan_bytes(const std::string& name, std::string_view bytes, Mistakes& mistakes) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (bytes.size() > most_bytes) {
    const int source = mistakes.add_source(name, "");
    mistakes.add(Fault::limit_exceeded, {source, 0, 0}, 1,
                 fmt::format("the file has {} bytes, more than 8 MiB", bytes.size()),
                 "put long tables into a trace file");
    return {};
  }
  if (bytes.substr(0, byte_order_mark.size()) == byte_order_mark) bytes.remove_prefix(byte_order_mark.size());
  const std::string text = with_plain_line_ends(bytes);
  const int source = mistakes.add_source(name, text);
  Scan scan{text, source, mistakes};
  scan.check();
  return scan.is_good ? std::optional<int>{source} : std::nullopt;
}

Mark find_open_quote(const Mark& start, const Mistakes& mistakes) {
  const std::string_view text = mistakes.from(start);
  Mark mark = start, opened;
  char quote = 0;
  char before = '\n';  // the last character that was no blank
  bool after_blank = true;
  bool in_comment = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const Mark here = mark;
    ++mark.byte;
    if (c == '\n') {
      mark = {mark.source, mark.line + 1, 0};
      in_comment = false;
      if (quote == 0) before = '\n';
      after_blank = true;
      continue;
    }
    if (in_comment) continue;
    if (quote != 0) {
      const bool is_escape = (quote == '"' && c == '\\') ||
                             (quote == '\'' && c == '\'' && at + 1 < text.size() && text[at + 1] == '\'');
      if (is_escape && at + 1 < text.size() && text[at + 1] != '\n') {
        ++at;
        ++mark.byte;
      } else if (c == quote) {
        quote = 0;
        before = c;
      }
      continue;
    }
    if (c == '#' && after_blank) in_comment = true;
    const bool may_open = std::string_view("\n-:,[{?").find(before) != std::string_view::npos;
    if ((c == '"' || c == '\'') && may_open) {
      quote = c;
      opened = here;
    }
    after_blank = c == ' ' || c == '\t';
    if (!after_blank) before = c;
  }
  return quote != 0 ? opened : Mark{start.source, 0, 0};
}

}  // namespace natgpu::scenario
