// SPDX-License-Identifier: Apache-2.0
// Damaged logs: whatever is done to the bytes, a reader gives a log or names a mistake.
#include <cstdint>
#include <string>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/workload/swf.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;
using workload::JobLog;
using workload::LogJob;

namespace {

/// A few numbers below `below`, the same on every machine.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return mix64(++state_ * 0x9e3779b97f4a7c15ULL) % bound; }

 private:
  std::uint64_t state_;
};

const std::string helios =
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\r\n"
    "1425511,\"u\"\"X,bc\",vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,,36848,0\r\n"
    "1425512,uVMrF,\"vc\nbv\",16,64,2,FAILED,2020-06-09 18:41:27,,2020-06-09 18:45:46+09:00,249.5,10\r\n";
const std::string swf =
    "; MaxProcs: 64\n; Queue: 1 normal\n 1 0 -1 60 8 -1 -1 8 90 -1 1 7 8 -1 1 -1 -1 -1\n"
    " 2 5.5 -1 60.0 8 -1 -1 8 90 -1 1 7 8 -1 1 -1 -1 -1\r\n";
const std::string philly =
    "[{\"status\": \"Pass\", \"vc\": \"v\", \"jobid\": \"a\", \"attempts\": [{\"start_time\": \"2017-10-07 "
    "01:12:09\",\n"
    "\"end_time\": null, \"detail\": [{\"ip\": \"m\", \"gpus\": [\"gpu0\"]}]}], \"submitted_time\": "
    "\"2017-10-07 "
    "01:11:39\",\n\"user\": \"u\\u00e9\"},\r\n{\"attempts\": [], \"submitted_time\": \"None\"}]\n";
const std::string pai = "a,worker,2.0,Terminated,160.0,850.0,400.0,20.0,50.0,T4\nb,ps,,Failed,,1,,,,\n";
const std::string map = "field,column,unit,per\nsubmit,t,s,\nrun,\"took\",h,job\ngpus,g,percent,node\n";

std::string damaged(std::string text, Draws& draws) {
  static const std::string bytes = std::string("\0\r\n\",;-.:#9 \xFF\xED", 14) + "aZ";
  for (std::uint64_t n = 1 + draws.below(4); n > 0 && !text.empty(); --n) {
    const std::size_t at = draws.below(text.size());
    switch (draws.below(4)) {
      case 0:
        text[at] = bytes[draws.below(bytes.size())];
        break;
      case 1:
        text.insert(at, 1 + draws.below(3), bytes[draws.below(bytes.size())]);
        break;
      case 2:
        text.erase(at, 1 + draws.below(20));
        break;
      default:
        text += text.substr(at);
        break;
    }
  }
  return text;
}

template <class Read>
void check_survives(const std::string& sound, std::uint64_t seed, Read read) {
  const Folder folder;
  int understood = 0, refused = 0;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    Draws draws(seed + 1000 * i);
    const std::string text = damaged(sound, draws);
    INFO("seed " << seed << ", case " << i << ": " << text);
    try {
      read(write_bytes(folder.path("log"), text));
      ++understood;
    } catch (const ScenarioError& e) {
      ++refused;
      REQUIRE(!e.diagnostics().empty());
      for (const Diagnostic& d : e.diagnostics()) REQUIRE(d.code.substr(0, 3) == "E04");
    }
  }
  CHECK(understood > 10);
  CHECK(refused > 50);
}

}  // namespace

TEST_CASE("no damage to a log makes a reader do anything but read it or name a mistake") {
  check_survives(helios, 1, [](const std::string& file) { workload::read_log(file, {"helios"}); });
  check_survives(swf, 2, [](const std::string& file) { workload::read_swf(file); });
  check_survives(map, 3, [](const std::string& file) { workload::read_column_map(file); });
  check_survives(helios, 4, [](const std::string& file) { workload::read_log(file); });
  check_survives(philly, 5, [](const std::string& file) { workload::read_log(file, {"philly-json"}); });
  const Folder folder;
  const std::string jobs =
      write_bytes(folder.path("jobs"), "a,i,u,Terminated,5,6\nb,i,u,Waiting,7,\na,i,u,Failed,8,9\n");
  check_survives(pai, 6, [&](const std::string& file) {
    workload::read_log(jobs, {"", 0, false, false, file});
  });
}

TEST_CASE("any log with numbers survives writing as SWF and reading") {
  const Folder folder;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    Draws draws(seed << 20);
    JobLog log;
    log.max_procs = 1 + static_cast<std::int64_t>(draws.below(5000));
    log.unix_start_time = static_cast<std::int64_t>(draws.below(2) * draws.below(2'000'000'000));
    std::int64_t now = 0;
    for (std::uint64_t n = draws.below(50); n > 0; --n) {
      LogJob j;
      now += static_cast<std::int64_t>(draws.below(3) * draws.below(100'000));
      j.id = static_cast<std::int64_t>(draws.below(1'000'000'000'000));
      j.submit_s = now;
      j.run_s = 1 + static_cast<std::int64_t>(draws.below(9'000'000'000));
      j.requested_s = 1 + static_cast<std::int64_t>(draws.below(9'000'000'000));
      j.gpus = 1 + static_cast<std::int32_t>(draws.below(static_cast<std::uint64_t>(log.max_procs)));
      j.user = static_cast<std::int32_t>(draws.below(1000)) - 1;
      j.group = static_cast<std::int32_t>(draws.below(2'000'000'000));
      j.queue = static_cast<std::int32_t>(draws.below(5)) - 1;
      j.status = draws.below(2) == 0 ? workload::LogStatus::cancelled : workload::LogStatus::unknown;
      log.jobs.push_back(j);
    }
    const JobLog again = workload::read_swf(write_bytes(folder.path("log.swf"), workload::swf_text(log)));
    CHECK(again.jobs == log.jobs);
    CHECK(again.max_procs == log.max_procs);
    CHECK(again.unix_start_time == log.unix_start_time);
    CHECK(again.unusable.empty());
  }
}
