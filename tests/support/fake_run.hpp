// SPDX-License-Identifier: Apache-2.0
// Results as a simulation would leave them, made by hand: for tests of what is written from them.
#pragma once

#include <string>
#include <vector>

#include <natgpu/report/files.hpp>

#include "../../src/experiment/statistics.hpp"

namespace natgpu::testing {

inline std::string_view unit_of_reading(const measures::Labels& labels) {
  return labels.back().second == "h100e" ? "H100e" : "EFLOP/s fp64_tensor";
}

inline const std::vector<measures::MetricRow>& fake_rows() {
  static const std::vector<measures::MetricRow> rows{
      {"capacity.units", "GPU", "at,state", "Devices."},
      {"capacity.h100e", "H100e", "at,state", "H100-equivalents."},
      {"capacity.eflops", "EFLOP/s", "at,state,reading", "Peak of a precision."},
      {"reading.target.share", "share", "at,state,reading", "Of the target."},
      {"reading.value", "as the reading", "at,state,reading", "Under a reading.", unit_of_reading},
      {"gpu.allocated.share", "share", "period", "Allocated over in service."},
      {"share.gpu_hours", "share", "period,sector", "Of all used."},
      {"jobs.submitted.count", "count", "period,sector", "Jobs."},
      {"jobs.wait.mean", "s", "period,sector", "First start less eligible."},
      {"jobs.censored.count", "count", "period,sector", "Still waiting at the end."},
      {"energy.mwh", "MWh", "period", "At the meter."},
      {"adoption.any_ai.share", "share", "at,sector", "Survey state."},
  };
  return rows;
}

/// A run with every user's string set to `text`, for injection tests, or with plain names where it is empty.
struct FakeRun {
  scenario::Scenario scenario;
  report::RunResult result;

  explicit FakeRun(std::uint32_t replications = 3, const std::string& text = {}) {
    const auto name = [&](const char* plain) { return text.empty() ? std::string(plain) : text; };
    scenario.file = "scenarios/" + name("toy.yaml");
    scenario.name = name("toy");
    scenario.title = {name("A toy"), name("장난감")};
    scenario.about.summary = {name("Two sectors, two years."), name("두 부문, 두 해.")};
    scenario.about.includes = {name("jobs")};
    scenario.about.excludes = {name("GDP")};
    scenario.policy = name("easy");
    scenario.resolved = "schema: natgpu/1\n";
    scenario.hash = std::string(64, 'a');
    scenario.assumptions = {{name("supply.sites[haenam].pue"),
                             name("1.3"),
                             name("1.2"),
                             name("1.4"),
                             name("KISTI"),
                             name("2026-01-01"),
                             "assumed",
                             text,
                             {}},
                            {"demand.rate",
                             "3 /d",
                             "",
                             "",
                             "https://example.org/a_b?c=1&d=2",
                             "2025-05-01",
                             "published",
                             "",
                             {}}};
    scenario::Target target;
    target.name = name("goal");
    target.metric = "capacity.h100e";
    target.where = "at=2026-12-31;state=in_service";
    target.expect = ">= 100 H100e";
    target.title = {name("Goal of the plan"), name("계획의 목표")};
    scenario.targets = {target};
    result.scenario = &scenario;
    result.seed = 7;
    result.replications_asked = replications;
    for (std::uint32_t r = 0; r < replications; ++r) result.records.push_back(record(r, name("sme"), text));
    result.summary = experiment::summarise(scenario.targets, result.records, fake_rows());
  }
  FakeRun(const FakeRun&) = delete;
  FakeRun& operator=(const FakeRun&) = delete;

 private:
  static simulation::RunRecord record(std::uint32_t r, const std::string& sector,
                                      const std::string& warning) {
    simulation::RunRecord record;
    record.seed = 7;
    record.replication = r;
    record.fingerprint = 1000 + r;
    record.demand_hash = 5;
    record.failure_hash = 6;
    auto& m = record.measurements;
    for (const char* at : {"2025-12-31", "2026-12-31"}) {
      const double year = at[3] == '5' ? 0 : 1;
      m.push_back({"capacity.units", {{"at", at}, {"state", "allocated"}}, 40.0 + r});
      m.push_back({"capacity.units", {{"at", at}, {"state", "ordered"}}, 100 + 50 * year});
      m.push_back({"capacity.units", {{"at", at}, {"state", "dark"}}, 9});
      m.push_back({"capacity.h100e", {{"at", at}, {"state", "in_service"}}, 30000 + 10 * year + r});
      m.push_back({"capacity.eflops", {{"at", at}, {"state", "up"}, {"reading", "bf16"}}, 40});
      m.push_back({"capacity.eflops", {{"at", at}, {"state", "up"}, {"reading", "fp64_tensor"}}, 2});
      m.push_back({"reading.target.share", {{"at", at}, {"state", "public"}, {"reading", "h100e"}}, 1});
      m.push_back({"reading.value", {{"at", at}, {"state", "allocated"}, {"reading", "h100e"}}, 15000});
      m.push_back({"reading.value", {{"at", at}, {"state", "up"}, {"reading", "h100e"}}, 16000});
      m.push_back({"reading.value", {{"at", at}, {"state", "public"}, {"reading", "h100e"}}, 30000});
      m.push_back({"reading.value", {{"at", at}, {"state", "public"}, {"reading", "fp64_strict"}}, 1.5});
      m.push_back({"adoption.any_ai.share", {{"at", at}, {"sector", sector}}, 0.28 + 0.1 * year});
    }
    for (const char* period : {"2025", "2025Q4", "2026", "all"}) {
      m.push_back({"gpu.allocated.share", {{"period", period}}, 0.5 + 0.01 * r});
      m.push_back({"share.gpu_hours", {{"period", period}, {"sector", sector}}, 0.25});
      m.push_back({"jobs.submitted.count", {{"period", period}, {"sector", sector}}, 12000.0 + r});
      m.push_back({"jobs.wait.mean", {{"period", period}, {"sector", sector}}, 15120 + 600.0 * r});
      m.push_back(
          {"jobs.censored.count", {{"period", period}, {"sector", sector}}, period[3] == '6' ? 4.0 : 0.0});
      m.push_back({"energy.mwh", {{"period", period}}, 1e5});
    }
    record.series = {{Date::of(2025, 1, 1), "capacity.units", {{"state", "allocated"}}, 1.5},
                     {Date::of(2025, 1, 2), "capacity.units", {{"state", "allocated"}}, 0.1}};
    record.warnings = {warning.empty() ? "a site has no power" : warning};
    return record;
  }
};

}  // namespace natgpu::testing
