// SPDX-License-Identifier: Apache-2.0
// Uncertain values from the file to the results of every command.
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "tiny_scenario.hpp"

using namespace natgpu::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const std::string pool =
    tiny_scenario({.name = "pool",
                   .end = "2025-01-15",
                   .replications = 12,
                   .device = "bf16: 989.4 TFLOP/s, power: 700 W, idle_power: 350 W, per_node: 1",
                   .site = "{name: here, pue: 1.2}",
                   .other_site = "{name: empty, pue: 1.2}",
                   .gpus = 8,
                   .request_rate = "8 /d",
                   .run_time = "{dist: exponential, mean: 4 h}"}) +
    R"(policies:
  known: {"supply.tranches[first].units": 10 GPU}
targets:
  - {name: thrifty, metric: energy.mwh, where: period=2025, expect: "<= 2.5 MWh"}
reality_checks:
  - {name: meter, metric: energy.mwh, where: period=2025, published: 2 MWh, low: 1 MWh, high: 3 MWh, source: KPX, as_of: "2025-02"}
)";

const std::string doubts = R"(uncertainties:
  - {name: units, path: "supply.tranches[first].units", value: {dist: discrete, values: [6 GPU, 8 GPU, 20 GPU], weights: [1, 1, 1]}}
  - {name: pue, path: "supply.sites[here].pue", value: {dist: uniform, low: 1.1, high: 1.3}}
  - {name: elsewhere, path: "supply.sites[empty].pue", value: {dist: uniform, low: 1.1, high: 1.3}}
)";

/// A folder with the pool as sure.yaml and with its doubts as pool.yaml.
class Place {
 public:
  Place() {
    write_bytes(folder_.path("sure.yaml"), pool);
    write_bytes(folder_.path("pool.yaml"), pool + doubts);
  }
  Outcome says(const std::vector<std::string>& words, int code = 0) const {
    Outcome outcome = natgpu_says(words, folder_.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == code);
    return outcome;
  }
  std::string bytes(const std::string& file) const { return read_bytes(folder_.path(file)); }
  json parsed(const std::string& file) const { return json::parse(bytes(file)); }
  bool has_file(const std::string& file) const { return fs::exists(folder_.path(file)); }

 private:
  Folder folder_;
};

/// Values of draws.csv by "policy,replication,uncertainty".
std::map<std::string, std::string> draws(const std::string& csv) {
  std::map<std::string, std::string> all;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "policy,replication,uncertainty,path,unit,value");
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
    REQUIRE(cells.size() == 6);
    all[cells[0] + "," + cells[1] + "," + cells[2]] = cells[5];
  }
  return all;
}

std::vector<double> energy(const json& summary) {
  for (const json& m : summary["metrics"])
    if (m["metric"] == "energy.mwh" && m["labels"] == json{{"period", "2025"}})
      return m["values"].get<std::vector<double>>();
  return {};
}

}  // namespace

TEST_CASE("a run over futures writes every draw and what it came to, and says in how many a target is met") {
  const Place place;
  const Outcome outcome = place.says({"run", "pool.yaml", "--out", "out"});
  const json summary = place.parsed("out/summary.json");
  const auto drawn = draws(place.bytes("out/draws.csv"));
  CHECK(drawn.size() == 12 * 3);
  std::set<std::string> units;
  const std::vector<double> mwh = energy(summary);
  REQUIRE(mwh.size() == 12);
  double small = 0, large = 1e9;
  for (int r = 0; r < 12; ++r) {
    const std::string& u = drawn.at("base," + std::to_string(r) + ",units");
    units.insert(u);
    (u == "20" ? large = std::min(large, mwh[static_cast<std::size_t>(r)])
               : small = std::max(small, mwh[static_cast<std::size_t>(r)]));
  }
  CHECK(units == std::set<std::string>{"6", "8", "20"});
  CHECK(small < large);  // 20 GPUs draw more than 8 do, whatever the dice
  std::size_t met = 0;
  for (const double v : mwh) met += v <= 2.5;
  CHECK(summary["targets"][0]["futures"]["met"] == met);
  CHECK(summary["targets"][0]["futures"]["of"] == 12);
  CHECK(has(outcome.out, "met in " + std::to_string(met) + " of 12 futures"));
  CHECK(has(outcome.out, "drawn units, pue, elsewhere"));
  CHECK(has(outcome.out, "p5 to p95 over futures is not estimable from 12; it needs 59"));
  CHECK(summary["uncertainties"][0]["name"] == "units");
  CHECK(summary["uncertainties"][0]["values"].size() == 12);
  CHECK(has(place.bytes("out/report.md"), "## What is uncertain"));
  const json manifest = place.parsed("out/manifest.json");
  CHECK(manifest["outputs"].size() == 5);
}

