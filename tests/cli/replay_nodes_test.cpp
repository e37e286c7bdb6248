// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "small_cluster.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

/// A share, a gang over both machines, a CPU task, an unknown model.
void write_cluster(const Folder& folder) {
  write_small_cluster(folder,
                      "a,1000,1024,1,500,A|B,LS,Running,0,10,0\n"
                      "b,4000,1024,3,1000,,LS,Running,0,10,0\n"
                      "c,1000,512,0,0,,LS,Running,1,11,1\n"
                      "d,1000,1024,1,1000,X,LS,Running,2,12,2\n");
}

}  // namespace

TEST_CASE("a replay on machines says which machines each job had, and what became of GPU time") {
  const Folder folder;
  write_cluster(folder);
  const Outcome outcome = natgpu_says({"replay", "tasks.csv", "--nodes", "nodes.csv", "--placement", "first",
                                       "--fragmentation", "--jobs-csv", "jobs.csv", "--json", "r.json"},
                                      folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state,nodes\n"
        "a,0,0,10,1,finished,0\n"
        "b,0,0,10,3,finished,0-1\n"
        "c,1,1,11,0,finished,0\n"
        "d,2,,,1,rejected,\n");
  CHECK(has(outcome.err, "note: 1 jobs can never start: no machine has GPUs of the type"));
  CHECK(has(outcome.out, "view nodes (placement first, gangs wait for the fewest nodes)"));
  CHECK(has(outcome.out, "fragmentation F"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes");
  CHECK(json.at("machines") == 3);
  CHECK(json.at("gpus") == 4.0);
  CHECK(json.at("placement") == "first");
  CHECK(json.at("locality").is_null());
  CHECK(json.at("gpu_seconds").at("nominal") == 44.0);
  CHECK(json.at("gpu_seconds").at("useful") == 35.0);
  CHECK(json.at("gpu_seconds").at("idle") == 9.0);
  CHECK(json.at("never_fit").at(0).at("jobs") == 1);
}

TEST_CASE("machines that are lost stop whole gangs, which go on behind their last checkpoint") {
  const Folder folder;
  write_cluster(folder);
  write_bytes(folder.path("out.csv"), "node,from,until\nn1,4,20\n");
  const Outcome outcome =
      natgpu_says({"replay", "tasks.csv", "--nodes", "nodes.csv", "--placement", "first", "--node-outages",
                   "out.csv", "--checkpoint", "3s", "--restart-cost", "1s", "--json", "r.json"},
                  folder.path(""));
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "checkpoint 3 s, restart cost 1 s"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("r.json")));
  CHECK(json.at("makespan_s") == 28);  // 20, 1 to restart, 7 of work
  CHECK(json.at("nodes").at("jobs_stopped_by_outages") == 1);
  CHECK(json.at("nodes").at("gpu_seconds").at("lost_to_outages") == 3.0);
  CHECK(json.at("nodes").at("gpu_seconds").at("restarts") == 3.0);
  CHECK(json.at("nodes").at("gpu_seconds").at("down") == 32.0);
}

TEST_CASE("orders that take GPUs back say what each job lost, and where GPU time went") {
  const Folder folder;
  write_bytes(folder.path("log.swf"),
              "1 0 -1 10 4 -1 -1 4 10 -1 1 1 1 -1 -1 -1 -1 -1\n"
              "2 5 -1 2 2 -1 -1 2 2 -1 1 1 1 -1 -1 -1 -1 -1\n");
  const Outcome outcome =
      natgpu_says({"replay", "log.swf", "--nodes", "1x4", "--policy", "srtf", "--checkpoint", "3s",
                   "--restart-cost", "1s", "--jobs-csv", "jobs.csv", "--json", "r.json"},
                  folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        "job_id,submit_s,start_s,end_s,gpus,state,preemptions,lost_s,nodes\n"
        "1,0,0,15,4,finished,1,2,0\n"
        "2,5,5,7,2,finished,0,0,0\n");
  CHECK(has(outcome.out, "shield 0 s, checkpoint 3 s, restart cost 1 s, view nodes (placement best"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("r.json")));
  CHECK(json.at("preemptions") == 1);
  CHECK(json.at("nodes").at("checkpoint_s") == 3.0);
  CHECK(json.at("nodes").at("restart_cost_s") == 1.0);
  const auto time = json.at("nodes").at("gpu_seconds");
  CHECK(time.at("nominal") == 60.0);
  CHECK(time.at("useful") == 44.0);
  CHECK(time.at("lost_to_preemptions") == 8.0);
  CHECK(time.at("restarts") == 4.0);
  CHECK(time.at("idle") == 4.0);
}

