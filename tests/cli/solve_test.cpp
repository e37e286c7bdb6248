// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// Mean wait of M/M/c in mean service times at load a (Erlang C; ORACLES.md Q1).
double erlang_wait(int servers, double a) {
  double b = 1;
  for (int k = 1; k <= servers; ++k) b = a * b / (k + a * b);
  const double c = b / (1 - a / servers * (1 - b));
  return c / (servers - a);
}

/// The least number of servers whose exact mean wait is at most so many seconds, at load 8 and a service of 1
/// h.
int erlang_servers(double seconds) {
  int servers = 9;
  while (erlang_wait(servers, 8) * 3600 > seconds) ++servers;
  return servers;
}

/// Eight GPUs, and eight more from a day that is to be found.
const char* const delivery = R"(schema: natgpu/1
name: delivery
horizon: {start: 2025-01-01, end: 2026-01-01}
replications: 10
hardware:
  - {name: h100, bf16: 989.4 TFLOP/s, power: 700 W, per_node: 8}
supply:
  sites:
    - {name: here}
  tranches:
    - {name: first, site: here, device: h100, units: 8 GPU, in_service: 2024-12-01}
    - {name: second, site: here, device: h100, units: 8 GPU, in_service: 2025-06-01}
demand:
  sectors:
    - name: sme
      organisations: 1
      request_rate: 1 /d
      adoption: {initial: 1}
      onboarding: {initial: 1}
      mix: [{name: job, share: 1}]
  batch:
    - {name: job, gpus: 1 GPU, run_time: 2 h}
)";

Outcome solve(const Folder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), "solve");
  return natgpu_says(words, folder.path(""));
}

}  // namespace

TEST_CASE("solve finds Erlang C's number of servers for a mean wait") {
  const Folder folder;
  CHECK(erlang_wait(10, 8) == Approx(0.204590075));
  for (const int seconds : {1200, 400, 170}) {  // well between the waits of whole numbers of servers
    const Outcome outcome =
        solve(folder, {NATGPU_SOURCE_DIR "/scenarios/mmc.yaml", "--target",
                       "jobs.wait.mean:period=all <= " + std::to_string(seconds) + " s", "--vary",
                       "supply.tranches[servers].units", "--from", "9 GPU", "--to", "14 GPU", "--set",
                       "horizon.end=2025-02-15", "--json", "s.json"});
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    const std::string exact = std::to_string(erlang_servers(seconds)) + " GPU";
    const auto json = nlohmann::json::parse(read_bytes(folder.path("s.json")));
    CHECK(json["answer"] == exact);
    CHECK(json["by_mean"] == exact);
    CHECK(outcome.out.find("\n" + exact + ": the smallest value of ") != std::string::npos);
  }
}

TEST_CASE("solve finds the latest date of a delivery, to the day") {
  const Folder folder;
  write_bytes(folder.path("d.yaml"), delivery);
  // Eight GPUs all year are 70,080 GPU.h, eight more from 2 October on, 91 days, 17,472.
  const Outcome outcome =
      solve(folder, {"d.yaml", "--target", "gpu.hours:period=2025;state=in_service >= 87552 GPU.h", "--vary",
                     "supply.tranches[second].in_service", "--from", "2025-02-01", "--to", "2025-12-31"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "2025-10-02: the largest value of supply.tranches[second].in_service"));
  CHECK(has(outcome.out, "excluded with the same confidence: 2025-10-03 and above"));
}

TEST_CASE("solve ends with 1 where nothing in the range meets the target, and with 0 where all of it does") {
  const Folder folder;
  write_bytes(folder.path("d.yaml"), delivery);
  const auto with = [&](const std::string& target) {
    return solve(folder, {"d.yaml", "--target", target, "--vary", "supply.tranches[second].units", "--from",
                          "8 GPU", "--to", "80 GPU", "--step", "8 GPU"});
  };
  Outcome outcome = with("gpu.hours:period=2025;state=in_service >= 1e7 GPU.h");
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "no end of the range 8 GPU to 80 GPU meets"));
  outcome = with("gpu.hours:period=2025;state=in_service >= 1 GPU.h");
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "every value from 8 GPU to 80 GPU meets"));
}

TEST_CASE("a lever that makes no row of values, or no path, is refused before anything runs") {
  const Folder folder;
  write_bytes(folder.path("d.yaml"), delivery);
  const auto refused = [&](std::vector<std::string> words, int code, const std::string& says) {
    std::vector<std::string> all{"d.yaml", "--target", "jobs.wait.mean <= 600 s"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = solve(folder, all);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, says));
    CHECK_FALSE(has(outcome.err, "of 10 runs"));
  };
  const std::string units = "supply.tranches[second].units";
  refused({"--vary", units, "--from", "8 GPU"}, 2, "solve needs --to");
  refused({"--vary", units, "--from", "8 GPU", "--to", "2025-01-01"}, 2, "--to");
  refused({"--vary", units, "--from", "16 GPU", "--to", "8 GPU"}, 2, "no row of values");
  refused({"--vary", units, "--from", "8 GPU", "--to", "16 GPU", "--step", "0 GPU"}, 2, "no row of values");
  refused({"--vary", units, "--from", "many", "--to", "16 GPU"}, 2, "neither a number nor a date");
  refused({"--vary", "supply.tranches[third].units", "--from", "8 GPU", "--to", "16 GPU"}, 3, "E0231");
  refused({"--vary", units, "--from", "8 MW", "--to", "16 MW"}, 3, "E0106");
  refused({"--vary", units, "--from", "8 GPU", "--to", "16 GPU", "--confidence", "20 %"}, 2, "--confidence");
  refused({"--vary", units, "--from", "8 GPU", "--to", "16 GPU", "--replications", "3"}, 2, "--replications");
}