TEST_CASE("sixty futures have a range") {
  const Place place;
  const Outcome outcome = place.says({"run", "pool.yaml", "--replications", "60", "--out", "out"});
  CHECK(has(outcome.out, "[a to b] is p5 to p95 over futures"));
  const json summary = place.parsed("out/summary.json");
  for (const json& m : summary["metrics"])
    if (m["metric"] == "energy.mwh" && m["labels"] == json{{"period", "2025"}}) {
      CHECK(m["outcomes"]["p5"] < m["mean"]);
      CHECK(m["outcomes"]["p95"] > m["mean"]);
    }
}

TEST_CASE("a run without uncertainties knows nothing of futures, and --central is one") {
  const Place place;
  place.says({"run", "sure.yaml", "--out", "sure"});
  place.says({"run", "pool.yaml", "--central", "--out", "central"});
  CHECK_FALSE(place.has_file("sure/draws.csv"));
  for (const char* name : {"summary.json", "metrics.csv", "timeseries.csv"}) {
    INFO(name);
    CHECK(place.bytes(fmt::format("sure/{}", name)) == place.bytes(fmt::format("central/{}", name)));
    CHECK_FALSE(has(place.bytes(fmt::format("sure/{}", name)), "uncertain"));
    CHECK_FALSE(has(place.bytes(fmt::format("sure/{}", name)), "futures"));
  }
}

TEST_CASE("futures do not depend on the number of threads") {
  const Place place;
  for (const std::string jobs : {"1", "2"}) place.says({"run", "pool.yaml", "--jobs", jobs, "--out", jobs});
  for (const char* name : {"summary.json", "metrics.csv", "timeseries.csv", "draws.csv", "report.md"})
    CHECK(place.bytes(fmt::format("1/{}", name)) == place.bytes(fmt::format("2/{}", name)));
}

TEST_CASE("policies meet the same futures, and what one states itself it knows") {
  const Place place;
  const Outcome outcome = place.says(
      {"compare", "pool.yaml", "--policies", "base,fcfs,known", "--metrics", "energy.mwh", "--out", "out"});
  const auto drawn = draws(place.bytes("out/draws.csv"));
  CHECK(drawn.size() == 12 * (3 + 3 + 2));
  for (int r = 0; r < 12; ++r) {
    const std::string of = fmt::format(",{},", r);
    for (const char* name : {"units", "pue", "elsewhere"})
      CHECK(drawn.at("base" + of + name) == drawn.at("fcfs" + of + name));
    CHECK(drawn.at("base" + of + "pue") == drawn.at("known" + of + "pue"));
    CHECK(drawn.count("known" + of + "units") == 0);
  }
  CHECK(has(outcome.out, "Under known units is known from policy known"));
  CHECK(has(outcome.out, "higher in "));
  CHECK(has(outcome.out, " of 12 futures ("));
}

