// SPDX-License-Identifier: Apache-2.0
// No text of a user's becomes markup, a formula or a new row, whatever it holds.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../../../src/report/escape.hpp"
#include "../../../src/report/writers.hpp"
#include "catch.hpp"
#include "fake_run.hpp"

using namespace natgpu;
using namespace natgpu::report;
using natgpu::testing::fake_rows;
using natgpu::testing::FakeRun;

namespace {

const std::vector<std::string>& html_payloads() {
  static const std::vector<std::string> all{
      "<script>alert(1)</script>",
      "</script><script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      "<svg/onload=alert(1)>",
      "<svg><script>alert(1)</script></svg>",
      "<iframe src=javascript:alert(1)>",
      "<body onload=alert(1)>",
      "<a href=\"javascript:alert(1)\">x</a>",
      "<style>@import 'http://x'</style>",
      "<link rel=stylesheet href=//x>",
      "<meta http-equiv=refresh content=0>",
      "<object data=x>",
      "<embed src=x>",
      "<base href=//x>",
      "<form action=//x><input>",
      "<math><mtext></mtext></math>",
      "<video><source onerror=alert(1)>",
      "<details open ontoggle=alert(1)>",
      "<input autofocus onfocus=alert(1)>",
      "<marquee onstart=alert(1)>",
      "\"><script>alert(1)</script>",
      "'><script>alert(1)</script>",
      "--><script>alert(1)</script>",
      "<!--<script>-->",
      "<![CDATA[<script>]]>",
      "<?xml version=\"1.0\"?>",
      "&lt;script&gt;",
      "&#60;script&#62;",
      "<ScRiPt >alert(1)</sCrIpT >",
      "<scr\nipt>alert(1)</scr\nipt>",
      "<\x01script>alert(1)</script>",
      "\xC0\xBCscript\xC0\xBE",
      "a\n\n<script>alert(1)</script>\n\nb",
      "| x | <script>alert(1)</script> |",
      "[x](javascript:alert(1))",
      "![x](http://x/y.png)",
      "<http://x>",
      "https://x/\"><script>",
      "```\n<script>alert(1)</script>\n```",
      "    <script>alert(1)</script>",
      "\xE2\x80\xA8<script>alert(1)</script>",
      "\\<script>alert(1)\\</script>",
  };
  return all;
}

const std::vector<std::string>& csv_payloads() {
  static const std::vector<std::string> all{
      "=1+1",
      "=cmd|' /C calc'!A0",
      "=HYPERLINK(\"http://x\",\"y\")",
      "+1+1",
      "-1+1",
      "@SUM(1,1)",
      "\t=1+1",
      "\r=1+1",
      "\n=1+1",
      std::string("\0=1+1", 5),
      "\uFF1D1+1",
      "\uFF0B1+1",
      "\uFF0D1+1",
      "\uFF20SUM(1)",
      "a\",=1+1,\"b",
      "a\n=1+1",
      "a\r\n=1+1,b",
      "\"=1+1\"",
      "a,=1+1",
      "=\"a\"\"b\"",
      "-2+3+cmd|' /C calc'!A0",
      "%0A=1+1",
  };
  return all;
}

/// Reads RFC 4180 text, so that what was written is what a spreadsheet sees.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      rows.back().back() += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && c == ',')
      rows.back().emplace_back();
    else if (!quoted && c == '\n')
      rows.push_back({""});
    else
      rows.back().back() += c;
  }
  rows.pop_back();
  return rows;
}

/// Markup characters that stand as themselves outside the fenced block of the reproduce command.
std::string without_block(const std::string& text) {
  const std::size_t from = text.find("\n```");
  return text.substr(0, from);
}

}  // namespace

TEST_CASE("no HTML payload leaves a tag, a link or an extra cell in the report") {
  REQUIRE(html_payloads().size() >= 40);
  const std::string plain = report_markdown(FakeRun().result);
  const auto count = [](const std::string& text, char c) { return std::count(text.begin(), text.end(), c); };
  for (const std::string& payload : html_payloads()) {
    INFO(payload);
    const FakeRun run(3, payload);
    const std::string text = report_markdown(run.result);
    const std::string body = without_block(text);
    // The one tag-like thing that may stand is the link to the harmless source.
    std::string rest = body;
    const std::string link = "<https://example.org/a_b?c=1&amp;d=2>";
    REQUIRE(rest.find(link) != std::string::npos);
    rest.erase(rest.find(link), link.size());
    CHECK(rest.find('<') == std::string::npos);
    for (std::size_t at = 0; (at = rest.find("](", at)) != std::string::npos; ++at)
      CHECK(rest[at - 1] == '\\');
    CHECK(count(body, '\n') == count(without_block(plain), '\n'));
    for (const char c : text) CHECK_FALSE((c != '\n' && c >= 0 && c < ' '));
  }
}

