// SPDX-License-Identifier: Apache-2.0
#include "shell_words.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;

/// Nothing in it that a shell would take for more than a letter.
bool is_plain(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@";
  return !word.empty() && word.find_first_not_of(plain) == std::string::npos;
}

}  // namespace

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string own_program() {
  return fs::read_symlink("/proc/self/exe").string();
}

std::string own_name() {
  const std::string program = own_program();
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code error;
    const fs::path found = fs::canonical(fs::path(folder) / "natgpu", error);
    if (!error) return found == program ? "natgpu" : (is_plain(program) ? program : quoted(program));
  }
  return is_plain(program) ? program : quoted(program);
}

}  // namespace natgpu::cli
