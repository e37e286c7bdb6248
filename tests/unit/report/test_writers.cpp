// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/report/catalogue.hpp"
#include "../../../src/report/figures.hpp"
#include "../../../src/report/writers.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "fake_run.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::report;
using natgpu::testing::fake_rows;
using natgpu::testing::FakeRun;
using natgpu::testing::has;
using nlohmann::json;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

experiment::Estimate estimate(std::vector<double> values) {
  experiment::Estimate e;
  e.values = std::move(values);
  experiment::estimate_from_values(e);
  return e;
}

}  // namespace

TEST_CASE("summary.json holds every metric with its labels, unit, interval, range and values") {
  const FakeRun run;
  const json summary = json::parse(summary_json(run.result));
  CHECK(summary["schema"] == "natgpu-summary/1");
  CHECK(summary["scenario"]["name"] == "toy");
  CHECK(summary["scenario"]["hash"] == std::string(64, 'a'));
  CHECK(summary["policy"] == "easy");
  CHECK(summary["quick"] == false);
  CHECK(summary["seed"] == 7);
  CHECK(summary["replications"] == 3);
  REQUIRE(summary["metrics"].size() == run.result.summary.estimates.size());
  const json& first = summary["metrics"][0];
  CHECK(first["metric"] == "capacity.units");
  CHECK(first["labels"] == json{{"at", "2025-12-31"}, {"state", "allocated"}});
  CHECK(first["unit"] == "GPU");
  CHECK(first["mean"] == 41);
  CHECK(first["n"] == 3);
  CHECK(first["values"] == json({40, 41, 42}));
  CHECK(first["range"] == json({40, 42}));
  CHECK(first["ci95"][0].get<double>() == Approx(41 - 4.302653 / std::sqrt(3.0)));
  CHECK(first["ci95"][1].get<double>() == Approx(41 + 4.302653 / std::sqrt(3.0)));
  REQUIRE(summary["targets"].size() == 1);
  CHECK(summary["targets"][0]["verdict"] == "pass");
  CHECK(summary["targets"][0]["unit"] == "H100e");
  CHECK(summary["fingerprint"]["replications"] == json({hex64(1000), hex64(1001), hex64(1002)}));
  CHECK(summary["fingerprint"]["combined"] == combined_fingerprint(run.result));
  CHECK(summary["demand_hash"][2] == hex64(5));
  CHECK(summary["warnings"][0] == json{{"text", "a site has no power"}, {"replications", 3}});
}

TEST_CASE("where there is no number JSON says null and CSV says nothing") {
  FakeRun run(1);
  run.result.records[0].measurements[0].value = std::numeric_limits<double>::quiet_NaN();
  run.result.records[0].measurements[1].value = std::numeric_limits<double>::infinity();
  run.result.summary = experiment::summarise({}, run.result.records, fake_rows());
  const json summary = json::parse(summary_json(run.result));
  CHECK(summary["metrics"][0]["mean"].is_null());
  CHECK(summary["metrics"][0]["values"] == json::array({nullptr}));
  CHECK(summary["metrics"][0]["range"].is_null());
  CHECK(summary["metrics"][3]["mean"] == 30000);
  CHECK(summary["metrics"][3]["ci95"].is_null());  // one replication has no interval
  const std::vector<std::string> rows = lines(metrics_csv(run.result, fake_rows()));
  CHECK(rows[1] == "easy,0,capacity.units,at=2025-12-31;state=allocated,GPU,");
  CHECK(rows[2] == "easy,0,capacity.units,at=2025-12-31;state=ordered,GPU,");
}

TEST_CASE("metrics.csv has one row a replication, metric and labels, and timeseries.csv one a day") {
  const FakeRun run;
  const std::vector<std::string> rows = lines(metrics_csv(run.result, fake_rows()));
  REQUIRE(rows.size() == 1 + 3 * run.result.records[0].measurements.size());
  CHECK(rows[0] == "policy,replication,metric,labels,unit,value");
  CHECK(rows[1] == "easy,0,capacity.units,at=2025-12-31;state=allocated,GPU,40");
  const std::vector<std::string> series = lines(timeseries_csv(run.result, fake_rows()));
  REQUIRE(series.size() == 7);
  CHECK(series[0] == "policy,replication,date,metric,labels,unit,value");
  CHECK(series[2] == "easy,0,2025-01-02,capacity.units,state=allocated,GPU,0.1");
}

