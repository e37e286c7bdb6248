// SPDX-License-Identifier: Apache-2.0
// How text and numbers of any origin get into a result file without becoming anything but text and numbers.
#pragma once

#include <string>
#include <string_view>

namespace natgpu::report {

/// A text cell of a CSV file: RFC 4180 quoting, and a leading ' where a spreadsheet would take the text for a
/// formula (OWASP, "CSV Injection"): = + - @, their full-width forms, TAB, CR, LF, NUL.
std::string csv_text(std::string_view text);
/// Shortest decimal that reads back as the same double; empty where there is no number (NaN, infinity).
std::string csv_number(double value);

/// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD, `<` and U+2028/2029 are written as
/// \u escapes so that the text may stand inside an HTML script element.
std::string json_text(std::string_view text);
/// As csv_number, `null` where there is no number.
std::string json_number(double value);

/// Text inside a Markdown paragraph, heading or table cell: one line, no markup, no HTML, no control
/// characters.
std::string markdown_text(std::string_view text);
/// A source: an address as a link, anything else as text.
std::string markdown_source(std::string_view text);
/// A block shown as it stands, fenced so that no line of it can end the block.
std::string markdown_block(std::string_view text);

/// Text inside an XML element or attribute: markup escaped, what XML 1.0 cannot hold replaced by `?`.
std::string xml_text(std::string_view text);

/// One argument of a shell command, quoted where needed.
std::string shell_word(std::string_view text);

}  // namespace natgpu::report
