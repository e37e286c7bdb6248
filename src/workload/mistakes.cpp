// SPDX-License-Identifier: Apache-2.0
#include "mistakes.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace natgpu::workload {
namespace {

constexpr std::size_t max_mistakes = 20;
constexpr std::ptrdiff_t shown = 160;      // characters of a line that are printed
constexpr std::ptrdiff_t underlined = 40;  // at most

bool ends_line(char c) {
  return c == '\n' || c == '\r' || c == '\0';
}
bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}  // UTF-8

int as_line(std::uint64_t line) {
  return static_cast<int>(std::min<std::uint64_t>(line, std::numeric_limits<int>::max()));
}

}  // namespace

void Mistakes::add(std::uint64_t line, const char* begin, const char* stop, Mistake mistake) {
  for (const char* c = begin; c < mistake.at; ++c)
    if (*c == '\n') {
      begin = c + 1;
      ++line;
    }
  Diagnostic d;
  d.code = mistake.code;
  d.message = std::move(mistake.message);
  d.help = std::move(mistake.help);
  d.place = {file_, as_line(line), static_cast<int>(std::count_if(begin, mistake.at, starts_character)) + 1};
  if (mistake.at - begin <= shown)  // one cell a character, and no escape sequence
    for (const char* c = begin; !ends_line(*c) && c - begin < shown; ++c)
      if (starts_character(*c)) d.source_line += *c == '\t' ? ' ' : (*c < ' ' || *c > '~') ? '?' : *c;
  d.caret_width = static_cast<int>(
      std::clamp<std::ptrdiff_t>(std::find_if(mistake.at, stop, ends_line) - mistake.at, 1, underlined));
  found_.push_back(std::move(d));
  if (found_.size() >= max_mistakes) throw_if_any();
}

void Mistakes::add(std::uint64_t line, const char* code, std::string message, std::string help) {
  Diagnostic d;
  d.code = code;
  d.message = std::move(message);
  d.place = {file_, as_line(line), line > 0 ? 1 : 0};
  d.help = std::move(help);
  found_.push_back(std::move(d));
  if (found_.size() >= max_mistakes) throw_if_any();
}

void Mistakes::give_up(const char* code, std::string message, std::string help) {
  found_.clear();
  add(0, code, std::move(message), std::move(help));
  throw ScenarioError(std::move(found_));
}

void Mistakes::too_long(std::uint64_t line, const std::string& help) {
  add(line, "E0404", "a line of more than 65536 bytes", help);
  throw ScenarioError(std::move(found_));
}

void Mistakes::throw_if_any() {
  if (!found_.empty()) throw ScenarioError(std::move(found_));
}

void count_unusable(JobLog& log, const char* reason, std::uint64_t line) {
  auto found = std::find_if(log.unusable.begin(), log.unusable.end(),
                            [&](const Unusable& u) { return u.reason == reason; });
  if (found == log.unusable.end()) found = log.unusable.insert(found, {reason, 0, {}});
  ++found->rows;
  if (found->first_lines.size() < 5) found->first_lines.push_back(line);
}

void count_from_first_submission(JobLog& log) {
  if (log.jobs.empty()) return;
  const auto earlier = [](const LogJob& a, const LogJob& b) { return a.submit_s < b.submit_s; };
  log.unix_start_time = std::min_element(log.jobs.begin(), log.jobs.end(), earlier)->submit_s;
  for (LogJob& job : log.jobs) job.submit_s -= log.unix_start_time;
}

}  // namespace natgpu::workload