TEST_CASE("classes and accounts take machines back, at once or after a notice") {
  const Folder folder;
  write_bytes(folder.path("log.swf"),
              "1 0 -1 10 4 -1 -1 4 10 -1 1 1 1 -1 2 -1 -1 -1\n"
              "2 5 -1 2 2 -1 -1 2 2 -1 1 2 1 -1 1 -1 -1 -1\n");
  const auto says = [&](std::vector<std::string> more) {
    std::vector<std::string> words{
        "replay", "log.swf",        "--nodes", "1x4",        "--shield", "0s",     "--checkpoint",
        "3s",     "--restart-cost", "1s",      "--jobs-csv", "jobs.csv", "--json", "r.json"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = natgpu_says(words, folder.path(""));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome.out;
  };
  const std::string header = "job_id,submit_s,start_s,end_s,gpus,state,preemptions,lost_s,nodes\n";
  const std::string at_once = header + "1,0,0,15,4,finished,1,2,0\n2,5,5,7,2,finished,0,0,0\n";
  CHECK(has(says({"--policy", "priority", "--preemption", "by-class"}), "preemption by class, shield 0 s"));
  CHECK(read_bytes(folder.path("jobs.csv")) == at_once);
  CHECK(has(says({"--policy", "fit", "--preemption", "quota-reclaim"}),
            "preemption quota-reclaim, shield 0 s"));
  CHECK(read_bytes(folder.path("jobs.csv")) == at_once);
  CHECK(has(says({"--policy", "priority", "--preemption", "by-class", "--notice", "2s"}), "notice 2 s"));
  CHECK(read_bytes(folder.path("jobs.csv")) ==
        header + "1,0,0,17,4,finished,1,2,0\n2,5,7,9,2,finished,0,0,0\n");
  const auto time = nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes").at("gpu_seconds");
  CHECK(time.at("lost_to_preemptions") == 16.0);  // 2 s of work and 2 of notice, on four GPUs
}

TEST_CASE("GPUs of a type are cut by --mig, and whole GPUs are taken without it") {
  const Folder folder;
  write_cluster(folder);
  Outcome outcome =
      natgpu_says({"replay", "tasks.csv", "--nodes", "nodes.csv", "--placement", "first", "--mig",
                   "A=H100-80GB", "--mig-positions", "first", "--fragmentation", "--json", "r.json"},
                  folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "MIG H100-80GB, positions first"));
  CHECK(has(outcome.out,
            "MIG instances          1 x 4g.40gb; of the GPU time they held, 100.00 % was asked for"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes");
  CHECK(json.at("mig").at("tables").at(0).at("type") == "A");
  CHECK(json.at("mig").at("tables").at(0).at("table") == "H100-80GB");
  CHECK(json.at("mig").at("positions") == "first");
  CHECK(json.at("mig").at("instances").size() == 1);  // the gang of three whole GPUs has none
  CHECK(json.at("mig").at("given_gpu_seconds") == 5.0);
  CHECK(json.at("gpu_seconds").at("useful") == 35.0);
  outcome = natgpu_says({"replay", "tasks.csv", "--nodes", "nodes.csv", "--json", "r.json"}, folder.path(""));
  CHECK(nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes").at("mig").is_null());
}

TEST_CASE(
    "what --mig cannot mean is said with the nearest name, the types of the list, or what goes with it") {
  const Folder folder;
  write_cluster(folder);
  write_bytes(folder.path("two.csv"),
              "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,262144,2,A\nn1,32000,262144,2,T4\n");
  const auto says = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"replay", "tasks.csv"});
    const Outcome outcome = natgpu_says(options, folder.path(""));
    return std::to_string(outcome.code) + " " + outcome.err;
  };
  CHECK(has(says({"--nodes", "nodes.csv", "--mig", "A100-40"}), "did you mean `A100-40GB`?"));
  CHECK(says({"--nodes", "nodes.csv", "--mig", "A100-40"})[0] == '2');
  CHECK(has(says({"--nodes", "nodes.csv", "--mig", "V100"}), "GPUs of other models are not cut"));
  CHECK(has(says({"--nodes", "two.csv", "--mig", "A100-40GB"}), "has GPUs of the types A, T4"));
  CHECK(has(says({"--nodes", "two.csv", "--mig", "A100-40GB"}), "`--mig A=A100-40GB`"));
  CHECK(says({"--nodes", "two.csv", "--mig", "A=A100-40GB"})[0] == '0');
  CHECK(has(says({"--nodes", "two.csv", "--mig", "T5=A100-40GB"}), "no GPU type `T5`, did you mean `T4`?"));
  CHECK(has(says({"--nodes", "two.csv", "--mig", "A=A30-24GB,A=A100-40GB"}), "stands there twice"));
  CHECK(has(says({"--nodes", "two.csv", "--mig", "A=A30-24GB,T4"}), "`T4` names no GPU type"));
  CHECK(
      has(says({"--nodes", "2x4", "--mig", "A=A30-24GB"}), "the list names no types: give the table alone"));
  CHECK(has(says({"--nodes", "2x4", "--mig-positions", "first"}), "add `--mig TABLE`"));
  CHECK(has(says({"--nodes", "2x4", "--mig", "A30-24GB", "--mig-positions", "frist"}),
            "did you mean `first`?"));
  CHECK(has(says({"--gpus", "8", "--mig", "A30-24GB"}), "--mig goes with machines"));
  const Outcome list = natgpu_says({"policy", "list"}, folder.path(""));
  CHECK(has(list.out, "3g.20gb   3 and 4 at 0,4"));
}

