// SPDX-License-Identifier: Apache-2.0
// Policies from shared libraries through `natgpu replay`, as an author builds and runs them.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include <natgpu/core/hash.hpp>

#include "build_policy.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

const std::string header = "// SPDX-License-Identifier: Apache-2.0\n#include <natgpu/policy.h>\n";
const std::string log_path = NATGPU_SOURCE_DIR "/scenarios/data/replay-log.swf";

/// Jobs with the smallest area first.
std::string area() {
  return header +
         "static int64_t key(const natgpu_job *job) { return job->requested * job->gpus; }\n"
         "NATGPU_ORDER(key)\n";
}
std::string fcfs() {
  return header +
         "static void pass(void *state, const natgpu_host *host, int64_t now) {\n"
         "  int64_t head;\n"
         "  (void)state, (void)now;\n"
         "  while ((head = host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)\n"
         "    if (host->start(host, head, 0) != NATGPU_OK) return;\n"
         "}\n"
         "static const natgpu_policy policy = {.abi = NATGPU_POLICY_ABI, .size = sizeof(natgpu_policy), "
         ".pass = pass};\n"
         "NATGPU_POLICY(policy)\n";
}

std::string jobs_under(const Folder& folder, std::vector<std::string> options) {
  std::vector<std::string> words{"replay", log_path, "--jobs-csv", "jobs.csv", "--json", "out.json"};
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = natgpu_says(words, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return read_bytes(folder.path("jobs.csv"));
}

}  // namespace

TEST_CASE("a library of level 2 replays a log, and one that is fcfs gives the jobs of fcfs") {
  const Folder folder;
  build_text(folder, "mine", fcfs());
  const std::string theirs = jobs_under(folder, {"--policy", "fcfs"});
  CHECK(jobs_under(folder, {"--policy", "./mine.so"}) == theirs);
  CHECK(jobs_under(folder, {"--policy", "easy"}) != theirs);
}

TEST_CASE("a library of level 2 that is fcfs gives the jobs of fcfs on machines, and their machines") {
  const Folder folder;
  build_text(folder, "mine", fcfs());
  write_bytes(folder.path("away.csv"), "node,from,until,announced\n1,3600,90000,0\n2,20000,60000,\n");
  const auto on_machines = [&](const char* policy, std::vector<std::string> more) {
    more.insert(more.end(), {"--policy", policy, "--nodes", "16x4", "--node-outages", "away.csv"});
    return jobs_under(folder, more);
  };
  const std::string theirs = on_machines("fcfs", {"--checkpoint", "1h"});
  CHECK(on_machines("./mine.so", {"--checkpoint", "1h"}) == theirs);
  const nlohmann::json said = nlohmann::json::parse(read_bytes(folder.path("out.json")));
  CHECK(said["plugged_policy"]["level"] == 2);
  CHECK(said["nodes"]["checkpoint_s"] == 3600.0);
  CHECK(said["nodes"]["outages"] == 2);
  CHECK(said["nodes"]["outages_announced"] == 1);
  CHECK(on_machines("fit", {"--checkpoint", "1h"}) != theirs);
}

namespace {

/// 30 jobs on 8 GPUs that ask for more than there is.
std::string crowded_log(std::uint64_t seed) {
  std::string text = "; MaxProcs: 8\n";
  std::uint64_t state = seed;
  const auto random = [&state](std::uint64_t n) { return natgpu::mix64(state += 0x9e3779b97f4a7c15ULL) % n; };
  std::uint64_t submit = 0;
  for (int i = 1; i <= 30; ++i) {
    submit += random(6);
    const std::uint64_t requested = 1 + random(40), run = 1 + random(45), gpus = 1 + random(8);
    text += std::to_string(i) + " " + std::to_string(submit) + " -1 " + std::to_string(run) + " " +
            std::to_string(gpus) + " -1 -1 " + std::to_string(gpus) + " " + std::to_string(requested) +
            " -1 1 1 -1 -1 -1 -1 -1 -1\n";
  }
  return text;
}

}  // namespace

