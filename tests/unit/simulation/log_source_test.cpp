// SPDX-License-Identifier: Apache-2.0
// A log as the source of jobs in a scenario, in either format, on eight GPUs and by hand.
#include <string>

#include <fmt/format.h>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

simulation::RunRecord run_log(const std::string& name, const std::string& log) {
  const Folder folder;
  write_bytes(folder.path(name), log);
  const std::string yaml = fmt::format(
      "schema: natgpu/1\nname: log\nhorizon: {{start: 2026-01-01, end: 2026-01-11}}\n"
      "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: 1}}]\n"
      "supply:\n  sites: [{{name: room}}]\n"
      "  tranches: [{{name: all, site: room, device: gpu, units: 8 GPU, in_service: 2026-01-01}}]\n"
      "demand:\n  sectors: [{{name: users, organisations: 0}}]\n"
      "  trace: {{file: {}, sector: users}}\n",
      name);
  return simulation::simulate(scenario::load_scenario(write_bytes(folder.path("scenario.yaml"), yaml), {}),
                              {});
}

}  // namespace

TEST_CASE("a log as the source of jobs may be any format that is read, and what never starts is censored") {
  // Two jobs of all 8 GPUs: one for nine days, the other a day later.
  const auto swf = run_log("log.swf",
                           "1 0 -1 777600 8 -1 -1 8 777600 -1 1 1 1 -1 1 1 -1 -1\n"
                           "2 86400 -1 259200 8 -1 -1 8 259200 -1 1 1 1 -1 1 1 -1 -1\n");
  const auto csv =
      run_log("log.csv",
              "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
              "1,u,v,8,8,1,COMPLETED,2020-06-01 00:00:00,2020-06-01 00:00:00,2020-06-10 00:00:00,777600,0\n"
              "2,u,v,8,8,1,COMPLETED,2020-06-02 00:00:00,2020-06-10 00:00:00,2020-06-13 00:00:00,259200,0\n");
  for (const simulation::RunRecord& r : {swf, csv}) {
    CHECK(value_of(r, "jobs.submitted.count", "period=all") == 2);
    CHECK(value_of(r, "jobs.finished.count", "period=all") == 1);
    CHECK(value_of(r, "jobs.wait.mean", "period=all") == Approx(8 * 86400 / 2.0));
  }
  CHECK(csv.fingerprint == swf.fingerprint);

  const auto waits = run_log("log.swf",
                             "1 0 -1 950400 8 -1 -1 8 950400 -1 1 1 1 -1 1 1 -1 -1\n"
                             "2 86400 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 1 -1 -1\n"
                             "3 259200 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 1 -1 -1\n");
  CHECK(value_of(waits, "jobs.censored.count", "period=all") == 2);
  CHECK(value_of(waits, "jobs.censored.wait.mean", "period=all") == Approx((9 + 7) * 86400 / 2.0));
  CHECK(value_of(waits, "jobs.censored.wait.mean", "period=2026;sector=users") == Approx(8 * 86400));
}
