// SPDX-License-Identifier: Apache-2.0
// One record of a table as numbers, by a column map.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <natgpu/workload/column_map.hpp>
#include <natgpu/workload/job_log.hpp>

#include "column_binding.hpp"
#include "csv_reader.hpp"

namespace natgpu::workload {

inline constexpr std::int64_t whole_gpu = 1000;  // thousandths
inline constexpr std::int64_t most_types = INT16_MAX;

/// How a job ended, in the words of the logs; whatever else they say (Running, Pending) leaves the end
/// unknown.
LogStatus status_of(std::string_view text);

class RowValues {
 public:
  RowValues(const ColumnMap& map, CsvReader& csv, Mistakes& mistakes)
      : map_(map), csv_(csv), mistakes_(mistakes) {}

  /// Ties the map to the record that is out, the first. @returns whether that is data already
  bool bind();
  /// Reads the record that is out. @returns false after reporting a mistake
  bool read();

  const std::vector<Bound>& bounds() const { return binding_.bounds; }
  /// Whether the file has a column for the field.
  bool mapped(LogField field) const { return (mapped_ >> at(field) & 1U) != 0; }
  /// Whether the record has a value for it.
  bool has(LogField field) const { return (present_ >> at(field) & 1U) != 0; }
  /// In seconds, thousandths, MiB or a number; of all nodes together. @pre has(field)
  std::int64_t value(LogField field) const { return values_[at(field)]; }
  std::int64_t value_or(LogField field, std::int64_t otherwise) const {
    return has(field) ? value(field) : otherwise;
  }
  /// Whole GPUs of all nodes together; 0 where the record has none.
  std::int64_t gpus() const {
    return values_[at(LogField::nodes)] < 1 ? 0 : (values_[at(LogField::gpus)] + whole_gpu - 1) / whole_gpu;
  }
  /// Of each GPU, in thousandths.
  std::int64_t share() const { return value_or(LogField::gpu_share, share_); }
  std::string_view text(const Bound& bound) const;
  /// Times of which a fraction of a second was cut off.
  std::uint64_t fractions() const { return fractions_; }

  /// Reports a mistake in a column. @returns false
  bool wrong(const Bound& bound, const char* code, const char* what);

 private:
  static std::size_t at(LogField field) { return static_cast<std::size_t>(field); }
  bool read_value(const Bound& bound);
  bool multiply(const Bound& bound);

  const ColumnMap& map_;
  CsvReader& csv_;
  Mistakes& mistakes_;
  Binding binding_;
  std::array<std::int64_t, log_field_count> values_{};
  std::uint32_t mapped_ = 0;   // bit i: the file has a column for field i
  std::uint32_t present_ = 0;  // bit i: the record has a value for field i
  std::int64_t share_ = whole_gpu;
  std::uint64_t fractions_ = 0;
};

}  // namespace natgpu::workload
