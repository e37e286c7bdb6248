// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "tiny_scenario.hpp"

using namespace natgpu::testing;

namespace {

/// A pool with one site, one sector and one class: the least that simulates something.
std::string tiny() {
  return natgpu::testing::tiny_scenario({.title = "{en: A tiny pool, ko: 작은 풀}",
                                         .end = "2025-02-01",
                                         .replications = 3,
                                         .device = "bf16: 989.4 TFLOP/s, power: 700 W",
                                         .gpus = 8,
                                         .request_rate = "1 /d",
                                         .run_time = "2 h"});
}

std::vector<std::string> result_files() {
  return {"summary.json", "metrics.csv", "timeseries.csv", "report.md"};
}

}  // namespace

TEST_CASE("a run writes five files, prints the summary and last the report's path") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  const Outcome outcome = natgpu_says({"run", "tiny.yaml"}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "tiny: A tiny pool"));
  CHECK(outcome.out.substr(outcome.out.size() - 23) == "results/tiny/report.md\n");
  for (const std::string& name : result_files())
    CHECK(std::filesystem::is_regular_file(folder.path("results/tiny/" + name)));
  const nlohmann::json manifest =
      nlohmann::json::parse(read_bytes(folder.path("results/tiny/manifest.json")));
  CHECK(manifest["command_line"] == "natgpu run tiny.yaml");
  CHECK(manifest["replications"]["finished"] == 3);
  CHECK(manifest["inputs"][0]["file"] == "tiny.yaml");
}

TEST_CASE("results do not depend on the number of threads") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  for (const char* jobs : {"1", "2"})
    REQUIRE(natgpu_says({"run", "tiny.yaml", "--replications", "5", "--jobs", jobs, "--out", jobs},
                        folder.path(""))
                .code == 0);
  for (const std::string& name : result_files()) {
    INFO(name);
    CHECK(read_bytes(folder.path("1/" + name)) == read_bytes(folder.path("2/" + name)));
  }
}

TEST_CASE("policy and quick stand in the folder's name and in the outputs") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  const Outcome outcome =
      natgpu_says({"run", "tiny.yaml", "--policy", "fcfs", "--quick", "--lang", "both"}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "QUICK RUN"));
  CHECK(has(outcome.out, "policy fcfs"));
  const std::string report = read_bytes(folder.path("results/tiny-fcfs-quick/report.md"));
  CHECK(has(report, "Quick run"));
  CHECK(has(report, "간이 실행"));
}

TEST_CASE("an unwritable folder is refused before anything is simulated") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  write_bytes(folder.path("file"), "x");
  const Outcome outcome =
      natgpu_says({"run", "tiny.yaml", "--replications", "1000000", "--out", "file/out"}, folder.path(""));
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "file/out"));
}

TEST_CASE("a scenario with mistakes ends with 3, names them all, and writes nothing") {
  const Folder folder;
  std::string text = tiny();
  text.replace(text.find("organisations: 5"), 16, "organisatons: 5\n      organisations: -3");
  text += "colour: blue\n";
  write_bytes(folder.path("bad.yaml"), text);
  write_bytes(folder.path("tiny.yaml"), tiny());
  for (const char* command : {"run", "validate"}) {
    const Outcome outcome = natgpu_says({command, "tiny.yaml", "bad.yaml", "none.yaml"}, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(has(outcome.err, "`organisatons`"));
    CHECK(has(outcome.err, "`colour`"));
    CHECK(has(outcome.err, "-3"));
    CHECK(has(outcome.err, "none.yaml"));
    CHECK(has(outcome.err, "nothing was run"));
  }
  CHECK_FALSE(std::filesystem::exists(folder.path("results")));
}

TEST_CASE("validate says ok where nothing is wrong") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  const Outcome outcome = natgpu_says({"validate", "tiny.yaml"}, folder.path(""));
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "tiny.yaml: ok (tiny)\n");
}

TEST_CASE("a target on an unknown metric ends with 3 before anything is run") {
  const Folder folder;
  write_bytes(folder.path("t.yaml"),
              tiny() + "targets:\n  - {name: goal, metric: gpu.buzzy.share, expect: \">= 0.5\"}\n");
  for (const char* command : {"run", "validate"}) {
    const Outcome outcome = natgpu_says({command, "t.yaml"}, folder.path(""));
    CHECK(outcome.code == 3);
    CHECK(has(outcome.err, "E0502"));
  }
}

