// SPDX-License-Identifier: Apache-2.0
#include "../../../src/scenario/document.hpp"

#include <set>

#include <fmt/format.h>

#include <natgpu/scenario/scenario.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scenario;

namespace {

struct Read {
  std::optional<Node> root;
  std::vector<Diagnostic> diagnostics;

  std::string codes() const {
    std::string all;
    for (const Diagnostic& d : diagnostics) all += (all.empty() ? "" : " ") + d.code;
    return all;
  }
};

Read read(const std::string& bytes) {
  Mistakes mistakes;
  Read result;
  if (const auto source = scan_bytes("a.yaml", bytes, mistakes))
    result.root = read_document({*source, 1, 0}, mistakes);
  result.diagnostics = mistakes.diagnostics();
  return result;
}

}  // namespace

TEST_CASE("a document becomes a tree with the text as written and marks of keys and values") {
  const Read r = read("a: 010\nb: \"no\"\nc: [x, 'y z']\nd:\n  e: 1\n");
  REQUIRE(r.root);
  CHECK(r.diagnostics.empty());
  CHECK(r.root->find("a")->text == "010");
  CHECK_FALSE(r.root->find("a")->quoted);
  CHECK(r.root->find("b")->quoted);
  CHECK(r.root->find("c")->items.size() == 2);
  CHECK(r.root->find("c")->items[1].text == "y z");
  CHECK(r.root->find("d")->find("e")->mark.line == 5);
  CHECK(r.root->entries[3].mark.line == 4);
  CHECK(flow_text(*r.root) == "{a: 010, b: no, c: [x, y z], d: {e: 1}}");
}

TEST_CASE("columns count characters, not bytes") {
  Mistakes mistakes;
  const auto source = scan_bytes("a.yaml", "{이름: 값, key: 1}\n", mistakes);
  const auto root = read_document({*source, 1, 0}, mistakes);
  CHECK(mistakes.place(root->entries[1].mark).column == 9);
  CHECK(mistakes.place(root->entries[0].value.mark).column == 6);
}

TEST_CASE("an absent value is marked with its key, not with what comes next") {
  const Read r = read("first:\n\n\nsecond: 2\n");
  CHECK(r.root->find("first")->kind == Node::Kind::empty);
  CHECK(r.root->find("first")->mark.line == 1);
}

TEST_CASE("line ends of both kinds are read and a byte order mark is dropped") {
  const Read r = read("\xEF\xBB\xBFschema: x\r\nb: 2\r\n");
  REQUIRE(r.root);
  CHECK(r.root->find("schema")->text == "x");
  CHECK(r.root->find("b")->mark.line == 2);
}

TEST_CASE("each trap of YAML is refused with a code of its own") {
  struct Case {
    const char* name;
    std::string text, codes;
    int line, column;
  };
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  const Case cases[] = {
      {"NUL", std::string("a: 1\n\0b: 2", 10), "E0203", 2, 1},
      {"escape character", "a: \x1b[31m", "E0203", 1, 4},
      {"bare CR", "a: 1\rb: 2", "E0203", 1, 5},
      {"C1 control", "a: \xC2\x85", "E0203", 1, 4},
      {"reversed reading direction", "a: \xE2\x80\xAE", "E0203", 1, 4},
      {"no UTF-8", "a: \xB0\xA1", "E0202", 1, 4},
      {"surrogate", "a: \xED\xA0\x80", "E0202", 1, 4},
      {"tab in the indentation", "a:\n\tb: 1", "E0210", 2, 1},
      {"duplicate key", "a: 1\nb: 2\na: 3", "E0211", 3, 1},
      {"duplicate key in a flow map", "x: {a: 1, a: 2}", "E0211", 1, 11},
      {"merge key", "a: 1\n<<: {b: 2}", "E0209", 2, 1},
      {"anchor", "a: &x 5", "E0207", 1, 4},
      {"anchor of nothing", "a: &x", "E0207", 1, 4},
      {"anchor of a map", "a: &x {b: 1}", "E0207", 1, 4},
      {"alias without anchor", "a: *x", "E0207", 1, 4},
      {"tag", "a: !!str 5", "E0208", 1, 4},
      {"bare tag", "a: ! 5", "E0208", 1, 4},
      {"tag of a list", "a: !x [1]", "E0208", 1, 4},
      {"second document", "a: 1\n---\nb: 2", "E0205", 2, 1},
      {"text behind the end", "a: 1\n...\nfoo", "E0205", 3, 1},
      {"a list followed by a map", "- 1\nb: 2", "E0205", 2, 1},
      {"a comma", ",", "E0205", 1, 1},
      {"unterminated single quote", "a: 1\nb: 'x\nc: 3\n", "E0206", 2, 4},
      {"unterminated double quote", "a: \"x\\\"\nb: 1\n", "E0206", 1, 4},
      {"unterminated quote alone", "'x", "E0206", 1, 1},
      {"map as a key", "? {a: 1}\n: 2", "E0212", 1, 3},
      {"no key", ": 1", "E0212", 1, 1},
      {"too deep", deep, "E0204", 1, 65},
      {"bracket left open", "a: [1, 2", "E0201", 1, 1},
      {"text behind a quoted value", "a: \"x\" y", "E0201", 1, 8},
      {"escaped NUL", "a: \"\\0\"", "E0203", 1, 4},
      {"nothing", "", "E0201", 0, 0},
      {"a comment only", "# nothing\n", "E0201", 0, 0},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const Read r = read(c.text);
    CHECK(r.codes() == c.codes);
    if (r.diagnostics.empty()) continue;
    CHECK(r.diagnostics.front().place.line == c.line);
    if (c.column > 0 && c.codes != "E0201") CHECK(r.diagnostics.front().place.column == c.column);
  }
}

