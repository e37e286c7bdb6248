// SPDX-License-Identifier: Apache-2.0
// The rooms and the one direction between them: every #include of src, include and bench is read.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path source = NATGPU_SOURCE_DIR;

/// What a room may include, beside itself and std.
const std::map<std::string, std::set<std::string>>& allowed() {
  // natgpu/policy.h stands above all rooms: it is what a plugged policy shares with the program. Its C++ face
  // is for policies alone.
  static const std::set<std::string> domain = {"core", "workload", "measures"};
  static const std::map<std::string, std::set<std::string>> table = {
      {"core", {}},
      {"engine", {"core"}},
      {"workload", {"core"}},
      {"measures", {"core", "workload"}},
      {"supply", domain},
      {"demand", domain},
      {"scheduling", {"core", "workload", "measures", "policy.h"}},
      {"plugin", {"core", "scheduling", "policy.h", "policy.hpp"}},
      {"policy.hpp", {"policy.h"}},
      {"conformance", {"core", "scheduling"}},
      {"scenario", {"core", "workload", "measures", "supply", "demand", "scheduling"}},
      {"simulation",
       {"core", "engine", "workload", "measures", "supply", "demand", "scheduling", "scenario"}},
      {"experiment", {"core", "measures", "scenario", "simulation"}},
      {"report", {"core", "measures", "supply", "scenario", "simulation", "experiment"}},
      {"cli",
       {"core", "engine", "workload", "measures", "supply", "demand", "scheduling", "plugin", "conformance",
        "scenario", "simulation", "experiment", "report"}},
  };
  return table;
}

/// Libraries that one room alone may use.
const std::map<std::string, std::set<std::string>>& owners() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"yaml-cpp/", {"scenario"}}, {"CLI/", {"cli"}},          {"nlohmann/", {"workload", "report", "cli"}},
      {"dlfcn.h", {"plugin"}},     {"boost/", {"experiment"}}, {"Random123/", {"core"}},
      {"openssl/", {"core"}},      {"sqlite3.h", {"report"}},
      {"Clp_", {"scheduling"}}};
  return table;
}

std::string room_of(const fs::path& file) {
  const fs::path relative = fs::relative(file, source);
  auto part = relative.begin();
  if (*part == "include") ++part;  // include/natgpu/<room>
  return std::next(part)->string();
}

template <class Visit>
void for_each_include(Visit visit) {
  for (const char* folder : {"src", "include"})
    for (const auto& entry : fs::recursive_directory_iterator(source / folder)) {
      const fs::path& file = entry.path();
      if (file.extension() != ".cpp" && file.extension() != ".hpp") continue;
      std::ifstream in(file);
      int number = 0;
      for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.rfind("#include", 0) != 0) continue;
        const auto from = line.find_first_of("<\"");
        const auto until = line.find_first_of(">\"", from + 1);
        visit(file, number, line.substr(from + 1, until - from - 1));
      }
    }
}

}  // namespace

TEST_CASE("no room includes one above it") {
  std::size_t seen = 0;
  for_each_include([&](const fs::path& file, int line, const std::string& name) {
    if (name.rfind("natgpu/", 0) != 0) return;
    ++seen;
    const std::string from = room_of(file), to = name.substr(7, name.find('/', 7) - 7);
    REQUIRE(allowed().count(from) == 1);
    INFO(file.string() << ":" << line << " includes " << name);
    REQUIRE((from == to || allowed().at(from).count(to) == 1));
  });
  REQUIRE(seen > 100);
}

TEST_CASE("a library that one room owns is included nowhere else") {
  for_each_include([&](const fs::path& file, int line, const std::string& name) {
    for (const auto& [prefix, rooms] : owners()) {
      if (name.rfind(prefix, 0) != 0) continue;
      INFO(file.string() << ":" << line << " includes " << name);
      REQUIRE(rooms.count(room_of(file)) == 1);
    }
  });
}

TEST_CASE("every source file states its licence") {
  for (const char* folder : {"src", "include", "tests", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source / folder)) {
      static const std::set<std::string> languages = {".cpp", ".hpp", ".c", ".h"};
      if (languages.count(entry.path().extension().string()) == 0) continue;
      std::ifstream in(entry.path());
      std::string first;
      std::getline(in, first);
      INFO(entry.path().string());
      REQUIRE(first == "// SPDX-License-Identifier: Apache-2.0");
    }
  }
}

TEST_CASE("no test name holds what the test driver would split or take for an option") {
  for (const auto& entry : fs::recursive_directory_iterator(source / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("TEST_CASE(\"", 0) != 0) continue;
      INFO(entry.path().string() << ": " << line);
      REQUIRE(line.find(';') == std::string::npos);
      REQUIRE(line[11] != '-');
    }
  }
}
