// SPDX-License-Identifier: Apache-2.0
// `natgpu replay --gpu-types`: GPUs of several types, as a user sees them.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// Two jobs of 1,200 s on one GPU each, of queues 1 and 2.
std::string two_jobs() {
  return "; MaxProcs: 1\n"
         "1 0 -1 1200 1 -1 -1 1 1200 -1 1 1 1 -1 1 -1 -1 -1\n"
         "2 0 -1 1200 1 -1 -1 1 1200 -1 1 1 1 -1 2 -1 -1 -1\n";
}

}  // namespace

TEST_CASE("jobs run on the type that they are fast on, and the results say for how long") {
  const Folder folder;
  const std::string log = write_bytes(folder.path("log.swf"), two_jobs());
  const std::string speeds = write_bytes(folder.path("speeds.csv"), "queue,V100,K80\n1,1,2\n*,3,1\n");
  const std::string csv = folder.path("jobs.csv"), json = folder.path("result.json");
  const Outcome outcome = natgpu_says({"replay", log, "--policy", "gavel-las", "--gpu-types", "V100=1,K80=1",
                                       "--speeds", speeds, "--jobs-csv", csv, "--json", json});
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "2 jobs on 2 GPUs"));
  CHECK(has(outcome.out, "types V100=1 and K80=1, speeds " + speeds + ", programs by Clp 1."));
  CHECK(has(outcome.out, "of V100                0.6667 of 1 GPUs x makespan"));
  CHECK(read_bytes(csv) ==
        "job_id,submit_s,start_s,end_s,gpus,state,preemptions,lost_s,V100_s,K80_s\n"
        "1,0,0,600,1,finished,0,0,0,600\n"
        "2,0,0,400,1,finished,0,0,400,0\n");
  const auto result = nlohmann::json::parse(read_bytes(json));
  CHECK(result["gpu_types"]["K80"]["gpus"] == 1);
  CHECK(result["gpu_types"]["K80"]["utilization"] == 1);
}

TEST_CASE("types of GPU that cannot be used are refused with a way out") {
  const Folder folder;
  const std::string log = write_bytes(folder.path("log.swf"), two_jobs());
  const std::string speeds = write_bytes(folder.path("speeds.csv"), "queue,A,B\n1,1,2\n");
  struct Case {
    std::vector<std::string> options;
    int code;
    const char* says;
    const char* advice;
  };
  for (const Case& c : {
           Case{{"--policy", "easy", "--gpu-types", "A=1", "--speeds", speeds},
                2,
                "takes all GPUs for alike",
                "--policy gavel-las"},
           Case{{"--sharing", "ps", "--speeds", speeds}, 2, "takes all GPUs for alike", "gavel-las"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1"}, 2, "need the speeds", "--speeds FILE"},
           Case{{"--policy", "gavel-las", "--speeds", speeds}, 2, "on types of GPU", "--gpu-types V100=1200"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1", "--speeds", speeds, "--gpus", "1"},
                2,
                "says how many GPUs",
                "leave --gpus out"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=0", "--speeds", speeds},
                2,
                "`A=0` is no type",
                "V100=1200,K80=300"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1,a b=2", "--speeds", speeds},
                2,
                "`a b=2` is no type",
                "letters"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1,A=2", "--speeds", speeds},
                2,
                "`A` stands twice",
                "keep one"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1,B=1", "--speeds", speeds},
                3,
                "no row for the queue 2 of job 2",
                "`*` for all others"},
           Case{{"--policy", "gavel-las", "--gpu-types", "A=1", "--speeds", speeds},
                3,
                "speeds.csv:1:9: error[E0422]: neither what jobs go by nor a type of GPU",
                "the types A"},
       }) {
    std::vector<std::string> words{"replay", log};
    words.insert(words.end(), c.options.begin(), c.options.end());
    const Outcome outcome = natgpu_says(words);
    INFO(outcome.err);
    CHECK(outcome.code == c.code);
    CHECK(has(outcome.err, c.says));
    CHECK(has(outcome.err, c.advice));
  }
}
