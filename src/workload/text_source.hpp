// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct gzFile_s;  // zlib's

namespace natgpu::workload {

/// The bytes of a text file, inflated on the way where it is gzip (told by its first bytes, not by its name).
class TextSource {
 public:
  /// @throws ScenarioError E0401 if the file cannot be opened or is no regular file
  explicit TextSource(const std::string& file);
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  /// Up to `room` bytes; 0 at the end. @throws ScenarioError E0401 (read error), E0406 (damaged gzip data)
  std::size_t read(char* to, std::size_t room);
  /// Size on disk in bytes.
  std::uint64_t file_bytes() const { return file_bytes_; }
  /// Whether the bytes on disk are the text itself.
  bool plain() const;

 private:
  std::string file_;
  std::uint64_t file_bytes_ = 0;
  gzFile_s* handle_ = nullptr;
};

}  // namespace natgpu::workload
