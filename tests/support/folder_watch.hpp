// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace natgpu::testing {

/// Wakes when a file of a folder was written to, renamed, or closed by who wrote it.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : fd_(::inotify_init1(IN_CLOEXEC)) {
    if (fd_ < 0 || ::inotify_add_watch(fd_, folder.c_str(), IN_MODIFY | IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
      throw std::runtime_error("cannot watch " + folder);
  }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch() { ::close(fd_); }

  /// Waits for the next of these. @returns false where none comes in half a minute
  bool wakes() const {
    alignas(inotify_event) char events[4096];
    pollfd waits{fd_, POLLIN, 0};
    return ::poll(&waits, 1, 30'000) == 1 && ::read(fd_, events, sizeof events) > 0;
  }

 private:
  int fd_ = -1;
};

}  // namespace natgpu::testing
