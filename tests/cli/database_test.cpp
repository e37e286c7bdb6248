// SPDX-License-Identifier: Apache-2.0
// results.sqlite: the numbers of the CSV files, in tables that can be asked.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "small_sweep.hpp"
#include "sqlite_query.hpp"

using namespace natgpu::testing;
namespace fs = std::filesystem;

namespace {

/// Lines of a CSV without its header, cells with | between; no cell of these holds a comma.
std::vector<std::string> rows_of(const std::string& csv) {
  std::istringstream in(csv);
  std::vector<std::string> rows;
  for (std::string line; std::getline(in, line);) {
    std::replace(line.begin(), line.end(), ',', '|');
    rows.push_back(line);
  }
  rows.erase(rows.begin());
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// One writing of each number, all bits of it.
std::string text_of(const std::string& cell) {
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  if (cell.empty() || *end != 0) return cell;
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::vector<std::string> exact(const std::vector<std::string>& rows) {
  std::vector<std::string> all;
  for (const std::string& row : rows) {
    std::istringstream in(row);
    std::string out;
    for (std::string cell; std::getline(in, cell, '|');) out += text_of(cell) + "|";
    all.push_back(out);
  }
  return sorted(all);
}

}  // namespace

TEST_CASE("the database of a merged sweep holds each row of its CSV files, number by number") {
  const Sweep sweep;
  REQUIRE(sweep.run("s").code == 0);
  sweep.merged("s");
  const std::string file = sweep.folder.path("s/results.sqlite");
  const auto csv = [&](const std::string& name) {
    return exact(rows_of(read_bytes(sweep.folder.path("s/" + name))));
  };
  CHECK(exact(query(file, "SELECT point, replication, metric, labels, unit, value FROM results")) ==
        csv("results.csv"));
  CHECK(exact(query(file, "SELECT point, metric, labels, unit, n, mean, ci95_low, ci95_high FROM summary")) ==
        csv("summary.csv"));
  CHECK(sorted(query(file, "SELECT * FROM points")) ==
        rows_of(read_bytes(sweep.folder.path("s/points.csv"))));
  CHECK(query(file,
              "SELECT value FROM about WHERE key IN ('points', 'points_missing', 'replications') "
              "ORDER BY key") == std::vector<std::string>{"9", "0", "2"});
  CHECK(query(file, "PRAGMA integrity_check") == std::vector<std::string>{"ok"});
  CHECK(query(file, "PRAGMA page_size") == std::vector<std::string>{"4096"});
}

TEST_CASE(
    "values that are numbers are numbers in the database, and paths that SQL takes for one are told apart") {
  std::string two = tiny_scenario();
  const std::string first =
      "    - {name: first, site: here, device: h100, units: 2 GPU, in_service: 2024-12-01}\n";
  REQUIRE(has(two, first));
  two.insert(two.find(first),
             "    - {name: FIRST, site: here, device: h100, units: 1 GPU, in_service: 2024-12-01}\n");
  const Sweep sweep({"--axis", "supply.sites[here].pue=1.1,2", "--axis", "supply.tranches[first].units=1 GPU",
                     "--axis", "supply.tranches[FIRST].units=2 GPU"},
                    two);
  REQUIRE(sweep.run("s").code == 0);
  sweep.merged("s");
  const std::string file = sweep.folder.path("s/results.sqlite");
  CHECK(query(file, "SELECT * FROM points WHERE \"supply.sites[here].pue\" < 1.5") ==
        std::vector<std::string>{"0|1.1|1 GPU|2 GPU"});
  CHECK(query(file, "SELECT \"supply.tranches[FIRST].units'\" FROM points WHERE point = 1") ==
        std::vector<std::string>{"2 GPU"});
}

TEST_CASE("a partial merge says in its database how many points it lacks") {
  const Sweep sweep;
  REQUIRE(sweep.run("s", {"--shard", "1/3"}).code == 0);
  REQUIRE(sweep.says({"sweep", "merge", "plan.json", "--out", "s", "--allow-partial"}).code == 5);
  const std::string file = sweep.folder.path("s/results.sqlite");
  CHECK(query(file, "SELECT value FROM about WHERE key = 'points_missing'") == std::vector<std::string>{"6"});
  CHECK(query(file, "SELECT count(DISTINCT point) FROM results") == std::vector<std::string>{"3"});
  CHECK(query(file, "SELECT count(*) FROM points") == std::vector<std::string>{"9"});
}

TEST_CASE(
    "run --with sqlite writes the rows of metrics.csv and timeseries.csv, and repro reproduces its bytes") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny_scenario());
  const auto says = [&](const std::vector<std::string>& words) {
    return natgpu_says(words, folder.path(""));
  };
  REQUIRE(says({"run", "tiny.yaml", "--with", "sqlite", "--out", "a"}).code == 0);
  const std::string file = folder.path("a/results.sqlite");
  const auto csv = [&](const std::string& name) {
    return exact(rows_of(read_bytes(folder.path("a/" + name))));
  };
  CHECK(exact(query(file,
                    "SELECT (SELECT value FROM about WHERE key = 'policy'), replication, metric, labels, "
                    "unit, value FROM results")) == csv("metrics.csv"));
  CHECK(exact(query(file,
                    "SELECT (SELECT value FROM about WHERE key = 'policy'), replication, date, metric, "
                    "labels, unit, value FROM timeseries")) == csv("timeseries.csv"));
  CHECK(query(file, "SELECT count(*) FROM summary WHERE metric = 'jobs.wait.mean'").front() != "0");
  const Outcome outcome = says({"repro", "a/manifest.json", "--verify", "--out", "b"});
  INFO(outcome.out << outcome.err);
  CHECK(has(outcome.out, "REPRODUCED: 5 of 5 files equal to the last byte\n"));
  REQUIRE(says({"run", "tiny.yaml", "--out", "c"}).code == 0);
  CHECK_FALSE(fs::exists(folder.path("c/results.sqlite")));
  const Outcome refused = says({"run", "tiny.yaml", "--with", "sqlit", "--out", "d"});
  CHECK(refused.code == 2);
  CHECK(has(refused.err, "did you mean `sqlite`?"));
  CHECK_FALSE(fs::exists(folder.path("d")));
}

TEST_CASE("the database of a run over futures holds its draws") {
  const Folder folder;
  write_bytes(folder.path("tiny.yaml"), tiny_scenario() + std::string(R"(
uncertainties:
  - {name: pue, path: "supply.sites[here].pue", value: {dist: uniform, low: 1, high: 2}}
)"));
  const Outcome outcome =
      natgpu_says({"run", "tiny.yaml", "--with", "sqlite", "--out", "a"}, folder.path(""));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(exact(query(
            folder.path("a/results.sqlite"),
            "SELECT (SELECT value FROM about WHERE key = 'policy'), replication, uncertainty, path, unit, "
            "value FROM draws")) == exact(rows_of(read_bytes(folder.path("a/draws.csv")))));
}
