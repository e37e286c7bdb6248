// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <natgpu/simulation/simulate.hpp>

#include "../../../src/experiment/statistics.hpp"
#include "../../../src/report/comparison.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::has;
using natgpu::testing::read_bytes;

namespace {

/// Two policies of ten replications, the second an hour faster and equally useful.
struct FakeComparison {
  scenario::Scenario scenario;
  std::vector<simulation::RunRecord> a, b;
  report::ComparisonResult result;

  explicit FakeComparison(const std::string& name = "easy") {
    scenario.file = "scenarios/toy.yaml";
    scenario.name = "toy";
    scenario.hash = std::string(64, 'a');
    for (std::uint32_t r = 0; r < 10; ++r) {
      a.push_back(record(r, 7200 + 60.0 * r, 0.5 + 0.01 * r));
      b.push_back(record(r, 3600 + 60.0 * r + r % 3, 0.5 + 0.01 * (9 - r)));
    }
    const experiment::Summary sa = experiment::summarise({}, a, simulation::metric_rows());
    const experiment::Summary sb = experiment::summarise({}, b, simulation::metric_rows());
    result.policies = {{"fcfs", &scenario, &a}, {name, &scenario, &b}};
    result.seed = 7;
    result.replications_asked = 10;
    result.comparison = experiment::compare({{"fcfs", &a, &sa}, {name, &b, &sb}}, 0,
                                            {{"jobs.wait.mean", {}}, {"gpu.useful.share", {}}}, {});
  }

 private:
  static simulation::RunRecord record(std::uint32_t r, double wait, double useful) {
    simulation::RunRecord record;
    record.seed = 7;
    record.replication = r;
    record.measurements = {{"jobs.wait.mean", {{"period", "2030"}}, wait},
                           {"jobs.censored.count", {{"period", "2030"}}, 3},
                           {"gpu.useful.share", {{"period", "2030"}}, useful}};
    return record;
  }
};

}  // namespace

TEST_CASE("a comparison is printed with means, difference, unit, p and verdict") {
  const FakeComparison fake;
  const std::string text = report::comparison_text(fake.result);
  INFO(text);
  CHECK(has(text, "easy against fcfs; seed 7, 10 replications on common random numbers\n"));
  CHECK(has(text, "jobs.wait.mean  period=2030  (lower is better)\n"));
  CHECK(has(text, "  fcfs   >= 2.08 ± 0.04 h\n"));
  CHECK(has(text, "  easy   >= 1.08 ± 0.04 h  -1.00 ± 0.00    -48 %"));
  CHECK(has(text, "< 0.0001  better\n"));
  CHECK(has(text, "chance explains it; a million replications would not decide"));
  CHECK(has(text, "requests 100 % in 10 of 10 replications"));
  CHECK(has(text, "Holm over all 2 comparisons"));
}

TEST_CASE("compare.json and compare.csv hold what was printed, and equal results give equal bytes") {
  const FakeComparison fake, again;
  const Folder folder;
  CHECK(report::write_comparison(folder.path("x"), fake.result) == folder.path("x") + "/compare.md");
  report::write_comparison(folder.path("y"), again.result);
  for (const char* name : {"/compare.json", "/compare.csv", "/compare.md"})
    CHECK(read_bytes(folder.path("x") + name) == read_bytes(folder.path("y") + name));
  const nlohmann::json json = nlohmann::json::parse(read_bytes(folder.path("x/compare.json")));
  CHECK(json["schema"] == "natgpu-compare/1");
  CHECK(json["tests"] == 2);
  const nlohmann::json& wait = json["comparisons"][0];
  CHECK(wait["verdict"] == "better");
  CHECK(wait["difference"]["values"].size() == 10);
  CHECK(wait["difference"]["mean"].get<double>() == Approx(-3599.1));
  CHECK(wait["improved"] == 10);
  CHECK(wait["outcomes"].is_null());
  CHECK(json["comparisons"][1]["verdict"] == "undecided");
  CHECK(json["reproduce"] ==
        "natgpu compare scenarios/toy.yaml --policies fcfs,easy --vs fcfs --replications 10 --seed 7");
  CHECK(has(read_bytes(folder.path("x/compare.csv")),
            "easy,fcfs,jobs.wait.mean,period=2030,s,lower,10,3870.9,7470,"));
  CHECK(has(read_bytes(folder.path("x/compare.md")), "**better**"));
}

TEST_CASE("a policy's name stays a name in every file of a comparison") {
  const FakeComparison fake("=1+1|<script>`x`\"");
  CHECK(has(report::comparison_csv(fake.result), "\"'=1+1|<script>`x`\"\"\""));
  CHECK_FALSE(has(report::comparison_markdown(fake.result).substr(0, 1500), "<script>"));
  CHECK(nlohmann::json::parse(report::comparison_json(fake.result))["comparisons"][0]["policy"] ==
        "=1+1|<script>`x`\"");
}
