// SPDX-License-Identifier: Apache-2.0
#include "shard_file.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>

namespace natgpu::report {
namespace {

namespace fs = std::filesystem;

/// Bytes that a line between records may have; the longest that is written has under 200.
constexpr std::size_t longest_line = 512;

std::uint64_t digest_of(std::string_view bytes) {
  Digest64 digest;
  digest.add(bytes);
  return digest.value();
}

template <class Number>
bool read_number(std::string_view text, Number& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

/// "#point N BYTES DIGEST\n"
bool read_record(std::string_view line, Record& r) {
  constexpr std::string_view mark = "#point ";
  if (line.substr(0, mark.size()) != mark || line.back() != '\n') return false;
  line = line.substr(mark.size(), line.size() - mark.size() - 1);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  return second != std::string_view::npos && read_number(line.substr(0, first), r.point) &&
         read_number(line.substr(first + 1, second - first - 1), r.bytes) &&
         read_number(line.substr(second + 1), r.digest, 16);
}

}  // namespace

std::string stem_of(Shard s) {
  return fmt::format("shard-{:05}-of-{:05}", s.index + 1, s.count);
}

std::string header_of(const SweepPlan& plan, Shard s) {
  return fmt::format("#natgpu-shard/1 plan={} version={} shard={}/{}\n", plan.hash, build_info().version,
                     s.index + 1, s.count);
}

std::string record_of(std::size_t point, std::string_view rows) {
  return fmt::format("#point {} {} {}\n{}", point, rows.size(), hex64(digest_of(rows)), rows);
}

std::string footer_of(std::size_t points, const std::string& sha256) {
  return fmt::format("#end points={} sha256={}\n", points, sha256);
}

std::size_t size_of(const SweepPlan& plan, Shard s) {
  return plan.points.size() <= s.index ? 0 : (plan.points.size() - 1 - s.index) / s.count + 1;
}

ShardReader::ShardReader(const fs::path& path) : path_(path), in_(path, std::ios::binary) {
  std::error_code failed;
  size_ = fs::file_size(path, failed);
  if (!in_ || failed) throw RunError(fmt::format("cannot read {}", path.string()));
  if (!read_line(header_)) header_.clear();
  end_ = header_.size();
  sha_.add(header_);
}

bool ShardReader::is_of(const SweepPlan& plan) const {
  return header_.find(fmt::format(" plan={} ", plan.hash)) != std::string::npos;
}

bool ShardReader::read_line(std::string& line) {
  std::array<char, longest_line> buffer{};
  in_.clear();
  in_.getline(buffer.data(), buffer.size());
  if (!in_ || in_.eof()) return false;
  line.assign(buffer.data(), static_cast<std::size_t>(in_.gcount()) - 1);
  line += '\n';
  return true;
}

bool ShardReader::read_rows(const Record& record) {
  if (record.from > size_ || record.bytes > size_ - record.from) return false;
  rows_.resize(record.bytes);
  in_.read(rows_.data(), static_cast<std::streamsize>(rows_.size()));
  return in_ && digest_of(rows_) == record.digest;
}

bool ShardReader::next(Record& record) {
  std::string line;
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(end_));
  if (!read_line(line) || !read_record(line, record)) return false;
  record.from = end_ + line.size();
  if (!read_rows(record)) return false;
  sha_.add(line);
  sha_.add(rows_);
  end_ = record.from + record.bytes;
  return true;
}

std::string ShardReader::rest() {
  if (size_ - end_ > longest_line) return {};
  std::string bytes(size_ - end_, '\0');
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(end_));
  in_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

const std::string& ShardReader::rows_at(const Record& record) {
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(record.from));
  if (!read_rows(record)) throw RunError(fmt::format("{} changed while it was read", path_.string()));
  return rows_;
}

std::vector<Record> checked_records(const fs::path& path, const SweepPlan& plan) {
  const auto refuse = [&](const char* why) { throw RunError(fmt::format("{}: {}", path.string(), why)); };
  ShardReader reader(path);
  if (!reader.is_of(plan)) refuse("a shard of another plan");
  if (reader.header().find(fmt::format(" version={} ", build_info().version)) == std::string::npos)
    refuse("a shard of another version of natgpu");
  std::vector<Record> records;
  for (Record r; reader.next(r); records.push_back(r))
    if (r.point >= plan.points.size()) refuse("a damaged shard");
  if (reader.rest() != footer_of(records.size(), reader.sha256())) refuse("a damaged shard");
  return records;
}

}  // namespace natgpu::report
