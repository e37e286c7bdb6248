// SPDX-License-Identifier: Apache-2.0
// What is simulated and not measured: a run-off behind the horizon, a start-up before it settles.
#include <string>

#include <fmt/format.h>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr double day = 86400;

/// One GPU for ten days. a comes on day 8 for 3 days, b on day 9 for 2 days, c behind the horizon on day 10.5
/// for a day.
simulation::RunRecord three_jobs(const std::string& report) {
  const Folder folder;
  write_bytes(folder.path("log.swf"),
              "1 0 -1 1 1 -1 -1 1 1 -1 1 1 1 -1 1 1 -1 -1\n"  // the log's clock starts with it
              "2 691200 -1 259200 1 -1 -1 1 259200 -1 1 1 1 -1 1 1 -1 -1\n"
              "3 777600 -1 172800 1 -1 -1 1 172800 -1 1 1 1 -1 1 1 -1 -1\n"
              "4 907200 -1 86400 1 -1 -1 1 86400 -1 1 1 1 -1 1 1 -1 -1\n");
  const std::string yaml =
      "schema: natgpu/1\nname: log\nhorizon: {start: 2026-01-01, end: 2026-01-11}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 1}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 1 GPU, in_service: 2026-01-01}]\n"
      "demand:\n  sectors: [{name: users, organisations: 0}]\n"
      "  trace: {file: log.swf, sector: users}\n" +
      report;
  return simulation::simulate(scenario::load_scenario(write_bytes(folder.path("scenario.yaml"), yaml), {}),
                              {});
}

bool has_value(const simulation::RunRecord& r, const std::string& metric) {
  for (const measures::Measurement& m : r.measurements)
    if (m.metric == metric && measures::to_string(m.labels) == "period=all") return true;
  return false;
}

/// All measurements but those of what a run-off exists for: how jobs end.
std::vector<std::string> without_endings(const simulation::RunRecord& r) {
  std::vector<std::string> all;
  for (const measures::Measurement& m : r.measurements) {
    const bool of_jobs = m.metric.rfind("jobs.", 0) == 0 && m.metric != "jobs.submitted.count";
    bool of_work = m.metric.rfind("gpu.useful", 0) == 0;
    for (const auto& [key, value] : m.labels)
      of_work |= key == "state" && (value == "useful" || value == "unfinished" || value == "lost");
    if (!of_jobs && !of_work)
      all.push_back(fmt::format("{} {} {}", m.metric, measures::to_string(m.labels), m.value));
  }
  return all;
}

scenario::Scenario shipped(const std::string& name, const std::vector<std::string>& set) {
  scenario::LoadOptions options;
  options.set = set;
  return scenario::load_scenario(std::string(NATGPU_SOURCE_DIR) + "/scenarios/" + name, options);
}

}  // namespace

TEST_CASE("a run-off lets the jobs of the horizon end, and counts none that come behind it") {
  const auto cut = three_jobs("");
  CHECK(value_of(cut, "jobs.submitted.count", "period=all") == 3);
  CHECK(value_of(cut, "jobs.finished.count", "period=all") == 1);
  CHECK(value_of(cut, "jobs.running.count", "period=all") == 1);
  CHECK(value_of(cut, "jobs.censored.count", "period=all") == 1);
  CHECK(cut.jobs == 3);

  const auto run_off = three_jobs("report: {runoff: 20 d}\n");
  for (const char* labels : {"period=all", "period=2026", "period=2026Q1", "period=2026;sector=users"}) {
    INFO(labels);
    CHECK(value_of(run_off, "jobs.submitted.count", labels) == 3);
    CHECK(value_of(run_off, "jobs.finished.count", labels) == 3);
    CHECK(value_of(run_off, "jobs.censored.count", labels) == 0);
    CHECK(value_of(run_off, "jobs.wait.mean", labels) ==
          Approx(2 * day / 3));  // b waits for a's end on day 11
    CHECK(value_of(run_off, "jobs.turnaround.mean", labels) == Approx((1 + 3 * day + 4 * day) / 3));
  }
  CHECK(run_off.jobs == 4);  // c was there
  // Capacity is measured in the horizon only: a second, and a from day 8 to day 10.
  CHECK(value_of(run_off, "gpu.hours", "period=all;state=allocated") == Approx(48 + 1 / 3600.0));
  CHECK(value_of(run_off, "gpu.hours", "period=all;state=in_service") == Approx(240));
  CHECK(run_off.series.size() == cut.series.size());
  CHECK(to_string(run_off.series.back().at) == "2026-01-10");
}

TEST_CASE(
    "what has not started when the run-off ends is censored: the mean is a lower bound, high quantiles are "
    "absent") {
  const auto r = three_jobs("report: {runoff: 12 h}\n");  // a whole day: until the end of day 10
  CHECK(value_of(r, "jobs.censored.count", "period=all") == 1);
  CHECK(value_of(r, "jobs.censored.wait.mean", "period=all") == Approx(2 * day));
  CHECK(value_of(r, "jobs.wait.mean", "period=all") == 0);
  CHECK(has_value(r, "jobs.wait.p50"));        // rank 1.5 of 2 that started
  CHECK_FALSE(has_value(r, "jobs.wait.p95"));  // rank 2.85
}

TEST_CASE(
    "a run-off changes no measure of the horizon's capacity, use, energy, failures, shares or submissions") {
  const auto without = simulation::simulate(shipped("small-city.yaml", {}), {});
  const auto with = simulation::simulate(shipped("small-city.yaml", {"report.runoff=2 months"}), {});
  CHECK(without_endings(with) == without_endings(without));
  CHECK(with.events > without.events);
  CHECK(value_of(with, "jobs.censored.count", "period=all") <
        value_of(without, "jobs.censored.count", "period=all"));
  CHECK(value_of(with, "jobs.submitted.count", "period=all;class=try") ==
        value_of(without, "jobs.submitted.count", "period=all;class=try"));
  REQUIRE(with.series.size() == without.series.size());
  for (std::size_t i = 0; i < with.series.size(); ++i)
    REQUIRE(with.series[i].value == without.series[i].value);
}

TEST_CASE("days left out at the start are simulated and in no measure: later quarters are as ever") {
  const auto scenario = shipped("mmc.yaml", {"horizon.end=2026-01-01"});
  simulation::SimulateOptions options;
  const auto whole = simulation::simulate(scenario, options);
  for (const std::uint32_t days : {10U, 90U, 120U}) {  // within a quarter, at its end, in the next
    INFO(days << " days");
    options.unmeasured_days = days;
    const auto cut = simulation::simulate(scenario, options);
    CHECK(cut.fingerprint == whole.fingerprint);
    CHECK(cut.series.size() == whole.series.size());
    for (const char* metric : {"jobs.wait.mean", "jobs.submitted.count", "gpu.allocated.share"})
      CHECK(value_of(cut, metric, "period=2025Q4") == value_of(whole, metric, "period=2025Q4"));
    CHECK(value_of(cut, "gpu.hours", "period=all;state=in_service") == Approx((365 - days) * 240));
    double of_quarters = 0;
    for (const measures::Measurement& m : cut.measurements)
      if (m.metric == "jobs.submitted.count" && m.labels.size() == 1 &&
          m.labels[0].second.find('Q') != std::string::npos)
        of_quarters += m.value;
    CHECK(value_of(cut, "jobs.submitted.count", "period=all") == of_quarters);
    CHECK(value_of(cut, "jobs.submitted.count", "period=all;class=job") == of_quarters);
    CHECK(of_quarters < value_of(whole, "jobs.submitted.count", "period=all"));
  }
}
