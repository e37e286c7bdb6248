// SPDX-License-Identifier: Apache-2.0
// The reader of the Standard Workload Format: one pass over the bytes, no copy of a line, no allocation a
// row.
#include <natgpu/workload/swf.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mistakes.hpp"
#include "text_source.hpp"

namespace natgpu::workload {
namespace {

constexpr std::size_t field_count = 18;
constexpr std::size_t hopeless_rows = 2;      // of words, and none that is right: a file of another kind
constexpr std::size_t max_names = 1'000'000;  // a number beyond is no place in a list

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
  status = 10,
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
bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}
const char* skip_blanks(const char* p) {
  while (is_blank(*p)) ++p;
  return p;
}

class SwfReader {
 public:
  SwfReader(const std::string& file, std::int64_t gpus) : source_(file), gpus_(gpus), mistakes_(file) {
    log_.file = file;
    log_.format = "swf";
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
    mistakes_.throw_if_any();
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
    good_row_ |= next != nullptr;
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
    if (*p == ';' && !seen_row_) {
      header({p + 1, static_cast<std::size_t>(stop - p - 1)});
      log_.header.append(p, static_cast<std::size_t>((stop > p && stop[-1] == '\r' ? stop - 1 : stop) - p));
      log_.header += '\n';
    }
    if (*p == '\r' && p + 1 != stop)
      report(begin, {p, "E0402", "a carriage return inside a line", "end lines with LF or CR LF"});
    return stop + 1;
  }

  /// `; Key: value` before the first row. A value that is no positive number leaves the key unstated.
  void header(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t;"), text.size()));
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view key = text.substr(0, colon);
    std::string_view value = text.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < value.size() && digits < 18 && is_digit(value[digits]))
      number = number * 10 + (value[digits++] - '0');
    if (digits == 0 || digits >= 18) return;
    for (const auto& [name, target] : {std::pair{"MaxProcs", &max_procs_},
                                       {"MaxNodes", &max_nodes_},
                                       {"UnixStartTime", &log_.unix_start_time}})
      if (key == name) *target = number;
    log_.max_procs = max_procs_ > 0 ? max_procs_ : max_nodes_;
    value.remove_prefix(digits);
    for (const auto& [name, names] :
         {std::pair{"Queue", &log_.queues}, {"Group", &log_.groups}, {"User", &log_.users}})
      if (key == name) keep_name(*names, number, value);
  }

  /// `; Queue: 3 normal`: the numbers come in ascending order, or the later ones are not kept.
  static void keep_name(Texts& names, std::int64_t number, std::string_view name) {
    const auto place = static_cast<std::size_t>(number);
    name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
    name = name.substr(0, name.find_last_not_of(" \t\r") + 1);
    if (name.empty() || place < names.size() || place > max_names) return;
    while (names.size() < place) names.add({});
    names.add(name);
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
    const char* reason = v[run] < 1                      ? "run time below 1 s"
                         : gpus < 1                      ? "no processors"
                         : machine > 0 && gpus > machine ? "more processors than the machine has"
                         : v[submit] < 0                 ? "negative submit time"
                                                         : nullptr;
    if (reason != nullptr) {
      count_unusable(log_, reason, log_.lines);
      return true;
    }
    LogJob& added = log_.jobs.emplace_back();
    added.id = v[job];
    added.submit_s = v[submit];
    added.run_s = v[run];
    added.requested_s = v[limit] > 0 ? v[limit] : v[run];
    added.gpus = static_cast<std::int32_t>(gpus);
    added.user = static_cast<std::int32_t>(v[user]);
    added.group = static_cast<std::int32_t>(v[group]);
    added.queue = static_cast<std::int32_t>(v[queue]);
    added.status = status_of(v[status]);
    log_.without_request += v[limit] > 0 ? 0 : 1;
    return true;
  }

  /// 2, 3 and 4 are parts of a checkpointed job: how the whole ended is not in their row.
  static LogStatus status_of(std::int64_t code) {
    for (const LogStatus s : {LogStatus::failed, LogStatus::completed, LogStatus::cancelled})
      if (code == static_cast<std::int64_t>(s)) return s;
    return LogStatus::unknown;
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
    mistakes_.too_long(line, "SWF rows are short; is this another format?");
  }

  /// @returns null, for the caller to pass on
  const char* report(const char* begin, Mistake mistake) {
    const char* stop = mistake.at;
    while (!ends_field(*stop)) ++stop;
    const bool from_the_start = mistake.at == skip_blanks(begin);
    if (!good_row_ && from_the_start && ++bad_rows_ > hopeless_rows)
      mistakes_.give_up("E0404", "this is no SWF log: its first rows do not even begin with a number",
                        "other logs need --format; `natgpu trace formats` lists them");
    mistakes_.add(log_.lines, begin, stop, std::move(mistake));
    return nullptr;
  }

  TextSource source_;
  std::int64_t gpus_;
  JobLog log_;
  std::int64_t max_procs_ = 0, max_nodes_ = 0;
  bool seen_row_ = false, good_row_ = false;
  std::size_t bad_rows_ = 0;
  Mistakes mistakes_;
};

}  // namespace

JobLog read_swf(const std::string& file, std::int64_t gpus) {
  return SwfReader(file, gpus).read();
}

}  // namespace natgpu::workload
