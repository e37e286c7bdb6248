// SPDX-License-Identifier: Apache-2.0
// The shipped column maps on rows as their owners publish them, and on the real files where those are.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using workload::JobLog;
using workload::LogJob;
using workload::LogStatus;

namespace {

const std::string helios =
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
    "1425511,uXBbc,vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 "
    "04:55:09,36848,0\n"
    "1425512,uVMrF,vchbv,16,64,2,FAILED,2020-06-09 18:41:27,2020-06-09 18:41:37,2020-06-09 18:45:46,249,10\n"
    "1425513,uXBbc,vcJkd,0,4,1,CANCELLED,2020-06-09 18:41:28,2020-06-09 18:41:28,2020-06-09 18:41:38,10,0\n";
const std::string seren =
    "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_"
    "time\n"
    "5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,"
    "2023-03-01 00:20:51+08:00,117,32,936.0\n";
const std::string kalos =
    "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,type,state,submit_time,start_"
    "time,"
    "end_time,fail_time,stop_time,duration,queue,gpu_time\n"
    "dlctk696s0jbvitv,uf794,8,64,960,1000,100.0,Pretrain,CANCELLED,2023-05-17 11:00:58+00:00,"
    "2023-05-17 11:01:08+00:00,2023-05-17 11:01:16+00:00,,2023-05-17 11:01:16+00:00,18,10.0,1152.0\n"
    "dlcwaiting,uf794,1,8,96,100,100.0,Debug,PENDING,2023-05-17 12:00:00+00:00,,,,,,,\n";
const std::string pai =
    "4f057009a5d481acec67b088,tensorflow,1.0,Terminated,1739162.0,1739200.0,600.0,29.296875,50.0,MISC\n"
    "a0,worker,4.0,Failed,1739163.0,1739263.0,400.0,10.0,25.0,T4\n"
    "a1,worker,2.0,Terminated,1739164.0,1739174.0,400.0,10.0,200.0,V100\n"
    "a2,ps,1.0,Terminated,1739165.0,1739175.0,400.0,10.0,,\n"
    "a3,worker,1.0,Running,1739166.0,,400.0,10.0,100.0,P100\n";
const std::string openb =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
    "scheduled_time\n"
    "openb-pod-0001,6000,12288,1,460,V100M16|V100M32,LS,Running,427061,12902960,427071\n"
    "openb-pod-0002,12000,24576,8,1000,,BE,Succeeded,100,200,120\n"
    "openb-pod-0003,12000,24576,1,1000,,BE,Pending,100,200,\n"
    "openb-pod-0004,3152,5600,0,0,,BE,Running,100,200,100\n";

JobLog read_text(const std::string& text, const workload::ReadOptions& options = {}) {
  const Folder folder;
  return workload::read_log(write_bytes(folder.path("log.csv"), text), options);
}

std::string reason(const JobLog& log, std::size_t i) {
  return i < log.unusable.size() ? log.unusable[i].reason : "";
}

}  // namespace

TEST_CASE("Helios rows: Slurm's number, virtual cluster as group, and its queue is no queue") {
  const JobLog log = read_text(helios);
  CHECK(log.format == "helios");
  REQUIRE(log.jobs.size() == 2);
  const LogJob& j = log.jobs[1];
  CHECK(j.id == 1425512);
  CHECK(log.id_of(j) == "1425512");
  CHECK(j.submit_s == 26);
  CHECK(j.run_s == 249);
  CHECK(j.gpus == 16);
  CHECK(j.cpu_milli == 64000);
  CHECK(j.nodes == 2);
  CHECK(j.status == LogStatus::failed);
  CHECK(log.users[static_cast<std::size_t>(j.user)] == "uVMrF");
  CHECK(log.groups[static_cast<std::size_t>(j.group)] == "vchbv");
  CHECK(j.queue == -1);
  CHECK(log.unix_start_time == 1591728061);  // 2020-06-09 18:41:01 as UTC
  REQUIRE(log.unusable.size() == 1);
  CHECK(log.unusable[0].reason == "no GPUs");
}

TEST_CASE("Acme rows: the run time is end less start, for Kalos counts the wait in its duration") {
  const JobLog first = read_text(seren);
  CHECK(first.format == "acme");
  REQUIRE(first.jobs.size() == 1);
  CHECK(first.id_of(first.jobs[0]) == "5778432");
  CHECK(first.jobs[0].run_s == 117);
  CHECK(first.jobs[0].memory_mib == -1);
  CHECK(first.unix_start_time == 1677601102);  // 2023-02-28 16:18:22 UTC
  CHECK(first.queues[static_cast<std::size_t>(first.jobs[0].queue)] == "Other");

  const JobLog second = read_text(kalos);
  CHECK(second.format == "acme");
  REQUIRE(second.jobs.size() == 1);
  const LogJob& j = second.jobs[0];
  CHECK(second.id_of(j) == "dlctk696s0jbvitv");
  CHECK(j.run_s == 8);
  CHECK(j.gpus == 64);
  CHECK(j.nodes == 8);
  CHECK(j.cpu_milli == 960000);
  CHECK(j.memory_mib == 8 * 1000 * 1024);  // a pod has 1000 GB, and there are eight
  CHECK(j.status == LogStatus::cancelled);
  CHECK(reason(second, 0) == "never started");
}

