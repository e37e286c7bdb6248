// SPDX-License-Identifier: Apache-2.0
// Runs command lines of the docs in a folder that looks like a checkout with the program built.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "bytes.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "traces.hpp"

namespace natgpu::testing {

/// `scenarios/`, `my.yaml` (a copy of small-city, as the docs say), `build/release/natgpu`, and the logs
/// beside it where they are. Results land in the folder and go with it.
class Checkout {
 public:
  Checkout() {
    namespace fs = std::filesystem;
    const fs::path source = NATGPU_SOURCE_DIR;
    const fs::path here = folder();
    fs::create_directories(here / "build/release");
    fs::create_symlink(NATGPU_PROGRAM, here / "build/release/natgpu");
    fs::copy(source / "scenarios", here / "scenarios", fs::copy_options::recursive);
    fs::copy_file(source / "scenarios/small-city.yaml", here / "my.yaml");
    const fs::path log = trace("KTH-SP2-1996-2-filtered.swf.gz");
    if (log.empty()) return;
    fs::create_directories(here / "../shared");
    fs::create_directory_symlink(fs::absolute(log).parent_path(), here / "../shared/traces");
  }
  std::string folder() const { return root_.path("natgpu"); }

  /// @param line  for sh, as it stands in the docs
  Outcome run(const std::string& line) const {
    const std::string out = root_.path("out"), err = root_.path("err"), script = root_.path("script");
    const std::filesystem::path program = NATGPU_PROGRAM;
    write_bytes(script, "cd '" + folder() + "' || exit 126\nPATH='" + program.parent_path().string() +
                            "':$PATH\nCI=1\nexport PATH CI\n" + line + "\n");
    const int status = std::system(("sh '" + script + "' >'" + out + "' 2>'" + err + "' </dev/null").c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(out), read_bytes(err)};
  }

 private:
  Folder root_;
};

}  // namespace natgpu::testing
