// SPDX-License-Identifier: Apache-2.0
// Philly's cluster_job_log: a JSON array, taken event by event.
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/trace.hpp>

#include "interner.hpp"
#include "log_value.hpp"
#include "mistakes.hpp"
#include "row_values.hpp"
#include "text_source.hpp"

namespace natgpu::workload {
namespace {

/// Bytes of one text or number, and nested structures: beyond, this is no job log.
constexpr std::uint64_t most_of_a_token = std::uint64_t{1} << 20;
constexpr int most_nested = 64;
constexpr const char* what_to_do =
    "the file is an array of jobs as msr-fiddle/philly-traces describes it; fetch it again";

/// The bytes of the file, and where in it they stand.
class Feed {
 public:
  Feed(const std::string& file, Mistakes& mistakes)
      : source_(file), mistakes_(mistakes), buffer_(chunk_bytes) {
    refill();
  }

  bool ended() const { return p_ == end_; }
  char peek() const { return *p_; }
  /// @throws ScenarioError E0401, E0406; E0404 where a token is too long  @pre !ended()
  void step() {
    if (*p_ == '\n') ++line_;
    if (++bytes_ > token_ + most_of_a_token)
      mistakes_.give_up("E0404", fmt::format("one text of more than {} bytes", most_of_a_token), what_to_do);
    if (++p_ == end_) refill();
  }
  /// A token is out: memory is not to follow what a damaged file says.
  void begin_token() { token_ = bytes_; }
  std::uint64_t line() const { return line_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void refill() {
    const std::size_t got = source_.read(buffer_.data(), buffer_.size());
    p_ = buffer_.data();
    end_ = p_ + got;
  }

  TextSource source_;
  Mistakes& mistakes_;
  std::vector<char> buffer_;
  const char *p_ = nullptr, *end_ = nullptr;
  std::uint64_t line_ = 1, bytes_ = 0, token_ = 0;
};

/// What sax_parse reads from. A default one is the end.
class Bytes {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  Bytes() = default;
  explicit Bytes(Feed& feed) : feed_(&feed) {}
  char operator*() const { return feed_->peek(); }
  Bytes& operator++() {
    feed_->step();
    return *this;
  }
  Bytes operator++(int) {
    const Bytes before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.ended() == b.ended(); }
  friend bool operator!=(const Bytes& a, const Bytes& b) { return !(a == b); }

 private:
  bool ended() const { return feed_ == nullptr || feed_->ended(); }
  Feed* feed_ = nullptr;
};

/// The structures that count, from the outside in.
enum Level : int { outside, log_level, job_level, attempts, attempt, machines, machine, gpus_level };
struct Structure {
  std::string_view key;  ///< under which it stands; empty: in an array
  bool array;
};
/// By the level around it.
constexpr std::array<Structure, 7> inside{{{"", true},
                                           {"", false},
                                           {"attempts", true},
                                           {"", false},
                                           {"detail", true},
                                           {"", false},
                                           {"gpus", true}}};

struct Attempt {
  std::optional<std::int64_t> start, end;
  std::int64_t gpus = 0, machines = 0, of_first_machine = 0;
  bool even = true;
  std::int64_t nodes() const { return even && machines > 0 ? machines : -1; }
};

struct PhillyJob {
  std::uint64_t line = 0;
  std::string id, user, group, status;
  std::optional<std::int64_t> submit;
  bool says_submit = false, says_attempts = false, wrong = false;
  std::int64_t attempts = 0, gpus = 0, nodes = -1, run = 0;
  bool started = false, ended = false, incomplete = false, reversed = false, resized = false;
};

class PhillyReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  PhillyReader(const std::string& file, const ReadOptions& options)
      : options_(options), mistakes_(file), feed_(file, mistakes_) {
    log_.file = file;
    log_.format = "philly-json";
  }

  JobLog read() {
    nlohmann::json::sax_parse(Bytes(feed_), Bytes(), this);
    mistakes_.throw_if_any();
    log_.lines = feed_.line();
    log_.bytes = feed_.bytes();
    count_from_first_submission(log_);
    return std::move(log_);
  }

  // --- what the parser tells

