// SPDX-License-Identifier: Apache-2.0
// Tables of the docs against the tables of the program, both ways.
#include <map>
#include <regex>
#include <set>

#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "pages.hpp"
#include "shell.hpp"

using namespace natgpu::testing;

namespace {

/// Rows by their first cell, that cell without backquotes.
std::map<std::string, std::vector<std::string>> by_first(const std::vector<std::vector<std::string>>& rows) {
  std::map<std::string, std::vector<std::string>> all;
  for (std::vector<std::string> row : rows) {
    std::string& first = row[0];
    first.erase(std::remove(first.begin(), first.end(), '`'), first.end());
    INFO("`" << first << "` has one row");
    CHECK(all.count(first) == 0);
    all[first] = row;
  }
  return all;
}

/// Column `index` of a CSV without quotes in the columns up to it.
std::set<std::string> column(const std::string& csv, std::size_t index) {
  std::set<std::string> values;
  const std::vector<std::string> lines = lines_of(csv);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::size_t from = 0;
    for (std::size_t c = 0; c < index; ++c) from = lines[i].find(',', from) + 1;
    values.insert(lines[i].substr(from, lines[i].find(',', from) - from));
  }
  return values;
}

}  // namespace

TEST_CASE("docs/metrics.md has each metric of the program with its unit, labels and formula, and no other") {
  const auto rows = by_first(table_rows(page("docs/metrics.md"), "metric"));
  std::set<std::string> known;
  for (const natgpu::measures::MetricRow& row : natgpu::simulation::metric_rows()) {
    known.insert(std::string(row.name));
    INFO("the table of docs/metrics.md should have the row\n| `"
         << row.name << "` | " << row.unit << " | " << row.labels << " | " << row.formula << " |");
    CHECK(rows.count(std::string(row.name)) == 1);
    if (rows.count(std::string(row.name)) == 0) continue;
    const std::vector<std::string>& cells = rows.at(std::string(row.name));
    REQUIRE(cells.size() == 4);
    CHECK(cells[1] == row.unit);
    CHECK(cells[2] == row.labels);
    CHECK(cells[3] == row.formula);
  }
  for (const auto& [name, cells] : rows) {
    INFO("docs/metrics.md has `" << name << "`, the program has not");
    CHECK(known.count(name) == 1);
  }
}

TEST_CASE("a run measures every metric but those of which docs/metrics.md says that none does") {
  Checkout checkout;
  REQUIRE(checkout.run("natgpu run scenarios/small-city.yaml --replications 1 --out out").code == 0);
  std::set<std::string> measured = column(read_bytes(checkout.folder() + "/out/metrics.csv"), 2);
  measured.merge(column(read_bytes(checkout.folder() + "/out/timeseries.csv"), 3));
  std::set<std::string> excepted;
  for (const auto& [number, line] : prose_of(page("docs/metrics.md"))) {
    const std::size_t at = line.find("Not measured by a run so far:");
    if (at == std::string::npos) continue;
    for (const std::string& span : code_spans(line.substr(at))) excepted.insert(span);
  }
  for (const natgpu::measures::MetricRow& row : natgpu::simulation::metric_rows()) {
    INFO("metric " << row.name);
    CHECK(measured.count(std::string(row.name)) + excepted.count(std::string(row.name)) == 1);
  }
}

