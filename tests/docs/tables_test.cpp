// SPDX-License-Identifier: Apache-2.0
// Tables of the docs against the tables of the program, both ways.
#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <natgpu/measures/direction.hpp>
#include <natgpu/scheduling/mig.hpp>
#include <natgpu/scheduling/node_pool.hpp>
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

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

/// The keys of the labels beside each metric of a CSV without quotes up to there. @param at  column of
/// metrics
void add_keys(const std::string& csv, std::size_t at, std::map<std::string, std::set<std::string>>& keys) {
  const std::vector<std::string> lines = lines_of(csv);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = parts_of(lines[i], ',');
    std::set<std::string>& of_metric = keys[cells.at(at)];
    for (const std::string& label : parts_of(cells.at(at + 1), ';'))
      of_metric.insert(label.substr(0, label.find('=')));
  }
}

std::set<std::string> keys_of_row(std::string_view labels) {
  const std::vector<std::string> keys = parts_of(std::string(labels), ',');
  return {keys.begin(), keys.end()};
}

std::ptrdiff_t rows_named(const std::string& metric) {
  const auto& rows = natgpu::simulation::metric_rows();
  return std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == metric; });
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

TEST_CASE("docs/nodes.md has each placement of the program with its rule and source, and no other") {
  const auto rows = by_first(table_rows(page("docs/nodes.md"), "placement"));
  CHECK(rows.size() == natgpu::scheduling::placement_rules().size());
  for (const natgpu::scheduling::PlacementRule& rule : natgpu::scheduling::placement_rules()) {
    INFO(rule.name);
    REQUIRE(rows.count(std::string(rule.name)) == 1);
    const std::vector<std::string>& cells = rows.at(std::string(rule.name));
    REQUIRE(cells.size() == 3);
    CHECK(cells[1] == rule.rule);
    CHECK(cells[2] == rule.source);
  }
}

TEST_CASE("docs/nodes.md has each MIG table and each rule of positions of the program, and no other") {
  const auto tables = by_first(table_rows(page("docs/nodes.md"), "MIG table"));
  CHECK(tables.size() == natgpu::scheduling::mig_tables().size());
  for (const natgpu::scheduling::MigTable& t : natgpu::scheduling::mig_tables()) {
    INFO(t.gpu);
    REQUIRE(tables.count(std::string(t.gpu)) == 1);
    const std::vector<std::string>& cells = tables.at(std::string(t.gpu));
    CHECK(cells[1] == std::to_string(t.compute) + " and " + std::to_string(t.memory));
    if (t.gpu == "H100-80GB") {
      CHECK(cells[2] == "as `A100-80GB`");
      continue;
    }
    for (const natgpu::scheduling::MigProfile& p : t.profiles)
      CHECK(cells[2].find("`" + std::string(p.name) + "`") != std::string::npos);
  }
  const auto rules = by_first(table_rows(page("docs/nodes.md"), "MIG positions"));
  CHECK(rules.size() == natgpu::scheduling::mig_positions().size());
  for (const natgpu::scheduling::MigPositionRule& rule : natgpu::scheduling::mig_positions()) {
    REQUIRE(rules.count(std::string(rule.name)) == 1);
    CHECK(rules.at(std::string(rule.name))[1] == rule.rule);
    CHECK(rules.at(std::string(rule.name))[2] == rule.source);
  }
}

TEST_CASE("docs/metrics.md says of each metric which side is better, and which are headlines") {
  std::map<std::string, std::set<std::string>> listed;  // by side, with a star where one stands
  for (const auto& row : table_rows(page("docs/metrics.md"), "better")) {
    REQUIRE(row.size() == 2);
    for (const std::string& word : parts_of(row[1], ' ')) listed[row[0]].insert(word);
  }
  std::map<std::string, std::set<std::string>> known;
  for (const natgpu::measures::Direction& d : natgpu::measures::directions())
    known[std::string(name_of(d.better))].insert('`' + std::string(d.metric) + '`' + (d.headline ? "*" : ""));
  CHECK(listed == known);
}

TEST_CASE("runs measure every metric, with the labels that its row promises, and no others") {
  Checkout checkout;
  std::map<std::string, std::set<std::string>> measured;  // keys of labels, by metric
  const std::pair<const char*, const char*> runs[] = {
      {"small-city", "--quick"},
      {"small-city", "--policy srtf"},
      {"small-city", "--set scheduling.view=node"},
      {"campus-blocks", ""},
      {"korea-2030", "--quick"},
      {"mmc", "--set report.warmup=mser-5 --set horizon.end=2025-06-01"}};
  int done = 0;
  for (const auto& [scenario, options] : runs) {
    const std::string folder = "out-" + std::to_string(++done);
    const std::string run =
        std::string("natgpu run scenarios/") + scenario + ".yaml --replications 1 " + options;
    REQUIRE(checkout.run(run + " --out " + folder).code == 0);
    const std::string out = checkout.folder() + "/" + folder;
    add_keys(read_bytes(out + "/metrics.csv"), 2, measured);
    add_keys(read_bytes(out + "/timeseries.csv"), 3, measured);
  }
  for (const natgpu::measures::MetricRow& row : natgpu::simulation::metric_rows()) {
    INFO("metric " << row.name);
    const auto found = measured.find(std::string(row.name));
    CHECK(found != measured.end());
    if (found == measured.end()) continue;
    CHECK(found->second == keys_of_row(row.labels));
  }
  for (const auto& [metric, keys] : measured) {
    INFO("metric " << metric);
    CHECK(rows_named(metric) == 1);
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
