// SPDX-License-Identifier: Apache-2.0
#include "row_values.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "log_value.hpp"

namespace natgpu::workload {
namespace {

constexpr std::int64_t most_32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t most_gpus = most_32 * whole_gpu;
constexpr std::int64_t most_16 = std::numeric_limits<std::int16_t>::max();
constexpr std::int64_t most_number = 999'999'999'999'999'999;  // 18 digits

/// Largest size of a value by kind, in seconds, thousandths, MiB or a number.
constexpr std::array<std::int64_t, 8> most_of_kind{max_seconds, max_seconds, most_gpus,   most_32,
                                                   most_32,     most_16,     most_number, most_16};

/// How the logs put it, in lower case.
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

/// Below zero such a value says that nothing is known, as in SWF.
bool is_amount(UnitKind kind) {
  return kind == UnitKind::gpus || kind == UnitKind::cores || kind == UnitKind::memory ||
         kind == UnitKind::count;
}

Read read_form(const LogUnit& unit, std::string_view text, std::int64_t& value, bool& fraction) {
  Decimal number;
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
  const bool fits = time ? scaled_down(number, unit.numerator, unit.denominator, value, fraction)
                         : scaled(number, unit.numerator, unit.denominator, value);
  return fits ? Read::ok : Read::out_of_range;
}

std::int64_t most_of(const Bound& bound) {
  if (bound.field == LogField::gpu_share) return whole_gpu;
  if (bound.unit->kind == UnitKind::label && bound.field != LogField::id) return most_32;
  return most_of(bound.unit->kind);
}

}  // namespace

LogStatus status_of(std::string_view text) {
  for (const StatusWord& w : status_words)
    if (same_word(text, w.word)) return w.status;
  return LogStatus::unknown;
}

bool RowValues::bind() {
  binding_ = bind_columns(map_, csv_, mistakes_);
  for (const Bound& bound : binding_.bounds) mapped_ |= 1U << at(bound.field);
  return binding_.first_is_data;
}

bool RowValues::read() {
  if (!csv_.has_fields(binding_.columns)) return false;
  present_ = 0;
  values_[at(LogField::nodes)] = 1;
  values_[at(LogField::gpus)] = 0;
  share_ = whole_gpu;
  for (const Bound& bound : binding_.bounds)
    if (!read_value(bound)) return false;
  for (const Bound& bound : binding_.bounds)
    if (bound.per_node && has(bound.field) && !multiply(bound)) return false;
  return true;
}

/// Reads a field into values_. @returns false after reporting a mistake
bool RowValues::read_value(const Bound& bound) {
  const std::string_view written = text(bound);
  if (is_missing(written)) return true;
  std::int64_t value = 0;
  bool fraction = false;
  const Read result = read_form(*bound.unit, written, value, fraction);
  if (result == Read::not_understood) return wrong(bound, "E0402", "cannot be read");
  const std::int64_t most = most_of(bound);
  if (result == Read::out_of_range || value > most || value < -most)
    return wrong(bound, "E0405", "out of range");
  if (value < 0 && is_amount(bound.unit->kind)) return true;
  values_[at(bound.field)] = value;
  present_ |= 1U << at(bound.field);
  fractions_ += fraction ? 1 : 0;
  if (bound.field == LogField::gpus) share_ = std::min(value, whole_gpu);
  return true;
}

/// What stands for one node becomes what stands for all. GPUs are rounded up node by node.
bool RowValues::multiply(const Bound& bound) {
  std::int64_t& value = values_[at(bound.field)];
  const std::int64_t nodes = values_[at(LogField::nodes)];
  if (nodes < 1) return true;
  if (bound.field == LogField::gpus) value = (value + whole_gpu - 1) / whole_gpu * whole_gpu;
  if (value > most_of(bound) / nodes) return wrong(bound, "E0405", "out of range");
  value *= nodes;
  return true;
}

std::string_view RowValues::text(const Bound& bound) const {
  return without_blanks(csv_.text(bound.column));
}

bool RowValues::wrong(const Bound& bound, const char* code, const char* what) {
  const LogFieldRow& field = row_of(bound.field);
  const bool date = bound.unit->form == LogUnit::Form::datetime;
  csv_.mistake(bound.column, code, fmt::format("{} ({}): {}", field.name, bound.unit->name, what),
               date ? "dates are written 2017-09-04 10:30:41, with Z or an offset where they have one"
                    : "numbers are written 12 or 12.5; leave unknown values empty");
  return false;
}

}  // namespace natgpu::workload
