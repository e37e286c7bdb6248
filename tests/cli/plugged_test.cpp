// SPDX-License-Identifier: Apache-2.0
// Policies from shared libraries through `natgpu replay`, as an author builds and runs them.
#include <nlohmann/json.hpp>
#include <string>

#include <natgpu/core/hash.hpp>

#include "build_policy.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

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
  refused({"--policy", "./mine.so", "--spare", "not"}, "parts of EASY");
  refused({"--policy", "./mine.so", "--reservations", "3"}, "--reservations");
  refused({"--policy", "./area.so", "--recalc", "3"}, "--recalc");
}
