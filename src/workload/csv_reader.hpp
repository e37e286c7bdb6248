// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mistakes.hpp"
#include "text_source.hpp"

namespace natgpu::workload {

/// Reads CSV (RFC 4180) record by record: quoted fields with doubled quotes and line breaks, LF or CR LF, a
/// byte order mark, no line break at the end; empty lines are skipped. One pass over the bytes, no allocation
/// a record.
class CsvReader {
 public:
  /// @throws ScenarioError E0401
  CsvReader(const std::string& file, Mistakes& mistakes);

  /// Steps to the next record; broken ones are reported and skipped. False at the end of the file.
  /// @throws ScenarioError E0401, E0406; E0404 for a NUL byte or a record over 64 KiB
  bool next();

  std::size_t fields() const { return fields_.size(); }
  /// The field as it stands, without its quotes. Valid until next().
  std::string_view raw(std::size_t i) const { return {fields_[i].begin, fields_[i].length}; }
  /// The field with doubled quotes made single. Valid until the next call of text() or next().
  std::string_view text(std::size_t i);
  /// Line of the record's first byte, from one.
  std::uint64_t line() const { return line_; }
  std::uint64_t lines_read() const { return next_line_ - 1; }
  std::uint64_t bytes_read() const { return bytes_; }
  std::uint64_t file_bytes() const { return source_.file_bytes(); }
  bool plain() const { return source_.plain(); }
  /// Whether the record has so many fields; reports it where it has not.
  bool has_fields(std::size_t width);
  /// Reports a mistake in field `i`, or behind the last where the record has fewer.
  void mistake(std::size_t i, const char* code, std::string message, std::string help);

 private:
  struct Field {
    const char* begin;
    std::size_t length;
    bool escaped;  ///< holds doubled quotes
  };
  enum class Scan : std::uint8_t { record, empty, incomplete, broken };

  struct Quoted {
    const char* end = nullptr;  ///< behind the closing quote; null: see state
    bool escaped = false;
    Scan state = Scan::record;
  };

  Scan scan();
  Scan end_of_record(const char* p);
  Quoted quoted(const char* open);
  Scan broken(const char* at, const char* code, std::string message, std::string help);
  Scan never_closed();
  void refuse_long();
  bool refill();

  TextSource source_;
  Mistakes& mistakes_;
  std::vector<char> buffer_;
  const char* p_ = nullptr;           // of the next record
  const char* end_ = nullptr;         // of what is in the buffer; a NUL byte stands there
  const char* record_ = nullptr;      // of the record that is out
  const char* open_quote_ = nullptr;  // that the end of the buffer left open
  bool ended_ = false;                // no more bytes behind end_
  std::uint64_t line_ = 0, next_line_ = 1, bytes_ = 0;
  std::vector<Field> fields_;
  std::string scratch_;
};

}  // namespace natgpu::workload