TEST_CASE("PAI rows have no header line, and what they say stands for one of several instances") {
  const JobLog log = read_text(pai, {"pai"});
  REQUIRE(log.jobs.size() == 3);
  const LogJob& half = log.jobs[0];
  CHECK(log.id_of(half) == "4f057009a5d481acec67b088");
  CHECK(half.submit_s == 1739162);
  CHECK(half.run_s == 38);
  CHECK(half.gpus == 1);
  CHECK(half.gpu_milli == 500);
  CHECK(half.cpu_milli == 6000);
  CHECK(half.memory_mib == 30000);
  CHECK(log.gpu_types[static_cast<std::size_t>(half.gpu_type)] == "MISC");
  CHECK(log.queues[static_cast<std::size_t>(half.queue)] == "tensorflow");
  const LogJob& quarters = log.jobs[1];
  CHECK(quarters.gpus == 4);  // each instance takes a quarter of one GPU: four quarters on four GPUs
  CHECK(quarters.gpu_milli == 250);
  CHECK(quarters.nodes == 4);
  CHECK(quarters.cpu_milli == 16000);
  CHECK(quarters.status == LogStatus::failed);
  CHECK(log.jobs[2].gpus == 4);
  CHECK(log.jobs[2].gpu_milli == 1000);
  CHECK(log.shared_gpus == 2);
  CHECK(log.unix_start_time == 0);
  CHECK(reason(log, 0) == "no GPUs");
  CHECK(reason(log, 1) == "no end time");
  CHECK(log.unusable[1].first_lines == std::vector<std::uint64_t>{5});
}

TEST_CASE("PAI rows with a header line are told by it") {
  const JobLog log = read_text(
      "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type\n" + pai);
  CHECK(log.format == "pai");
  CHECK(log.jobs == read_text(pai, {"pai"}).jobs);
}

TEST_CASE("the jobs of PAI's simulator ask for shares of GPUs instance by instance") {
  const JobLog log = read_text(
      "job_id,num_gpu,num_cpu,submit_time,num_inst,duration,user,group\n7,0.5,2.5,60,3,100,ae8ed1,g\n");
  CHECK(log.format == "pai-jobs");
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].id == 7);
  CHECK(log.jobs[0].gpus == 3);
  CHECK(log.jobs[0].gpu_milli == 500);
  CHECK(log.jobs[0].cpu_milli == 7500);
}

TEST_CASE("openb rows: a share of a GPU, allowed models, class of service, and pending tasks never ran") {
  const JobLog log = read_text(openb);
  CHECK(log.format == "openb");
  REQUIRE(log.jobs.size() == 2);
  const LogJob& j = log.jobs[0];
  CHECK(log.id_of(j) == "openb-pod-0001");
  CHECK(j.submit_s == 427061);
  CHECK(j.run_s == 12902960 - 427071);
  CHECK(j.gpus == 1);
  CHECK(j.gpu_milli == 460);
  CHECK(j.cpu_milli == 6000);
  CHECK(j.memory_mib == 12288);
  CHECK(log.gpu_types[static_cast<std::size_t>(j.gpu_type)] == "V100M16|V100M32");
  CHECK(log.queues[static_cast<std::size_t>(j.queue)] == "LS");
  CHECK(log.jobs[1].gpu_type == -1);
  CHECK(log.jobs[1].gpus == 8);
  CHECK(log.jobs[1].gpu_milli == 1000);
  CHECK(log.jobs[1].status == LogStatus::completed);
  CHECK(reason(log, 0) == "never started");
  CHECK(reason(log, 1) == "no GPUs");

  const JobLog all = read_text(openb, {"", 0, true});
  REQUIRE(all.jobs.size() == 4);
  CHECK(all.unusable.empty());
  CHECK(all.jobs[2].run_s == 0);
  CHECK(all.jobs[3].gpus == 0);
  CHECK(all.jobs[3].cpu_milli == 3152);
}

TEST_CASE("the format of a log is told from its name or its first line") {
  const Folder folder;
  const auto guess = [&](const std::string& name, const std::string& text) {
    return workload::guess_log_format(write_bytes(folder.path(name), text));
  };
  CHECK(guess("a.swf", "anything, even this") == "swf");
  CHECK(guess("a.txt", "; MaxProcs: 4\n") == "swf");
  CHECK(guess("a.txt", "\n  1 0 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 -1 -1 -1\n") == "swf");
  CHECK(guess("a.txt", "timestamp,duration,num_gpus,gpu_time,cluster\n") == "philly");
  CHECK(guess("a.swf.csv", "\xEF\xBB\xBF\"timestamp\",duration,num_gpus,cluster\r\n") == "philly");
  CHECK(guess("a.csv", helios) == "helios");
  CHECK(guess("a.csv", kalos) == "acme");
  CHECK(guess("a.csv", openb) == "openb");
}

