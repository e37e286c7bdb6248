// SPDX-License-Identifier: Apache-2.0
#include "csv_reader.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace natgpu::workload {
namespace {

constexpr const char* wrong_file = "job logs have short rows of text; is this another file?";

/// Bytes at which a field that is not quoted may end or go wrong.
constexpr std::array<bool, 256> stops = [] {
  std::array<bool, 256> table{};
  for (const char c : {',', '\n', '\r', '"', '\0'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

const char* plain_end(const char* p) {
  while (!stops[static_cast<unsigned char>(*p)]) ++p;
  return p;
}

}  // namespace

CsvReader::CsvReader(const std::string& file, Mistakes& mistakes)
    : source_(file), mistakes_(mistakes), buffer_(chunk_bytes + 1) {
  p_ = end_ = record_ = buffer_.data();
  refill();
  if (std::string_view(p_, static_cast<std::size_t>(end_ - p_)).substr(0, 3) == "\xEF\xBB\xBF") p_ += 3;
}

bool CsvReader::refill() {
  const auto kept = static_cast<std::size_t>(end_ - p_);
  std::memmove(buffer_.data(), p_, kept);
  const std::size_t got = ended_ ? 0 : source_.read(buffer_.data() + kept, chunk_bytes - kept);
  ended_ = got == 0;
  bytes_ += got;
  p_ = buffer_.data();
  end_ = p_ + kept + got;
  buffer_[kept + got] = '\0';
  return got > 0;
}

bool CsvReader::next() {
  for (;;) {
    if (p_ == end_ && !refill()) return false;
    line_ = next_line_;
    record_ = p_;
    const Scan result = scan();
    if (result == Scan::incomplete) {
      next_line_ = line_;
      if (static_cast<std::size_t>(end_ - p_) > line_limit) refuse_long();
      refill();
      continue;
    }
    if (static_cast<std::size_t>(p_ - record_) > line_limit + 1) refuse_long();
    if (result == Scan::record) return true;
  }
}

/// Cuts the record at p_ into fields and moves p_ behind it.
CsvReader::Scan CsvReader::scan() {
  fields_.clear();
  open_quote_ = nullptr;
  const char* p = p_;
  for (;; ++p) {
    if (*p == '"') {
      const Quoted field = quoted(p);
      if (field.end == nullptr) return field.state;
      fields_.push_back({p + 1, static_cast<std::size_t>(field.end - p - 2), field.escaped});
      p = field.end;
      if (*p != ',' && plain_end(p) != p)
        return broken(p, "E0408", "text behind a closing quote", "put a comma there, or double the quote");
    } else {
      const char* const begin = p;
      p = plain_end(p);
      fields_.push_back({begin, static_cast<std::size_t>(p - begin), false});
    }
    if (*p != ',') return end_of_record(p);
  }
}

CsvReader::Scan CsvReader::end_of_record(const char* p) {
  if (*p == '\r' && p[1] == '\n') ++p;
  const bool cut = p == end_ || (*p == '\r' && p + 1 == end_);  // by the end of the buffer
  if (cut && !ended_) return Scan::incomplete;
  if (*p == '\n' || cut) {
    p_ = *p == '\n' ? p + 1 : end_;
    ++next_line_;
    return fields_.size() == 1 && fields_[0].begin == record_ && fields_[0].length == 0 ? Scan::empty
                                                                                        : Scan::record;
  }
  if (*p == '\0') return broken(p, "E0404", "a NUL byte", wrong_file);
  if (*p == '\r') return broken(p, "E0402", "a carriage return inside a line", "end lines with LF or CR LF");
  return broken(p, "E0408", "a quote inside a field that does not begin with one",
                "put the whole field in quotes and double those inside");
}

CsvReader::Quoted CsvReader::quoted(const char* open) {
  Quoted field;
  for (const char* p = open + 1;; ++p) {
    while (*p != '"' && *p != '\n' && *p != '\0') ++p;
    if (*p == '\n') {
      ++next_line_;
    } else if (*p == '"' && p[1] == '"') {
      field.escaped = true;
      ++p;
    } else if (*p == '"' && (p + 1 < end_ || ended_)) {
      field.end = p + 1;
      return field;
    } else if (*p == '\0' && p != end_) {
      field.state = broken(p, "E0404", "a NUL byte", wrong_file);
      return field;
    } else {  // cut by the end of the buffer
      open_quote_ = open;
      field.state = ended_ ? never_closed() : Scan::incomplete;
      return field;
    }
  }
}

CsvReader::Scan CsvReader::never_closed() {
  mistakes_.add(line_, record_, open_quote_ + 1,
                {open_quote_, "E0408", "a quote that is never closed", "close it, or remove it"});
  p_ = end_;
  return Scan::broken;
}

/// Reports and steps behind the line of `at`, or waits until all of that line is in the buffer.
CsvReader::Scan CsvReader::broken(const char* at, const char* code, std::string message, std::string help) {
  const auto* const stop =
      static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end_ - at)));
  if (stop == nullptr && !ended_) return Scan::incomplete;
  mistakes_.add(line_, record_, at + 1, {at, code, std::move(message), std::move(help)});
  p_ = stop == nullptr ? end_ : stop + 1;
  ++next_line_;
  return Scan::broken;
}

void CsvReader::refuse_long() {
  if (open_quote_ == nullptr) mistakes_.too_long(line_, wrong_file);
  never_closed();
  mistakes_.throw_if_any();
}

std::string_view CsvReader::text(std::size_t i) {
  const Field& field = fields_[i];
  if (!field.escaped) return raw(i);
  scratch_.clear();
  for (std::size_t k = 0; k < field.length; ++k) {
    scratch_ += field.begin[k];
    if (field.begin[k] == '"') ++k;
  }
  return scratch_;
}

bool CsvReader::has_fields(std::size_t width) {
  if (fields() == width) return true;
  mistake(width, "E0403", fmt::format("{} fields where the first line has {}", fields(), width),
          "a field that holds a comma needs quotes");
  return false;
}

void CsvReader::mistake(std::size_t i, const char* code, std::string message, std::string help) {
  const Field& last = fields_.back();
  const bool beyond = i >= fields_.size();
  const char* at = beyond ? last.begin + last.length : fields_[i].begin;
  const char* stop = beyond ? at : at + fields_[i].length;
  mistakes_.add(line_, record_, stop, {at, code, std::move(message), std::move(help)});
}

}  // namespace natgpu::workload
