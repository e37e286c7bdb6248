// SPDX-License-Identifier: Apache-2.0
// docs/scenarios.md speaks of fields, scenarios and policies that exist, and of all policies that are
// shipped.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>

#include "catch.hpp"

using namespace natgpu;

namespace {

std::string page() {
  std::ifstream in(std::string(NATGPU_SOURCE_DIR) + "/docs/scenarios.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// What stands between backticks in the first column of the table of fields.
std::vector<std::string> fields_named(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream lines(
      text.substr(text.find("| field |"), text.find("## What is shipped") - text.find("| field |")));
  for (std::string line; std::getline(lines, line);) {
    const std::string column = line.substr(0, line.find('|', 1));
    for (std::size_t at = column.find('`'); at != std::string::npos; at = column.find('`', at + 1)) {
      const std::size_t end = column.find('`', at + 1);
      all.push_back(column.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return all;
}

bool is_field(const std::string& path) {
  const FieldTable* table = &scenario::fields_of(static_cast<const scenario::Scenario*>(nullptr));
  std::istringstream keys(path);
  for (std::string key; std::getline(keys, key, '.');) {
    const Field* field = table == nullptr ? nullptr : table->find(key);
    if (field == nullptr) return false;
    table = field->item ? &field->item() : nullptr;
  }
  return true;
}

}  // namespace

TEST_CASE("docs/scenarios.md names only fields that exist") {
  const auto named = fields_named(page());
  CHECK(named.size() > 50);
  for (const std::string& path : named) {
    INFO(path);
    CHECK(is_field(path));
  }
}

TEST_CASE("docs/scenarios.md names every policy of korea-2030") {
  const std::string text = page();
  const auto s = scenario::load_scenario(std::string(NATGPU_SOURCE_DIR) + "/scenarios/korea-2030.yaml");
  for (const scenario::PolicyBlock& policy : s.policies) {
    INFO(policy.name);
    CHECK(text.find("`" + policy.name + "`") != std::string::npos);
  }
}
