// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/file.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu {
namespace {

[[noreturn]] void fail(std::string_view doing, const std::string& path, int error) {
  throw RunError(fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(error)));
}

/// A descriptor that closes itself; close() is called where its error counts.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

/// Removes the temporary file unless it has become the real one.
struct Temporary {
  std::string path;
  bool kept = false;
  ~Temporary() {
    if (!kept) ::unlink(path.c_str());
  }
};

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// A new file beside `path`; the name tells processes and threads apart.
int open_beside(const std::string& path, std::string& temporary) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path target(path);
  for (;;) {
    const std::string name = fmt::format(".{}.{}-{}.tmp", target.filename().string(), ::getpid(), counter++);
    temporary = (std::filesystem::path(folder_of(path)) / name).string();
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) fail("write", path, errno);
  }
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(fmt::format("write the last {} bytes of", bytes.size()), path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fail("open the folder", folder, errno);
  // EINVAL: a file system that cannot sync folders; there is nothing more to do on such a one.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) fail("sync the folder", folder, errno);
}

/// /dev/stdout and pipes are written to; renaming a file over a device would replace it.
bool is_device_or_pipe(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

void write_through(const std::string& path, std::string_view bytes) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", path, errno);
  write_all(fd.get(), bytes, path);
  if (fd.close() != 0) fail("close", path, errno);
}

}  // namespace

void write_file_whole(const std::string& path, std::string_view bytes) {
  if (is_device_or_pipe(path)) return write_through(path, bytes);
  FileInMaking file(path);
  file.write(bytes);
  file.finish();
}

FileInMaking::FileInMaking(std::string path) : path_(std::move(path)) {
  fd_ = open_beside(path_, temporary_);
}

FileInMaking::~FileInMaking() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileInMaking::write(std::string_view bytes) {
  constexpr std::size_t enough = 1U << 16;
  buffer_ += bytes;
  if (buffer_.size() >= enough) flush();
}

void FileInMaking::flush() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void FileInMaking::finish() {
  flush();
  if (::fsync(fd_) != 0) fail("sync", path_, errno);
  const int fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0) fail("close", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("write", path_, errno);
  temporary_.clear();
  sync_folder(path_);
}

GrowingFile::GrowingFile(std::string path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("open", path_, errno);
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(fd_);
  fd_ = -1;
  if (error == EWOULDBLOCK) throw RunError(fmt::format("{} is held by another process", path_));
  fail("lock", path_, error);
}

GrowingFile::~GrowingFile() {
  if (fd_ >= 0) ::close(fd_);
}

void GrowingFile::cut(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) fail("cut", path_, errno);
}

void GrowingFile::append(std::string_view bytes) {
  write_all(fd_, bytes, path_);
}

void GrowingFile::sync() {
  if (::fsync(fd_) != 0) fail("sync", path_, errno);
}

void GrowingFile::rename(const std::string& final_path) {
  sync();
  if (::rename(path_.c_str(), final_path.c_str()) != 0) fail("write", final_path, errno);
  sync_folder(final_path);
}

void prepare_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail("make the folder", folder, error.value());
  Temporary probe;
  Descriptor fd(open_beside((std::filesystem::path(folder) / "probe").string(), probe.path));
}

void prepare_file(const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty() || fs::exists(path)) return;
  const std::string folder = fs::path(path).parent_path().string();
  prepare_folder(folder.empty() ? "." : folder);
}

}  // namespace natgpu
