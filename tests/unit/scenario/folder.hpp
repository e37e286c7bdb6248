// SPDX-License-Identifier: Apache-2.0
// A folder of the test's own, removed afterwards, and scenarios written into it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario::test {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "natgpu-scenario-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

/// What is wrong with a text read as a scenario; empty if nothing is.
inline std::vector<Diagnostic> diagnostics_of(const std::string& bytes, const LoadOptions& options = {}) {
  const Folder folder;
  try {
    load_scenario(folder.write("a.yaml", bytes), options);
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

inline std::string codes_of(const std::vector<Diagnostic>& diagnostics) {
  std::string all;
  for (const Diagnostic& d : diagnostics) all += (all.empty() ? "" : " ") + d.code;
  return all;
}

}  // namespace natgpu::scenario::test
