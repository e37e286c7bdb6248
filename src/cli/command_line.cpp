// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <cstdlib>

namespace natgpu::cli {
namespace {

std::string kept;

}  // namespace

void keep_command_line(const std::vector<std::string>& words) {
  const char* home = std::getenv("HOME");
  const std::string folder = home == nullptr ? "" : home;
  kept = "natgpu";
  for (std::string word : words) {
    if (folder.size() > 1)
      for (std::size_t at; (at = word.find(folder)) != std::string::npos;)
        word.erase(at, folder.size()).insert(at, 1, '~');
    kept += ' ';
    kept += word;
  }
}

const std::string& command_line() {
  return kept;
}

}  // namespace natgpu::cli