TEST_CASE("a metric without a row in the tables is our own fault") {
  FakeRun run(1);
  run.result.records[0].measurements.push_back({"gpu.buzzy.share", {}, 1});
  CHECK_THROWS_AS(metrics_csv(run.result, fake_rows()), InvariantError);
}

TEST_CASE("a result folder holds five files, and the manifest the digest of the other four") {
  const natgpu::testing::Folder folder;
  FakeRun run;
  run.scenario.file = natgpu::testing::write_bytes(folder.path("toy.yaml"), "schema: natgpu/1\n");
  RunFacts facts;
  facts.command_line = "natgpu run toy.yaml";
  facts.threads = 2;
  facts.peak_memory_bytes = 12345;
  const std::string report = write_results_with(folder.path("out/deep"), run.result, facts, fake_rows());
  CHECK(report == folder.path("out/deep") + "/report.md");
  const auto read = [&](const std::string& name) {
    return natgpu::testing::read_bytes(folder.path("out/deep/" + name));
  };
  const json manifest = json::parse(read("manifest.json"));
  REQUIRE(manifest["outputs"].size() == 4);
  for (const json& output : manifest["outputs"])
    CHECK(output["sha256"] == sha256_hex(read(output["file"].get<std::string>())));
  CHECK(manifest["inputs"] ==
        json::array({{{"file", "toy.yaml"}, {"sha256", sha256_hex("schema: natgpu/1\n")}}}));
  CHECK(manifest["resolved_scenario"] == run.scenario.resolved);
  CHECK(manifest["threads"] == 2);
  CHECK(manifest["peak_memory_bytes"] == 12345);
  CHECK(manifest["command_line"] == "natgpu run toy.yaml");
  CHECK_FALSE(manifest["version"].get<std::string>().empty());
  CHECK_FALSE(manifest["build"]["compiler"].get<std::string>().empty());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path("out/deep")))
    ++files;
  CHECK(files == 5);
}

TEST_CASE("equal results give equal bytes in all but the manifest, whatever the run's circumstances") {
  const natgpu::testing::Folder folder;
  const FakeRun run;
  RunFacts one, two;
  two.command_line = "natgpu run --jobs 2";
  two.threads = 2;
  two.started = "2027-01-01T00:00:00Z";
  write_results_with(folder.path("a"), run.result, one, fake_rows());
  write_results_with(folder.path("b"), run.result, two, fake_rows());
  for (const char* name : {"summary.json", "metrics.csv", "timeseries.csv", "report.md"})
    CHECK(natgpu::testing::read_bytes(folder.path("a/") + name) ==
          natgpu::testing::read_bytes(folder.path("b/") + name));
}

TEST_CASE("a folder that cannot be written is refused with its path") {
  const natgpu::testing::Folder folder;
  const FakeRun run(1);
  const std::string file = natgpu::testing::write_bytes(folder.path("file"), "x");
  try {
    write_results_with(file + "/out", run.result, {}, fake_rows());
    FAIL("accepted");
  } catch (const RunError& e) {
    CHECK(has(e.what(), file));
  }
}

