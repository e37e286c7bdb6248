// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include <natgpu/workload/swf.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using workload::JobLog;
using workload::LogJob;
using workload::read_swf;
using workload::swf_text;

namespace {

JobLog read_text(const std::string& text) {
  const Folder folder;
  return read_swf(write_bytes(folder.path("log.swf"), text));
}

std::string row(int id, int submit, int status) {
  return std::to_string(id) + " " + std::to_string(submit) + " -1 60 8 -1 -1 8 90 -1 " +
         std::to_string(status) + " 7 8 -1 1 -1 -1 -1\n";
}

}  // namespace

TEST_CASE("a log that is written as SWF and read again is the same log") {
  const JobLog log =
      read_text("; Version: 2.2\n;   indented\n; MaxJobs: 73496\n; MaxProcs: 64\n; MaxProcs: 64\n" +
                std::string("; UnixStartTime: 843480031\n; Queue: 1 normal hours\n;\n") + row(3, 10, 1) +
                row(1, 10, 0) + row(2, 11, 5) + row(9, 12, 2) + "; later\n");
  const JobLog again = read_text(swf_text(log));
  CHECK(again.jobs == log.jobs);
  CHECK(again.max_procs == 64);
  CHECK(again.unix_start_time == 843480031);
  CHECK(again.queues == log.queues);
  CHECK(again.queues[1] == "normal hours");
  CHECK(again.without_request == log.without_request);
  CHECK(again.unusable.empty());
  CHECK(swf_text(again) == swf_text(log));
  CHECK(again.header ==
        "; Version: 2.2\n;   indented\n; MaxJobs: 4\n; MaxProcs: 64\n; UnixStartTime: 843480031\n"
        "; Queue: 1 normal hours\n;\n; MaxRecords: 4\n");
}

TEST_CASE("how a job ended is kept as far as one row can tell") {
  const JobLog log = read_text(row(1, 0, 0) + row(2, 0, 1) + row(3, 0, 5) + row(4, 0, 2) + row(5, 0, -1));
  std::vector<int> codes;
  for (const LogJob& j : log.jobs) codes.push_back(static_cast<int>(j.status));
  CHECK(codes == std::vector<int>{0, 1, 5, -1, -1});
}

TEST_CASE("a CSV log becomes SWF with its names, its time and a note on what is left out") {
  const Folder folder;
  const JobLog log = workload::read_log(write_bytes(
      folder.path("cluster_log.csv"),
      "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
      "12,uA,vcX,4,4,1,COMPLETED,2020-06-09 18:41:11,,,60,0\n"
      "11,uB,vcX,2,4,1,FAILED,2020-06-09 18:41:01,,,70,0\n"));
  const std::string text = swf_text(log);
  CHECK(has(text, "; Conversion: natgpu, from cluster_log.csv (format helios)\n"));
  CHECK(has(text, "; MaxJobs: 2\n"));
  CHECK(has(text, "; UnixStartTime: 1591728061\n"));
  CHECK(has(text, "; Note: left out: CPU cores\n"));
  CHECK(has(text, "; User: 1 uB\n"));
  CHECK(!has(text, "MaxProcs"));
  const JobLog again = read_text(text);
  REQUIRE(again.jobs.size() == 2);
  CHECK(again.jobs[0].id == 11);  // in order of submission
  CHECK(again.jobs[0].submit_s == 0);
  CHECK(again.jobs[1].submit_s == 10);
  CHECK(again.jobs[1].status == workload::LogStatus::completed);
  CHECK(again.users == log.users);
  CHECK(again.groups == log.groups);
  CHECK(again.jobs[0].user == 1);
  CHECK(again.unix_start_time == log.unix_start_time);
}

TEST_CASE("the shared SWF logs survive writing and reading, notices included") {
  for (const char* name : {"KTH-SP2-1996-2-filtered.swf.gz", "SDSC-SP2-1998-first4961.swf.gz"}) {
    NATGPU_TRACE_OR_SKIP(path, name);
    INFO(name);
    const JobLog log = read_swf(path);
    const std::string text = swf_text(log);
    const JobLog again = read_text(text);
    CHECK(again.jobs == log.jobs);
    CHECK(again.max_procs == log.max_procs);
    CHECK(again.unix_start_time == log.unix_start_time);
    CHECK(again.queues == log.queues);
    if (std::string(name).rfind("SDSC", 0) == 0) {
      CHECK(has(text, "provided that this copyright notice is preserved"));
      CHECK(log.queues[3] == "normal");
    }
  }
}

TEST_CASE("the Philly log survives the way through SWF but for what SWF cannot say") {
  NATGPU_TRACE_OR_SKIP(path, "philly_three_vcs.csv.gz");
  const JobLog log = workload::read_log(path);
  const JobLog again = read_text(swf_text(log));
  CHECK(again.jobs == log.jobs);
  CHECK(again.groups == log.groups);
  CHECK(again.unix_start_time == log.unix_start_time);
}
