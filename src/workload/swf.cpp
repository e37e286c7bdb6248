// SPDX-License-Identifier: Apache-2.0
// The reader of the Standard Workload Format: one pass over the bytes, no copy of a line, no allocation a row.
#include <natgpu/workload/swf.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

#include "text_source.hpp"

namespace natgpu::workload {
namespace {

// Bytes; logs have under 200 a line, so a longer one is another format.
constexpr std::size_t line_limit = std::size_t{64} << 10;
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t max_errors = 20;                // a wrong file would else print a million
constexpr std::int64_t max_seconds = 10'000'000'000;  // 317 years; the latest date in use is about 1.8e9
constexpr std::size_t field_count = 18;

enum class Use : std::uint8_t { ignored, whole, seconds };
struct FieldRule {
  const char* name;
  Use use;
};
constexpr std::array<FieldRule, field_count> field_rules{{{"job number", Use::whole},
                                                          {"submit time", Use::seconds},
                                                          {"wait time", Use::ignored},
                                                          {"run time", Use::seconds},
                                                          {"allocated processors", Use::whole},
                                                          {"average CPU time", Use::ignored},
                                                          {"used memory", Use::ignored},
                                                          {"requested processors", Use::whole},
                                                          {"requested time", Use::seconds},
                                                          {"requested memory", Use::ignored},
                                                          {"status", Use::ignored},
                                                          {"user", Use::whole},
                                                          {"group", Use::whole},
                                                          {"executable", Use::ignored},
                                                          {"queue", Use::whole},
                                                          {"partition", Use::ignored},
                                                          {"preceding job", Use::ignored},
                                                          {"think time", Use::ignored}}};
enum FieldIndex : std::size_t {
  job = 0,
  submit = 1,
  run = 3,
  allocated = 4,
  asked = 7,
  limit = 8,
  user = 11,
  group = 12,
  queue = 14
};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool ends_field(char c) {
  return is_blank(c) || c == '\n' || c == '\r';
}
bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}  // UTF-8
bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}
const char* skip_blanks(const char* p) {
  while (is_blank(*p)) ++p;
  return p;
}

/// What is wrong with a row, and where.
struct Mistake {
  const char* at;
  const char* code;
  std::string message, help;
};

class SwfReader {
 public:
  SwfReader(const std::string& file, std::int64_t gpus) : source_(file), gpus_(gpus) {
    log_.file = file;
    // A row is seldom shorter; for gzip the size is unknown and the vector grows by itself.
    if (source_.plain()) log_.jobs.reserve(source_.file_bytes() / 80);
  }

  JobLog read() {
    std::vector<char> buffer(chunk_bytes + 1);  // one more for the line break that closes the last line
    std::size_t kept = 0;
    for (bool more = true; more;) {
      const std::size_t got = source_.read(buffer.data() + kept, chunk_bytes - kept);
      log_.bytes += got;
      std::size_t filled = kept + got;
      more = got > 0;
      if (!more && filled > 0) buffer[filled++] = '\n';
      const char* const begin = buffer.data();
      const char* end = begin + filled;
      while (end > begin && end[-1] != '\n') --end;
      lines(begin, end);
      kept = static_cast<std::size_t>(begin + filled - end);
      if (kept > line_limit) too_long(log_.lines + 1);
      std::memmove(buffer.data(), end, kept);
    }
    if (!errors_.empty()) throw ScenarioError(std::move(errors_));
    return std::move(log_);
  }

 private:
  void lines(const char* p, const char* end) {
    while (p < end) {
      ++log_.lines;
      p = line(p, end);
    }
  }

  /// @returns the start of the next line
  const char* line(const char* begin, const char* end) {
    const char* p = skip_blanks(begin);
    if (*p == ';' || *p == '\n' || *p == '\r') return other_line(begin, p, end);
    seen_row_ = true;
    const char* next = row(begin, p);
    if (next != nullptr && static_cast<std::size_t>(next - begin) <= line_limit + 1) return next;
    next = static_cast<const char*>(std::memchr(begin, '\n', static_cast<std::size_t>(end - begin))) + 1;
    if (static_cast<std::size_t>(next - begin) > line_limit + 1) too_long(log_.lines);
    return next;
  }

