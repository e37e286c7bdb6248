// SPDX-License-Identifier: Apache-2.0
// Rows of a CSV job log to jobs, by a column map.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <natgpu/workload/trace.hpp>

#include "column_binding.hpp"
#include "csv_reader.hpp"
#include "interner.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

constexpr std::int64_t whole_gpu = 1000;  // thousandths
constexpr std::int64_t most_32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t most_gpus = most_32 * whole_gpu;
constexpr std::int64_t most_16 = std::numeric_limits<std::int16_t>::max();
constexpr std::int64_t most_number = 999'999'999'999'999'999;  // 18 digits

/// Largest size of a value by kind, in seconds, thousandths, MiB or a number.
constexpr std::array<std::int64_t, 8> most_of_kind{max_seconds, max_seconds, most_gpus,   most_32,
                                                   most_32,     most_16,     most_number, most_16};

/// How the logs put it, in lower case. Whatever else they say (Running, Pending) leaves the end unknown.
struct StatusWord {
  std::string_view word;
  LogStatus status;
};
constexpr std::array<StatusWord, 14> status_words{{{"completed", LogStatus::completed},
                                                   {"terminated", LogStatus::completed},
                                                   {"succeeded", LogStatus::completed},
                                                   {"success", LogStatus::completed},
                                                   {"pass", LogStatus::completed},
                                                   {"failed", LogStatus::failed},
                                                   {"timeout", LogStatus::failed},
                                                   {"node_fail", LogStatus::failed},
                                                   {"out_of_memory", LogStatus::failed},
                                                   {"error", LogStatus::failed},
                                                   {"cancelled", LogStatus::cancelled},
                                                   {"canceled", LogStatus::cancelled},
                                                   {"killed", LogStatus::cancelled},
                                                   {"stopped", LogStatus::cancelled}}};

std::int64_t most_of(UnitKind kind) {
  return most_of_kind[static_cast<std::size_t>(kind)];
}

bool same_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

LogStatus status_of(std::string_view text) {
  for (const StatusWord& w : status_words)
    if (same_word(text, w.word)) return w.status;
  return LogStatus::unknown;
}

class CsvLogReader {
 public:
  CsvLogReader(const std::string& file, const ColumnMap& map, const ReadOptions& options)
      : map_(map), options_(options), mistakes_(file), csv_(file, mistakes_) {
    log_.file = file;
    log_.format = map.name;
    // A row is seldom shorter; for gzip the size is unknown and the vector grows by itself.
    if (csv_.plain()) log_.jobs.reserve(csv_.file_bytes() / 100);
  }

  JobLog read() {
    if (csv_.next()) {
      bind();
      if (binding_.first_is_data) row();
      while (csv_.next()) row();
    }
    mistakes_.throw_if_any();
    log_.lines = csv_.lines_read();
    log_.bytes = csv_.bytes_read();
    count_from_first_submission();
    return std::move(log_);
  }

 private:
  static std::size_t at(LogField field) { return static_cast<std::size_t>(field); }
  bool has(LogField field) const { return (present_ >> at(field) & 1U) != 0; }
  std::int64_t value(LogField field) const { return values_[at(field)]; }
  std::int64_t value_or(LogField field, std::int64_t otherwise) const {
    return has(field) ? value(field) : otherwise;
  }
  std::int64_t nodes() const { return value(LogField::nodes); }
  std::int64_t gpus() const {
    return nodes() < 1 ? 0 : (std::max<std::int64_t>(value(LogField::gpus), 0) + whole_gpu - 1) / whole_gpu;
  }

  void row() {
    ++rows_;
    if (csv_.fields() != binding_.columns) {
      csv_.mistake(binding_.columns, "E0403",
                   fmt::format("{} fields where the first line has {}", csv_.fields(), binding_.columns),
                   "a field that holds a comma needs quotes");
      return;
    }
    present_ = 0;
    values_[at(LogField::nodes)] = 1;
    values_[at(LogField::gpus)] = 0;
    for (const Bound& bound : binding_.bounds)
      if (!read_value(bound)) return;
    for (const Bound& bound : binding_.bounds)
      if (bound.per_node && !multiply(bound)) return;
    if (const char* reason = unusable())
      count_unusable(log_, reason, csv_.line());
    else
      add_job();
  }