TEST_CASE("on machines reservations are kept, named, and counted where a loss puts them off") {
  const Folder folder;
  // The second job is promised both machines at 10. A loss at 15 finds it running, one at 5 puts it off.
  write_bytes(
      folder.path("tasks.swf"),
      "1 0 -1 10 4 -1 -1 4 10 -1 1 1 1 -1 -1 -1 -1 -1\n2 1 -1 10 8 -1 -1 8 10 -1 1 1 1 -1 -1 -1 -1 -1\n"
      "3 2 -1 8 4 -1 -1 4 8 -1 1 1 1 -1 -1 -1 -1 -1\n");
  write_bytes(folder.path("outages.csv"), "node,from,until\n1,15,30\n");
  const auto run = [&](std::vector<std::string> policy) {
    policy.insert(policy.begin(), {"replay", "tasks.swf", "--nodes", "2x4", "--placement", "first",
                                   "--node-outages", "outages.csv", "--json", "r.json"});
    const Outcome outcome = natgpu_says(policy, folder.path(""));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome.out;
  };
  CHECK(has(run({"--policy", "conservative"}), "policy conservative, view nodes (placement first"));
  CHECK(nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes").at("broken_promises") == 0);
  CHECK(has(run({"--backfill", "reservations", "--reservations", "2"}),
            "backfill reservations: 2, view nodes"));
  write_bytes(folder.path("outages.csv"), "node,from,until\n1,5,30\n");
  CHECK(
      has(run({"--policy", "conservative"}), "promises broken        1 reserved starts, put off by a loss"));
  CHECK(nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes").at("broken_promises") == 1);
}

TEST_CASE("the published example of drf runs three tasks to two on a machine, from files to jobs.csv") {
  // Ghodsi et al., NSDI 2011: 9 CPUs, 18 GB; tasks of <1 CPU, 4 GB> and of <3 CPUs, 1 GB>.
  const Folder folder;
  write_bytes(folder.path("machine.csv"), "sn,cpu_milli,memory_mib,gpu,model\nm,9000,18432,1,A\n");
  write_bytes(folder.path("map.csv"),
              "field,column,unit\nsubmit,at,s\nrun,took,s\ngpus,gpus,gpus\ncpu,cpus,cores\nmemory,gib,GiB\n"
              "user,who,name\n");
  std::string log = "at,took,gpus,cpus,gib,who\n";
  for (int i = 0; i < 5; ++i) log += "0,10,0,1,4,a\n0,10,0,3,1,b\n";
  write_bytes(folder.path("log.csv"), log);
  const auto at_once = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command{"replay",      "log.csv",  "--format", "map.csv",    "--nodes",
                                     "machine.csv", "--policy", "drf",      "--jobs-csv", "jobs.csv"};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome outcome = natgpu_says(command, folder.path(""));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(has(outcome.out, "policy drf, shares"));
    const std::string csv = read_bytes(folder.path("jobs.csv"));
    std::string started;
    for (int i = 1; i <= 10; ++i)
      if (has(csv, "\n" + std::to_string(i) + ",0,0,10,")) started += i % 2 == 1 ? 'a' : 'b';
    return started;
  };
  CHECK(at_once({}) == "ababa");
  write_bytes(folder.path("shares.csv"), "user,share\na,2\n");
  CHECK(at_once({"--shares", "shares.csv"}) == "abaaa");
}

TEST_CASE("a replay by target shares on machines says so, and keeps what it kept") {
  const Folder folder;
  write_cluster(folder);
  const Outcome outcome = natgpu_says({"replay", "tasks.csv", "--nodes", "nodes.csv", "--policy", "gavel-ftf",
                                       "--rounds", "2s", "--placement", "first", "--json", "r.json"},
                                      folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "policy gavel-ftf, rounds 2 s, shield 0 s, work kept"));
  CHECK(has(outcome.out, "view nodes (placement first"));
  const auto json = nlohmann::json::parse(read_bytes(folder.path("r.json"))).at("nodes");
  CHECK(json.at("gpu_seconds").at("useful") == 35.0);
  CHECK(json.at("gpu_seconds").at("lost_to_preemptions") == 0.0);
}