TEST_CASE("shortest remaining time by level 2 gives every job what natgpu's srtf gives it") {
  const Folder folder;
  const std::string source = read_bytes(NATGPU_SOURCE_DIR "/tests/policies/srtf.c");
  build_text(folder, "srtf", source);
  build_text(folder, "strict", "#define STRICT 1\n" + source);
  build_text(folder, "shielded", "#define SHIELD 5\n" + source);
  struct Case {
    const char* library;
    std::vector<std::string> theirs, both;
  };
  const std::vector<Case> cases{
      {"srtf", {}, {}},
      {"srtf", {}, {"--estimates", "exact"}},
      {"srtf", {}, {"--checkpoint", "7s", "--restart-cost", "2s"}},
      {"srtf", {}, {"--checkpoint", "never", "--restart-cost", "1s"}},
      {"srtf", {}, {"--notice", "3s", "--checkpoint", "4s"}},
      {"strict", {"--backfill", "none"}, {}},
      {"strict", {"--backfill", "none"}, {"--restart-cost", "2s"}},
      {"shielded", {}, {"--shield", "5s", "--restart-cost", "1s"}},
  };
  for (const Case& c : cases)
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
      write_bytes(folder.path("log.swf"), crowded_log(seed));
      const auto jobs = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"replay", "log.swf", "--jobs-csv", "jobs.csv"});
        words.insert(words.end(), c.both.begin(), c.both.end());
        const Outcome outcome = natgpu_says(words, folder.path(""));
        INFO(outcome.err);
        REQUIRE(outcome.code == 0);
        return outcome.out.substr(0, outcome.out.find("fingerprint")).substr(outcome.out.find("mean wait")) +
               read_bytes(folder.path("jobs.csv"));
      };
      std::vector<std::string> theirs{"--policy", "srtf"};
      theirs.insert(theirs.end(), c.theirs.begin(), c.theirs.end());
      INFO(c.library << ", seed " << seed);
      const std::string mine = jobs({"--policy", "./" + std::string(c.library) + ".so"});
      REQUIRE(mine == jobs(theirs));
      REQUIRE(has(mine, "  preemptions  "));
    }
}

TEST_CASE("a plug-in's shortest remaining time is natgpu's for all jobs of the KTH log") {
  NATGPU_TRACE_OR_SKIP(path, "KTH-SP2-1996-2-filtered.swf.gz");
  const Folder folder;
  build_text(folder, "srtf", "#define MOST 65536\n" + read_bytes(NATGPU_SOURCE_DIR "/tests/policies/srtf.c"));
  std::vector<std::string> jobs;
  for (const char* policy : {"./srtf.so", "srtf"}) {
    const Outcome outcome = natgpu_says({"replay", path, "--policy", policy, "--checkpoint", "10min",
                                         "--restart-cost", "90s", "--jobs-csv", "jobs.csv"},
                                        folder.path(""));
    REQUIRE(outcome.code == 0);
    CHECK(has(outcome.out, "preemptions            17670"));
    jobs.push_back(read_bytes(folder.path("jobs.csv")));
  }
  CHECK(jobs[0] == jobs[1]);
}

TEST_CASE("what costs a preemption goes with a policy of level 2, and what says when does not") {
  const Folder folder;
  build_text(folder, "mine", fcfs());
  const auto says = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"replay", log_path, "--policy", "./mine.so"});
    const Outcome outcome = natgpu_says(words, folder.path(""));
    return std::to_string(outcome.code) + " " + outcome.err + outcome.out;
  };
  CHECK(has(says({"--shield", "2h", "--checkpoint", "10min", "--restart-cost", "90s"}),
            "shield 2 h, checkpoint 10 min, restart cost 1.5 min"));
  for (const char* option : {"--quantum", "--rounds", "--thresholds", "--promote", "--preemption"}) {
    const bool is_count = std::string(option) == "--promote", is_word = std::string(option) == "--preemption";
    const std::string said = says({option, is_count ? "2" : is_word ? "by-class" : "1h"});
    INFO(option << ": " << said);
    CHECK(said[0] == '2');
    CHECK(has(said, "decides by itself when it takes GPUs back"));
  }
  CHECK(has(says({"--shield", "1h", "--pass", "event"}), "with a pass for each event nobody is preempted"));
}

