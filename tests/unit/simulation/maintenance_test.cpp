// SPDX-License-Identifier: Apache-2.0
// An announced window in a national run: half of 8 GPUs are away from midnight to 5 h on the second day. Jobs
// come from a log; times are in hours from the start.
#include "script.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

struct Row {
  int submit, gpus, requested;
};

/// "19-25" for each job of the log, in hours.
std::vector<std::string> runs(const std::string& backfill, const std::vector<Row>& rows,
                              bool maintained = true) {
  workload::JobLog log;
  log.jobs.push_back({1, 0, 1, 1, 1});  // a log starts with its first job
  for (const Row& r : rows)
    log.jobs.push_back({static_cast<std::int64_t>(log.jobs.size()) + 1, r.submit * 3600, r.requested * 3600,
                        r.requested * 3600, r.gpus});
  const auto scenario = scenario_of(
      "schema: natgpu/1\nname: window\nhorizon: {start: 2026-01-01, end: 2026-01-05}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 2}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 8 GPU, in_service: 2026-01-01, service_life: "
      "endless}]\n" +
      std::string(
          maintained
              ? "  maintenance: [{name: monthly, site: room, first: 2026-01-02, every: 30 d, length: 5 h, "
                "share: 50 %}]\n"
              : "") +
      "demand:\n  sectors: [{name: users, organisations: 0}]\n  trace: {sector: users}\n"
      "scheduling: {order: fcfs, backfill: " +
      backfill + "}\n");
  const WatchedRun run = watch(scenario, 1, &log);
  CHECK(run.within_capacity);
  const double hour = static_cast<double>(hour_ticks(1));
  CHECK(static_cast<double>(run.books.area(0, 0).down) / hour == (maintained ? 20 : 0));
  std::vector<std::string> all;
  for (std::size_t i = 1; i < run.seen.jobs.size(); ++i) {
    std::string text;
    for (const Stretch& s : run.seen.jobs[i].ran)
      text += fmt::format("{}{:.6g}-{:.6g}", text.empty() ? "" : " ", static_cast<double>(s.from) / hour,
                          static_cast<double>(s.until) / hour);
    all.push_back(text);
  }
  return all;
}

using Runs = std::vector<std::string>;

}  // namespace

TEST_CASE("easy keeps a large job out of an announced window and fills the time before it") {
  const std::vector<Row> s8 = {{19, 8, 6}, {20, 4, 4}, {20, 4, 9}};
  CHECK(runs("easy", s8) == Runs{"29-35", "20-24", "20-29"});
  CHECK(runs("easy", s8, false) == Runs{"19-25", "25-29", "25-34"});
}

TEST_CASE("strict order waits for the window too, and lets nobody pass meanwhile") {
  CHECK(runs("none", {{19, 8, 6}, {20, 4, 4}, {20, 4, 9}}) == Runs{"29-35", "35-39", "35-44"});
}

TEST_CASE("a job that ends as the window opens, and one that fits beside it, are not held back") {
  for (const char* backfill : {"none", "fit", "easy"}) {
    CHECK(runs(backfill, {{18, 8, 6}}) == Runs{"18-24"});
    CHECK(runs(backfill, {{18, 4, 20}}) == Runs{"18-38"});
    CHECK(runs(backfill, {{18, 5, 7}}) == Runs{"29-36"});
  }
}

TEST_CASE("jobs may start in the window on what is left, and as it closes on all") {
  for (const char* backfill : {"none", "fit", "easy"})
    CHECK(runs(backfill, {{25, 4, 2}, {26, 4, 2}, {28, 8, 2}}) == Runs{"25-27", "27-29", "29-31"});
}