TEST_CASE("what a replay on machines cannot do is said before it runs, with what to do") {
  const Folder folder;
  write_cluster(folder);
  write_bytes(folder.path("speeds.csv"), "queue,A\n*,1\n");
  const auto says = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"replay", "tasks.csv"});
    const Outcome outcome = natgpu_says(options, folder.path(""));
    return std::to_string(outcome.code) + " " + outcome.err;
  };
  CHECK(has(says({"--nodes", "2x4", "--policy", "drf", "--backfill", "conservative"}),
            "choose --backfill none, fit or easy"));
  CHECK(says({"--nodes", "2x4", "--policy", "drf", "--backfill", "conservative"})[0] == '2');
  CHECK(has(says({"--nodes", "2x4", "--backfill", "reservations"}), "add `--reservations N`"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "las2d", "--backfill", "conservative"}),
            "keeps no reservations"));
  CHECK(has(says({"--nodes", "2x4", "--placement", "bset"}), "did you mean `best`?"));
  CHECK(has(says({"--nodes", "2x4", "--locality", "0.5"}), "is no factor from 1 to 100"));
  CHECK(has(says({"--nodes", "2x4", "--gpus", "8"}), "--gpus has no meaning on machines"));
  CHECK(has(says({"--gpus", "8", "--locality", "2"}), "--locality goes with machines"));
  CHECK(has(says({"--nodes", "2x4", "--checkpoint", "2s"}), "add `--node-outages FILE`"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "drf", "--backfill", "easy-sjbf"}),
            "choose --backfill none, fit or easy"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "drf", "--cpus", "8"}), "--cpus has no meaning on machines"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "maxmin"}), "names no users or groups"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "gavel-las", "--notice", "5s"}), "leave --notice out"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "gavel-las", "--gpu-types", "A=8", "--speeds", "speeds.csv"}),
            "--gpu-types has no meaning on machines"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "las2d", "--notice", "5s"}), "leave --notice out"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "las2d", "--backfill", "easy"}), "keeps no reservations"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "fcfs", "--preemption", "by-class"}),
            "whose keys are classes"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "easy", "--preemption", "quota-reclaim"}),
            "keeps no reservations"));
  CHECK(
      has(says({"--nodes", "2x4", "--policy", "las2d", "--quantum", "5s"}), "has no meaning for this order"));
  CHECK(has(says({"--nodes", "2x4", "--policy", "fit", "--shield", "5s"}), "leaves running jobs their GPUs"));
  CHECK(says({"--nodes", "2x40"}).rfind("3 ", 0) == 0);
  CHECK(has(says({"--nodes", "2x40"}), "E0411"));
}

TEST_CASE("the logs of openb and Philly are replayed on machines under every rule of placement") {
  NATGPU_TRACE_OR_SKIP(nodes, "openb_node_list_all_node.csv.gz");
  NATGPU_TRACE_OR_SKIP(tasks, "openb_pod_list_gpuspec33.csv.gz");
  NATGPU_TRACE_OR_SKIP(philly, "philly_three_vcs.csv.gz");
  for (const char* rule : {"first", "best", "worst", "random", "consolidated", "lowest-id"}) {
    INFO(rule);
    CHECK(natgpu_says({"replay", tasks, "--nodes", nodes, "--placement", rule, "--policy", "fit"}).code == 0);
    CHECK(natgpu_says({"replay", philly, "--nodes", "40x8", "--placement", rule, "--locality", "1.2"}).code ==
          0);
  }
}
