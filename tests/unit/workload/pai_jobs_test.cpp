// SPDX-License-Identifier: Apache-2.0
// Alibaba PAI's table of jobs with its table of tasks, in rows as their owners publish them.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using workload::JobLog;
using workload::LogJob;
using workload::LogStatus;

namespace {

const std::string job_header = "job_name,inst_id,user,status,start_time,end_time\n";
const std::string task_header =
    "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type\n";

/// The owners' example of a job: one instance without a GPU, two with half a GPU each; and a job of one task.
const std::string jobs =
    "job_0,i0,58540f191766,Terminated,100.0,900.0\n"
    "single,i1,58540f191766,Failed,90.0,300.0\n";
const std::string tasks =
    "job_0,ps,1.0,Terminated,150.0,800.0,600.0,10.0,0.0,\n"
    "single,tensorflow,4.0,Failed,100.0,300.0,400.0,29.296875,200.0,V100\n"
    "job_0,worker,2.0,Terminated,160.0,850.0,400.0,20.0,50.0,T4\n";

JobLog read_texts(const std::string& of_jobs, const std::string& of_tasks,
                  workload::ReadOptions options = {}) {
  const Folder folder;
  options.tasks = write_bytes(folder.path("tasks.csv"), of_tasks);
  return workload::read_log(write_bytes(folder.path("jobs.csv"), of_jobs), options);
}

std::string reason(const std::string& of_job, const std::string& of_tasks,
                   const workload::ReadOptions& options = {}) {
  const JobLog log = read_texts(of_job, of_tasks, options);
  REQUIRE(log.jobs.size() + log.unusable.size() == 1);
  return log.unusable.empty() ? "" : log.unusable[0].reason;
}

}  // namespace

TEST_CASE("a job of PAI asks for what its tasks ask for together, from its own submission") {
  const JobLog log = read_texts(jobs, tasks);
  CHECK(log.unusable.empty());
  REQUIRE(log.jobs.size() == 2);
  const LogJob& gang = log.jobs[0];
  CHECK(log.id_of(gang) == "job_0");
  CHECK(gang.submit_s == 100);
  CHECK(gang.run_s == 700);  // 150 to 850
  CHECK(gang.gpus == 2);
  CHECK(gang.gpu_milli == 500);
  CHECK(gang.cpu_milli == 14000);  // 600 % + 400 % + 400 %
  CHECK(gang.memory_mib == 50 * 1024);
  CHECK(gang.nodes == -1);  // its instances differ
  CHECK(log.gpu_types[static_cast<std::size_t>(gang.gpu_type)] == "T4");
  CHECK(log.queues[static_cast<std::size_t>(gang.queue)] == "ps+worker");
  CHECK(log.users[static_cast<std::size_t>(gang.user)] == "58540f191766");
  CHECK(gang.status == LogStatus::completed);
  const LogJob& single = log.jobs[1];
  CHECK(single.submit_s == 90);
  CHECK(single.run_s == 200);
  CHECK(single.gpus == 8);
  CHECK(single.gpu_milli == 1000);
  CHECK(single.nodes == 4);
  CHECK(single.cpu_milli == 16000);
  CHECK(single.memory_mib == 120000);
  CHECK(single.status == LogStatus::failed);
  CHECK(single.user == gang.user);
  CHECK(log.shared_gpus == 1);
  CHECK(log.lines == 5);
}

TEST_CASE("PAI's tables with header lines, in any order of columns, are the same") {
  const JobLog plain = read_texts(jobs, tasks);
  CHECK(read_texts(job_header + jobs, task_header + tasks).jobs == plain.jobs);
  CHECK(read_texts("status,start_time,user,job_name\nTerminated,100.0,58540f191766,job_0\n"
                   "Failed,90.0,58540f191766,single\n",
                   tasks)
            .jobs == plain.jobs);
}

