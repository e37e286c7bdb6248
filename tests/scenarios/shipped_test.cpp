// SPDX-License-Identifier: Apache-2.0
// Every scenario that is shipped runs with --quick, says so wherever it writes, finishes jobs, and gives the
// same bytes on one thread and on two. Runs whose fingerprint stands in fingerprints.txt are the runs they
// were.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <natgpu/experiment/replicate.hpp>
#include <natgpu/report/files.hpp>

#include "catch.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path source = NATGPU_SOURCE_DIR;

std::vector<fs::path> shipped() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source / "scenarios"))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// By the scenario's name, as refresh_fingerprints.sh writes them.
std::map<std::string, std::string> pinned() {
  std::ifstream in(source / "tests/scenarios/fingerprints.txt");
  std::map<std::string, std::string> all;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#')
      all[line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
  return all;
}

/// Files of the folder but for the manifest, by name.
std::map<std::string, std::string> results_in(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "manifest.json")
      all[entry.path().filename().string()] = read_bytes(entry.path().string());
  return all;
}

/// By the program, as a user would, and one replication, because that is what takes time.
std::map<std::string, std::string> quick_run(const fs::path& file) {
  const Folder folder;
  const Outcome outcome = natgpu_says(
      {"run", file.string(), "--quick", "--replications", "1", "--out", folder.path("out")}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("QUICK RUN") != std::string::npos);
  const json manifest = json::parse(read_bytes(folder.path("out/manifest.json")));
  CHECK(manifest["reproduce"].get<std::string>().find("--quick") != std::string::npos);
  return results_in(folder.path("out"));
}

/// The first fifteen months at most, without targets, which may speak of later ones.
std::map<std::string, std::string> run_on_threads(const fs::path& file, unsigned threads) {
  natgpu::scenario::LoadOptions load;
  load.quick = true;
  natgpu::scenario::Scenario scenario = natgpu::scenario::load_scenario(file.string(), load);
  scenario.targets.clear();
  const natgpu::Date latest{scenario.horizon.start.day + std::chrono::days(456), false};
  if (latest < scenario.horizon.end) scenario.horizon.end = latest;

  natgpu::experiment::ReplicateOptions options;
  options.seed = static_cast<std::uint64_t>(scenario.seed);
  options.replications = 3;
  options.threads = threads;
  natgpu::report::RunResult result;
  result.scenario = &scenario;
  result.seed = options.seed;
  result.replications_asked = options.replications;
  result.quick = true;
  result.records = natgpu::experiment::replicate(scenario, options).records;
  result.summary = natgpu::experiment::summarise(scenario, result.records);
  const Folder folder;
  natgpu::report::write_results(folder.path(""), result, {});
  return results_in(folder.path(""));
}

void check_marked_quick(const std::map<std::string, std::string>& results) {
  for (const auto& [name, bytes] : results) {
    INFO(name);
    if (name == "summary.json") {
      CHECK(json::parse(bytes)["quick"] == true);
    } else if (name == "report.md") {
      CHECK(bytes.find("Quick run") != std::string::npos);
    } else {
      REQUIRE(fs::path(name).extension() == ".csv");
      std::size_t rows = 0, marked = 0;
      for (std::size_t at = bytes.find('\n'); at + 1 < bytes.size(); at = bytes.find('\n', at + 1)) {
        ++rows;
        marked += bytes.compare(at + 1, 13, "base --quick,") == 0 ? 1 : 0;
      }
      CHECK(rows > 0);
      CHECK(marked == rows);
    }
  }
}

/// Of the run's own totals.
double total(const json& summary, const std::string& metric) {
  for (const json& m : summary["metrics"])
    if (m["metric"] == metric && m["labels"] == json{{"period", "all"}}) return m["mean"].get<double>();
  return 0;
}

}  // namespace

TEST_CASE("every shipped scenario runs quick, says so and finishes jobs, as its fingerprint says") {
  const auto files = shipped();
  REQUIRE(files.size() >= 4);
  std::map<std::string, std::string> pins = pinned();
  for (const fs::path& file : files) {
    INFO(file.filename().string());
    const auto results = quick_run(file);
    REQUIRE(results.size() == (results.count("draws.csv") == 1 ? 5 : 4));
    check_marked_quick(results);
    const json summary = json::parse(results.at("summary.json"));
    CHECK(total(summary, "jobs.finished.count") > 0);
    if (const auto pin = pins.find(file.stem().string()); pin != pins.end()) {
      INFO("if the change is meant: tests/scenarios/refresh_fingerprints.sh BUILD_FOLDER");
      CHECK(summary["fingerprint"]["combined"] == pin->second);
      pins.erase(pin);
    }
  }
  CHECK(pins.empty());  // every pin belongs to a scenario
}

TEST_CASE("shipped scenarios give the same bytes on one thread and on two") {
  for (const fs::path& file : shipped()) {
    INFO(file.filename().string());
    const auto one = run_on_threads(file, 1), two = run_on_threads(file, 2);
    REQUIRE(one.size() == (one.count("draws.csv") == 1 ? 5 : 4));
    for (const auto& [name, bytes] : one) {
      INFO(name);
      CHECK(bytes == two.at(name));
    }
  }
}
