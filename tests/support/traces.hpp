// SPDX-License-Identifier: Apache-2.0
// Where the real logs are, for tests that use them. They are no part of the repository.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace natgpu::testing {

/// Path of a file of the trace collection, or empty where the collection is not there: in the folder that the
/// environment variable NATGPU_TRACES names, else in shared/traces beside the checkout or one folder up.
inline std::string trace(const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path source = NATGPU_SOURCE_DIR;
  const char* named = std::getenv("NATGPU_TRACES");
  for (const fs::path& folder : {named != nullptr ? fs::path(named) : fs::path(), source / "../shared/traces",
                                 source / "../../shared/traces"})
    if (!folder.empty() && fs::is_regular_file(folder / name))
      return (folder / name).lexically_normal().string();
  return {};
}

}  // namespace natgpu::testing

/// Leaves the test with a message where a log is not there. `variable` becomes its path.
#define NATGPU_TRACE_OR_SKIP(variable, name)                                                    \
  const std::string variable = natgpu::testing::trace(name);                                    \
  if (variable.empty()) {                                                                       \
    WARN("skipped: " << (name) << " is not in ../shared/traces (or the folder NATGPU_TRACES)"); \
    return;                                                                                     \
  }                                                                                             \
  static_assert(true, "ends in a semicolon")
