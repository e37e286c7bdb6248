// SPDX-License-Identifier: Apache-2.0
// Builds policies as their authors do: with the compiler of the system, against natgpu/policy.h alone.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "bytes.hpp"
#include "folder.hpp"

namespace natgpu::testing {

inline bool is_cpp(const std::string& source) {
  return source.size() > 4 && source.compare(source.size() - 4, 4, ".cpp") == 0;
}

/// @param source  path of a .c or .cpp file  @throws std::runtime_error with what the compiler said
/// @returns the path of the shared library
inline std::string build_library(const Folder& folder, const std::string& source, const std::string& name) {
  const std::string library = folder.path(name), said = folder.path(name + ".txt");
  const std::string compiler = is_cpp(source) ? "c++ -std=c++20" : "cc -std=c11";
  const std::string command =
      compiler + " -Wall -Wextra -Wpedantic -Werror -shared -fPIC -I'" NATGPU_SOURCE_DIR "/include' -o '" +
      library + "' '" + source + "' >'" + said + "' 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command + "\n" + read_bytes(said));
  return library;
}

/// The same from a text. @param language  "c" or "cpp"
inline std::string build_text(const Folder& folder, const std::string& name, const std::string& text,
                              const std::string& language = "c") {
  const std::string source = write_bytes(folder.path(name + "." + language), text);
  return build_library(folder, source, name + ".so");
}

}  // namespace natgpu::testing