TEST_CASE("a library of level 1 is an order with any backfill, as a policy or in the place of an order") {
  const Folder folder;
  build_text(folder, "area", area());
  for (const char* backfill : {"none", "fit", "easy", "easy-sjbf", "conservative"}) {
    const std::string theirs = jobs_under(folder, {"--order", "saf", "--backfill", backfill});
    CHECK(jobs_under(folder, {"--policy", "area.so", "--backfill", backfill}) == theirs);
    CHECK(jobs_under(folder, {"--order", folder.path("area.so"), "--backfill", backfill}) == theirs);
  }
  CHECK(jobs_under(folder, {"--policy", "./area.so"}) == jobs_under(folder, {"--policy", "saf"}));
  CHECK(jobs_under(folder, {"--policy", "easy", "--order", "./area.so"}) ==
        jobs_under(folder, {"--policy", "easy", "--order", "saf"}));
}

TEST_CASE("results name the library and its digest, and no folder") {
  const Folder folder;
  const std::string digest = natgpu::sha256_file_hex(build_text(folder, "area", area()));
  jobs_under(folder, {"--policy", folder.path("area.so")});
  const std::string text = read_bytes(folder.path("out.json"));
  const nlohmann::json json = nlohmann::json::parse(text);
  CHECK(json["plugged_policy"]["library"] == "area.so");
  CHECK(json["plugged_policy"]["sha256"] == digest);
  CHECK(json["plugged_policy"]["level"] == 1);
  CHECK(has(json["semantics"].get<std::string>(), "sha256 " + digest));
  CHECK_FALSE(has(text, folder.path("")));
  jobs_under(folder, {"--policy", "easy"});
  CHECK_FALSE(nlohmann::json::parse(read_bytes(folder.path("out.json"))).contains("plugged_policy"));
}

