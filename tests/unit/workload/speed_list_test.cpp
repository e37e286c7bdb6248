// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/speed_list.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::workload;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;

namespace {

const std::vector<std::string> types{"V100", "K80"};

SpeedList read(const std::string& text) {
  const Folder folder;
  return read_speed_list(write_bytes(folder.path("speeds.csv"), text), types);
}
/// "line:column code message" of each mistake.
std::vector<std::string> mistakes(const std::string& text) {
  std::vector<std::string> all;
  try {
    read(text);
  } catch (const ScenarioError& e) {
    for (const Diagnostic& d : e.diagnostics())
      all.push_back(std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.code + " " +
                    d.message);
  }
  return all;
}
JobLog queues(const std::vector<std::int32_t>& numbers) {
  JobLog log;
  for (const std::int32_t q : numbers) {
    log.jobs.push_back({static_cast<std::int64_t>(log.jobs.size()), 0, 1, 1, 1});
    log.jobs.back().queue = q;
  }
  return log;
}

}  // namespace

TEST_CASE("speeds are read to the millionth, columns in any order, and nothing is none") {
  const SpeedList list = read("K80,queue,V100\n1,0, 4.000001\n,\"big, one\",2.5\n0.5,*,0\n");
  CHECK(list.key == SpeedKey::queue);
  CHECK(list.rows == std::vector<SpeedRow>{
                         {"0", {4'000'001, 1'000'000}}, {"big, one", {2'500'000, 0}}, {"*", {0, 500'000}}});
  CHECK(read("gpu_type,V100,K80\nT4,1,1\n").key == SpeedKey::gpu_type);
}

TEST_CASE("a mistake in a list of speeds has its line, its column and what is wrong") {
  CHECK(mistakes("") == std::vector<std::string>{"1:1 E0422 an empty list of speeds"});
  CHECK(mistakes("queue,V100,P100\n") ==
        std::vector<std::string>{"1:12 E0422 neither what jobs go by nor a type of GPU",
                                 "1:16 E0422 no column of the type K80"});
  CHECK(mistakes("queue,V100,V100,K80,user\n") ==
        std::vector<std::string>{"1:12 E0422 a second column of the type",
                                 "1:21 E0422 a second column that jobs go by"});
  CHECK(mistakes("V100,K80\n1,2\n").at(0).find("nothing says which jobs a row is of") != std::string::npos);
  CHECK(mistakes("queue,V100,K80\n").at(0).find("no row of speeds") != std::string::npos);
  CHECK(
      mistakes(
          "queue,V100,K80\na,x,1\nb,1,-2\nc,1e3,1\nd,1000001,1\ne,0.0000001,1\n,1,1\nf,0,\ng,1,1\ng,1,2\n") ==
      std::vector<std::string>{"2:3 E0422 no speed", "3:5 E0422 no speed", "4:3 E0422 no speed",
                               "5:3 E0422 no speed", "6:3 E0422 no speed", "7:1 E0422 a row of no jobs",
                               "8:1 E0422 jobs that can run nowhere", "10:1 E0422 a row stated twice"});
  CHECK(mistakes("queue,V100,K80\nx,1\n").at(0).find("E0403") != std::string::npos);
}

TEST_CASE(
    "jobs go by the row of their queue, by name where the log has names, and else by that of all others") {
  SpeedList list = read("queue,V100,K80\n7,1,1\n*,2,2\nfast,3,3\n");
  CHECK(speed_rows(queues({7, 8, -1, 7}), list) == std::vector<std::uint32_t>{0, 1, 1, 0});
  JobLog named = queues({0, 1, -1});
  named.queues.add("fast");
  named.queues.add("7");
  CHECK(speed_rows(named, list) == std::vector<std::uint32_t>{2, 0, 1});
  list.rows.erase(list.rows.begin() + 1);
  CHECK_THROWS_WITH(speed_rows(queues({7, 8}), list), Catch::Contains("no row for the queue 8 of job 1"));
  CHECK_THROWS_WITH(speed_rows(queues({7, -1}), list), Catch::Contains("job 1 has no queue"));
  list.key = SpeedKey::user;
  JobLog users = queues({7});
  users.jobs[0].user = 7;
  CHECK(speed_rows(users, list) == std::vector<std::uint32_t>{0});
}
