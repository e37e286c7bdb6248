// SPDX-License-Identifier: Apache-2.0
// `cmake --install`, and projects outside natgpu that find nothing but what it has brought.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

namespace fs = std::filesystem;
using namespace natgpu::testing;

namespace {

/// @returns exit code and all that it says
Outcome shell(const Folder& folder, const std::string& command) {
  const std::string said = folder.path("said");
  const std::string line = "cd '" + folder.path("") + "' && { " + command + "; } >'" + said + "' 2>&1";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(said), ""};
}
void must(const Folder& folder, const std::string& command) {
  const Outcome outcome = shell(folder, command);
  INFO(command << "\n" << outcome.out);
  REQUIRE(outcome.code == 0);
}

/// natgpu, installed into the folder's `prefix`.
class Installed {
 public:
  Installed() {
    const std::string build = fs::path(NATGPU_PROGRAM).parent_path().string();
    must(folder_, "cmake --install '" + build + "' --prefix prefix");
  }
  const Folder& folder() const { return folder_; }
  std::string path(const std::string& name) const { return folder_.path(name); }

 private:
  Folder folder_;
};

/// All files but scenarios, in order.
std::vector<std::string> files_below(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(root).generic_string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("an install brings the program, the scenarios and what a policy is built against, and no more") {
  const Installed natgpu;
  std::vector<std::string> others;
  for (const std::string& name : files_below(natgpu.path("prefix")))
    if (name.rfind("share/natgpu/scenarios/", 0) != 0 && !has(name, "/natgpuTargets")) others.push_back(name);
  CHECK(others == std::vector<std::string>{"bin/natgpu", "include/natgpu/policy.h",
                                           "include/natgpu/policy.hpp", "lib/cmake/natgpu/natgpuConfig.cmake",
                                           "lib/cmake/natgpu/natgpuConfigVersion.cmake",
                                           "share/doc/natgpu/LICENSE"});
  CHECK(files_below(natgpu.path("prefix/share/natgpu/scenarios")) ==
        files_below(fs::path(NATGPU_SOURCE_DIR) / "scenarios"));
  for (const std::string& name : others) {
    if (name == "bin/natgpu") continue;
    INFO(name);
    CHECK_FALSE(has(read_bytes(natgpu.path("prefix/" + name)), NATGPU_SOURCE_DIR));
  }
}

TEST_CASE("an installed program gives the bytes of the built one, wherever it stands") {
  const Installed natgpu;
  must(natgpu.folder(), "mv prefix elsewhere");
  must(natgpu.folder(), "elsewhere/bin/natgpu run elsewhere/share/natgpu/scenarios/small-city.yaml --out a");
  must(natgpu.folder(), "'" NATGPU_PROGRAM "' run '" NATGPU_SOURCE_DIR "/scenarios/small-city.yaml' --out b");
  for (const char* name : {"/metrics.csv", "/timeseries.csv"}) {
    const auto found = [&](const std::string& out) {
      for (const std::string& file : files_below(natgpu.path(out)))
        if (has("/" + file, name)) return read_bytes(natgpu.path(out + "/" + file));
      return std::string();
    };
    INFO(name);
    CHECK_FALSE(found("a").empty());
    CHECK(found("a") == found("b"));
  }
}

TEST_CASE("a new policy of each level and language is built and tested against the installed package alone") {
  const Installed natgpu;
  for (const char* level : {"1", "2"})
    for (const char* language : {"c", "c++"}) {
      INFO("level " << level << ", language " << language);
      must(natgpu.folder(), std::string("rm -rf mine && prefix/bin/natgpu policy new mine --level ") + level +
                                " --lang " + language + " && rm -r mine/natgpu mine/Makefile");
      must(natgpu.folder(),
           "cmake -G Ninja -S mine -B mine/build -DCMAKE_PREFIX_PATH=\"$PWD/prefix\" && cmake --build "
           "mine/build");
      const Outcome tests = shell(natgpu.folder(), "ctest --test-dir mine/build");
      INFO(tests.out);
      CHECK(tests.code == 0);
      CHECK(has(tests.out, "0 tests failed out of " + std::string(level[0] == '1' ? "3" : "2")));
      const Outcome replay =
          shell(natgpu.folder(), "prefix/bin/natgpu replay mine/log.swf --policy mine/build/mine.so");
      INFO(replay.out);
      CHECK(replay.code == 0);
      CHECK(has(replay.out, "policy mine.so (sha256 "));
    }
}

TEST_CASE("a test of the package fails once its policy is broken") {
  const Installed natgpu;
  must(natgpu.folder(), "prefix/bin/natgpu policy new mine --level 2 --lang c++");
  must(natgpu.folder(), "sed -i 's/head = -1/head = 0/' mine/mine.cpp");
  must(
      natgpu.folder(),
      "cmake -G Ninja -S mine -B mine/build -DCMAKE_PREFIX_PATH=\"$PWD/prefix\" && cmake --build mine/build");
  const Outcome tests = shell(natgpu.folder(), "ctest --test-dir mine/build");
  INFO(tests.out);
  CHECK(tests.code != 0);
  CHECK(has(tests.out, "mine-check"));
}

TEST_CASE("another version of the package than the one asked for is refused") {
  const Installed natgpu;
  for (const bool fits : {true, false}) {
    write_bytes(natgpu.path("CMakeLists.txt"),
                "cmake_minimum_required(VERSION 3.25)\nproject(outside LANGUAGES C)\nfind_package(natgpu " +
                    std::string(fits ? "0.1" : "0.2") + " REQUIRED)\n");
    const Outcome outcome =
        shell(natgpu.folder(), "rm -rf b && cmake -G Ninja -B b -DCMAKE_PREFIX_PATH=\"$PWD/prefix\"");
    INFO(outcome.out);
    CHECK((outcome.code == 0) == fits);
    if (!fits) CHECK(has(outcome.out, "version: 0.1.0"));
  }
}
