// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/diagnostic.hpp>

#include <natgpu/core/utf8.hpp>

#include "catch.hpp"

using namespace natgpu;

TEST_CASE("a diagnostic prints place, line, caret and help as compilers do") {
  Diagnostic d;
  d.code = "E0213";
  d.message = "unknown key `gpu_per_node`";
  d.place = {"scenarios/korea.yaml", 18, 7};
  d.source_line = "      gpu_per_node: 8";
  d.caret_width = 12;
  d.help = "did you mean `gpus_per_node`?";
  CHECK(format_diagnostic(d) ==
        "scenarios/korea.yaml:18:7: error[E0213]: unknown key `gpu_per_node`\n"
        " 18 |       gpu_per_node: 8\n"
        "    |       ^^^^^^^^^^^^\n"
        "help: did you mean `gpus_per_node`?\n");
}

TEST_CASE("carets stand under the right cell after Hangul and tabs") {
  Diagnostic d;
  d.place = {"a.yaml", 1, 6};
  d.code = "E0101";
  d.source_line = "이름: 값";
  d.caret_width = 2;
  // four Hangul cells, colon, blank: the fifth character is at cell 6
  d.place.column = 5;
  CHECK(format_diagnostic(d) == "a.yaml:1:5: error[E0101]: \n 1 | 이름: 값\n   |       ^^\n");
  d.source_line = "a\tb";
  d.place.column = 3;
  d.caret_width = 1;
  CHECK(format_diagnostic(d) == "a.yaml:1:3: error[E0101]: \n 1 | a   b\n   |     ^\n");
}

TEST_CASE("a diagnostic without a line has no caret, and control characters never reach the terminal") {
  Diagnostic d;
  d.code = "E0201";
  d.message = "bad \x1b[31m name";
  d.place.file = "x\x07.yaml";
  CHECK(format_diagnostic(d) == "x?.yaml: error[E0201]: bad ?[31m name\n");
}

TEST_CASE("an overlong line is cut around its caret") {
  Diagnostic d;
  d.code = "E0101";
  d.place = {"a", 1, 5001};
  d.source_line = std::string(5000, 'x') + "!" + std::string(5000, 'y');
  const std::string text = format_diagnostic(d);
  CHECK(text.size() < 500);
  const std::size_t line = text.find('\n') + 1, carets = text.find('\n', line) + 1;
  CHECK(text.find('!', line) - line == text.find('^', carets) - carets);
}

TEST_CASE("twenty diagnostics are printed and the rest are counted") {
  Diagnostic d;
  d.code = "E0213";
  const std::string one = format_diagnostics({d});
  CHECK(one.find("1 error, nothing was run. `natgpu explain E0213` tells more.\n") != std::string::npos);
  const std::string many = format_diagnostics(std::vector<Diagnostic>(23, d));
  CHECK(many.find("... and 3 more\n23 errors, nothing was run.") != std::string::npos);
}

TEST_CASE("Hangul takes two cells and combining marks none") {
  CHECK(display_width("gpu") == 3);
  CHECK(display_width("국가") == 4);
  CHECK(display_width("e\xCC\x81") == 1);
  CHECK(display_width("\xE1\x84\x80\xE1\x85\xA1") == 2);  // decomposed Hangul
  CHECK(display_width("") == 0);
  CHECK(display_width("\xFF") == 1);
}

TEST_CASE("the nearest name is within a third of the word and swaps count once") {
  const std::vector<std::string> names = {"gpus_per_node", "gpu_model", "nodes", "power", "pue"};
  CHECK(nearest_name("gpu_per_node", names) == "gpus_per_node");
  CHECK(nearest_name("pwoer", names) == "power");
  CHECK(nearest_name("peu", names) == "pue");
  CHECK(nearest_name("temperature", names).empty());
  CHECK(nearest_name("x", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("node", names) == "nodes");
}

TEST_CASE("UTF-8 is decoded strictly") {
  const auto first = [](std::string_view t) {
    std::size_t at = 0;
    return next_character(t, at);
  };
  CHECK(first("a") == U'a');
  CHECK(first("한") == U'한');
  CHECK(first("\xF0\x9F\x98\x80") == char32_t{0x1F600});
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE1\x80", "\xFF"})
    CHECK(first(bad) == invalid_character);
  CHECK(character_count("한글a") == 3);
}