  bool null() override { return scalar(std::nullopt); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return scalar(fmt::format("{}", value)); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text); }
  bool string(string_t& value) override { return scalar(value); }
  bool binary(binary_t&) override { return scalar(std::nullopt); }
  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    key_ = value;
    return go_on();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
    std::string_view what = e.what();
    const std::size_t place = what.find(": ");
    if (place != std::string_view::npos) what.remove_prefix(place + 2);
    mistakes_.add(feed_.line(), "E0413", printable(std::string(what.substr(0, 200))), what_to_do);
    return false;
  }

 private:
  // --- structure

  bool open(bool array) {
    if (ignored_ > 0 || level_ == gpus_level) return ignore();
    const Structure& expected = inside[static_cast<std::size_t>(level_)];
    if (expected.key != key_in_object()) return is_scalar_key() ? misplaced() && ignore() : ignore();
    if (expected.array != array) return misplaced() && ignore();
    level_ = static_cast<Level>(level_ + 1);
    switch (level_) {
      case job_level:
        job_ = {};
        job_.line = feed_.line();
        break;
      case attempts:
        job_.says_attempts = true;
        break;
      case attempt:
        attempt_ = {};
        break;
      case machine:
        of_machine_ = 0;
        break;
      default:
        break;
    }
    return go_on();
  }
  bool close() {
    if (ignored_ > 0) {
      --ignored_;
      return go_on();
    }
    if (level_ == machine) end_machine();
    if (level_ == attempt) end_attempt();
    if (level_ == job_level) end_job();
    level_ = static_cast<Level>(level_ - 1);
    return go_on();
  }
  bool ignore() {
    if (++ignored_ > most_nested)
      mistakes_.give_up("E0413", fmt::format("more than {} structures inside each other", most_nested),
                        what_to_do);
    return go_on();
  }
  bool is_object() const { return level_ == job_level || level_ == attempt || level_ == machine; }
  std::string_view key_in_object() const { return is_object() ? std::string_view(key_) : std::string_view(); }
  bool is_scalar_key() const {
    for (const char* name : {"status", "vc", "jobid", "user", "submitted_time"})
      if (level_ == job_level && key_ == name) return true;
    return level_ == attempt && (key_ == "start_time" || key_ == "end_time");
  }
  /// Something stands where something else should. @returns true
  bool misplaced() {
    static constexpr std::array<const char*, 8> where{"the file",    "the log",  "the job",     "`attempts`",
                                                      "the attempt", "`detail`", "the machine", "`gpus`"};
    const Structure* expected = level_ == gpus_level ? nullptr : &inside[static_cast<std::size_t>(level_)];
    const bool of_key = is_object();
    const char* what = expected == nullptr || (of_key && key_ != expected->key) ? "a text"
                       : expected->array                                        ? "an array"
                                                                                : "an object";
    mistakes_.add(feed_.line(), "E0413",
                  fmt::format("{}{}: {} is expected", where[static_cast<std::size_t>(level_)],
                              of_key ? fmt::format(", `{}`", printable(key_)) : "", what),
                  what_to_do);
    job_.wrong = true;
    return true;
  }
  bool go_on() {
    feed_.begin_token();
    return true;
  }

  // --- values

  bool scalar(std::optional<std::string> text) {
    if (ignored_ == 0) {
      if (level_ == gpus_level)
        ++of_machine_;
      else if (is_scalar_key())
        keep(text);
      else if (!is_object() || (text && key_ == inside[static_cast<std::size_t>(level_)].key))
        misplaced();
      else if (level_ == job_level && key_ == "attempts")
        job_.says_attempts = true;  // null
    }
    return go_on();
  }
  void keep(const std::optional<std::string>& text) {
    const std::string value = text ? std::string(without_blanks(*text)) : std::string();
    if (key_ == "status") job_.status = value;
    if (key_ == "vc") job_.group = value;
    if (key_ == "jobid") job_.id = value;
    if (key_ == "user") job_.user = value;
    if (key_ == "submitted_time") job_.says_submit = true;
    if (key_ == "submitted_time") job_.submit = instant(value);
    if (key_ == "start_time") attempt_.start = instant(value);
    if (key_ == "end_time") attempt_.end = instant(value);
  }
  /// Seconds since 1970; none where the log has none, or after reporting a mistake.
  std::optional<std::int64_t> instant(const std::string& text) {
    if (is_missing(text)) return std::nullopt;
    Decimal value;
    const Read result = read_datetime(text, value);
    const bool beyond = value.whole > max_seconds || value.whole < -max_seconds;
    if (result != Read::ok || beyond) {
      mistakes_.add(feed_.line(), result == Read::not_understood ? "E0402" : "E0405",
                    fmt::format("`{}`: `{}` {}", key_, printable(text.substr(0, 60)),
                                result == Read::not_understood ? "is no date" : "is out of range"),
                    "dates are written 2017-09-04 10:30:41; null, None or an empty text where there is none");
      job_.wrong = true;
      return std::nullopt;
    }
    log_.fractions_dropped += value.micros != 0 ? 1 : 0;
    return value.whole;
  }

