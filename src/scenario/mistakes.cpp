// SPDX-License-Identifier: Apache-2.0
#include "mistakes.hpp"

#include <algorithm>
#include <tuple>

#include <natgpu/core/utf8.hpp>

namespace natgpu::scenario {
namespace {

constexpr std::size_t most_kept = 1000;  // mistakes; a file with more is not a scenario

std::tuple<int, int, int> order_of(const Mark& m) {
  return {m.source, m.line, m.byte};
}

}  // namespace

int Mistakes::add_source(std::string name, std::string text) {
  Source source{std::move(name), std::move(text), {0}};
  for (std::size_t at = 0; at < source.text.size(); ++at)
    if (source.text[at] == '\n') source.line_starts.push_back(at + 1);
  sources_.push_back(std::move(source));
  return static_cast<int>(sources_.size()) - 1;
}

std::string_view Mistakes::from(const Mark& mark) const {
  const Source& source = sources_.at(static_cast<std::size_t>(mark.source));
  if (mark.line < 1 || static_cast<std::size_t>(mark.line) > source.line_starts.size()) return {};
  const std::size_t at =
      source.line_starts[static_cast<std::size_t>(mark.line) - 1] + static_cast<std::size_t>(mark.byte);
  return at < source.text.size() ? std::string_view(source.text).substr(at) : std::string_view{};
}

std::string_view Mistakes::line(const Mark& mark) const {
  const std::string_view rest = from({mark.source, mark.line, 0});
  return rest.substr(0, rest.find('\n'));
}

Place Mistakes::place(const Mark& mark) const {
  const std::string& name = sources_.at(static_cast<std::size_t>(mark.source)).name;
  if (mark.line < 1) return {name, 0, 0};
  const bool goes_on =
      counted_.source == mark.source && counted_.line == mark.line && counted_.byte <= mark.byte;
  if (!goes_on) {
    counted_ = {mark.source, mark.line, 0};
    counted_characters_ = 0;
  }
  const std::string_view text = line(mark);
  auto at = static_cast<std::size_t>(counted_.byte);
  while (at < text.size() && at < static_cast<std::size_t>(mark.byte)) {
    next_character(text, at);
    ++counted_characters_;
  }
  counted_.byte = static_cast<int>(at);
  return {name, mark.line, counted_characters_ + 1};
}

void Mistakes::add(Fault fault, const Mark& mark, int width, std::string message, std::string help) {
  add(code_of(fault), mark, width, std::move(message), std::move(help));
}

void Mistakes::add(const std::string& code, const Mark& mark, int width, std::string message,
                   std::string help) {
  if (rows_.size() >= most_kept) return;
  for (const Row& row : rows_)
    if (row.code == code && order_of(row.mark) == order_of(mark) && row.message == message) return;
  rows_.push_back({code, mark, width, std::move(message), std::move(help)});
}

std::vector<Diagnostic> Mistakes::diagnostics() const {
  std::vector<Row> rows = rows_;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return order_of(a.mark) < order_of(b.mark); });
  std::vector<Diagnostic> all;
  all.reserve(rows.size());
  for (Row& row : rows) {
    Diagnostic d;
    d.code = std::move(row.code);
    d.message = std::move(row.message);
    d.place = place(row.mark);
    d.source_line = std::string(line(row.mark));
    d.caret_width = std::max(row.width, 1);
    d.help = std::move(row.help);
    all.push_back(std::move(d));
  }
  return all;
}

void Mistakes::raise_if_any() const {
  if (!rows_.empty()) throw ScenarioError(diagnostics());
}

}  // namespace natgpu::scenario