TEST_CASE("the report gives verdicts first, then the waterfall by year, in its order") {
  const FakeRun run;
  const std::string text = report_markdown(run.result);
  CHECK(has(text, "# Simulation report: A toy\n"));
  CHECK(
      has(text,
          "| **PASS** | Goal of the plan | capacity.h100e (at=2026-12-31;state=in_service) | >= 100 H100e | "
          "30,011.0 ± 2.5 | H100e | 3 |"));
  CHECK(has(text,
            "**Devices: at the end of the year** (`capacity.units`, GPU)\n\n| State | 2025 | 2026 | n |\n"));
  CHECK(has(text, "| ordered | 100 ± 0 | 150 ± 0 | 3 |\n| allocated | 41.0 ± 2.5 | 41.0 ± 2.5 | 3 |\n"));
  CHECK(has(text, "**Peak: at the end of the year** (`capacity.eflops`, EFLOP/s fp64_tensor)\n"));
  CHECK(has(text, "| up | 2 ± 0 | 2 ± 0 | 3 |"));
  CHECK_FALSE(has(text, "| 40 ± 0 |"));    // the peak in bf16
  CHECK_FALSE(has(text, "no power | 9"));  // dark is no step of the waterfall
  CHECK_FALSE(has(text, "Q4"));
  const std::vector<std::string> order{"## Main figures",
                                       "## Targets",
                                       "## The national target",
                                       "## From paper to use",
                                       "`capacity.eflops`",
                                       "`capacity.units`",
                                       "## Who gets",
                                       "## How well",
                                       "## Energy",
                                       "## Adoption",
                                       "## Assumptions",
                                       "## Method",
                                       "## What this says nothing about",
                                       "## Warnings",
                                       "## Reproduce"};
  std::size_t at = 0;
  for (const std::string& part : order) {
    const std::size_t found = text.find(part, at);
    INFO(part);
    REQUIRE(found != std::string::npos);
    at = found;
  }
}

TEST_CASE("the readings stand side by side with scope, target and three states of the same devices") {
  const std::string text = report_markdown(FakeRun().result);
  CHECK(has(text,
            "| H100-equivalents (headline) | every device by its dense BF16 peak over that of an H100 (989.4 "
            "TFLOP/s) | 30,000 H100e |  | 30,000 ± 0 | 15,000 ± 0 | 100 ± 0 % | 3 |\n"));
  CHECK(has(text,
            "**Share of the target: open to the government's users, by year** (`reading.target.share`, %)"));
  CHECK(has(text,
            "Headline reading: 30,000 ± 0 H100e are open to the government's users on 2026-12-31, "
            "100 ± 0 % of the target of 30,000 H100e."));
}

TEST_CASE("the gap between paper and use is worked out in each replication, and its parts add up to it") {
  FakeRun run;
  for (simulation::RunRecord& r : run.result.records) {
    const double spare = r.replication;  // both ends move alike: the gap does not
    r.measurements.clear();
    const std::pair<const char*, double> states[] = {{"ordered", 90},    {"delivered", 70}, {"powered", 60},
                                                     {"in_service", 50}, {"public", 45},    {"up", 44},
                                                     {"allocated", 10}};
    for (const auto& [state, value] : states)
      r.measurements.push_back({"capacity.h100e", {{"at", "2026-12-31"}, {"state", state}}, value + spare});
  }
  run.result.summary = experiment::summarise({}, run.result.records, fake_rows());
  const std::string text = report_markdown(run.result);
  CHECK(has(text, "| on paper (ordered) | 91.0 ± 2.5 | 3 |"));
  CHECK(has(text, "| **gap** | 80 ± 0 | 3 |"));
  CHECK(has(text,
            "| ordered, not delivered | 20 ± 0 | 3 |\n| delivered, no power | 10 ± 0 | 3 |\n"
            "| powered, not in service | 10 ± 0 | 3 |\n"));
  CHECK(has(text, "| public, down | 1 ± 0 | 3 |\n| up, not allocated | 34 ± 0 | 3 |\n"));
  for (simulation::RunRecord& r : run.result.records) r.measurements.pop_back();
  run.result.summary = experiment::summarise({}, run.result.records, fake_rows());
  CHECK_FALSE(has(report_markdown(run.result), "**gap**"));
}

