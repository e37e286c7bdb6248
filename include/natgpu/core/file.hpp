// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace natgpu {

/// Writes a file whole or not at all: temporary file in the same folder, every write checked, fsync, rename,
/// fsync of the folder. A failed fsync is final for that file.
/// @throws RunError with path and reason
void write_file_whole(const std::string& path, std::string_view bytes);

/// The same, piece by piece, for what should not stand in memory as a whole.
class FileInMaking {
 public:
  explicit FileInMaking(std::string path);
  FileInMaking(const FileInMaking&) = delete;
  FileInMaking& operator=(const FileInMaking&) = delete;
  ~FileInMaking();  ///< without finish() nothing is left
  void write(std::string_view bytes);
  /// The name it has until then, for a library that writes it by itself.
  const std::string& temporary() const { return temporary_; }
  void finish();

 private:
  void flush();
  std::string path_, temporary_, buffer_;
  int fd_ = -1;
};

/// A file that grows by appending, held by one process at a time, until it gets its final name.
class GrowingFile {
 public:
  /// Opens or creates it. @throws RunError, also where another process holds it
  explicit GrowingFile(std::string path);
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile();
  void cut(std::uint64_t bytes);               ///< leaves the first so many
  void append(std::string_view bytes);         ///< not yet on the disk
  void sync();                                 ///< on the disk
  void rename(const std::string& final_path);  ///< sync, then the final name, in the same folder

 private:
  std::string path_;
  int fd_ = -1;
};

/// Makes the folder and its parents, and checks that a file can be written there.
/// @throws RunError with path and reason
void prepare_folder(const std::string& folder);
/// The same for the folder of a file that is not there yet; an empty path is no file.
void prepare_file(const std::string& path);

}  // namespace natgpu
