// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "small_cluster.hpp"

using namespace natgpu::testing;

namespace {

/// Tasks of half a GPU.
void write_cluster(const Folder& folder) {
  write_small_cluster(folder, "a,1000,1024,1,500,,LS,Pending,0,10,\n");
}

}  // namespace

TEST_CASE("pack prints how full the GPUs get under each rule, and writes every run") {
  const Folder folder;
  write_cluster(folder);
  const Outcome outcome = natgpu_says(
      {"pack", "tasks.csv", "--nodes", "nodes.csv", "--until", "150", "--seeds", "3", "--json", "out/p.json"},
      folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "4 GPUs; tasks of tasks.csv ask for 150 % of them; 3 seeds from 1"));
  for (const char* rule : {"first", "best", "worst", "random", "fgd"}) CHECK(has(outcome.out, rule));
  CHECK(has(outcome.out, "100.00"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("out/p.json")));
  CHECK(json.at("schema") == "natgpu-packing/1");
  CHECK(json.at("log") == "tasks.csv");
  CHECK(json.at("nodes") == "nodes.csv");
  CHECK(json.at("interrupted") == false);
  REQUIRE(json.at("placements").size() == 5);
  REQUIRE(json.at("placements").at(4).at("by_seed").size() == 3);
  const auto& run = json.at("placements").at(4).at("by_seed").at(0);
  CHECK(run.at("tasks") == 12);
  CHECK(run.at("unplaced") == 4);
  CHECK(run.at("allocated_share") == 1.0);
}

TEST_CASE("pack gives equal bytes for equal seeds, and one seed has no deviation") {
  const Folder folder;
  write_cluster(folder);
  const auto once = [&] {
    return natgpu_says(
        {"pack", "tasks.csv", "--nodes", "nodes.csv", "--placement", "random,fgd", "--seeds", "1"},
        folder.path(""));
  };
  const Outcome outcome = once();
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "one seed"));
  CHECK_FALSE(has(outcome.out, "worst"));
  CHECK(once().out == outcome.out);
}

TEST_CASE("pack names the rows it cannot use, the tasks that fit nowhere, and the share really asked for") {
  const Folder folder;
  write_cluster(folder);
  std::string text = read_bytes(folder.path("tasks.csv"));
  text += "b,1000,1024,8,1000,,LS,Pending,0,10,\nc,1000,1024,1,500,,LS,Pending,,10,\n";
  write_bytes(folder.path("tasks.csv"), text);
  const Outcome outcome = natgpu_says(
      {"pack", "tasks.csv", "--nodes", "nodes.csv", "--until", "10", "--seeds", "1"}, folder.path(""));
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "warning: 1 rows left out: no submit time (line 4)"));
  CHECK(has(outcome.err, "note: 1 of 2 tasks fit no machine of this cluster, even an empty one"));
  CHECK(has(outcome.out, "4 GPUs; tasks of tasks.csv ask for 212 % of them"));  // 8.5 of 4
}

TEST_CASE("pack on GPUs cut by MIG says what tasks asked for and what they hold") {
  const Folder folder;
  write_cluster(folder);
  Outcome outcome = natgpu_says({"pack", "tasks.csv", "--nodes", "nodes.csv", "--until", "150", "--seeds",
                                 "2", "--placement", "best", "--mig", "A100-40GB", "--json", "p.json"},
                                folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "MIG A100-40GB, positions most-left"));
  CHECK(has(outcome.out, "MIG instances: GPUs asked for, and held\nbest               2.00       2.00"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("p.json")));
  const auto& run = json.at("placements").at(0).at("by_seed").at(0);
  CHECK(run.at("unplaced") == 8);  // halves: one 4g a GPU
  CHECK(run.at("mig").at("instances").at(0).at("profile") == "4g.20gb");
  CHECK(run.at("mig").at("instances").at(0).at("starts") == 4);
  CHECK(run.at("mig").at("asked_gpus") == 2.0);
}

TEST_CASE("pack that is interrupted prints the rules that are finished") {
  const Folder folder;
  write_cluster(folder);
  natgpu::testing::Program program({"pack", "tasks.csv", "--nodes", "nodes.csv", "--seeds", "10000",
                                    "--until", "9000", "--placement", "first,best,worst,random,fgd"},
                                   folder.path(""));
  REQUIRE(program.says("20 %"));
  program.signal(SIGINT);
  const Outcome outcome = program.wait();
  CHECK(outcome.code == 130);
  CHECK(has(outcome.err, "interrupted; "));
  CHECK(has(outcome.err, "of 5 rules are finished"));
  CHECK(has(outcome.out, "first"));
  CHECK_FALSE(has(outcome.out, "fgd"));
}

TEST_CASE("pack says what it misses, with the nearest name") {
  const Folder folder;
  write_cluster(folder);
  Outcome outcome = natgpu_says({"pack", "tasks.csv"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--nodes FILE"));
  outcome =
      natgpu_says({"pack", "tasks.csv", "--nodes", "nodes.csv", "--placement", "best,fdg"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "did you mean `fgd`?"));
  outcome = natgpu_says({"pack", "tasks.csv", "--nodes", "tasks.csv"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "E0409"));
}
