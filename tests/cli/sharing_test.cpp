// SPDX-License-Identifier: Apache-2.0
// `natgpu replay --sharing`: GPUs shared in time, as a user sees it.
#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// One GPU; 4 s of work at 0 in queue 1, 1 s at 1 in queue 2.
std::string two_jobs() {
  return "; MaxProcs: 1\n"
         "1 0 -1 4 1 -1 -1 1 4 -1 1 1 1 -1 1 -1 -1 -1\n"
         "2 1 -1 1 1 -1 -1 1 1 -1 1 1 1 -1 2 -1 -1 -1\n";
}

}  // namespace

TEST_CASE("a replay shares one GPU between two jobs, by half or by weights, or in turns") {
  const Folder folder;
  const std::string log = folder.path("log.swf"), csv = folder.path("jobs.csv");
  write_bytes(log, two_jobs());
  const auto ends = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words{"replay", log, "--jobs-csv", csv};
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = natgpu_says(words);
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    return read_bytes(csv);
  };
  const std::string head = "job_id,submit_s,start_s,end_s,gpus,state\n";
  CHECK(ends({"--sharing", "ps"}) == head + "1,0,0,5,1,finished\n2,1,1,3,1,finished\n");
  CHECK(ends({"--sharing", "ps", "--weights", "2=3"}) ==
        head + "1,0,0,5,1,finished\n2,1,1,2,1,finished\n");  // at 2 1/3
  CHECK(ends({"--sharing", "gang", "--quantum", "2s"}) == head + "1,0,0,5,1,finished\n2,1,2,3,1,finished\n");
}

TEST_CASE("gavel-las gives a queue its part of the time by weight, and says so") {
  const Folder folder;
  const std::string log = folder.path("log.swf");
  write_bytes(log, two_jobs());
  const Outcome outcome = natgpu_says({"replay", log, "--policy", "gavel-las", "--weights", "2=3"});
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out,
            "policy gavel-las, rounds 6 min, shield 0 s, work kept, restart cost 0 s, weight of queue "));
  const Outcome wrong = natgpu_says({"replay", log, "--policy", "gavel-las", "--weights", "fast=3"});
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "has no queue `fast`"));
}

TEST_CASE("rules of a queue, and parts of a sharing that it does not have, are refused with a way out") {
  const Folder folder;
  const std::string log = folder.path("log.swf");
  write_bytes(log, two_jobs());
  struct Case {
    std::vector<std::string> options;
    const char* says;
    const char* advice;
  };
  for (const Case& c :
       {Case{{"replay", log, "--sharing", "gang"}, "needs the length of a turn", "--quantum 1h"},
        Case{{"replay", log, "--sharing", "ps", "--quantum", "60s"},
             "the length of a turn in gang scheduling",
             "--sharing gang"},
        Case{{"replay", log, "--sharing", "ps", "--policy", "easy"},
             "--policy is a rule of a queue",
             "leave --policy out"},
        Case{{"replay", log, "--sharing", "gang", "--quantum", "60s", "--weights", "1=2"},
             "those of processor sharing",
             "--sharing ps"},
        Case{{"replay", log, "--sharing", "ps", "--weights", "1:2"},
             "`1:2` is no queue with its weight",
             "low=1,high=4"},
        Case{{"replay", log, "--sharing", "ps", "--weights", "1=0"},
             "`1=0` is no queue with its weight",
             "above 0"},
        Case{{"replay", log, "--sharing", "ps", "--weights", "fast=2"},
             "has no queue `fast`",
             "its queues: 1, 2"}}) {
    const Outcome outcome = natgpu_says(c.options);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, c.says));
    CHECK(has(outcome.err, c.advice));
  }
}
