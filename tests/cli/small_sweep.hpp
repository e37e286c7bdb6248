// SPDX-License-Identifier: Apache-2.0
// A small sweep with its folder, run through the program.
#pragma once

#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "tiny_scenario.hpp"

namespace natgpu::testing {

struct Sweep {
  Folder folder;
  explicit Sweep(const std::vector<std::string>& axes =
                     {"--axis", "supply.tranches[first].units=1 GPU,2 GPU,3 GPU", "--zip",
                      "policy=fcfs,easy,easy;demand.sectors[sme].request_rate=1 "
                      "/d,2 /d,3 /d",
                      "--metrics", "jobs.wait.mean,jobs.finished.count"},
                 const std::string& scenario = tiny_scenario()) {
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