namespace {

/// The lines of metrics.csv without the policy's name, and the fingerprint.
std::string results_under(const Folder& folder, const std::string& policy, const std::string& backfill) {
  const Outcome outcome =
      natgpu_says({"run", NATGPU_SOURCE_DIR "/scenarios/small-city.yaml", "--replications", "2", "--policy",
                   policy, "--set", "scheduling.backfill=" + backfill, "--out", "out"},
                  folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  std::string rows = read_bytes(folder.path("out/metrics.csv"));
  for (std::size_t at = rows.find(policy + ","); at != std::string::npos; at = rows.find(policy + ",", at))
    rows.replace(at, policy.size(), "P");
  return rows;
}

}  // namespace

TEST_CASE(
    "a library of level 1 orders a scenario as natgpu's order of the same key does, failures included") {
  const Folder folder;
  build_text(folder, "area", area());
  for (const char* backfill : {"none", "easy", "conservative"})
    CHECK(results_under(folder, "./area.so", backfill) == results_under(folder, "saf", backfill));
  CHECK(results_under(folder, "./area.so", "easy") != results_under(folder, "fcfs", "easy"));
}

TEST_CASE("a run under a library names its digest, differs in its hash, and is reproduced") {
  const Folder folder;
  const std::string digest = natgpu::sha256_file_hex(build_text(folder, "area", area()));
  results_under(folder, "./area.so", "none");
  const nlohmann::json manifest = nlohmann::json::parse(read_bytes(folder.path("out/manifest.json")));
  const nlohmann::json input{{"file", "./area.so"}, {"sha256", digest}};
  CHECK(std::count(manifest["inputs"].begin(), manifest["inputs"].end(), input) == 1);
  CHECK(manifest["scenario"]["policy"] == "./area.so");
  write_bytes(folder.path("small-city.yaml"), read_bytes(NATGPU_SOURCE_DIR "/scenarios/small-city.yaml"));
  const Outcome again =
      natgpu_says({"repro", "out/manifest.json", "--verify", "--out", "again"}, folder.path(""));
  INFO(again.out << again.err);
  CHECK(again.code == 0);
  build_text(folder, "area", area() + "int natgpu_other;\n");
  results_under(folder, "./area.so", "none");
  CHECK(nlohmann::json::parse(read_bytes(folder.path("out/manifest.json")))["scenario"]["hash"] !=
        manifest["scenario"]["hash"]);
}

TEST_CASE("a scenario is compared under an order from a library, and refuses what is none") {
  const Folder folder;
  build_text(folder, "area", area());
  build_text(folder, "mine", fcfs());
  const std::string scenario = NATGPU_SOURCE_DIR "/scenarios/small-city.yaml";
  const Outcome compared = natgpu_says(
      {"compare", scenario, "--policies", "fcfs,./area.so", "--replications", "4", "--out", "out"},
      folder.path(""));
  INFO(compared.err);
  CHECK(compared.code == 5);  // four replications decide nothing
  CHECK(has(compared.out, "./area.so"));
  const auto refused = [&](std::vector<std::string> words, const char* part) {
    words.insert(words.begin(), {"run", scenario, "--policy"});
    const Outcome outcome = natgpu_says(words, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(has(outcome.err, part));
  };
  refused({"./mine.so", "--set", "scheduling.backfill=easy"}, "decides by itself who starts");
  refused({"./mine.so", "--set", "scheduling.view=node", "--set", "scheduling.preemption.notice=1 h"},
          "come free at once");
  refused({"./mine.so", "--set", "scheduling.preemption.mode=by-class"},
          "decides by itself who is preempted");
  refused({"./none.so"}, "./none.so: error[E0601]");
  refused({"./area.so", "--set", "scheduling.order=sjf"}, "contradicts the order that --policy brings");
}

TEST_CASE("a library that is no policy ends with 3 and says what, where and what to do") {
  const Folder folder;
  write_bytes(folder.path("text.so"), "hello");
  build_text(folder, "empty", header + "int64_t key(const natgpu_job *job) { return job->gpus; }\n");
  for (const auto& [file, code] :
       {std::pair{"./none.so", "E0601"}, {"./text.so", "E0602"}, {"./empty.so", "E0603"}}) {
    const Outcome outcome = natgpu_says({"replay", log_path, "--policy", file}, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(has(outcome.err, std::string(file) + ": error[" + code + "]"));
    CHECK(has(outcome.err, "help"));
    CHECK(has(outcome.err, std::string("natgpu explain ") + code));
  }
}

TEST_CASE("options that a library leaves no room for are refused, with what to do") {
  const Folder folder;
  build_text(folder, "mine", fcfs());
  build_text(folder, "area", area());
  const auto refused = [&](std::vector<std::string> options, const char* part) {
    options.insert(options.begin(), {"replay", log_path});
    const Outcome outcome = natgpu_says(options, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, part));
  };
  refused({"--policy", "./mine.so", "--backfill", "easy"}, "leave --backfill out");
  refused({"--policy", "./mine.so", "--order", "sjf"}, "leave --order out");
  refused({"--policy", "./area.so", "--order", "sjf"}, "leave --order out");
  refused({"--order", "./mine.so"}, "write `--policy ./mine.so`");
  refused({"--policy", "./mine.so", "--view", "named"}, "named view");
  refused({"--policy", "./mine.so", "--nodes", "32x4", "--notice", "1h"}, "leave --notice out");
  refused({"--policy", "./mine.so", "--spare", "not"}, "parts of EASY");
  refused({"--policy", "./mine.so", "--reservations", "3"}, "--reservations");
  refused({"--policy", "./area.so", "--recalc", "3"}, "--recalc");
}