  /// A comment or an empty line.
  const char* other_line(const char* begin, const char* p, const char* end) {
    const char* stop = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    const auto length = static_cast<std::size_t>(stop - begin);
    if (length > line_limit) too_long(log_.lines);
    if (const void* nul = std::memchr(begin, '\0', length))
      report(begin, {static_cast<const char*>(nul), "E0404", "a NUL byte",
                     "SWF is plain text; is this another file?"});
    if (*p == ';' && !seen_row_) header({p + 1, static_cast<std::size_t>(stop - p - 1)});
    if (*p == '\r' && p + 1 != stop)
      report(begin, {p, "E0402", "a carriage return inside a line", "end lines with LF or CR LF"});
    return stop + 1;
  }

  /// `; Key: value` before the first row. A value that is no positive number leaves the key unstated.
  void header(std::string_view text) {
    const auto value_of = [&](std::string_view key, std::int64_t& value) {
      const std::size_t from = text.find_first_not_of(" \t;");
      if (from == std::string_view::npos || text.substr(from, key.size()) != key) return;
      std::string_view rest = text.substr(from + key.size());
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      std::int64_t number = 0;
      std::size_t digits = 0;
      while (digits < rest.size() && digits < 18 && is_digit(rest[digits]))
        number = number * 10 + (rest[digits++] - '0');
      if (digits > 0 && digits < 18) value = number;
    };
    value_of("MaxProcs:", max_procs_);
    value_of("MaxNodes:", max_nodes_);
    value_of("UnixStartTime:", log_.unix_start_time);
    log_.max_procs = max_procs_ > 0 ? max_procs_ : max_nodes_;
  }

  /// Scans 18 numbers. @returns the start of the next line, or null after reporting a mistake
  const char* row(const char* begin, const char* p) {
    std::array<std::int64_t, field_count> value;
    std::uint64_t fractions = 0;
    for (std::size_t i = 0; i < field_count; ++i) {
      p = skip_blanks(p);
      const char* const start = p;
      const bool negative = *p == '-';
      p += negative ? 1 : 0;
      const char* const digits = p;
      std::uint64_t number = 0;
      for (; is_digit(*p); ++p) number = number * 10 + static_cast<std::uint64_t>(*p - '0');
      const bool is_number = p > digits;
      const bool fits = p - digits <= 18;  // below 2^63
      if (is_number && *p == '.') p = fraction(p, fractions, field_rules[i].use);
      if (!is_number || !ends_field(*p)) return bad_field(begin, start, p, i);
      if (!fits && field_rules[i].use != Use::ignored) return out_of_range(begin, start, i);
      value[i] = negative ? -static_cast<std::int64_t>(number) : static_cast<std::int64_t>(number);
    }
    p = skip_blanks(p);
    if (*p == '\r') ++p;
    if (*p != '\n') return report(begin, {p, "E0403", "more than 18 fields", "an SWF row has 18 numbers"});
    log_.fractions_dropped += fractions;
    return accept(begin, value) ? p + 1 : nullptr;
  }

  /// Digits after a decimal point. Zeros say nothing; others are dropped from seconds and counted.
  const char* fraction(const char* point, std::uint64_t& dropped, Use use) {
    const char* p = point + 1;
    bool zero = true;
    for (; is_digit(*p); ++p) zero = zero && *p == '0';
    if (p == point + 1) return point;              // "5." is no number
    if (!zero && use == Use::whole) return point;  // half a processor
    if (!zero && use == Use::seconds) ++dropped;
    return p;
  }

  bool accept(const char* begin, const std::array<std::int64_t, field_count>& v) {
    for (const std::size_t i : {submit, run, limit})
      if (v[i] > max_seconds || v[i] < -max_seconds)
        return out_of_range(begin, nth_field(begin, i), i) != nullptr;
    for (const std::size_t i : {allocated, asked, user, group, queue})
      if (v[i] > std::numeric_limits<std::int32_t>::max() || v[i] < std::numeric_limits<std::int32_t>::min())
        return out_of_range(begin, nth_field(begin, i), i) != nullptr;
    const std::int64_t machine = gpus_ > 0 ? gpus_ : log_.max_procs;
    const std::int64_t gpus = v[asked] > 0 ? v[asked] : v[allocated];
    if (v[run] < 1)
      unusable(0);
    else if (gpus < 1)
      unusable(1);
    else if (machine > 0 && gpus > machine)
      unusable(2);
    else if (v[submit] < 0)
      unusable(3);
    else
      log_.jobs.push_back({v[job], v[submit], v[run], v[limit] > 0 ? v[limit] : v[run],
                           static_cast<std::int32_t>(gpus), static_cast<std::int32_t>(v[user]),
                           static_cast<std::int32_t>(v[group]), static_cast<std::int32_t>(v[queue])});
    return true;
  }