TEST_CASE("a header of no known format is an error that names the nearest") {
  const Folder folder;
  try {
    workload::guess_log_format(write_bytes(
        folder.path("a.csv"), "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,queue\n"));
    FAIL("accepted");
  } catch (const ScenarioError& e) {
    REQUIRE(e.diagnostics().size() == 1);
    CHECK(e.diagnostics()[0].code == "E0409");
    CHECK(e.diagnostics()[0].help.find("nearest is helios, which also needs duration") != std::string::npos);
  }
}

TEST_CASE("every shipped map says what its columns are, and is understood as a file") {
  for (const workload::ColumnMap& map : workload::shipped_maps()) {
    INFO(map.name);
    CHECK(!map.title.empty());
    CHECK(!map.source.empty());
    const Folder folder;
    const workload::ColumnMap again =
        workload::read_column_map(write_bytes(folder.path("map.csv"), workload::to_csv(map)));
    REQUIRE(again.columns.size() == map.columns.size());
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
      CHECK(again.columns[i].field == map.columns[i].field);
      CHECK(again.columns[i].column == map.columns[i].column);
      CHECK(again.columns[i].unit == map.columns[i].unit);
      CHECK(again.columns[i].per_node == map.columns[i].per_node);
      CHECK(again.columns[i].needed == map.columns[i].needed);
      CHECK(again.columns[i].meaning == map.columns[i].meaning);
    }
  }
  for (std::size_t i = 0; i < workload::log_fields().size(); ++i)
    CHECK(static_cast<std::size_t>(workload::log_fields()[i].field) == i);
}

TEST_CASE("the Philly log holds 11,050 jobs of three virtual clusters") {
  NATGPU_TRACE_OR_SKIP(path, "philly_three_vcs.csv.gz");
  const JobLog log = workload::read_log(path);
  CHECK(log.format == "philly");
  CHECK(log.lines == 11051);
  CHECK(log.jobs.size() + log.unusable.size() == 11050);
  REQUIRE(log.groups.size() == 3);
  std::vector<int> of_group(3), of_size(33);
  for (const LogJob& j : log.jobs) {
    ++of_group[static_cast<std::size_t>(j.group)];
    ++of_size[static_cast<std::size_t>(j.gpus)];
  }
  for (std::size_t g = 0; g < 3; ++g)
    CHECK(of_group[g] == (log.groups[g] == "6c71a0" ? 9953 : log.groups[g] == "7f04ca" ? 723 : 374));
  CHECK(of_size[1] == 9473);
  CHECK(of_size[4] == 827);
  CHECK(of_size[32] == 3);
  CHECK(log.jobs.front().submit_s == 0);
  CHECK(log.unix_start_time == 1504521041);  // 2017-09-04 10:30:41
  CHECK(log.id_of(log.jobs.back()) == "11050");
}

TEST_CASE("the openb logs hold 8,152 tasks, 7,064 of them with GPUs and 6,203 that ran") {
  for (const char* name : {"openb_pod_list_default.csv.gz", "openb_pod_list_gpuspec33.csv.gz"}) {
    NATGPU_TRACE_OR_SKIP(path, name);
    INFO(name);
    const JobLog all = workload::read_log(path, {"", 0, true});
    REQUIRE(all.jobs.size() == 8152);
    int cpu = 0, shared = 0, pinned = 0;
    for (const LogJob& j : all.jobs) {
      cpu += j.gpus == 0 ? 1 : 0;
      shared += j.gpu_milli < 1000 ? 1 : 0;
      pinned += j.gpu_type >= 0 ? 1 : 0;
    }
    CHECK(cpu == 1088);
    CHECK(shared == 3078);
    CHECK(pinned == (std::string(name).find("33") == std::string::npos ? 0 : 2388));
    const JobLog ran = workload::read_log(path);
    CHECK(ran.format == "openb");
    for (const workload::Unusable& u : ran.unusable)
      CHECK(u.rows == (u.reason == "no GPUs" ? 1088U : u.reason == "never started" ? 861U : 0U));
    CHECK(ran.jobs.size() == 8152 - 1088 - 861);
  }
}

TEST_CASE("tables that hold no jobs are told from job logs") {
  for (const char* name : {"openb_node_list_all_node.csv.gz", "pai_machine_spec.csv.gz",
                           "helios_earth_gpu_number.csv.gz", "KTH-SP2-1996-2-filtered.easy.csv.gz"}) {
    NATGPU_TRACE_OR_SKIP(path, name);
    INFO(name);
    CHECK_THROWS_AS(workload::guess_log_format(path), ScenarioError);
  }
}