TEST_CASE("tasks of several shares and types make a job of whole GPUs of any of the types") {
  const JobLog log = read_texts("a,i,u,Terminated,0,9\n",
                                "a,worker,1,Terminated,1,9,100,1,50,T4\n"
                                "a,evaluator,1,Terminated,1,9,100,1,25,P100\n"
                                "a,worker,1,Terminated,1,9,100,1,50,T4\n"
                                "a,chief,1,Terminated,1,9,,,,\n");
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].gpus == 3);
  CHECK(log.jobs[0].gpu_milli == 1000);
  CHECK(log.gpu_types[static_cast<std::size_t>(log.jobs[0].gpu_type)] == "T4|P100");
  CHECK(log.queues[static_cast<std::size_t>(log.jobs[0].queue)] == "worker+evaluator+chief");
  CHECK(log.jobs[0].cpu_milli == 3000);
}

TEST_CASE("a job of PAI is used if it has a submission and all its tasks ran") {
  const std::string job = "a,i,u,Terminated,10,99\n";
  const auto task = [](const std::string& start, const std::string& end, const std::string& gpu = "100") {
    return "a,worker,1,Terminated," + start + "," + end + ",100,1," + gpu + ",T4\n";
  };
  CHECK(reason(job, task("20", "30")) == "");
  CHECK(reason(job, "") == "no tasks");
  CHECK(reason("a,i,u,Waiting,,\n", task("20", "30")) == "no submit time");
  CHECK(reason("a,i,u,Waiting,-5,\n", task("20", "30")) == "negative submit time");
  CHECK(reason(job, task("20", "30") + task("", "")) == "never started");
  CHECK(reason(job, task("20", "30") + task("25", "")) == "no end time");
  CHECK(reason(job, task("20", "20")) == "run time below 1 s");
  CHECK(reason(job, task("20", "30", "")) == "no GPUs");
  workload::ReadOptions options;
  options.keep_cpu_jobs = true;
  CHECK(reason(job, task("20", "30", ""), options) == "");
  options.gpus = 1;
  CHECK(reason(job, task("20", "30", "200"), options) == "more GPUs than the machine has");
  CHECK(reason(job, task("20", "30") + task("20", "30"), options) == "more GPUs than the machine has");
}

TEST_CASE("tasks without a job, and a job that is there twice, are counted and named by line") {
  const JobLog log =
      read_texts(jobs + "job_0,i2,u,Terminated,5,6\n", tasks +
                                                           "lost,worker,1,Terminated,1,9,100,1,100,T4\n"
                                                           "lost,ps,1,Terminated,1,9,100,1,0,\n");
  CHECK(log.jobs.size() == 2);
  REQUIRE(log.unusable.size() == 2);
  CHECK(log.unusable[0].reason == "a job name there twice");
  CHECK(log.unusable[0].first_lines == std::vector<std::uint64_t>{3});
  CHECK(has(log.unusable[1].reason, "in the table of tasks, a job that the table of jobs lacks"));
  CHECK(log.unusable[1].rows == 1);
  CHECK(log.unusable[1].first_lines == std::vector<std::uint64_t>{4});
}

TEST_CASE("a mistake in either table names its file and line") {
  const auto found = [](const std::string& of_jobs, const std::string& of_tasks) {
    try {
      read_texts(of_jobs, of_tasks);
    } catch (const ScenarioError& e) {
      REQUIRE(e.diagnostics().size() == 1);
      return e.diagnostics()[0];
    }
    return Diagnostic{};
  };
  Diagnostic d = found(jobs, tasks + "x,worker,many,Terminated,1,2,3,4,5,T4\n");
  CHECK(d.code == "E0402");
  CHECK(has(d.place.file, "tasks.csv"));
  CHECK(d.place.line == 4);
  CHECK(d.place.column == 10);
  d = found("job_0,i0,u,Terminated,soon,900.0\n", tasks);
  CHECK(d.code == "E0402");
  CHECK(has(d.place.file, "jobs.csv"));
  CHECK(d.place.line == 1);
  d = found(tasks, jobs);  // the wrong way round
  CHECK(d.code == "E0409");
  CHECK(has(d.place.file, "tasks.csv"));
  d = found(jobs, "a,w,32767,T,1,2,999999999999,1,100,T4\n");
  CHECK(d.code == "E0405");
}