  void bind() {
    binding_ = bind_columns(map_, csv_, mistakes_);
    for (const Bound& bound : binding_.bounds) mapped_ |= 1U << at(bound.field);
  }

  /// What stands for one node becomes what stands for all. GPUs are rounded up node by node.
  bool multiply(const Bound& bound) {
    std::int64_t& value = values_[at(bound.field)];
    if (!has(bound.field) || nodes() < 1) return true;
    if (bound.field == LogField::gpus) value = (value + whole_gpu - 1) / whole_gpu * whole_gpu;
    if (value > most_of(bound.unit->kind) / nodes()) return wrong(bound, "E0405", "out of range");
    value *= nodes();
    return true;
  }

  /// Reads a field into values_. @returns false after reporting a mistake
  bool read_value(const Bound& bound) {
    const std::string_view text = without_blanks(csv_.text(bound.column));
    if (is_missing(text)) return true;
    std::int64_t& value = values_[at(bound.field)];
    const Read result = read_form(*bound.unit, text, value);
    if (result == Read::not_understood) return wrong(bound, "E0402", "cannot be read");
    const std::int64_t most = bound.field == LogField::gpu_share ? whole_gpu
                              : bound.unit->kind == UnitKind::label && bound.field != LogField::id
                                  ? most_32
                                  : most_of(bound.unit->kind);
    if (result == Read::out_of_range || value > most || value < -most)
      return wrong(bound, "E0405", "out of range");
    present_ |= 1U << at(bound.field);
    if (bound.field == LogField::gpus) share_ = std::min(value, whole_gpu);
    return true;
  }

  Read read_form(const LogUnit& unit, std::string_view text, std::int64_t& value) {
    Decimal number;
    bool fraction = false;
    switch (unit.form) {
      case LogUnit::Form::name:
        value = 0;
        return Read::ok;  // numbered once the row is known to be used
      case LogUnit::Form::word:
        value = static_cast<std::int64_t>(status_of(text));
        return Read::ok;
      case LogUnit::Form::number:
        if (const Read r = read_decimal(text, number); r != Read::ok) return r;
        value = number.whole;
        return number.micros == 0 ? Read::ok : Read::not_understood;
      case LogUnit::Form::datetime:
        if (const Read r = read_datetime(text, number); r != Read::ok) return r;
        break;
      case LogUnit::Form::scaled:
        if (const Read r = read_decimal(text, number); r != Read::ok) return r;
        break;
    }
    const bool time = unit.kind == UnitKind::instant || unit.kind == UnitKind::span;
    if (time ? !scaled_down(number, unit.numerator, unit.denominator, value, fraction)
             : !scaled(number, unit.numerator, unit.denominator, value))
      return Read::out_of_range;
    log_.fractions_dropped += fraction ? 1 : 0;
    return Read::ok;
  }

  bool wrong(const Bound& bound, const char* code, const char* what) {
    const LogFieldRow& field = row_of(bound.field);
    const bool date = bound.unit->form == LogUnit::Form::datetime;
    csv_.mistake(bound.column, code, fmt::format("{} ({}): {}", field.name, bound.unit->name, what),
                 date ? "dates are written 2017-09-04 10:30:41, with Z or an offset where they have one"
                      : "numbers are written 12 or 12.5; leave unknown values empty");
    return false;
  }

  bool mapped(LogField field) const { return (mapped_ >> at(field) & 1U) != 0; }