TEST_CASE("what a setting states is not drawn, and the other draws stay") {
  const Place place;
  place.says({"run", "pool.yaml", "--out", "all"});
  const Outcome outcome =
      place.says({"run", "pool.yaml", "--set", "supply.tranches[first].units=8 GPU", "--out", "set"});
  CHECK(has(outcome.out, "known units from --set"));
  const auto all = draws(place.bytes("all/draws.csv")), set = draws(place.bytes("set/draws.csv"));
  CHECK(set.size() == 12 * 2);
  for (const auto& [key, value] : set) CHECK(all.at(key) == value);
  CHECK(place.parsed("set/summary.json")["uncertainties"][0]["known_from"] == "--set");
}

TEST_CASE("a check draws nothing: adding uncertainties changes neither its verdicts nor its baseline") {
  const Place place;
  place.says({"check", "sure.yaml", "--baseline", "b.json", "--update-baseline"});
  const Outcome sure = place.says({"check", "sure.yaml", "--baseline", "b.json", "--exact"});
  const Outcome drawn = place.says({"check", "pool.yaml", "--baseline", "b.json", "--exact"});
  CHECK(sure.out == drawn.out);
  CHECK_FALSE(has(drawn.out, "the scenario differs"));
}

TEST_CASE("a reality check that fails ends a check with 1, apart from the targets, and is told by a run") {
  const Place place;
  const Outcome good = place.says({"check", "sure.yaml"});
  CHECK(has(good.out, "reality meter: energy.mwh period=2025 from 1 MWh to 3 MWh"));
  CHECK(has(good.out, "target thrifty"));
  std::string text = pool;
  text.replace(text.find("published: 2 MWh, low: 1 MWh, high: 3 MWh"), 41,
               "published: 9 MWh, low: 8 MWh, high: 10 MWh");
  const Folder folder;
  write_bytes(folder.path("wrong.yaml"), text);
  const Outcome bad =
      natgpu_says({"check", "wrong.yaml", "--json", "c.json", "--junit", "c.xml"}, folder.path(""));
  CHECK(bad.code == 1);
  CHECK(has(bad.out, "lies outside 8 MWh to 10 MWh; published 9 MWh (KPX, 2025-02)"));
  const json checked = json::parse(read_bytes(folder.path("c.json")));
  std::map<std::string, bool> passed;
  for (const json& c : checked["checks"]) passed[c["kind"]] = c["passed"];
  CHECK(passed == std::map<std::string, bool>{{"target", true}, {"reality", false}});
  CHECK(has(read_bytes(folder.path("c.xml")), "<failure"));
  const Outcome run = natgpu_says({"run", "wrong.yaml", "--out", "out"}, folder.path(""));
  CHECK(run.code == 0);
  CHECK(has(run.out, "\nReality checks\n  FAIL          meter: energy.mwh"));
  CHECK(has(read_bytes(folder.path("out/report.md")), "## Reality checks"));
  CHECK(json::parse(read_bytes(folder.path("out/summary.json")))["reality_checks"][0]["verdict"] == "fail");
}

TEST_CASE("a scenario with reality checks alone can be checked") {
  std::string text = pool;
  const std::size_t from = text.find("targets:");
  text.erase(from, text.find("reality_checks:") - from);
  const Folder folder;
  write_bytes(folder.path("a.yaml"), text);
  CHECK(natgpu_says({"check", "a.yaml"}, folder.path("")).code == 0);
}

TEST_CASE("sensitivity takes its factors from the uncertainties and names those that decide") {
  const Place place;
  for (const std::string method : {"tornado", "morris", "sobol"}) {
    const Outcome outcome =
        place.says({"sensitivity", "pool.yaml", "--metric", "energy.mwh", "--method", method,
                    "--replications", "3", "--samples", "16", "--json", "s.json"});
    INFO(outcome.out);
    const json found = place.parsed("s.json");
    REQUIRE(found["factors"].size() == 3);
    CHECK(found["factors"][0]["name"] == "units");
    CHECK(found["factors"][0]["path"] == "supply.tranches[first].units");
    CHECK(found["factors"][2]["name"] == "elsewhere");
    CHECK(found["factors"][2]["ranked"] == false);
    CHECK(found["deciding"] == json{"units"});
    CHECK(has(outcome.out, "Decided by units"));
  }
  CHECK(has(place.says({"sensitivity", "pool.yaml", "--metric", "energy.mwh"}).out,
            "pue: supply.sites[here].pue (p5 1.11 to p95 1.29)"));
}

