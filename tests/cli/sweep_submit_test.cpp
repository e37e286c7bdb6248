// SPDX-License-Identifier: Apache-2.0
// What `sweep submit` prints is what runs: the script for GNU parallel is run as it is printed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "small_sweep.hpp"

using namespace natgpu::testing;
namespace fs = std::filesystem;

namespace {

int sh(const std::string& command) {
  return std::system(command.c_str());
}

/// Another program of that name, of moreutils, has other options.
bool has_gnu_parallel() {
  return sh("parallel --version 2>/dev/null </dev/null | grep -q '^GNU parallel'") == 0;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

#define NEEDS_GNU_PARALLEL()                                              \
  if (!has_gnu_parallel()) {                                              \
    WARN("skipped: there is no GNU parallel (apt-get install parallel)"); \
    return;                                                               \
  }

TEST_CASE("the script printed for GNU parallel runs all shards and merges to the bytes of one process") {
  NEEDS_GNU_PARALLEL();
  const Sweep sweep;
  REQUIRE(sweep.run("one").code == 0);
  const std::string out = "it's a folder";
  const Outcome printed = sweep.says(
      {"sweep", "submit", "plan.json", "--engine", "parallel", "--shards", "4", "--out", out, "--dry-run"});
  REQUIRE(printed.code == 0);
  CHECK_FALSE(fs::exists(sweep.folder.path(out)));
  const std::string script = sweep.folder.path("printed.sh"), log = sweep.folder.path("log");
  write_bytes(script, printed.out);
  const std::string run = "sh '" + script + "' >'" + log + "' 2>&1 </dev/null";
  const std::string parallel_log = sweep.folder.path(out + "/parallel.log");

  // One shard cannot be run: the merge does not come, and a second call runs only what failed.
  fs::create_directories(sweep.folder.path(out));
  const std::string in_the_way = sweep.folder.path(out + "/shard-00002-of-00004.part");
  write_bytes(in_the_way, "#natgpu-shard/1 plan=another version=0 shard=2/4\n");
  CHECK(sh(run) != 0);
  INFO(read_bytes(log));
  CHECK(lines_in(read_bytes(parallel_log)) == 1 + 4);
  CHECK_FALSE(fs::exists(sweep.folder.path(out + "/results.csv")));
  fs::remove(in_the_way);
  CHECK(sh(run) == 0);
  INFO(read_bytes(log));
  CHECK(lines_in(read_bytes(parallel_log)) == 1 + 4 + 1);
  CHECK(fs::exists(sweep.folder.path(out + "/shard-00004-of-00004.shard")));
  CHECK(fs::exists(sweep.folder.path(out + "/results.csv")));
  CHECK(sweep.merged(out) == sweep.merged("one"));
}