  void unusable(std::size_t reason) {
    static constexpr std::array<const char*, 4> reasons{"run time below 1 s", "no processors",
                                                        "more processors than the machine has",
                                                        "negative submit time"};
    auto found = std::find_if(log_.unusable.begin(), log_.unusable.end(),
                              [&](const Unusable& u) { return u.reason == reasons[reason]; });
    if (found == log_.unusable.end()) found = log_.unusable.insert(found, {reasons[reason], 0, {}});
    ++found->rows;
    if (found->first_lines.size() < 5) found->first_lines.push_back(log_.lines);
  }

  static const char* nth_field(const char* line, std::size_t index) {
    const char* p = skip_blanks(line);
    for (; index > 0; --index) {
      while (!ends_field(*p)) ++p;
      p = skip_blanks(p);
    }
    return p;
  }

  const char* bad_field(const char* begin, const char* start, const char* stop, std::size_t index) {
    if (*start == '\n' || *start == '\r')
      return report(begin, {start, "E0403",
                            fmt::format("{} fields where SWF has 18; `{}` is the first missing", index,
                                        field_rules[index].name),
                            "fill what is unknown with -1"});
    if (*stop == '\0')
      return report(begin, {stop, "E0404", "a NUL byte", "SWF is plain text; is this another file?"});
    const bool whole = field_rules[index].use == Use::whole && *stop == '.';
    return report(begin, {start, "E0402",
                          fmt::format("field {} ({}): expected a {}", index + 1, field_rules[index].name,
                                      whole ? "whole number" : "number"),
                          "an SWF row has 18 numbers, -1 for unknown; comments start with `;`"});
  }

  const char* out_of_range(const char* begin, const char* at, std::size_t index) {
    const bool time = field_rules[index].use == Use::seconds;
    return report(
        begin, {at, "E0405", fmt::format("field {} ({}): out of range", index + 1, field_rules[index].name),
                time ? "times are seconds within 317 years" : "the largest whole number is 2147483647"});
  }

  [[noreturn]] void too_long(std::uint64_t line) {
    Diagnostic d;
    d.code = "E0404";
    d.message = "a line of more than 65536 bytes";
    d.place = {log_.file, as_line(line), 1};
    d.help = "SWF rows are short; is this another format?";
    errors_.push_back(std::move(d));
    throw ScenarioError(std::move(errors_));
  }

  static int as_line(std::uint64_t line) {
    return static_cast<int>(std::min<std::uint64_t>(line, std::numeric_limits<int>::max()));
  }

  /// @returns null, for the caller to pass on
  const char* report(const char* begin, Mistake mistake) {
    const char* end = begin;
    while (*end != '\n' && *end != '\r') ++end;
    Diagnostic d;
    d.code = mistake.code;
    d.message = std::move(mistake.message);
    d.help = std::move(mistake.help);
    d.place = {log_.file, as_line(log_.lines),
               static_cast<int>(std::count_if(begin, mistake.at, starts_character)) + 1};
    if (mistake.at - begin <= 160)
      for (const char* c = begin; c < end && c - begin < 160;
           ++c)  // one cell a character, and no escape sequence
        if (starts_character(*c)) d.source_line += *c == '\t' ? ' ' : (*c < ' ' || *c > '~') ? '?' : *c;
    const char* token = mistake.at;
    while (token < end && !is_blank(*token)) ++token;
    d.caret_width = std::max(1, static_cast<int>(std::min<std::ptrdiff_t>(token - mistake.at, 40)));
    errors_.push_back(std::move(d));
    if (errors_.size() >= max_errors) throw ScenarioError(std::move(errors_));
    return nullptr;
  }

  TextSource source_;
  std::int64_t gpus_;
  JobLog log_;
  std::int64_t max_procs_ = 0, max_nodes_ = 0;
  bool seen_row_ = false;
  std::vector<Diagnostic> errors_;
};

}  // namespace

JobLog read_swf(const std::string& file, std::int64_t gpus) {
  return SwfReader(file, gpus).read();
}

}  // namespace natgpu::workload