TEST_CASE("the option --set is checked like the file") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  Outcome outcome = natgpu_says(
      {"run", "tiny.yaml", "--set", "replications=1", "--set", "horizon.end=2025-01-08"}, folder.path(""));
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "1 replications"));
  CHECK(has(read_bytes(folder.path("results/tiny/report.md")), "--set replications=1"));
  outcome = natgpu_says({"run", "tiny.yaml", "--set", "replicatons=1"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "replications"));
}

TEST_CASE("options that change the scenario are settings: equal runs have equal hashes and files") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  const auto run = [&](std::vector<std::string> words, const std::string& out) {
    words.insert(words.begin(), {"run", "tiny.yaml", "--out", out});
    const Outcome outcome = natgpu_says(words, folder.path(""));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return nlohmann::json::parse(read_bytes(folder.path(out + "/manifest.json")));
  };
  const nlohmann::json by_option = run({"--seed", "9", "--replications", "2"}, "a");
  const nlohmann::json by_setting = run({"--set", "seed=9", "--set", "replications=2"}, "b");
  CHECK(by_option["scenario"]["hash"] == by_setting["scenario"]["hash"]);
  CHECK(by_option["resolved_scenario"] == by_setting["resolved_scenario"]);
  CHECK(has(by_option["resolved_scenario"], "seed = 9\n"));
  CHECK(read_bytes(folder.path("a/metrics.csv")) == read_bytes(folder.path("b/metrics.csv")));
  CHECK(by_option["scenario"]["hash"] != run({}, "c")["scenario"]["hash"]);
  // An option wins over a setting, and a quick run takes as many replications as were asked for.
  CHECK(run({"--seed", "9", "--set", "seed=8", "--replications", "2"}, "d")["scenario"]["hash"] ==
        by_option["scenario"]["hash"]);
  CHECK(run({"--quick", "--replications", "4"}, "e")["replications"]["finished"] == 4);
  CHECK(run({"--quick"}, "f")["replications"]["finished"] == 2);
}

TEST_CASE("a target whose labels match nothing keeps the results and is reported with its line") {
  const Folder folder;
  write_bytes(folder.path("t.yaml"), tiny() +
                                         "targets:\n  - name: goal\n    metric: gpu.allocated.share\n"
                                         "    where: period=2035\n    expect: \">= 0.5\"\n");
  const Outcome outcome = natgpu_says({"run", "t.yaml"}, folder.path(""));
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "t.yaml:26:12: error[E0504]: targets[goal].where: "));
  CHECK(has(outcome.err, " 26 |     where: period=2035\n    |            ^^^^^^^^^^^\n"));
  CHECK(has(outcome.err, "the results are written; these were not judged"));
  CHECK(std::filesystem::is_regular_file(folder.path("results/tiny/summary.json")));
}

TEST_CASE("stdout holds results only, and progress goes to stderr") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny());
  const Outcome outcome = natgpu_says({"run", "tiny.yaml"}, folder.path(""));
  CHECK(has(outcome.out, "fingerprint "));
  CHECK_FALSE(has(outcome.out, "of 3 replications"));
  CHECK_FALSE(has(outcome.err, "\r"));  // a bar is for terminals
}

TEST_CASE("two scenarios that would share a folder are refused") {
  const Folder folder;
  write_bytes(folder.path("a.yaml"), tiny());
  write_bytes(folder.path("b.yaml"), tiny());
  CHECK(natgpu_says({"run", "a.yaml", "b.yaml"}, folder.path("")).code == 2);
}

TEST_CASE("after an interrupt the finished replications are kept and the program ends with 130") {
  for (const int number : {SIGINT, SIGTERM}) {
    const Folder folder;
    write_bytes(folder.path("tiny.yaml"), tiny());
    Program program({"run", "tiny.yaml", "--replications", "40", "--jobs", "2", "--set",
                     "demand.sectors[sme].request_rate=1000 /d", "--set", "demand.batch[job].run_time=10 s"},
                    folder.path(""));
    REQUIRE(program.says("of 40 replications"));  // a tenth is done, so more than the two under way
    program.signal(number);
    const Outcome outcome = program.wait();
    INFO(outcome.err);
    REQUIRE(outcome.code == 130);
    CHECK(has(outcome.out, "INTERRUPTED"));
    const nlohmann::json summary =
        nlohmann::json::parse(read_bytes(folder.path("results/tiny/summary.json")));
    CHECK(summary["interrupted"] == true);
    CHECK(summary["replications"].get<int>() > 0);
    CHECK(summary["replications"].get<int>() < 40);
    CHECK(summary["metrics"][0]["values"].size() == summary["replications"]);
  }
}
