// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/diagnostic.hpp>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>

namespace natgpu {
namespace {

constexpr int tab_stop = 4;       // cells; tabs are printed as spaces so that every terminal agrees
constexpr int widest_line = 160;  // cells of a source line shown; longer ones are cut around the caret
constexpr int shown_before = 60;  // cells kept before the caret of a line that is cut
constexpr std::size_t most_printed = 20;

struct Interval {
  char32_t first, last;
};

template <std::size_t N>
bool holds(const Interval (&table)[N], char32_t c) {
  const Interval* next = std::upper_bound(std::begin(table), std::end(table), c,
                                          [](char32_t v, const Interval& i) { return v < i.first; });
  return next != std::begin(table) && c <= std::prev(next)->last;
}

// Unicode 15, EastAsianWidth W and F, to whole blocks.
constexpr Interval wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},
    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18AFF}, {0x1B000, 0x1B2FF},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};
// Combining marks, joiners, variation selectors, and the Hangul vowels and finals that join the consonant
// before.
constexpr Interval weightless[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489},   {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x1160, 0x11FF}, {0x1AB0, 0x1AFF},   {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
    {0x302A, 0x302F}, {0x3099, 0x309A},   {0xD7B0, 0xD7FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

int width_of(char32_t c) {
  if (holds(weightless, c)) return 0;
  return holds(wide, c) ? 2 : 1;
}

/// The source line as printed, and the cell at which the caret stands.
struct Shown {
  std::string text;
  int caret = 0;
};

Shown shown_line(const std::string& line, int column) {
  Shown all;
  std::vector<std::pair<std::size_t, int>>
      cells;  // byte of the output and cell at which each character starts
  int cell = 0, character = 1;
  for (std::size_t at = 0; at < line.size(); ++character) {
    if (character == column) all.caret = cell;
    cells.emplace_back(all.text.size(), cell);
    const std::size_t start = at;
    const char32_t c = next_character(line, at);
    if (c == U'\t') {
      const int spaces = tab_stop - cell % tab_stop;
      all.text.append(static_cast<std::size_t>(spaces), ' ');
      cell += spaces;
    } else {
      all.text += printable(std::string_view(line).substr(start, at - start));
      cell += c == invalid_character || is_control(c) ? 1 : width_of(c);
    }
  }
  if (column >= character) all.caret = cell + column - character;
  if (cell <= widest_line) return all;

  const auto first_from = [&](int wanted) {
    return std::lower_bound(cells.begin(), cells.end(), wanted,
                            [](const std::pair<std::size_t, int>& a, int w) { return a.second < w; });
  };
  const auto from = all.caret > widest_line / 2 ? first_from(all.caret - shown_before) : cells.begin();
  const bool is_cut_before = from != cells.begin() && from != cells.end();
  const std::size_t begin = is_cut_before ? from->first : 0;
  const int begin_cell = is_cut_before ? from->second : 0;
  const auto to = first_from(begin_cell + widest_line);
  const std::size_t end = to == cells.end() ? all.text.size() : to->first;
  Shown cut;
  cut.text = fmt::format("{}{}{}", is_cut_before ? "..." : "", all.text.substr(begin, end - begin),
                         end < all.text.size() ? "..." : "");
  cut.caret = all.caret - begin_cell + (is_cut_before ? 3 : 0);
  return cut;
}

std::u32string characters(std::string_view text) {
  std::u32string all;
  for (std::size_t at = 0; at < text.size();) all += next_character(text, at);
  return all;
}

/// Insertions, deletions, replacements and swaps of neighbours, no part edited twice.
/// Source: Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964.
std::size_t edit_distance(const std::u32string& a, const std::u32string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

ScenarioError::ScenarioError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(diagnostics.empty() ? "the scenario cannot be used"
                                             : format_diagnostic(diagnostics.front())),
      diagnostics_(std::move(diagnostics)) {}

Diagnostic file_mistake(std::string file, std::string code, std::string message, std::string help) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.place.file = std::move(file);
  d.help = std::move(help);
  return d;
}
void refuse_file(std::string file, std::string code, std::string message, std::string help) {
  throw ScenarioError({file_mistake(std::move(file), std::move(code), std::move(message), std::move(help))});
}

std::string format_diagnostic(const Diagnostic& d) {
  std::string out = printable(d.place.file);
  if (d.place.line > 0) out += fmt::format(":{}:{}", d.place.line, d.place.column);
  out += fmt::format("{}error[{}]: {}\n", out.empty() ? "" : ": ", d.code, printable(d.message));
  if (!d.source_line.empty()) {
    const Shown shown = shown_line(d.source_line, d.place.column);
    const std::string number = std::to_string(d.place.line);
    out += fmt::format(" {} | {}\n", number, shown.text);
    out += fmt::format(" {} | {}{}\n", std::string(number.size(), ' '),
                       std::string(static_cast<std::size_t>(std::max(shown.caret, 0)), ' '),
                       std::string(static_cast<std::size_t>(std::clamp(d.caret_width, 1, widest_line)), '^'));
  }
  if (!d.help.empty()) out += fmt::format("help: {}\n", printable(d.help));
  return out;
}

std::string format_diagnostics(const std::vector<Diagnostic>& all) {
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), most_printed); ++i) out += format_diagnostic(all[i]);
  if (all.size() > most_printed) out += fmt::format("... and {} more\n", all.size() - most_printed);
  out += fmt::format("{} error{}, nothing was run.", all.size(), all.size() == 1 ? "" : "s");
  if (!all.empty()) out += fmt::format(" `natgpu explain {}` tells more.", all.front().code);
  return out + "\n";
}

int display_width(std::string_view utf8) {
  int cells = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = next_character(utf8, at);
    cells += c == invalid_character ? 1 : width_of(c);
  }
  return cells;
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 80;  // names are slugs of at most 80 characters
  const std::u32string wanted = characters(word);
  if (wanted.size() > longest) return {};
  const std::size_t limit = std::max<std::size_t>(1, wanted.size() / 3);
  std::size_t best = limit + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::u32string name = characters(candidate);
    if (name.size() > wanted.size() + limit || wanted.size() > name.size() + limit) continue;
    const std::size_t distance = edit_distance(wanted, name);
    // A word replaced throughout is not a slip of the pen.
    if (distance < best && distance < std::max(wanted.size(), name.size())) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace natgpu