TEST_CASE("without --metric sensitivity asks for what the first target is about") {
  const Place place;
  const Outcome outcome = place.says({"sensitivity", "pool.yaml", "--replications", "2"});
  CHECK(has(outcome.out, "pool: policy base, energy.mwh period=2025"));
  CHECK(has(place.says({"sensitivity", "sure.yaml"}, 2).err, "or a scenario with `uncertainties`"));
}

TEST_CASE("shaking tells in how many futures two policies change places, and how many by chance") {
  const Place place;
  const Outcome outcome = place.says({"compare", "pool.yaml", "--policies", "base,known", "--metrics",
                                      "energy.mwh", "--shake", "20", "--out", "out"},
                                     5);  // undecided
  CHECK(has(outcome.out, "Flips of the order in 20 futures"));
  CHECK(has(outcome.out, "known above base as stated"));
  const json compared = place.parsed("out/compare.json");
  CHECK(compared["shaken"] == 20);
  const json& pair = compared["flips"][0]["pairs"][0];
  // Ten GPUs draw more than eight; base has twenty in about a third of all futures, and never as stated.
  CHECK(pair["futures"]["flipped"] > 1);
  CHECK(pair["futures"]["flipped"] < 15);
  CHECK(pair["chance"]["flipped"] == 0);
  CHECK(has(compared["reproduce"], "--shake 20"));
  CHECK(has(place.bytes("out/compare.md"), "## Flips of the order in 20 futures"));
  CHECK(has(place.says({"compare", "sure.yaml", "--policies", "base,known", "--shake", "20"}, 2).err,
            "nothing is drawn"));
}

TEST_CASE("a run over futures is reproduced to the last byte") {
  const Place place;
  place.says({"run", "pool.yaml", "--replications", "4", "--out", "out"});
  const Outcome outcome = place.says({"repro", "out/manifest.json", "--verify", "--out", "again"});
  CHECK(has(outcome.out, "REPRODUCED: 5 of 5 files"));
}

TEST_CASE("points of a sweep share their draws, and an axis over an uncertain value knows it") {
  const Place place;
  place.says({"sweep", "plan", "pool.yaml", "--axis", "supply.tranches[first].units=8 GPU,9 GPU", "--metrics",
              "energy.mwh", "--replications", "3", "--out", "plan.json"});
  place.says({"sweep", "run", "plan.json", "--out", "s"});
  place.says({"sweep", "merge", "plan.json", "--out", "s"});
  place.says({"run", "pool.yaml", "--replications", "3", "--set", "supply.tranches[first].units=9 GPU",
              "--out", "out"});
  const std::string results = place.bytes("s/results.csv");
  std::ostringstream value;
  const std::vector<double> mwh = energy(place.parsed("out/summary.json"));
  REQUIRE(mwh.size() == 3);
  const std::string text = json(mwh[2]).dump();
  INFO(results << text);
  CHECK(has(results, text));
}

TEST_CASE("draws that contradict each other are refused before anything runs") {
  const Folder folder;
  write_bytes(folder.path("a.yaml"),
              pool +
                  "uncertainties:\n  - {name: end, path: \"supply.tranches[first].until\", value: {dist: "
                  "uniform, low: 2024-11-01, high: 2025-02-01}}\n");
  const Outcome outcome = natgpu_says({"run", "a.yaml", "--out", "out"}, folder.path(""));
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "replication "));
  CHECK(has(outcome.err, " drew supply.tranches[first].until=2024-11"));
  CHECK_FALSE(fs::exists(folder.path("out/summary.json")));
}
