// SPDX-License-Identifier: Apache-2.0
// Runs the natgpu program as a user would and keeps what it says.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "folder.hpp"

namespace natgpu::testing {

struct Outcome {
  int code = -1;  ///< exit code, or -signal
  std::string out, err;
};

/// A started program. Its results go to a file, so that no pipe can fill up; what it says besides is read as
/// it comes.
class Program {
 public:
  /// @param folder  in which it runs; empty: a new one
  explicit Program(const std::vector<std::string>& arguments, const std::string& folder = {}) {
    std::vector<std::string> words{NATGPU_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string where = folder.empty() ? own_.path("") : folder;
    const std::string out = files_.path("out");
    int err[2];
    if (::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) {
      ::close(err[1]);
      err_fd_ = err[0];
      return;
    }
    ::setenv("CI", "1", 1);
    const int nothing = ::open("/dev/null", O_RDONLY);
    const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (::chdir(where.c_str()) != 0 || ::dup2(nothing, 0) < 0 || ::dup2(out_fd, 1) < 0 ||
        ::dup2(err[1], 2) < 0)
      ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Program() {
    ::close(err_fd_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads on until it has said `text` or has ended. @returns whether it has said it
  bool says(const std::string& text) {
    while (err_.find(text) == std::string::npos)
      if (!read_on()) return false;
    return true;
  }
  void signal(int number) const { ::kill(pid_, number); }
  Outcome wait() {
    while (read_on()) {
    }
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = 0;
    Outcome outcome;
    outcome.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
    outcome.out = read_bytes(files_.path("out"));
    outcome.err = err_;
    return outcome;
  }

 private:
  bool read_on() {
    char buffer[4096];
    const ssize_t got = ::read(err_fd_, buffer, sizeof buffer);
    if (got > 0) err_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  Folder own_, files_;
  std::string err_;
  int err_fd_ = -1;
  pid_t pid_ = 0;
  int status_ = 0;
};

inline Outcome natgpu_says(const std::vector<std::string>& arguments, const std::string& folder = {}) {
  return Program(arguments, folder).wait();
}

}  // namespace natgpu::testing
