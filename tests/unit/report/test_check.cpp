// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include <natgpu/report/baseline.hpp>
#include <natgpu/report/check.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using experiment::Verdict;
using natgpu::testing::Folder;
using natgpu::testing::has;
using natgpu::testing::write_bytes;
using report::CheckKind;

namespace {

report::CheckRow row(Verdict verdict, bool warn_only = false, const std::string& name = "use") {
  return {"toy",   "toy.yaml", 7,        CheckKind::target, name, "gpu.useful.share >= 0.5",
          verdict, warn_only,  "because"};
}

report::CheckReport report_of(std::vector<report::CheckRow> rows) {
  return {{{"toy", "toy.yaml", "base", "h1", "b.json", "h1", 7, 10}}, std::move(rows)};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

experiment::BaselineEntry entry() {
  experiment::BaselineEntry e{"toy", "base", "h", 7, {1, 2, 0xffffffffffffffffULL}, {}};
  e.rows = {{"jobs.wait.mean",
             {{"period", "2030"}, {"sector", "sme"}},
             "s",
             scenario::Side::lower,
             "600 s",
             {0.1, 1e300, std::nan("")}},
            {"energy.mwh", {}, "MWh", scenario::Side::same, "5 % of baseline", {1, 2, 3}}};
  return e;
}

}  // namespace

TEST_CASE(
    "one failed check of level error fails the whole, one inconclusive leaves it open, a warning neither") {
  CHECK(verdict_of(report_of({row(Verdict::pass)})) == Verdict::pass);
  CHECK(verdict_of(report_of({row(Verdict::pass), row(Verdict::inconclusive)})) == Verdict::inconclusive);
  CHECK(verdict_of(report_of({row(Verdict::inconclusive), row(Verdict::fail), row(Verdict::pass)})) ==
        Verdict::fail);
  CHECK(verdict_of(report_of({row(Verdict::pass), row(Verdict::fail, true)})) == Verdict::pass);
  CHECK(verdict_of(report_of({row(Verdict::inconclusive, true)})) == Verdict::pass);
}

TEST_CASE("verdicts are printed with the worst last and counted") {
  const std::string text = report::check_text(
      report_of({row(Verdict::fail), row(Verdict::pass), row(Verdict::inconclusive, true)}));
  INFO(text);
  CHECK(text.find("  FAIL") > text.find("  INCONCLUSIVE"));
  CHECK(text.find("  INCONCLUSIVE") > text.find("  PASS"));
  CHECK(has(text, "because (warning only)\n"));
  CHECK(has(text, "FAIL: 1 passed, 1 failed, 0 inconclusive, 1 warnings\n"));
  CHECK_FALSE(has(text, "differs from the one"));
  report::CheckReport other = report_of({row(Verdict::pass)});
  other.scenarios[0].baseline_hash = "h2";
  CHECK(has(report::check_text(other),
            "the scenario differs from the one that the baseline was recorded with"));
}

TEST_CASE("JUnit has one test case a check: failures fail, inconclusive ones and warnings are skipped") {
  const std::string xml = report::check_junit(report_of(
      {row(Verdict::fail), row(Verdict::fail, true), row(Verdict::inconclusive), row(Verdict::pass)}));
  INFO(xml);
  CHECK(has(xml, "tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\""));
  CHECK(count(xml, "<testcase ") == 4);
  CHECK(count(xml, "<failure ") == 1);
  CHECK(count(xml, "<skipped ") == 2);
  CHECK(has(xml, "message=\"warning: FAIL: because\""));
  CHECK(has(xml, "gpu.useful.share &gt;= 0.5"));
}

TEST_CASE("no name of a target can end an XML attribute, a workflow command or a table") {
  const std::string name = "a\"/><failure>&'\n::error::x|`%0A,y:\x01";
  const report::CheckReport evil = report_of({row(Verdict::fail, false, name)});
  CHECK(count(report::check_junit(evil), "<failure") == 1);
  CHECK(has(report::check_junit(evil), "a&quot;/&gt;&lt;failure&gt;&amp;&apos;"));
  const std::string commands = report::github_annotations(evil);
  CHECK(count(commands, "\n") == 1);
  CHECK(has(commands, "%0A%3A%3Aerror%3A%3Ax|`%250A%2Cy%3A"));
  CHECK(count(report::github_summary(evil), "\n| FAIL") == 1);
  CHECK(nlohmann::json::parse(report::check_json(evil))["checks"][0]["name"].get<std::string>().rfind(
            "a\"/>", 0) == 0);
}

TEST_CASE("GitHub gets the worst ten of each kind, and a summary that fits") {
  std::vector<report::CheckRow> rows(30, row(Verdict::inconclusive));
  rows.resize(42, row(Verdict::fail));
  const std::string commands = report::github_annotations(report_of(rows));
  CHECK(count(commands, "::error file=toy.yaml,line=7,title=FAIL ") == 10);
  CHECK(count(commands, "::warning ") == 10);
  CHECK(commands.find("::error") < commands.find("::warning"));
  CHECK(report::github_annotations(report_of({row(Verdict::pass)})).empty());
  rows.assign(20000, row(Verdict::fail));
  const std::string summary = report::github_summary(report_of(rows));
  CHECK(summary.size() <= 1U << 20);
  CHECK(has(summary, "More than fits here"));
}

TEST_CASE("check.json says passed where it passed and not elsewhere") {
  const auto json =
      nlohmann::json::parse(report::check_json(report_of({row(Verdict::pass), row(Verdict::inconclusive)})));
  CHECK(json["schema"] == "natgpu-check/1");
  CHECK(json["verdict"] == "inconclusive");
  CHECK(json["checks"][0]["passed"] == true);
  CHECK(json["checks"][1]["passed"] == false);
  CHECK(json["scenarios"][0]["replications"] == 10);
}

TEST_CASE("SARIF has each mistake with its rule and place, and none where there is none") {
  Diagnostic d;
  d.code = "E0213";
  d.message = "unknown key `x`";
  d.help = "did you mean `y`?";
  d.place = {"/elsewhere/toy.yaml", 3, 5};
  const auto json = nlohmann::json::parse(report::sarif({d, d}));
  CHECK(json["version"] == "2.1.0");
  const auto& run = json["runs"][0];
  CHECK(run["tool"]["driver"]["rules"].size() == 1);
  CHECK(run["results"].size() == 2);
  const auto& physical = run["results"][0]["locations"][0]["physicalLocation"];
  CHECK(physical["artifactLocation"]["uri"] == "toy.yaml");
  CHECK(physical["region"]["startLine"] == 3);
  CHECK(physical["region"]["startColumn"] == 5);
  CHECK(nlohmann::json::parse(report::sarif({}))["runs"][0]["results"].empty());
}

TEST_CASE("a baseline reads back to the last bit") {
  const Folder folder;
  const std::string path = write_bytes(folder.path("b.json"), report::baseline_json({entry(), entry()}));
  const auto read = report::read_baseline(path);
  REQUIRE(read.size() == 2);
  CHECK(report::baseline_json(read) == report::baseline_json({entry(), entry()}));
  CHECK(read[0].fingerprints == entry().fingerprints);
  CHECK(read[0].rows[0].values[0] == 0.1);
  CHECK(std::isnan(read[0].rows[0].values[2]));
  CHECK(read[0].rows[0].labels == entry().rows[0].labels);
  CHECK(read[0].rows[1].better == scenario::Side::same);
}

TEST_CASE("a damaged baseline is refused with E0506 and what is wrong") {
  const Folder folder;
  const std::string good = report::baseline_json({entry()});
  const auto refusal = [&](const std::string& bytes) {
    try {
      report::read_baseline(write_bytes(folder.path("b.json"), bytes));
    } catch (const ScenarioError& e) {
      REQUIRE(e.diagnostics().size() == 1);
      return e.diagnostics()[0].code + " " + e.diagnostics()[0].message;
    }
    return std::string("accepted");
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    REQUIRE(has(bytes, from));
    bytes.replace(bytes.find(from), from.size(), to);
    return refusal(bytes);
  };
  CHECK(refusal(good) == "accepted");
  CHECK(refusal("") == "E0506 not valid JSON");
  CHECK(refusal(good.substr(0, good.size() / 2)) == "E0506 not valid JSON");
  CHECK(refusal("[]") == "E0506 `schema` is missing");
  CHECK(with("natgpu-baseline/1", "natgpu-baseline/2") == "E0506 `schema` is not natgpu-baseline/1");
  CHECK(has(with("[1, 2, 3]", "[1, 2]"), "2 values for 3 replications"));
  CHECK(has(with("[1, 2, 3]", "[1, \"2\", 3]"), "a value is no number"));
  CHECK(has(with("\"same\"", "\"equal\""), "`better` is higher, lower or same, not `equal`"));
  CHECK(has(with("600 s", "many"), "`many` is no margin"));
  CHECK(has(with("0000000000000001", "1"), "16 hexadecimal digits"));
  CHECK(has(with("\"seed\": 7", "\"seed\": -7"), "`seed`"));
  CHECK_THROWS_AS(report::read_baseline(folder.path("none.json")), ScenarioError);
}

TEST_CASE("an update shows old and new, the paired difference, and what is new or gone") {
  experiment::BaselineEntry before = entry(), after = entry();
  before.rows[0].values = {3600, 3660, 3720};
  after.rows[0].values = {7200, 7260, 7320};
  after.rows[0].margin = "900 s";
  after.rows[1].metric = "energy.co2_t";
  const std::string diff = report::baseline_diff(&before, after);
  INFO(diff);
  CHECK(
      has(diff, "jobs.wait.mean period=2030;sector=sme: 1.02 ± 0.04 -> 2.02 ± 0.04 h, difference 1 ± 0;"));
  CHECK(has(diff, "lower by 600 s -> lower by 900 s"));
  CHECK(has(diff, "energy.co2_t: new, 2.0 ± 2.5 MWh"));
  CHECK(has(diff, "energy.mwh : no longer held"));
  after.seed = 8;
  CHECK(has(report::baseline_diff(&before, after), "not paired"));
}
