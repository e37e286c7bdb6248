// SPDX-License-Identifier: Apache-2.0
// Job logs of several formats through the program: replay, convert, formats.
#include <string>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "small_cluster.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

/// Two GPUs' worth of tasks whose names need quotes in a CSV file.
std::string small_openb() {
  return openb_header +
         "\"pod,1\",1000,1024,2,1000,,LS,Succeeded,0,10,0\n"
         "pod-2,1000,1024,1,500,,BE,Succeeded,1,11,5\n"
         "pod-3,1000,1024,1,1000,,BE,Pending,1,11,\n";
}

}  // namespace

TEST_CASE("a CSV log is replayed under its own job names, and what was bent is said") {
  const Folder folder;
  write_bytes(folder.path("pods.csv"), small_openb());
  const Outcome outcome =
      natgpu_says({"replay", "pods.csv", "--gpus", "2", "--jobs-csv", "jobs.csv"}, folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "2 jobs on 2 GPUs"));
  CHECK(has(outcome.err, "warning: 1 rows left out: never started (line 4)"));
  CHECK(has(outcome.err, "note: 1 jobs ask for a share of a GPU"));
  CHECK(has(outcome.err, "no requested times"));
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state\n\"pod,1\",0,0,10,2,finished\npod-2,1,10,16,1,finished\n");
}

TEST_CASE("Philly's JSON is replayed and converted, and its attempts are told of") {
  const Folder folder;
  write_bytes(folder.path("cluster_job_log"),
              R"([{"status": "Pass", "vc": "v", "jobid": "app_1", "user": "u", "attempts": [
  {"start_time": "2017-10-07 00:00:05", "end_time": "2017-10-07 00:00:15", "detail": [{"ip": "m", "gpus": ["a", "b"]}]},
  {"start_time": "2017-10-07 00:00:20", "end_time": "2017-10-07 00:00:30", "detail": [{"ip": "n", "gpus": ["a"]}]}],
  "submitted_time": "2017-10-07 00:00:00"},
 {"status": "Failed", "vc": "v", "jobid": "app_2", "user": "u", "attempts": [],
  "submitted_time": "2017-10-07 00:00:01"}])");
  Outcome outcome =
      natgpu_says({"replay", "cluster_job_log", "--gpus", "2", "--jobs-csv", "jobs.csv"}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.err, "warning: 1 rows left out: never started (line 5)"));
  CHECK(has(outcome.err,
            "note: 1 jobs have several attempts, whose run times are added up; 1 of them held other"));
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state\napp_1,0,0,20,2,finished\n");
  outcome = natgpu_says({"trace", "convert", "cluster_job_log", "out.swf"}, folder.path(""));
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "several attempts"));
  write_bytes(folder.path("broken"), "[{\n\"attempts\": [}");
  outcome = natgpu_says({"replay", "broken", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "broken:2:1: error[E0413]"));
  write_bytes(folder.path("object"), "{\"jobs\": []}");
  outcome = natgpu_says({"replay", "object", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "object:1:1: error[E0413]"));
}

