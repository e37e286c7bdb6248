// SPDX-License-Identifier: Apache-2.0
// The file of a shard: a line that names plan and version; for each point a line "#point N BYTES DIGEST" and
// so many bytes of CSV; when the shard is finished, a line that counts and digests all before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/core/sha256.hpp>
#include <natgpu/report/sweep.hpp>

namespace natgpu::report {

constexpr std::string_view part_ending = ".part", shard_ending = ".shard";

/// File name without its ending.
std::string stem_of(Shard s);
std::string header_of(const SweepPlan& plan, Shard s);
/// One point with its CSV, as it is appended.
std::string record_of(std::size_t point, std::string_view rows);
std::string footer_of(std::size_t points, const std::string& sha256);
/// Points of the plan in the shard.
std::size_t size_of(const SweepPlan& plan, Shard s);

/// A point's place in a shard's file.
struct Record {
  std::size_t point = 0;
  std::uint64_t from = 0, bytes = 0, digest = 0;
};

/// Reads the whole records of a file one by one: it never holds more than one of them.
class ShardReader {
 public:
  /// Reads the header, which is empty where there is no whole line. @throws RunError if it cannot be read
  explicit ShardReader(const std::filesystem::path& path);
  const std::string& header() const { return header_; }
  bool is_of(const SweepPlan& plan) const;
  /// The next record, or false where no whole one follows; its CSV until the call after.
  bool next(Record& record);
  const std::string& rows() const { return rows_; }
  /// Behind the last whole record, or behind the header.
  std::uint64_t end() const { return end_; }
  std::uint64_t size() const { return size_; }
  /// Of all bytes before end().
  std::string sha256() const { return sha_.hex(); }
  /// What follows there; nothing, where that is longer than a line may be.
  std::string rest();
  /// Somewhere else in the file. @throws RunError where it is no longer what the record says
  const std::string& rows_at(const Record& record);

 private:
  bool read_line(std::string& line);
  bool read_rows(const Record& record);
  std::filesystem::path path_;
  std::ifstream in_;
  std::string header_, rows_;
  std::uint64_t end_ = 0, size_ = 0;
  Sha256 sha_;
};

/// Records of a finished shard. @throws RunError where it is damaged or of another plan or version
std::vector<Record> checked_records(const std::filesystem::path& path, const SweepPlan& plan);

}  // namespace natgpu::report
