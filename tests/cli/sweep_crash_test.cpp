// SPDX-License-Identifier: Apache-2.0
// Sweeps that are killed: nothing that was finished is lost, nothing that was torn is believed.
#include <csignal>
#include <filesystem>

#include <natgpu/core/random.hpp>

#include "folder_watch.hpp"
#include "small_sweep.hpp"

using namespace natgpu::testing;
namespace fs = std::filesystem;

namespace {

const std::string shard_name = "shard-00001-of-00001";

std::size_t bytes_of(const std::string& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

/// Runs the sweep and kills it as soon as its unfinished shard holds so many bytes. @returns whether it died
/// of that
bool killed_at(const Sweep& sweep, const std::string& out, std::size_t bytes) {
  const std::string stem = sweep.folder.path(out + "/" + shard_name);
  const FolderWatch watch(sweep.folder.path(out));
  Program program({"sweep", "run", "plan.json", "--out", out, "--jobs", "2"}, sweep.folder.path(""));
  do
    if (!watch.wakes()) FAIL("the sweep neither writes nor ends");
  while (bytes_of(stem + ".part") < bytes && !fs::exists(stem + ".shard"));
  program.signal(SIGKILL);
  return program.wait().code == -SIGKILL;
}

}  // namespace

TEST_CASE(
    "a shard cut off at any byte, or with rubbish at its end, is finished to the same bytes: 50 places") {
  const Sweep sweep;
  REQUIRE(sweep.run("one").code == 0);
  const std::string whole = read_bytes(sweep.folder.path("one/shard-00001-of-00001.shard"));
  const std::string tables = sweep.merged("one");
  const natgpu::Stream dice = natgpu::Streams(1, 0).open("test", "cuts");
  for (std::uint32_t i = 0; i < 50; ++i) {
    const auto cut = static_cast<std::size_t>(dice.unit(0, i) * static_cast<double>(whole.size()));
    const std::string out = "cut" + std::to_string(i);
    fs::create_directories(sweep.folder.path(out));
    std::string bytes = whole.substr(0, cut);
    if (i % 2 == 1) bytes += std::string(7, '\0');  // a block that was claimed and never written
    write_bytes(sweep.folder.path(out + "/shard-00001-of-00001.part"), bytes);
    INFO("cut at byte " << cut << " of " << whole.size());
    const Outcome outcome = sweep.run(out);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(read_bytes(sweep.folder.path(out + "/shard-00001-of-00001.shard")) == whole);
    CHECK_FALSE(fs::exists(sweep.folder.path(out + "/shard-00001-of-00001.part")));
  }
  CHECK(sweep.merged("cut0") == tables);
}

TEST_CASE("a sweep killed at 50 moments of its life and started again each time ends with the same bytes") {
  const Sweep sweep({"--range", "supply.tranches[first].units=1 GPU..9 GPU", "--sample", "lhs:300",
                     "--metrics", "jobs.wait.mean,jobs.finished.count"});
  REQUIRE(sweep.run("whole").code == 0);
  const std::string whole = read_bytes(sweep.folder.path("whole/" + shard_name + ".shard"));
  const std::string tables = sweep.merged("whole");
  const natgpu::Stream dice = natgpu::Streams(7, 0).open("test", "kills");
  int killed = 0, resumed = 0;
  for (std::uint32_t life = 0; killed < 50; ++life) {
    // Ten moments to a sweep, at places that rise over its whole length; then it is left alone.
    const std::string out = "k" + std::to_string(life);
    const std::string stem = sweep.folder.path(out + "/" + shard_name);
    fs::create_directories(sweep.folder.path(out));
    for (std::uint32_t i = 0; i < 10 && !fs::exists(stem + ".shard"); ++i) {
      const double at = (i + dice.unit(life, i)) / 10 * static_cast<double>(whole.size());
      killed += killed_at(sweep, out, static_cast<std::size_t>(at));
    }
    INFO("after " << killed << " kills, sweep " << life);
    REQUIRE(life < 20);
    const Outcome outcome = sweep.run(out, {"--jobs", "2"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    resumed += has(outcome.err, "points were done before");
    CHECK(read_bytes(stem + ".shard") == whole);
    CHECK_FALSE(fs::exists(stem + ".part"));
    CHECK(sweep.merged(out) == tables);
  }
  CHECK(resumed >= 1);  // else the kills came too late to matter
}