TEST_CASE("quotes inside words and comments are not taken for open ones") {
  for (const char* text : {"a: don't\nb: it's # isn't\n", "a: 'it''s'\n", "a: \"say \\\"x\\\"\"\n",
                           "# don't\na: 1\n", "a: |\n  don't \"open\n  this\nb: 2\n", "a: 5\" disk\n"}) {
    INFO(text);
    const Read r = read(text);
    CHECK(r.codes().empty());
    CHECK(r.root);
  }
}

TEST_CASE("an alias bomb is read in time linear in its size and refused") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = fmt::format("*a{}", i - 1);
    bomb += fmt::format("a{0}: &a{0} [{1}", i, before);
    for (int k = 0; k < 8; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  const Read r = read(bomb);
  CHECK(r.diagnostics.size() > 12);
  for (const Diagnostic& d : r.diagnostics) CHECK(d.code == "E0207");
}

TEST_CASE("files, lines, texts, maps and nesting have limits") {
  CHECK(read(std::string((8u << 20) + 1, '#')).codes() == "E0204");
  CHECK(read("a: " + std::string(70000, 'x')).codes() == "E0204");
  std::string folded = "a: >\n";
  for (int i = 0; i < 2000; ++i) folded += "  " + std::string(50, 'x') + "\n";
  CHECK(read(folded).codes() == "E0204");
  std::string keys;
  for (int i = 0; i < 4097; ++i) keys += fmt::format("k{}: 1\n", i);
  CHECK(read(keys).codes() == "E0204");
  std::string blocks;
  for (int i = 0; i < 70; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(read(blocks).codes() == "E0204");
  CHECK(read(std::string(1'000'000, '[')).codes() == "E0204");
  CHECK(read(std::string(60'000, '-') + " x").root);
  std::string many;
  for (int i = 0; i < 1'000'001; ++i) many += i % 100 == 99 ? "a,\n" : "a,";
  CHECK(read("[" + many + "]").codes() == "E0204");
}

TEST_CASE("64 levels are read") {
  const Read r = read(std::string(64, '[') + std::string(64, ']'));
  CHECK(r.codes().empty());
}

TEST_CASE("every error code is stable, titled and explained, and given once") {
  std::set<std::string> seen;
  for (const CodeRow& row : error_codes()) {
    INFO(row.code);
    CHECK(seen.insert(row.code).second);
    CHECK(row.code.size() == 5);
    CHECK_FALSE(row.title.empty());
    CHECK(row.text.size() > 40);
  }
  for (int i = 0; i < static_cast<int>(Fault::count_); ++i)
    CHECK(seen.count(code_of(static_cast<Fault>(i))) == 1);
  CHECK(code_of(Fault::unknown_key) == "E0213");
  CHECK(code_of(Fault::unit_required) == "E0107");
}