TEST_CASE("what a policy or a setting changes stands on the first page") {
  FakeRun run;
  run.scenario.policies = {{"easy", {{"supply.tranches[a].slip", "9 months", {}}}},
                           {"other", {{"x", "1", {}}}}};
  run.result.settings = {"seed=4"};
  const std::string text = report_markdown(run.result);
  CHECK(has(text,
            "Differs from the scenario file in:\n\n- supply.tranches\\[a\\].slip = 9 months\n- seed=4\n\n"));
  CHECK_FALSE(has(text, "- x = 1"));
}

TEST_CASE("a scaled run judges no target, in words too") {
  FakeRun run;
  experiment::withhold_verdicts(run.result.summary, 0.05);
  run.scenario.quick_scale = 0.05;
  const std::string text = report_markdown(run.result);
  CHECK(has(text, "**INCONCLUSIVE**"));
  CHECK(has(text, "A scaled quick run is no result and is not judged"));
  CHECK(has(text, "| 1,500 H100e |"));
  CHECK(has(summary_text(run.result), "a quick run at 0.05 of the real size is not judged"));
}

TEST_CASE("every metric of the model has a name in words, in both languages") {
  for (const measures::MetricRow& row : simulation::metric_rows()) {
    INFO(row.name);
    CHECK(Catalogue(false).metric(row.name) != row.name);
    CHECK(Catalogue(true).metric(row.name) != row.name);
  }
}

TEST_CASE(
    "shares are shown in percent, long waits in hours, and a mean with censored jobs as a lower bound") {
  const std::string text = report_markdown(FakeRun().result);
  CHECK(has(text,
            "| Measure | 2025 | 2026 | n |\n|---|---:|---:|---:|\n"
            "| Allocated, of in service (`gpu.allocated.share`, %) | 51.0 ± 2.5 | 51.0 ± 2.5 | 3 |"));
  CHECK(has(text, "**Mean wait** (`jobs.wait.mean`, h)\n"));
  CHECK(has(text, "| small firms | 4.37 ± 0.41 | ≥ 4.37 ± 0.41 | 4.37 ± 0.41 | 3 |"));
}

TEST_CASE("a section without figures is left out, not printed empty") {
  FakeRun run;
  for (simulation::RunRecord& r : run.result.records) {
    auto& m = r.measurements;
    m.erase(
        std::remove_if(m.begin(), m.end(), [](const auto& x) { return x.metric != "gpu.allocated.share"; }),
        m.end());
    r.warnings.clear();
  }
  run.scenario.assumptions.clear();
  run.scenario.about = {};
  run.result.summary = experiment::summarise({}, run.result.records, fake_rows());
  const std::string text = report_markdown(run.result);
  CHECK(has(text, "## How well"));
  for (const char* heading : {"## Targets", "## From paper", "## Who gets", "## Energy", "## Adoption",
                              "## Assumptions", "## What this says", "## Warnings"})
    CHECK_FALSE(has(text, heading));
}

TEST_CASE("a cluster far below the national target is not read against it") {
  FakeRun run;
  for (simulation::RunRecord& r : run.result.records)
    for (measures::Measurement& m : r.measurements)
      if (m.metric == "reading.target.share") m.value = 0.0099;
  run.result.summary = experiment::summarise({}, run.result.records, fake_rows());
  CHECK_FALSE(has(report_markdown(run.result), "## The national target"));
  run.scenario.quick_scale = 0.5;  // the same share of a scaled nation
  CHECK(has(report_markdown(run.result), "## The national target"));
}

TEST_CASE("one replication has figures and no interval, and no verdict") {
  const FakeRun run(1);
  const std::string text = report_markdown(run.result);
  CHECK(has(text, "**INCONCLUSIVE**"));
  CHECK(has(text, "40 (not estimable)"));
}