  // --- jobs

  void end_machine() {
    if (attempt_.machines++ == 0) attempt_.of_first_machine = of_machine_;
    attempt_.even = attempt_.even && of_machine_ == attempt_.of_first_machine;
    attempt_.gpus += of_machine_;
  }
  void end_attempt() {
    if (job_.attempts++ == 0) {
      job_.gpus = attempt_.gpus;
      job_.nodes = attempt_.nodes();
    }
    job_.resized = job_.resized || attempt_.gpus != job_.gpus;
    job_.started = job_.started || attempt_.start.has_value();
    job_.ended = attempt_.end.has_value();
    if (!attempt_.start || !attempt_.end) {
      job_.incomplete = true;
    } else if (*attempt_.end < *attempt_.start) {
      job_.reversed = true;
    } else {
      job_.run += *attempt_.end - *attempt_.start;
    }
  }
  void end_job() {
    ++rows_;
    for (const auto& [says, name] :
         {std::pair{job_.says_submit, "submitted_time"}, std::pair{job_.says_attempts, "attempts"}})
      if (!says && !job_.wrong)
        mistakes_.add(job_.line, "E0409", fmt::format("the job has no `{}`", name), what_to_do);
    if (job_.wrong || !job_.says_submit || !job_.says_attempts) return;
    if (const char* reason = unusable())
      count_unusable(log_, reason, job_.line);
    else
      add_job();
  }
  /// Null where the job can be used.
  const char* unusable() const {
    if (!job_.submit) return "no submit time";
    if (*job_.submit < 0) return "negative submit time";
    if (job_.attempts == 0) return "never started";
    if (job_.gpus < 1) return "no GPUs";
    if (job_.gpus > most_gpus()) return "more GPUs than the machine has";
    if (options_.keep_all_requests) return nullptr;
    if (!job_.started) return "never started";
    if (!job_.ended) return "no end time";
    if (job_.incomplete) return "an attempt without its start or end";
    if (job_.reversed) return "an attempt ends before it starts";
    return job_.run < 1 ? "run time below 1 s" : nullptr;
  }
  std::int64_t most_gpus() const {
    return options_.gpus > 0 ? options_.gpus : std::numeric_limits<std::int32_t>::max();
  }
  void add_job() {
    LogJob& job = log_.jobs.emplace_back();
    job.id = static_cast<std::int64_t>(log_.ids.size());
    log_.ids.add(job_.id.empty() ? fmt::format("{}", rows_) : job_.id);
    job.submit_s = *job_.submit;
    job.run_s = job.requested_s = std::min(job_.run, max_seconds);
    job.gpus = static_cast<std::int32_t>(job_.gpus);
    job.nodes = job_.nodes > most_types ? std::int16_t{-1} : static_cast<std::int16_t>(job_.nodes);
    job.status = status_of(job_.status);
    if (!is_missing(job_.user)) job.user = users_.number_of(job_.user);
    if (!is_missing(job_.group)) job.group = groups_.number_of(job_.group);
    ++log_.without_request;
    log_.retried += job_.attempts > 1 ? 1 : 0;
    log_.resized += job_.resized ? 1 : 0;
  }

  const ReadOptions& options_;
  Mistakes mistakes_;
  Feed feed_;
  JobLog log_;
  Interner users_{log_.users}, groups_{log_.groups};
  Level level_ = outside;
  int ignored_ = 0;  ///< structures that do not count, inside each other
  std::string key_;
  PhillyJob job_;
  Attempt attempt_;
  std::int64_t of_machine_ = 0, rows_ = 0;
};

}  // namespace

JobLog read_philly_json(const std::string& file, const ReadOptions& options) {
  return PhillyReader(file, options).read();
}

}  // namespace natgpu::workload
