// SPDX-License-Identifier: Apache-2.0
// Reservations on the machines of a scenario: windows that are announced, and losses that nobody knew of.
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "room.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;

TEST_CASE("no machine is promised to a job that would still be there when a window takes it") {
  // From day 10 on for 6 h the last two of four machines are away. All are busy to 4 h before.
  const scenario::Scenario s = room_of(4, 8, "{view: node, backfill: conservative, placement: worst}",
                                       {.maintenance = "  maintenance: [{name: service, site: room, first: "
                                                       "2026-01-11, every: 60 d, length: 6 h, share: 50 "
                                                       "%}]\n"});
  workload::JobLog log;
  log.jobs = {job(0, 1, 1), job(9 * 24, 32, 20)};
  for (int i = 0; i < 3; ++i) log.jobs.push_back(job(9 * 24 + 1, 8, 6));  // the third waits for the first two
  log.jobs.push_back(job(9 * 24 + 1, 16, 4));                             // just fits before the window
  log.jobs.push_back(job(9 * 24 + 1, 24, 2));                             // has no place before they are back
  const WatchedRun run = watch(s, 1, &log);
  const auto from = [&](std::size_t i) { return hours_from(run.seen.jobs.at(i)) - 9 * 24; };
  CHECK(from(2) == 20);
  CHECK(from(3) == 20);
  CHECK(from(4) == 26);
  CHECK(from(5) == 20);
  CHECK(from(6) == 30);  // when the two come back, which nobody counts upon
  for (const SeenJob& j : run.seen.jobs) CHECK(j.ran.size() == 1);
}

TEST_CASE("machines that fail put promises off, and the metric counts them") {
  const auto broken = [](const char* failures, const char* scheduling) {
    const scenario::Scenario s = scenario_of(fmt::format(
        "schema: natgpu/1\nname: failing\nhorizon: {{start: 2026-01-01, end: 2026-07-01}}\n"
        "hardware: [{{name: a, bf16: 1 TFLOP/s, per_node: 8}}]\n"
        "supply:\n  sites: [{{name: east}}]\n"
        "  tranches: [{{name: one, site: east, device: a, units: 64 GPU, in_service: 2026-01-01}}]\n{}"
        "demand:\n  sectors:\n    - {{name: users, organisations: 5, request_rate: 6 /d, mix: [{{name: "
        "job}}], "
        "adoption: {{initial: 100 %}}, onboarding: {{initial: 100 %}}}}\n"
        "  batch: [{{name: job, gpus: {{dist: discrete, values: [1 GPU, 3 GPU, 8 GPU, 24 GPU], weights: [4, "
        "2, "
        "2, 1]}}, run_time: {{dist: lognormal, median: 5 h, sigma: 1}}, overestimate: {{dist: uniform, low: "
        "1, "
        "high: 3}}, requested_max: 4 d}}]\nscheduling: {}\n",
        failures, scheduling));
    const simulation::RunRecord record = simulation::simulate(s, {});  // its books are checked
    CHECK(value_of(record, "jobs.submitted.count", "period=all;sector=users") > 4'000);
    return value_of(record, "promises.broken.count", "period=all");
  };
  const char* fails = "  failures: {causes: [{name: board, mtbf: 60 d, repair: 12 h}]}\n";
  CHECK(broken("", "{view: node, backfill: conservative}") == 0);
  CHECK(broken(fails, "{view: node, backfill: conservative}") > 20);
  CHECK(broken(fails, "{view: node, backfill: reservations, reservations: 4}") > 5);
  CHECK(broken(fails, "{view: node, backfill: easy}") == 0);
}