  /// Null where the row can be used.
  const char* unusable() const {
    if (!has(LogField::submit)) return "no submit time";
    if (value(LogField::submit) < 0) return "negative submit time";
    if (options_.gpus > 0 && gpus() > options_.gpus) return "more GPUs than the machine has";
    if (options_.keep_all_requests) return nullptr;
    if (gpus() < 1) return "no GPUs";
    if (mapped(LogField::run)) return !has(LogField::run) ? "no run time" : too_short();
    if (!has(LogField::start)) return "never started";
    return !has(LogField::end) ? "no end time" : too_short();
  }
  const char* too_short() const { return run_s() < 1 ? "run time below 1 s" : nullptr; }
  std::int64_t run_s() const {
    if (mapped(LogField::run)) return has(LogField::run) ? value(LogField::run) : 0;
    return has(LogField::start) && has(LogField::end) ? value(LogField::end) - value(LogField::start) : 0;
  }
  void add_job() {
    LogJob& job = log_.jobs.emplace_back();
    job.submit_s = value(LogField::submit);
    job.run_s = std::max<std::int64_t>(run_s(), 0);
    const bool asked = value_or(LogField::requested, 0) > 0;
    job.requested_s = asked ? value(LogField::requested) : job.run_s;
    job.gpus = static_cast<std::int32_t>(gpus());
    job.cpu_milli = static_cast<std::int32_t>(value_or(LogField::cpu, -1));
    job.memory_mib = static_cast<std::int32_t>(value_or(LogField::memory, -1));
    job.nodes = static_cast<std::int16_t>(value_or(LogField::nodes, -1));
    job.status = static_cast<LogStatus>(value_or(LogField::status, -1));
    const std::int64_t share = value_or(LogField::gpu_share, share_);
    if (job.gpus > 0 && share > 0) job.gpu_milli = static_cast<std::int16_t>(share);
    job.id = rows_;
    for (const Bound& bound : binding_.bounds)
      if (bound.unit->kind == UnitKind::label) label(bound, job);
    log_.without_request += asked ? 0 : 1;
    log_.shared_gpus += job.gpu_milli < whole_gpu ? 1 : 0;
  }

  void label(const Bound& bound, LogJob& job) {
    const bool named = bound.unit->form == LogUnit::Form::name;
    if (bound.field == LogField::id) {
      if (named) log_.ids.add(csv_.text(bound.column));
      job.id = named ? static_cast<std::int64_t>(log_.ids.size()) - 1 : value_or(LogField::id, rows_);
      return;
    }
    std::int64_t number = -1;
    if (has(bound.field))
      number = named ? interner(bound.field).number_of(without_blanks(csv_.text(bound.column)))
                     : value(bound.field);
    if (bound.field == LogField::user) job.user = static_cast<std::int32_t>(number);
    if (bound.field == LogField::group) job.group = static_cast<std::int32_t>(number);
    if (bound.field == LogField::queue) job.queue = static_cast<std::int32_t>(number);
    if (bound.field != LogField::gpu_type) return;
    if (number > most_16) wrong(bound, "E0405", "more than 32767 types");
    job.gpu_type = static_cast<std::int16_t>(number);
  }

  Interner& interner(LogField field) {
    return field == LogField::user    ? users_
           : field == LogField::group ? groups_
           : field == LogField::queue ? queues_
                                      : gpu_types_;
  }

  /// Dates become seconds since the first of them.
  void count_from_first_submission() {
    const bool dates = std::any_of(binding_.bounds.begin(), binding_.bounds.end(), [](const Bound& b) {
      return b.field == LogField::submit && b.unit->form == LogUnit::Form::datetime;
    });
    if (!dates || log_.jobs.empty()) return;
    const auto earlier = [](const LogJob& a, const LogJob& b) { return a.submit_s < b.submit_s; };
    log_.unix_start_time = std::min_element(log_.jobs.begin(), log_.jobs.end(), earlier)->submit_s;
    for (LogJob& job : log_.jobs) job.submit_s -= log_.unix_start_time;
  }

  const ColumnMap& map_;
  const ReadOptions& options_;
  Mistakes mistakes_;
  CsvReader csv_;
  JobLog log_;
  Interner users_{log_.users}, groups_{log_.groups}, queues_{log_.queues}, gpu_types_{log_.gpu_types};
  Binding binding_;
  std::array<std::int64_t, log_field_count> values_{};
  std::uint32_t mapped_ = 0;   // bit i: the file has a column for field i
  std::uint32_t present_ = 0;  // bit i: the row has a value for field i
  std::int64_t share_ = whole_gpu;
  std::int64_t rows_ = 0;
};

}  // namespace

JobLog read_csv_log(const std::string& file, const ColumnMap& map, const ReadOptions& options) {
  return CsvLogReader(file, map, options).read();
}

}  // namespace natgpu::workload
