// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "crowded.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// A month of a crowded pool, and policies that change more than the schedule.
std::string contested() {
  Crowd crowd;
  crowd.end = "2025-02-01";
  crowd.requests_a_day = 2.4;
  crowd.large_share = 30;
  crowd.large_hours = 2;
  return crowded(crowd) + R"(policies:
  more: {"supply.tranches[first].units": 16 GPU}
  reseeded: {seed: 9}
)";
}

Outcome compare(const Folder& folder, std::vector<std::string> words) {
  write_bytes(folder.path("c.yaml"), contested());
  words.insert(words.begin(), {"compare", "c.yaml"});
  return natgpu_says(words, folder.path(""));
}

nlohmann::json read_comparison(const Folder& folder, const std::string& out) {
  return nlohmann::json::parse(read_bytes(folder.path(out + "/compare.json")));
}

}  // namespace

TEST_CASE("compare states verdicts with intervals and writes three files") {
  const Folder folder;
  const Outcome outcome = compare(folder, {"--policies", "fcfs,easy", "--out", "o"});
  INFO(outcome.err << outcome.out);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "easy against fcfs; seed 1, 10 replications on common random numbers"));
  CHECK(has(outcome.out, "  better\n"));
  CHECK(outcome.out.substr(outcome.out.size() - 13) == "o/compare.md\n");
  const nlohmann::json json = read_comparison(folder, "o");
  CHECK(json["base"] == "fcfs");
  CHECK(json["replications"] == 10);  // three do not make a verdict
  CHECK(json["in_common"][0]["same_demand"] == 10);
  for (const nlohmann::json& row : json["comparisons"])
    if (row["of"]["metric"] == "jobs.wait.mean") {
      CHECK(row["verdict"] == "better");
      CHECK(row["difference"]["ci95"][1].get<double>() < 0);
    }
  CHECK(std::filesystem::exists(folder.path("o/compare.csv")));
}

TEST_CASE("a comparison does not depend on threads, and a policy's verdict turns round with the base") {
  const Folder folder;
  REQUIRE(compare(folder, {"--policies", "fcfs,easy", "--jobs", "1", "--out", "1"}).code == 0);
  REQUIRE(compare(folder, {"--policies", "fcfs,easy", "--jobs", "3", "--out", "3"}).code == 0);
  for (const char* name : {"/compare.json", "/compare.csv", "/compare.md"})
    CHECK(read_bytes(folder.path("1") + name) == read_bytes(folder.path("3") + name));
  REQUIRE(compare(folder, {"--policies", "fcfs", "--vs", "easy", "--metrics", "jobs.wait.mean", "--out", "b"})
              .code == 0);
  const nlohmann::json back = read_comparison(folder, "b");
  REQUIRE(back["comparisons"].size() == 1);
  CHECK(back["base"] == "easy");
  CHECK(back["comparisons"][0]["verdict"] == "worse");
}

TEST_CASE("by default all policies of the file are compared with the scenario as it stands") {
  const Folder folder;
  std::string text = contested();
  text.replace(text.find("  reseeded"), std::string::npos, "");
  write_bytes(folder.path("d.yaml"), text);
  const Outcome outcome = natgpu_says({"compare", "d.yaml"}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const nlohmann::json json = read_comparison(folder, "results/crowded-compare");
  CHECK(json["base"] == "base");
  CHECK(json["policies"].size() == 2);
  CHECK(json["policies"][1]["name"] == "more");
}

TEST_CASE("policies that change nothing are equal, and few replications decide nothing and end with 5") {
  const Folder folder;
  Outcome outcome = compare(folder, {"--policies", "base,easy", "--metrics", "jobs.wait.mean", "--out", "e"});
  CHECK(outcome.code == 0);
  CHECK(read_comparison(folder, "e")["comparisons"][0]["verdict"] == "equal");  // easy is the default
  outcome = compare(folder, {"--policies", "fcfs,easy", "--replications", "4", "--out", "f"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.out, "4 replications, verdicts need 10"));
}

TEST_CASE("a declared second stage runs only where the first leaves something undecided, at half of alpha") {
  const Folder folder;
  const std::vector<std::string> common{"--policies", "fcfs,easy", "--metrics", "jobs.wait.mean"};
  std::vector<std::string> words = common;
  words.insert(words.end(), {"--replications", "10", "--then", "20", "--out", "s"});
  REQUIRE(compare(folder, words).code == 0);
  nlohmann::json json = read_comparison(folder, "s");
  CHECK(json["alpha"] == 0.025);
  CHECK(json["second_stage_run"] == false);
  CHECK(json["replications"] == 10);
  words = common;
  words.insert(words.end(), {"--replications", "2", "--then", "12", "--out", "t"});
  REQUIRE(compare(folder, words).code == 0);
  json = read_comparison(folder, "t");
  CHECK(json["second_stage_run"] == true);
  CHECK(json["replications"] == 12);
}

TEST_CASE("what cannot be compared is refused before anything runs") {
  const Folder folder;
  const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& says) {
    const Outcome outcome = compare(folder, words);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, says));
    CHECK_FALSE(std::filesystem::exists(folder.path("results")));
  };
  refused({"--policies", "fcfs,esay"}, 3, "did you mean `easy`?");
  refused({"--policies", "fcfs"}, 2, "a comparison needs two policies");
  refused({"--policies", "fcfs,easy,fcfs"}, 2, "`fcfs` stands twice");
  refused({"--policies", "fcfs,reseeded"}, 2, "policy `reseeded` changes the seed");
  refused({"--policies", "fcfs,easy", "--metrics", "jobs.wiat.mean"}, 3, "did you mean `jobs.wait.mean`?");
  refused({"--policies", "fcfs,easy", "--metrics", "jobs.wait.mean:site=here"}, 3, "E0504");
  refused({"--policies", "fcfs,easy", "--margin", "some"}, 2, "--margin");
  refused({"--policies", "fcfs,easy", "--replications", "20", "--then", "10"}, 2, "--then");
}

TEST_CASE("labels that match nothing are an error, not an empty comparison") {
  const Folder folder;
  const Outcome outcome =
      compare(folder, {"--policies", "fcfs,easy", "--metrics", "jobs.wait.mean:sector=smes", "--out", "o"});
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "E0504"));
  CHECK_FALSE(std::filesystem::exists(folder.path("o/compare.json")));
}