TEST_CASE("a quick or interrupted run says so in every output") {
  FakeRun run;
  run.result.quick = true;
  run.scenario.quick_scale = 0.05;
  run.result.interrupted = true;
  run.result.replications_asked = 20;
  CHECK(has(report_markdown(run.result), "scaled to 0.05"));
  CHECK(has(report_markdown(run.result), "Interrupted: 3 of 20"));
  CHECK(has(summary_text(run.result), "QUICK RUN"));
  CHECK(has(summary_text(run.result), "INTERRUPTED: 3 of 20"));
  CHECK(json::parse(summary_json(run.result))["quick"] == true);
  CHECK(json::parse(summary_json(run.result))["scale"] == 0.05);
  CHECK(json::parse(summary_json(run.result))["interrupted"] == true);
  CHECK(has(reproduce_command(run.result), "--quick"));
  for (const std::string& table :
       {metrics_csv(run.result, fake_rows()), timeseries_csv(run.result, fake_rows())})
    CHECK(has(table, "\neasy --quick,0,"));
}

TEST_CASE("the report speaks Korean, or both, and figures and metric names stay") {
  FakeRun run;
  run.result.language = Language::ko;
  const std::string korean = report_markdown(run.result);
  CHECK(has(korean, "# 시뮬레이션 보고서: 장난감"));
  CHECK(has(korean, "| **충족** | 계획의 목표 |"));
  CHECK(has(korean, "**장치 수: 연말** (`capacity.units`, GPU)"));
  CHECK(has(korean, "| 주문 | 100 ± 0 |"));
  CHECK_FALSE(has(korean, "Assumptions"));
  run.result.language = Language::both;
  const std::string both = report_markdown(run.result);
  CHECK(has(both, "## Targets"));
  CHECK(has(both, "## 목표 달성 여부"));
}

TEST_CASE("a text missing in one language is taken from the other") {
  const Catalogue korean(true);
  CHECK(korean.local({"only English", ""}) == "only English");
  CHECK(Catalogue(false).local({"", "한국어"}) == "한국어");
}

TEST_CASE("the reproduce command quotes what a shell would read otherwise") {
  FakeRun run;
  run.result.settings = {"supply.sites[haenam].pue=1.2", "name=it's"};
  CHECK(reproduce_command(run.result) ==
        "natgpu run scenarios/toy.yaml --policy easy --replications 3 --seed 7 --set "
        "'supply.sites[haenam].pue=1.2' "
        "--set 'name=it'\\''s'");
  run.scenario.file = "/somewhere/private/toy.yaml";
  CHECK(has(reproduce_command(run.result), "natgpu run toy.yaml"));
}

TEST_CASE("figures show two digits of their spread") {
  CHECK(figure(estimate({29873, 29000, 30746})) == "29,873 ± 2,169");
  CHECK(figure(estimate({1, 1.1, 1.2})) == "1.10 ± 0.25");
  CHECK(figure(estimate({5, 5})) == "5 ± 0");
  CHECK(figure(estimate({0.3, 0.1 + 0.2, 0.3}), 100) == "30.00 ± 0");
  CHECK(figure(estimate({1234567})) == "1,234,567");
  CHECK(figure(estimate({-1234.5678})) == "-1,235");
  CHECK(figure(estimate({})) == "-");
  CHECK(figure(estimate({0, 0})) == "0 ± 0");
  CHECK(grouped(-0.2, 0) == "0");
  CHECK(grouped(999, 0) == "999");
  CHECK(grouped(-1000, 1) == "-1,000.0");
}

TEST_CASE("the short summary gives each figure unit, spread and sample, of the latest year") {
  const std::string text = summary_text(FakeRun().result);
  CHECK(has(text, "toy: A toy\npolicy easy, seed 7, 3 replications\n"));
  CHECK(has(text, "Stocks on 2026-12-31 (± half-width of the 95 % CI, n = 3)\n"));
  CHECK(has(text, "  allocated     41.0 ± 2.5 GPU\n"));
  CHECK(has(text, "  in service    30,011.0 ± 2.5 H100e\n"));
  CHECK(has(text, "  up            2 ± 0 EFLOP/s fp64_tensor\n"));
  CHECK(has(text, "  gpu.allocated.share               2026       51.0 ± 2.5 % (95 % CI, n = 3)\n"));
  CHECK(has(text, "PASS          goal: capacity.h100e >= 100 H100e"));
  CHECK(has(text, "fingerprint "));
}
