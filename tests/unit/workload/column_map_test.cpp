// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;

namespace {

std::vector<Diagnostic> mistakes(const std::string& text) {
  const Folder folder;
  try {
    workload::read_column_map(write_bytes(folder.path("map.csv"), text));
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

}  // namespace

TEST_CASE("a log of one's own is read with a map of one's own") {
  const Folder folder;
  const std::string map = write_bytes(folder.path("map.csv"),
                                      "field,column,unit,meaning\n"
                                      "submit,when,ms,\"since the start, in thousandths\"\n"
                                      "run,hours,h,\n"
                                      "requested,limit,min,\n"
                                      "gpus,share,percent,\n"
                                      "memory,mem,GB,\n"
                                      "cpu,cores,cores,\n"
                                      "queue,q,number,\n");
  const std::string log_file = write_bytes(
      folder.path("log.csv"), "when,hours,limit,share,mem,cores,q\n61500,1.5,120,250,1.048576,2.5,7\n");
  const workload::JobLog log = workload::read_log(log_file, {map});
  CHECK(log.format == map);
  REQUIRE(log.jobs.size() == 1);
  const workload::LogJob& j = log.jobs[0];
  CHECK(j.id == 1);  // rows are numbered where no column is an id
  CHECK(j.submit_s == 61);
  CHECK(log.fractions_dropped == 1);
  CHECK(j.run_s == 5400);
  CHECK(j.requested_s == 7200);
  CHECK(log.without_request == 0);
  CHECK(j.gpus == 3);
  CHECK(j.memory_mib == 1000);
  CHECK(j.cpu_milli == 2500);
  CHECK(j.queue == 7);
  CHECK(log.queues.empty());
}

TEST_CASE("columns are named by their place where a log has no header line") {
  const Folder folder;
  const std::string map =
      write_bytes(folder.path("map.csv"), "field,column,unit\nsubmit,#2,s\nrun,#4,s\ngpus,#1,gpus\n");
  const workload::JobLog log =
      workload::read_log(write_bytes(folder.path("log.csv"), "4,100,x,60\n8,200,y,70\n"), {map});
  REQUIRE(log.jobs.size() == 2);
  CHECK(log.jobs[0].gpus == 4);
  CHECK(log.jobs[0].submit_s == 100);
  CHECK(log.jobs[1].run_s == 70);
  CHECK_THROWS_AS(workload::read_log(write_bytes(folder.path("short.csv"), "4,100,x\n"), {map}),
                  ScenarioError);
}

TEST_CASE("all mistakes of a column map come at once, each with its place and what is allowed") {
  const std::vector<Diagnostic> found = mistakes(
      "field,column,unit,per\n"
      "submitt,t,s,\n"
      "run,took,gpus,\n"
      "gpus,,gpus,\n"
      "gpus,g,gpus,machine\n");
  std::vector<std::string> places;
  for (const Diagnostic& d : found) {
    CHECK(d.code == "E0410");
    places.push_back(std::to_string(d.place.line) + ":" + std::to_string(d.place.column));
  }
  CHECK(places == std::vector<std::string>{"2:1", "3:10", "4:6", "5:1", "5:13", "1:1"});
  CHECK(found[0].help.find("`submit`") != std::string::npos);
  CHECK(found[1].help.find("ms, us, min, h, d") != std::string::npos);
  CHECK(found[5].message.find("`submit`") != std::string::npos);
}

TEST_CASE("a column map needs its three columns, a submission, GPUs and a run time") {
  CHECK(mistakes("field,column\nsubmit,t\n").at(0).message.find("`unit`") != std::string::npos);
  CHECK(mistakes("field,column,unit,colour\n").at(0).place.column == 19);
  CHECK(mistakes("").at(0).code == "E0410");
  CHECK(mistakes("field,column,unit\nsubmit,t,s\ngpus,g,gpus\nstart,t,s\n").at(0).message.find("`run`") !=
        std::string::npos);
  CHECK(mistakes("field,column,unit\nsubmit,t,s\ngpus,g,gpus\nstart,t,s\nend,e,s\n").empty());
  CHECK(mistakes("field,column,unit\nsubmit,#1,s\ngpus,g,gpus\nrun,#3,s\n").size() == 1);
}
