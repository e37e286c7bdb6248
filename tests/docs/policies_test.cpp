// SPDX-License-Identifier: Apache-2.0
// The policies of docs/policies.md are compiled as they stand there, and do what the page says.
#include <string>
#include <vector>

#include "build_policy.hpp"
#include "catch.hpp"
#include "pages.hpp"
#include "run_program.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

/// The sources of the page in this language, in their order.
std::vector<std::string> sources(const std::string& language = "c") {
  std::vector<std::string> all;
  for (const Block& block : blocks_of(page("docs/policies.md"))) {
    if (block.language != language) continue;
    std::string& text = all.emplace_back();
    for (const std::string& line : block.code) text += line + "\n";
  }
  return all;
}

std::string jobs_under(const Folder& folder, std::vector<std::string> options) {
  options.insert(options.begin(), {"replay", NATGPU_SOURCE_DIR "/scenarios/data/replay-log.swf", "--jobs-csv",
                                   folder.path("jobs.csv")});
  const Outcome outcome = natgpu_says(options, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return read_bytes(folder.path("jobs.csv"));
}

}  // namespace

TEST_CASE("the order of docs/policies.md is one, and its easy is natgpu's") {
  const std::vector<std::string> texts = sources();
  REQUIRE(texts.size() == 3);
  for (const std::string& text : texts) CHECK(std::count(text.begin(), text.end(), '\n') < 50);
  const Folder folder;
  build_text(folder, "order", texts[0]);
  build_text(folder, "easy", texts[1]);
  CHECK(jobs_under(folder, {"--policy", "./easy.so"}) == jobs_under(folder, {"--policy", "easy"}));
  CHECK(jobs_under(folder, {"--policy", "easy", "--order", "./order.so"}) !=
        jobs_under(folder, {"--policy", "easy"}));
}

TEST_CASE("each easy of docs/policies.md starts all jobs of the KTH log when natgpu's does") {
  NATGPU_TRACE_OR_SKIP(path, "KTH-SP2-1996-2-filtered.swf.gz");
  const Folder folder;
  build_text(folder, "easy", sources().at(1));
  const std::vector<std::string> classes = sources("cpp");
  REQUIRE(classes.size() == 1);
  CHECK(std::count(classes[0].begin(), classes[0].end(), '\n') < 50);
  build_text(folder, "easy_class", classes[0], "cpp");
  std::vector<std::string> jobs;
  for (const char* policy : {"./easy.so", "./easy_class.so", "easy"}) {
    const Outcome outcome = natgpu_says({"replay", path, "--policy", policy, "--pass", "event", "--ties",
                                         "arrival-first", "--jobs-csv", "jobs.csv"},
                                        folder.path(""));
    REQUIRE(outcome.code == 0);
    jobs.push_back(read_bytes(folder.path("jobs.csv")));
  }
  CHECK(jobs[0] == jobs[2]);
  CHECK(jobs[1] == jobs[2]);
}

TEST_CASE("the fcfs of docs/policies.md runs a scenario event for event as natgpu's does") {
  const Folder folder;
  build_text(folder, "mine", sources().at(2));
  const auto fingerprint_under = [&](const std::string& policy) {
    const Outcome outcome = natgpu_says({"run", NATGPU_SOURCE_DIR "/scenarios/small-city.yaml",
                                         "--replications", "2", "--policy", policy, "--out", "out"},
                                        folder.path(""));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    const std::size_t at = outcome.out.find("fingerprint ");
    REQUIRE(at != std::string::npos);
    return outcome.out.substr(at, outcome.out.find('\n', at) - at);
  };
  CHECK(fingerprint_under("./mine.so") == fingerprint_under("fcfs"));
  CHECK(fingerprint_under("./mine.so") != fingerprint_under("fit"));
}

TEST_CASE("docs/policies.md names every call of natgpu/policy.h") {
  const std::string header = read_bytes(NATGPU_SOURCE_DIR "/include/natgpu/policy.h");
  const std::string text = read_bytes(NATGPU_SOURCE_DIR "/docs/policies.md");
  std::size_t calls = 0;
  for (std::size_t at = header.find("(*"); at != std::string::npos; at = header.find("(*", at + 2)) {
    const std::string name = header.substr(at + 2, header.find(')', at) - at - 2);
    if (name.rfind("natgpu_", 0) == 0) continue;  // the type of the entry
    ++calls;
    INFO(name);
    CHECK((has(text, "`" + name + "`") || has(text, "`" + name + "(")));
  }
  CHECK(calls == 25);
}
