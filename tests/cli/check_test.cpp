// SPDX-License-Identifier: Apache-2.0
// `natgpu check` from its exit codes: 0 passed, 1 failed, 3 cannot be checked, 5 inconclusive.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "crowded.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// A folder with the scenario, its baseline and the program.
struct Project {
  Folder folder;
  explicit Project(const std::string& more = "regressions: {baseline: b.json}\n") {
    write_bytes(folder.path("c.yaml"), crowded() + more);
  }
  Outcome check(std::vector<std::string> words = {}) const {
    words.insert(words.begin(), {"check", "c.yaml"});
    return natgpu_says(words, folder.path(""));
  }
  Project& record() {
    const Outcome outcome = check({"--update-baseline"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(has(outcome.out, "jobs.wait.mean period=2025: new, "));
    return *this;
  }
};

}  // namespace

TEST_CASE("an unchanged tree passes its own baseline with 0, exactly, on any number of threads") {
  Project project;
  project.record();
  for (const char* jobs : {"1", "3"}) {
    const Outcome outcome = project.check({"--exact", "--jobs", jobs});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "identical in all 10 replications"));
    CHECK(has(outcome.out, "equal in 10 replications"));
    CHECK_FALSE(has(outcome.out, "the scenario differs"));
  }
}

TEST_CASE("a sabotaged policy and too little capacity fail with 1") {
  Project project;
  project.record();
  for (const char* sabotage : {"scheduling.backfill=none", "supply.tranches[first].units=6 GPU"}) {
    const Outcome outcome = project.check({"--set", sabotage});
    INFO(sabotage << outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "  FAIL          regression jobs.wait.mean"));
    CHECK(has(outcome.out, "the scenario differs from the one that the baseline was recorded with"));
  }
  const Outcome exact = project.check({"--set", "scheduling.backfill=fit", "--exact"});
  CHECK(exact.code == 1);
  CHECK(has(exact.out, "replications differ, first number 0"));
}

TEST_CASE("too few replications are inconclusive and end with 5") {
  Project project;
  project.record();
  const Outcome outcome = project.check({"--replications", "4"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.out, "4 replications, verdicts need 10"));
  CHECK_FALSE(has(outcome.out, "the scenario differs"));
}

TEST_CASE("targets decide as well: met 0, missed 1, of level warn 0") {
  const auto with = [](const std::string& expect, const std::string& level) {
    return "targets:\n  - {name: use, metric: gpu.allocated.share, where: period=2025, expect: \"" + expect +
           "\", level: " + level + "}\n";
  };
  CHECK(Project(with(">= 0.01", "error")).check().code == 0);
  Outcome outcome = Project(with(">= 0.99", "error")).check();
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "FAIL          target use: gpu.allocated.share period=2025 >= 0.99"));
  outcome = Project(with(">= 0.99", "warn")).check();
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "(warning only)"));
  CHECK(Project(with(">= 0.01", "error")).check({"--replications", "9"}).code == 5);
}

TEST_CASE("a check that would judge nothing is an error with 3, never a pass") {
  const auto refused = [](const Project& project, const std::string& code,
                          std::vector<std::string> words = {}) {
    const Outcome outcome = project.check(std::move(words));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 3);
    CHECK(has(outcome.err, code));
  };
  refused(Project(""), "E0508");
  refused(Project("regressions:\n  checks: [{metric: jobs.wait.mean, better: lower, margin: 1 s}]\n"),
          "E0508");
  refused(Project(), "E0506");
  refused(Project("regressions:\n  checks: [{metric: jobs.wiat.mean}]\n"), "did you mean `jobs.wait.mean`?");
  refused(Project("regressions:\n  checks: [{metric: jobs.wait.mean, where: site=x}]\n"), "E0504");
  refused(Project("regressions:\n  checks: [{metric: jobs.wait.mean, margin: \"2 h\"}]\n"), "E0503");
  refused(
      Project("regressions:\n  baseline: b.json\n  checks: [{metric: jobs.wait.mean, where: sector=smes}]\n"),
      "E0504", {"--update-baseline"});
  Project project;
  project.record();
  refused(project, "E0507", {"--policy", "fcfs"});
  Project narrow("regressions:\n  baseline: b.json\n  checks: [{metric: jobs.wait.mean, margin: 1 s}]\n");
  REQUIRE(narrow.check({"--update-baseline"}).code == 0);
  write_bytes(
      narrow.folder.path("c.yaml"),
      crowded() + "regressions:\n  baseline: b.json\n  checks: [{metric: jobs.wait.p95, margin: 1 s}]\n");
  refused(narrow, "E0507");
}

TEST_CASE("an update keeps what else the baseline holds, and margins edited by hand") {
  Project project;
  project.record();
  REQUIRE(project.check({"--policy", "fcfs", "--update-baseline"}).code == 0);
  std::string bytes = read_bytes(project.folder.path("b.json"));
  nlohmann::json json = nlohmann::json::parse(bytes);
  REQUIRE(json["scenarios"].size() == 2);
  CHECK(json["scenarios"][1]["policy"] == "fcfs");
  const std::string margin = "2 % of baseline";
  bytes.replace(bytes.find(margin), margin.size(), "0.25");
  write_bytes(project.folder.path("b.json"), bytes);
  const Outcome outcome = project.check({"--update-baseline", "--set", "scheduling.backfill=none"});
  CHECK(has(outcome.out, "difference "));
  json = nlohmann::json::parse(read_bytes(project.folder.path("b.json")));
  CHECK(json["scenarios"].size() == 2);
  CHECK(json["scenarios"][0]["checks"][0]["margin"] == "0.25");
  CHECK(project.check().code == 0);  // with backfill nothing is worse than without
}

TEST_CASE("verdicts are written for CI servers and mistakes for editors") {
  Project project;
  project.record();
  const Outcome outcome = project.check({"--set", "scheduling.backfill=none", "--junit", "j.xml", "--json",
                                         "c.json", "--sarif", "s.json", "--github"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "::error file=c.yaml,title=FAIL regression jobs.wait.mean"));
  CHECK(has(read_bytes(project.folder.path("j.xml")), "<failure message=\"FAIL: "));
  const auto json = nlohmann::json::parse(read_bytes(project.folder.path("c.json")));
  CHECK(json["verdict"] == "fail");
  CHECK(json["scenarios"][0]["baseline"] == "b.json");
  CHECK(nlohmann::json::parse(read_bytes(project.folder.path("s.json")))["runs"][0]["results"].empty());
  write_bytes(project.folder.path("c.yaml"), crowded() + "colour: blue\nshape: round\n");
  CHECK(project.check({"--sarif", "s.json"}).code == 3);
  const auto sarif = nlohmann::json::parse(read_bytes(project.folder.path("s.json")));
  REQUIRE(sarif["runs"][0]["results"].size() == 2);
  CHECK(sarif["runs"][0]["results"][0]["ruleId"] == "E0213");
}
