// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

/// Oracle S5: two GPUs; job 1 runs longer than it asked for and is killed at 5.
std::string small_log() {
  const auto row = [](const char* id, const char* submit, const char* run, const char* gpus,
                      const char* requested) {
    return std::string(id) + " " + submit + " -1 " + run + " " + gpus + " -1 -1 " + gpus + " " + requested +
           " -1 1 1 1 -1 1 -1 -1 -1\n";
  };
  return "; MaxProcs: 2\n" + row("1", "0", "9", "2", "5") + row("2", "1", "3", "1", "3") +
         row("3", "1", "2", "1", "4") + row("4", "2", "-1", "1", "4");
}

}  // namespace

TEST_CASE("a replay prints its figures and writes jobs.csv and JSON as documented") {
  const Folder folder;
  write_bytes(folder.path("log.swf"), small_log());
  const Outcome outcome =
      natgpu_says({"replay", "log.swf", "--jobs-csv", "jobs.csv", "--json", "out.json"}, folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "3 jobs on 2 GPUs"));
  CHECK(has(outcome.err, "warning: 1 rows left out: run time below 1 s (line 5)"));
  CHECK(
      read_bytes(folder.path("jobs.csv")) ==
      "job_id,submit_s,start_s,end_s,gpus,state\n1,0,0,5,2,killed\n2,1,5,8,1,finished\n3,1,5,7,1,finished\n");
  const nlohmann::json json = nlohmann::json::parse(read_bytes(folder.path("out.json")));
  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.insert(key);
  CHECK(keys == std::set<std::string>{"jobs", "mean_wait_s", "mean_bounded_slowdown", "utilization",
                                      "makespan_s", "read_s", "simulate_s", "semantics"});
  CHECK(json["jobs"] == 3);
  CHECK(json["makespan_s"] == 8);
  CHECK(json["mean_wait_s"].get<double>() == Approx(8.0 / 3));
  CHECK(json["utilization"].get<double>() == Approx(15.0 / 16));
}

TEST_CASE("the pyss dialect is one pass per event with arrivals first") {
  const Folder folder;
  write_bytes(folder.path("log.swf"), small_log());
  const Outcome named = natgpu_says({"replay", "log.swf", "--dialect", "pyss"}, folder.path(""));
  REQUIRE(named.code == 0);
  CHECK(has(named.out, "event"));
  CHECK(has(named.out, "arrival-first"));
}

TEST_CASE("a dialect sets the parts of EASY, options change them, and the replay says what was used") {
  const Folder folder;
  write_bytes(folder.path("log.swf"), small_log());
  const auto semantics = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"replay", "log.swf"});
    const Outcome outcome = natgpu_says(words, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    return outcome.out;
  };
  CHECK(
      has(semantics({"--dialect", "batsched-easy-fast"}),
          "policy easy, spare not, shadow fixed, compare <=, waiting requested, view counted, pass instant"));
  CHECK(has(
      semantics({"--dialect", "cqsim", "--compare", "less"}),
      "spare used, shadow refreshed, compare <, waiting true, view counted, pass event, ties release-first"));
  CHECK_FALSE(has(semantics({"--dialect", "pyss"}), "spare"));
  CHECK(has(semantics({"--dialect", "batsched-easy"}), "policy easy, view named, pass instant"));
  CHECK(has(semantics({"--view", "named"}), "policy easy, view named"));
  CHECK(has(semantics({"--policy", "lottery", "--seed", "7"}), "policy lottery, seed 7"));
  CHECK(has(semantics({"--policy", "wfp", "--recalc", "60"}), "policy wfp, recalc 60 s"));
  CHECK(has(semantics({"--policy", "srtf", "--shield", "2h", "--checkpoint", "never"}),
            "policy srtf, shield 2 h, work lost, restart cost 0 s"));
  CHECK(has(semantics({"--policy", "gavel-ftf"}), "policy gavel-ftf, rounds 6 min, shield 0 s, work kept"));
  CHECK(has(semantics({"--order", "gavel-las", "--rounds", "1h"}), "policy gavel-las, rounds 1 h"));
  CHECK(has(semantics({"--policy", "las", "--rounds", "6min"}), "policy las, quantum 1 h, rounds 6 min"));
  CHECK(has(
      semantics({"--order", "las2d", "--thresholds", "30min,2h", "--checkpoint", "10min", "--notice", "5s"}),
      "policy las2d, thresholds 30 min and 2 h of GPU time, promote never, shield 0 s, notice 5 s, "
      "checkpoint 10 min, restart cost 0 s"));
  CHECK(has(semantics({"--backfill", "reservations", "--reservations", "3"}), "backfill reservations: 3"));
  const Outcome wrong =
      natgpu_says({"replay", "log.swf", "--policy", "fit", "--spare", "not"}, folder.path(""));
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "parts of EASY"));
}

TEST_CASE("a log that cannot be used ends with 3 and names file, line and column") {
  const Folder folder;
  write_bytes(folder.path("broken.swf"), small_log() + "5 0 -1 x\n");
  Outcome outcome = natgpu_says({"replay", "broken.swf"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(outcome.out.empty());
  CHECK(has(outcome.err, "broken.swf:6:8: error[E0402]"));
  CHECK(has(outcome.err, "natgpu explain E0402"));
  outcome = natgpu_says({"replay", "none.swf"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "none.swf"));
  write_bytes(folder.path("empty.swf"), "; MaxProcs: 2\n");
  outcome = natgpu_says({"replay", "empty.swf"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "E0407"));
}

TEST_CASE("a log that names no machine asks for its size") {
  const Folder folder;
  write_bytes(folder.path("log.swf"), small_log().substr(small_log().find('\n') + 1));
  Outcome outcome = natgpu_says({"replay", "log.swf"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--gpus N"));
  outcome = natgpu_says({"replay", "log.swf", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 0);
}

TEST_CASE("a result file that cannot be written ends with 4 before anything is simulated") {
  const Folder folder;
  write_bytes(folder.path("log.swf"), small_log());
  write_bytes(folder.path("file"), "x");
  const Outcome outcome = natgpu_says({"replay", "log.swf", "--json", "file/out.json"}, folder.path(""));
  CHECK(outcome.code == 4);
  CHECK(outcome.out.empty());
  CHECK(has(outcome.err, "file"));
}

TEST_CASE("the KTH log under EASY with a pass per event, arrivals first, waits 6836.872 s on average") {
  NATGPU_TRACE_OR_SKIP(path, "KTH-SP2-1996-2-filtered.swf.gz");
  const Folder folder;
  const Outcome outcome = natgpu_says({"replay", path, "--policy", "easy", "--pass", "event", "--ties",
                                       "arrival-first", "--json", "out.json"},
                                      folder.path(""));
  REQUIRE(outcome.code == 0);
  const nlohmann::json json = nlohmann::json::parse(read_bytes(folder.path("out.json")));
  CHECK(json["jobs"] == 28481);
  CHECK(json["mean_wait_s"].get<double>() == Approx(6836.872).epsilon(1e-7));
  CHECK(json["mean_bounded_slowdown"].get<double>() == Approx(92.57654).epsilon(1e-7));
}
