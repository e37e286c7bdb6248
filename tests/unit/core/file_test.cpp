// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <csignal>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/file.hpp>

#include "catch.hpp"
#include "folder.hpp"

namespace {

using natgpu::RunError;
using natgpu::write_file_whole;
using natgpu::testing::Folder;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The message of the error that `write` ends in.
template <class Write>
std::string message_of(Write write) {
  try {
    write();
  } catch (const RunError& error) {
    return error.what();
  }
  return "no error";
}

/// A disk that is full beyond `bytes`, for this process.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file is written whole and replaced whole") {
  const Folder folder;
  const std::string path = folder.path("summary.json");
  write_file_whole(path, "first, which is longer");
  write_file_whole(path, std::string("a\0b\n", 4));
  CHECK(contents(path) == std::string("a\0b\n", 4));
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file that cannot be written is named with the reason, and nothing is left behind") {
  const Folder folder;
  const std::string missing = folder.path("no/such/summary.json");
  CHECK(message_of([&] { write_file_whole(missing, "x"); }).find(missing) != std::string::npos);
  CHECK(message_of([&] { write_file_whole(missing, "x"); }).find("No such file") != std::string::npos);
  const std::string taken = folder.path("taken");
  std::filesystem::create_directories(taken + "/inside");
  CHECK(message_of([&] { write_file_whole(taken, "x"); }).find(taken) != std::string::npos);
  CHECK(folder.entries() == 1);
}

TEST_CASE("a full disk keeps the old file and leaves no temporary one") {
  const Folder folder;
  const std::string path = folder.path("metrics.csv");
  write_file_whole(path, "old");
  std::string message;
  {
    const SmallDisk disk(1000);
    message = message_of([&] { write_file_whole(path, std::string(5000, 'x')); });
  }
  CHECK(message.find(path) != std::string::npos);
  CHECK(message.find("4000 bytes") != std::string::npos);
  CHECK(contents(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a device is written to, not replaced by a file") {
  write_file_whole("/dev/null", "x");
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("preparing a folder makes its parents, probes it and leaves it empty") {
  const Folder folder;
  natgpu::prepare_folder(folder.path("a/b"));
  natgpu::prepare_folder(folder.path("a/b"));
  CHECK(std::filesystem::is_empty(folder.path("a/b")));
  write_file_whole(folder.path("file"), "x");
  const std::string below_a_file = folder.path("file/x");
  CHECK(message_of([&] { natgpu::prepare_folder(below_a_file); }).find(below_a_file) != std::string::npos);
  CHECK(message_of([&] { natgpu::prepare_folder("/proc/1/natgpu"); }).find("/proc/1/natgpu") !=
        std::string::npos);
}
