// SPDX-License-Identifier: Apache-2.0
// Sweeps: the same bytes however the work was cut up, whatever happened on the way.
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "small_sweep.hpp"

using namespace natgpu::testing;
namespace fs = std::filesystem;

TEST_CASE("merged bytes are those of one shard, of three and of forty, run in any order on any threads") {
  const Sweep sweep;
  REQUIRE(sweep.run("one").code == 0);
  const std::string one = sweep.merged("one");
  for (const std::string shard : {"3/3", "1/3", "2/3"})
    REQUIRE(sweep.run("three", {"--shard", shard, "--jobs", "2"}).code == 0);
  CHECK(sweep.merged("three") == one);
  for (int k = 40; k >= 1; --k)
    REQUIRE(sweep.run("forty", {"--shard", std::to_string(k) + "/40", "--jobs", "1"}).code == 0);
  CHECK(sweep.merged("forty") == one);
  // Shards of different cuts may lie together as long as they agree.
  REQUIRE(sweep.run("forty", {"--shard", "2/3"}).code == 0);
  CHECK(sweep.merged("forty") == one);
  CHECK(
      has(one,
          "point,supply.tranches[first].units,policy,demand.sectors[sme].request_rate\n0,1 GPU,fcfs,1 /d\n"));
  CHECK(has(one, "\n8,3 GPU,easy,3 /d\n"));
  CHECK(has(one, "point,metric,labels,unit,n,mean,ci95_low,ci95_high\n0,jobs.wait.mean,period=2025,s,2,"));
}

TEST_CASE("a point of a sweep is what a run with its settings gives") {
  const Sweep sweep;
  REQUIRE(sweep.run("one").code == 0);
  sweep.merged("one");
  REQUIRE(sweep
              .says({"run", "tiny.yaml", "--policy", "easy", "--set", "supply.tranches[first].units=2 GPU",
                     "--set", "demand.sectors[sme].request_rate=3 /d", "--out", "r"})
              .code == 0);
  const std::string metrics = read_bytes(sweep.folder.path("r/metrics.csv"));
  const std::string head = "easy,1,jobs.wait.mean,period=2025,s,";
  const std::size_t at = metrics.find(head);
  REQUIRE(at != std::string::npos);
  const std::string value = metrics.substr(at + head.size(), metrics.find('\n', at) - at - head.size());
  CHECK(has(read_bytes(sweep.folder.path("one/results.csv")),
            "\n5,1,jobs.wait.mean,period=2025,s," + value + "\n"));
}

TEST_CASE("status and merge tell what is missing and end with 5 until all is there") {
  const Sweep sweep;
  REQUIRE(sweep.run("s", {"--shard", "1/3"}).code == 0);
  Outcome outcome = sweep.says({"sweep", "status", "plan.json", "--out", "s"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.out, "3 of 9 points done; 1 shards finished, 0 unfinished"));
  outcome = sweep.says({"sweep", "merge", "plan.json", "--out", "s"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.err, "6 of 9 points are in no finished shard: 1, 2, 4, 5, 7, 8"));
  CHECK_FALSE(fs::exists(sweep.folder.path("s/results.csv")));
  outcome = sweep.says({"sweep", "merge", "plan.json", "--out", "s", "--allow-partial"});
  CHECK(outcome.code == 5);
  CHECK(has(outcome.out, "PARTIAL"));
  REQUIRE(sweep.run("s", {"--shard", "2/3"}).code == 0);
  REQUIRE(sweep.run("s", {"--shard", "3/3"}).code == 0);
  CHECK(sweep.says({"sweep", "status", "plan.json", "--out", "s"}).code == 0);
  outcome = sweep.run("s", {"--shard", "3/3"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "was finished before"));
}

TEST_CASE("a changed plan, a changed scenario, another plan's folder and a damaged shard are refused") {
  const Sweep sweep;
  REQUIRE(sweep.run("s").code == 0);
  const std::string plan = read_bytes(sweep.folder.path("plan.json"));
  std::string changed = plan;
  changed.replace(changed.find("3 /d"), 4, "9 /d");
  write_bytes(sweep.folder.path("plan.json"), changed);
  Outcome outcome = sweep.run("t");
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "E0510"));
  write_bytes(sweep.folder.path("plan.json"), plan);
  std::string text = tiny_scenario();
  text.replace(text.find("mean: 2 h"), 9, "mean: 3 h");
  write_bytes(sweep.folder.path("tiny.yaml"), text);
  outcome = sweep.run("t");
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "E0511"));
  write_bytes(sweep.folder.path("tiny.yaml"), tiny_scenario());
  REQUIRE(
      sweep.says({"sweep", "plan", "tiny.yaml", "--axis", "policy=fcfs,easy", "--out", "other.json"}).code ==
      0);
  outcome = sweep.says({"sweep", "merge", "other.json", "--out", "s"});
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "a shard of another plan"));
  const std::string shard = sweep.folder.path("s/shard-00001-of-00001.shard");
  std::string bytes = read_bytes(shard);
  bytes[bytes.size() / 2] = bytes[bytes.size() / 2] == '1' ? '2' : '1';
  write_bytes(shard, bytes);
  outcome = sweep.says({"sweep", "merge", "plan.json", "--out", "s"});
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "a damaged shard"));
}

