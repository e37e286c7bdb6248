// SPDX-License-Identifier: Apache-2.0
// A small sweep with its folder, run through the program.
#pragma once

#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

namespace natgpu::testing {

inline const char* const tiny_city = R"(schema: natgpu/1
name: tiny
horizon: {start: 2025-01-01, end: 2025-01-05}
replications: 2
hardware:
  - {name: h100, bf16: 989.4 TFLOP/s, power: 700 W, per_node: 1}
supply:
  sites:
    - {name: here}
  tranches:
    - {name: first, site: here, device: h100, units: 2 GPU, in_service: 2024-12-01}
demand:
  sectors:
    - name: sme
      organisations: 5
      request_rate: 4 /d
      adoption: {initial: 1}
      onboarding: {initial: 1}
      mix: [{name: job, share: 1}]
  batch:
    - {name: job, gpus: 1 GPU, run_time: {dist: exponential, mean: 2 h}}
)";

struct Sweep {
  Folder folder;
  explicit Sweep(const std::vector<std::string>& axes =
                     {"--axis", "supply.tranches[first].units=1 GPU,2 GPU,3 GPU", "--zip",
                      "policy=fcfs,easy,easy;demand.sectors[sme].request_rate=1 "
                      "/d,2 /d,3 /d",
                      "--metrics", "jobs.wait.mean,jobs.finished.count"},
                 const std::string& scenario = tiny_city) {
    write_bytes(folder.path("tiny.yaml"), scenario);
    std::vector<std::string> words{"sweep", "plan", "tiny.yaml", "--out", "plan.json"};
    words.insert(words.end(), axes.begin(), axes.end());
    const Outcome outcome = says(words);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
  }
  Outcome says(const std::vector<std::string>& words) const { return natgpu_says(words, folder.path("")); }
  Outcome run(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"sweep", "run", "plan.json", "--out", out});
    return says(more);
  }
  /// Merges and gives all tables.
  std::string merged(const std::string& out) const {
    const Outcome outcome = says({"sweep", "merge", "plan.json", "--out", out});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return read_bytes(folder.path(out + "/points.csv")) + read_bytes(folder.path(out + "/results.csv")) +
           read_bytes(folder.path(out + "/summary.csv")) + read_bytes(folder.path(out + "/results.sqlite"));
  }
};

}  // namespace natgpu::testing