TEST_CASE(
    "docs/refresh-readme puts the waterfall of a report between the marks of the README, again and again") {
  Checkout checkout;
  const std::string run = "natgpu run scenarios/small-city.yaml --replications 2 --out out >/dev/null";
  REQUIRE(checkout.run(run).code == 0);
  write_bytes(checkout.folder() + "/README.md", read_bytes(std::string(NATGPU_SOURCE_DIR) + "/README.md"));
  const std::string refresh = "'" NATGPU_SOURCE_DIR "/docs/refresh-readme' out/report.md README.md";
  REQUIRE(checkout.run(refresh).code == 0);
  const std::string once = read_bytes(checkout.folder() + "/README.md");
  CHECK(once.find("\n| State | 2026 |") != std::string::npos);
  CHECK(once.find("\n| ordered | 136.8") != std::string::npos);
  CHECK(once.find("\n| allocated | ") != std::string::npos);
  CHECK(once.find("## ") == std::string::npos);  // nothing else of the report
  REQUIRE(checkout.run(refresh).code == 0);
  CHECK(read_bytes(checkout.folder() + "/README.md") == once);
  CHECK(checkout.run("'" NATGPU_SOURCE_DIR "/docs/refresh-readme' scenarios/mmc.yaml README.md").code == 1);
  CHECK(read_bytes(checkout.folder() + "/README.md") == once);
}

TEST_CASE("fields of which docs/model.md says that they have no effect have none, and others have") {
  Checkout checkout;
  const auto fingerprint = [&](const std::string& setting) {
    const std::string set = setting.empty() ? "" : " --set \"" + setting + "\"";
    const Outcome outcome =
        checkout.run("natgpu run scenarios/small-city.yaml --replications 1 --out out" + set);
    INFO(setting << ": " << outcome.err);
    REQUIRE(outcome.code == 0);
    for (const std::string& line : lines_of(outcome.out))
      if (line.rfind("fingerprint ", 0) == 0) return line;
    return std::string();
  };
  const std::string plain = fingerprint("");
  REQUIRE_FALSE(plain.empty());
  std::string listed;
  for (const auto& row : table_rows(page("docs/model.md"), "field")) listed += row.at(0) + " ";
  const std::map<std::string, std::string> settings{
      {"as_of", "as_of=2026-03-01"},
      {"hardware.memory", "hardware[h100].memory=1 GB"},
      {"hardware.kind", "hardware[h100].kind=npu"},
      {"demand.batch.inference_share", "demand.batch[try].inference_share=100 %"},
      {"supply.tranches.origin: programme", "supply.tranches[new].origin=programme"}};
  for (const auto& [field, setting] : settings) {
    INFO("docs/model.md lists `" << field << "` as without effect");
    CHECK(listed.find('`' + field + '`') != std::string::npos);
    CHECK(fingerprint(setting) == plain);
  }
  CHECK(fingerprint("demand.batch[try].failed_share=90 %") != plain);
}

TEST_CASE("docs/errors.md has each code of `natgpu explain` with its title, and no other") {
  const auto rows = by_first(table_rows(page("docs/errors.md"), "code"));
  const std::regex code("E[0-9]{4}");
  std::set<std::string> known;
  for (const std::string& line : lines_of(natgpu_says({"explain"}).out)) {
    REQUIRE(line.size() > 7);
    const std::string name = line.substr(0, 5);
    REQUIRE(std::regex_match(name, code));
    known.insert(name);
    INFO("the table of docs/errors.md should have the row\n| " << name << " | " << trimmed(line.substr(5))
                                                               << " |");
    CHECK(rows.count(name) == 1);
    if (rows.count(name) == 0) continue;
    CHECK(rows.at(name).at(1) == trimmed(line.substr(5)));
  }
  CHECK(known.size() > 40);
  for (const auto& [name, cells] : rows) {
    INFO("docs/errors.md has " << name << ", the program has not");
    CHECK((known.count(name) == 1 || !std::regex_match(name, code)));
  }
}

TEST_CASE("every error code that a page names exists") {
  std::set<std::string> known;
  for (const std::string& line : lines_of(natgpu_says({"explain"}).out)) known.insert(line.substr(0, 5));
  const std::regex code(R"(\bE[0-9]{4}\b)");
  for (const Page& p : pages())
    for (const std::string& line : p.lines)
      for (std::sregex_iterator at(line.begin(), line.end(), code), end; at != end; ++at) {
        INFO(p.name << " names " << at->str());
        CHECK(known.count(at->str()) == 1);
      }
}