TEST_CASE("plans are content: equal questions give equal plans, and what cannot be run is refused at once") {
  const Sweep a, b;
  CHECK(read_bytes(a.folder.path("plan.json")) == read_bytes(b.folder.path("plan.json")));
  const auto refused = [&](std::vector<std::string> words, int code, const std::string& says) {
    words.insert(words.begin(), {"sweep", "plan", "tiny.yaml", "--out", "x.json"});
    const Outcome outcome = a.says(words);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, says));
    CHECK_FALSE(fs::exists(a.folder.path("x.json")));
  };
  refused({}, 2, "nothing varies");
  refused({"--axis", "policy=fcfs,esay"}, 3, "did you mean `easy`?");
  refused({"--axis", "supply.tranches[first].units=1 GPU,2 MW"}, 3, "E0106");
  refused({"--axis", "supply.tranches[frist].units=1 GPU"}, 3, "E0231");
  refused({"--axis", "seed=1,2"}, 2, "cannot be an axis");
  refused({"--axis", "policy=fcfs", "--axis", "policy=easy"}, 2, "stands on two axes");
  refused({"--zip", "policy=fcfs,easy;supply.tranches[first].units=1 GPU"}, 2, "equally many");
  refused({"--range", "supply.tranches[first].units=1 GPU..9 GPU"}, 2, "--range and --sample go together");
  refused({"--range", "supply.tranches[first].units=9 GPU..1 GPU", "--sample", "lhs:5"}, 2, "no axis");
  refused({"--range", "supply.tranches[first].units=1 GPU..9 GPU", "--sample", "grid:5"}, 2, "no design");
  refused({"--axis", "policy=fcfs,easy", "--metrics", "jobs.wiat.mean"}, 3, "E0502");
}

TEST_CASE("samples fill their range: whole numbers where the ends are whole") {
  const Sweep sweep({"--range", "supply.tranches[first].units=1 GPU..9 GPU", "--range",
                     "demand.sectors[sme].request_rate=1.0..4.0 /d", "--sample", "sobol:64"});
  const auto plan = nlohmann::json::parse(read_bytes(sweep.folder.path("plan.json")));
  REQUIRE(plan["points"].size() == 64);
  std::set<std::string> units;
  for (const auto& point : plan["points"]) units.insert(point[0].get<std::string>());
  CHECK(units.size() == 9);
  CHECK(units.count("9 GPU") == 1);
  CHECK(plan["points"][0][1] == "1 /d");
  CHECK(plan["points"][1][1] == "2.5 /d");
}

TEST_CASE("submit writes a job array with a merge that waits for it, and a dry run only shows it") {
  const Sweep sweep;
  Outcome outcome = sweep.says(
      {"sweep", "submit", "plan.json", "--engine", "slurm", "--shards", "40", "--out", "it's", "--dry-run"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "--array=1-40 --requeue --open-mode=append"));
  CHECK(has(outcome.out, "--dependency=afterok:\"$id\" --kill-on-invalid-dep=yes"));
  CHECK(has(outcome.out, "--shards 40 --jobs \"${SLURM_CPUS_PER_TASK:-1}\""));
  CHECK(has(outcome.out, "/it'\\''s/shard.sh'"));
  CHECK_FALSE(fs::exists(sweep.folder.path("it's")));
  outcome =
      sweep.says({"sweep", "submit", "plan.json", "--engine", "parallel", "--shards", "3", "--dry-run"});
  CHECK(has(outcome.out, "seq 3 | parallel --joblog "));
  CHECK(sweep.says({"sweep", "submit", "plan.json", "--shards", "3"}).code == 2);
  CHECK(sweep.says({"sweep", "submit", "plan.json", "--engine", "slurp", "--shards", "3"}).code == 2);
}

TEST_CASE("a task of an array takes its number from the environment") {
  const Sweep sweep;
  ::setenv("SLURM_ARRAY_TASK_ID", "2", 1);
  const Outcome outcome = sweep.run("s", {"--shards", "3"});
  ::unsetenv("SLURM_ARRAY_TASK_ID");
  CHECK(outcome.code == 0);
  CHECK(fs::exists(sweep.folder.path("s/shard-00002-of-00003.shard")));
  CHECK(sweep.run("s", {"--shards", "3"}).code == 2);
}