TEST_CASE("every table row of the report has the cells of its header, whatever the names") {
  for (const std::string& payload : html_payloads()) {
    const std::string text = report_markdown(FakeRun(3, payload).result);
    const auto cells = [](const std::string& line) {
      std::size_t n = 0;
      for (std::size_t i = 0; i < line.size(); ++i)
        if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++n;
      return n;
    };
    std::size_t expected = 0;
    std::size_t from = 0;
    while (from < text.size()) {
      const std::size_t to = text.find('\n', from);
      const std::string line = text.substr(from, to - from);
      from = to + 1;
      if (line.substr(0, 2) != "| ") {
        expected = line.substr(0, 2) == "|-" ? expected : 0;
        continue;
      }
      if (expected == 0) expected = cells(line);
      INFO(line);
      CHECK(cells(line) == expected);
    }
  }
}

TEST_CASE("summary.json is JSON that holds the texts as they were, and no tag opens in it") {
  for (const std::string& payload : html_payloads()) {
    INFO(payload);
    const std::string text = summary_json(FakeRun(2, payload).result);
    CHECK(text.find('<') == std::string::npos);
    const nlohmann::json summary = nlohmann::json::parse(text);
    if (payload.find('\xC0') == std::string::npos) CHECK(summary["scenario"]["name"] == payload);
  }
}

TEST_CASE("no CSV payload becomes a formula or a row of its own") {
  REQUIRE(csv_payloads().size() >= 20);
  for (const std::string& payload : csv_payloads()) {
    INFO(payload);
    const FakeRun run(2, payload);
    const auto rows = read_csv(metrics_csv(run.result, fake_rows()));
    REQUIRE(rows.size() == 1 + 2 * run.result.records[0].measurements.size());
    for (const auto& row : rows) {
      REQUIRE(row.size() == 6);
      for (std::size_t i = 0; i < 5; ++i)
        CHECK((row[i].empty() || std::string("=+-@\t\r\n").find(row[i][0]) == std::string::npos));
    }
    const std::string cell = rows[1][0];
    const bool guarded = cell == "'" + payload;
    CHECK((guarded || cell == payload));
    CHECK(guarded == (std::string("=+-@\t\r\n\0\xEF", 9).find(payload[0]) != std::string::npos));
  }
}

TEST_CASE("numbers are never guarded: a negative difference stays a number") {
  CHECK(csv_number(-0.25) == "-0.25");
  CHECK(csv_number(1e300) == "1e+300");
  CHECK(csv_number(0.1) == "0.1");
  CHECK(csv_number(100) == "100");
  CHECK(csv_number(std::numeric_limits<double>::infinity()).empty());
  CHECK(json_number(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("numbers read back as the same double") {
  for (const double v :
       {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.123456789, -2.2250738585072014e-308})
    CHECK(std::strtod(csv_number(v).c_str(), nullptr) == v);
}

TEST_CASE("Markdown text keeps plain words readable") {
  CHECK(markdown_text("share of gpu_user, 20 % (2027)") == "share of gpu_user, 20 % (2027)");
  CHECK(markdown_text("한국어 문장.") == "한국어 문장.");
  CHECK(markdown_text("_a_ *b* `c`") == "\\_a\\_ \\*b\\* \\`c\\`");
  CHECK(markdown_text("1. no list") == "1\\. no list");
  CHECK(markdown_text("- no list") == "\\- no list");
  CHECK(markdown_text("a|b\nc") == "a\\|b c");
  CHECK(markdown_text("see https://x.org") == "see https&#58;//x.org");
}

TEST_CASE("only plain web addresses become links") {
  CHECK(markdown_source("https://example.org/a?b=1&c=2") == "<https://example.org/a?b=1&amp;c=2>");
  CHECK(markdown_source("javascript:alert(1)") == "javascript:alert(1)");
  CHECK(markdown_source("https://x/\"onmouseover=\"") == "https&#58;//x/\"onmouseover=\"");
  CHECK(markdown_source("http://x y") == "http&#58;//x y");
}

TEST_CASE("a block cannot be ended from inside") {
  CHECK(markdown_block("a") == "```\na\n```\n");
  CHECK(markdown_block("a\n```\nb") == "````\na\n```\nb\n````\n");
}

TEST_CASE("shell words are quoted where a shell would read them otherwise") {
  CHECK(shell_word("scenarios/korea-2030.yaml") == "scenarios/korea-2030.yaml");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("$(reboot)") == "'$(reboot)'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("") == "''");
}