TEST_CASE("PAI's jobs are replayed with the tasks of a second table") {
  const Folder folder;
  write_bytes(folder.path("jobs.csv"), "a,i,u,Terminated,10.0,99.0\nb,j,u,Failed,11.0,50.0\n");
  write_bytes(folder.path("tasks.csv"),
              "b,worker,1.0,Failed,20.0,30.0,100,1,200,T4\na,ps,1.0,Terminated,20.0,60.0,100,1,0,\n"
              "a,worker,2.0,Terminated,20.0,70.0,100,1,100,T4\n");
  Outcome outcome =
      natgpu_says({"replay", "jobs.csv", "--tasks", "tasks.csv", "--gpus", "2", "--jobs-csv", "out.csv"},
                  folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(read_bytes(folder.path("out.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state\na,10,10,60,2,finished\nb,11,60,70,2,finished\n");
  outcome = natgpu_says({"trace", "convert", "jobs.csv", "out.swf", "--tasks", "tasks.csv"}, folder.path(""));
  CHECK(outcome.code == 0);
  outcome = natgpu_says({"replay", "jobs.csv", "--tasks", "none.csv", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "none.csv"));
  write_bytes(folder.path("alone.csv"),
              "job_name,inst_id,user,status,start_time,end_time\na,i,u,Failed,1,2\n");
  outcome = natgpu_says({"replay", "alone.csv", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "--tasks pai_task_table.csv"));
  outcome = natgpu_says({"replay", "jobs.csv", "--tasks", "tasks.csv", "--format", "pai", "--gpus", "2"},
                        folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "leave --format out"));
}

TEST_CASE("a log's format may be named, be a map of one's own, or is refused with the nearest name") {
  const Folder folder;
  write_bytes(folder.path("pods.csv"), small_openb());
  CHECK(natgpu_says({"replay", "pods.csv", "--format", "openb", "--gpus", "2"}, folder.path("")).code == 0);
  Outcome outcome = natgpu_says({"replay", "pods.csv", "--format", "opneb", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "did you mean `openb`?"));
  outcome = natgpu_says({"replay", "pods.csv", "--format", "helios", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "pods.csv:1:1: error[E0409]"));
  write_bytes(folder.path("map.csv"),
              "field,column,unit\nsubmit,creation_time,s\nend,deletion_time,s\nstart,scheduled_time,s\n"
              "gpus,num_gpu,gpus\n");
  outcome =
      natgpu_says({"replay", "pods.csv", "--format", "map.csv", "--gpus", "2", "--jobs-csv", "jobs.csv"},
                  folder.path(""));
  CHECK(outcome.code == 0);
  CHECK(has(read_bytes(folder.path("jobs.csv")), "\n2,1,10,16,1,finished\n"));
}

TEST_CASE("a table that is no job log ends with 3 and the formats known") {
  const Folder folder;
  write_bytes(folder.path("nodes.csv"), "sn,cpu_milli,memory_mib,gpu,model\nn1,32000,262144,0,\n");
  const Outcome outcome = natgpu_says({"replay", "nodes.csv", "--gpus", "2"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "nodes.csv:1:1: error[E0409]"));
  CHECK(has(outcome.err, "philly"));
}

TEST_CASE("a converted log replays like the one it came from") {
  const Folder folder;
  write_bytes(folder.path("pods.csv"), small_openb());
  Outcome outcome = natgpu_says({"trace", "convert", "pods.csv", "pods.swf", "--gpus", "2"}, folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "pods.swf: 2 jobs of a machine with 2 processors"));
  CHECK(has(outcome.err, "SWF has no place for names of jobs"));
  outcome = natgpu_says({"replay", "pods.swf", "--jobs-csv", "jobs.csv"}, folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state\n1,0,0,10,2,finished\n2,1,10,16,1,finished\n");
}

TEST_CASE("trace says what it can do, and formats gives a map to start from") {
  const Folder folder;
  Outcome outcome = natgpu_says({"trace", "formats"}, folder.path(""));
  CHECK(outcome.code == 0);
  for (const char* name :
       {"swf ", "philly-json ", "philly ", "helios ", "acme ", "pai ", "pai-jobs ", "openb "})
    CHECK((outcome.out.rfind(name, 0) == 0 || has(outcome.out, std::string("\n").append(name))));
  outcome = natgpu_says({"trace", "formats", "philly"}, folder.path(""));
  CHECK(outcome.code == 0);
  write_bytes(folder.path("map.csv"), outcome.out);
  write_bytes(folder.path("log.csv"),
              "timestamp,duration,num_gpus,gpu_time,cluster\n2017-09-04 10:30:41,5.0,1,5.0,7f04ca\n");
  CHECK(natgpu_says({"replay", "log.csv", "--format", "map.csv", "--gpus", "1"}, folder.path("")).code == 0);
  outcome = natgpu_says({"trace", "formats", "philly-json"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "no CSV format"));
  outcome = natgpu_says({"trace", "formats", "phily"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "did you mean `philly`?"));
  outcome = natgpu_says({"trace", "convrt", "a", "b"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "did you mean `convert`?"));
  CHECK(natgpu_says({"trace", "convert", "log.csv", "out.swf.gz"}, folder.path("")).code == 2);
}

TEST_CASE("the shared job logs replay under every counted policy") {
  struct Log {
    const char* file;
    const char* gpus;
    const char* jobs;
  };
  for (const Log& log : {Log{"philly_three_vcs.csv.gz", "96", "11050 jobs on 96 GPUs"},
                         Log{"openb_pod_list_default.csv.gz", "6212", "6203 jobs on 6212 GPUs"},
                         Log{"openb_pod_list_gpuspec33.csv.gz", "6212", "6203 jobs on 6212 GPUs"},
                         Log{"SDSC-SP2-1998-first4961.swf.gz", "128", "4606 jobs on 128 GPUs"}}) {
    NATGPU_TRACE_OR_SKIP(path, log.file);
    const Folder folder;
    for (const char* policy : {"fcfs", "fit", "easy"}) {
      INFO(log.file << " " << policy);
      const Outcome outcome =
          natgpu_says({"replay", path, "--gpus", log.gpus, "--policy", policy}, folder.path(""));
      CHECK(outcome.code == 0);
      CHECK(has(outcome.out, log.jobs));
    }
  }
}
