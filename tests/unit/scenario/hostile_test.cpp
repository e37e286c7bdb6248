// SPDX-License-Identifier: Apache-2.0
// Files made to crash, exhaust or fool a reader: each must end in ScenarioError. The list is fixed first,
// then a good scenario is damaged at seeded places; a crash, a hang or another exception fails the test.
#include <random>

#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::scenario;
using natgpu::scenario::test::diagnostics_of;

namespace {

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

const std::string head = "schema: natgpu/1\nname: a\n";

std::vector<std::string> hostile_texts() {
  std::vector<std::string> all = {
      "",
      " ",
      "\n",
      "\t",
      ",",
      ",,",
      ":",
      "-",
      "?",
      "[",
      "{",
      "}",
      "]",
      "[[:",
      "{{:",
      "&a [*a]",
      "*a",
      "&a",
      "!",
      "!!",
      "!<",
      "%",
      "%YAML 9.9\n---\n",
      "%TAG ! x\n---\na",
      "---",
      "--- ---",
      "...",
      "|",
      ">",
      "|9\n a",
      "'",
      "\"",
      "\"\\",
      "\"\\u12\"",
      "\"\\UFFFFFFFF\"",
      "\"\\xZZ\"",
      "@",
      "`",
      "a: b: c",
      "a:\n b\n  c: d",
      "- a\nb",
      "? ? ?",
      "? - ? -",
      std::string(1, '\0'),
      std::string("schema: natgpu/1\0", 17),
      "\xFF\xFE"
      "a\0",
      "\xEF\xBB\xBF",
      "\xEF\xBB\xBF\xEF\xBB\xBF",
      "\xC0\x80",
      "a: \xF4\x90\x80\x80",
      "a\r",
      "\r\r",
      "{? [a]: b}",
      "<<: {a: 1}",
      "<<: *x",
      "a: *b\nb: &b 1",
      "~: 1",
      "null",
      "no",
      "1",
      "[1, 2",
      "{a: 1",
      "a: [}",
      "#",
      "a: !!binary x",
      "a: !!python/object:os.system x",
      head + "seed: {value: {value: {value: 1}}}",
      head + "seed: [[[[1]]]]",
      head + "supply: {sites: [[]]}",
      head + "supply: {sites: {}}",
      head + "hardware: [~]",
      head + "hardware: [{}]",
      head + "hardware: [{name: }]",
      head + "hardware: [{name: [x]}]",
      head + "hardware: [{name: {value: x}}]\nsupply: 3",
      head + "policies: [a]",
      head + "policies: {a: [b]}",
      head + "policies: {a: {b: c}}",
      head + "policies: {? [a] : b}",
      head + "policies: {\"\": {}}",
      head + "policies: {a: {\"\": 1}}",
      head + "policies: {a: {\"supply.sites[].pue\": 1}}",
      head + "policies: {a: {\"supply.sites[-1].pue\": 1}}",
      head + "horizon: {end: 9999-12-31}",
      head + "horizon: {start: never}",
      head + "as_of: 0000-00-00",
      head + "seed: 1e400",
      head + "seed: -9223372036854775809",
      head + "demand: {calendar: {hours: [.nan]}}",
      head + "demand: {calendar: {hours: [{value: [1]}]}}",
      head + "demand: {batch: [{name: a, patience: 9.3e12 s}]}",
      head + "demand: {batch: [{name: a, patience: 1e308 years}]}",
      repeated("a: {", 3000),
      repeated("- ", 5000),
      repeated("? ", 5000),
      repeated("[", 100000),
      repeated("{a: ", 20000),
      repeated("!a ", 5000),
      repeated("&a ", 5000),
      repeated("- - ? ", 2000),
      "a: " + repeated("[a, ", 2000),
      repeated("\"", 1001),
      repeated("'", 1001),
      "a: \"" + repeated("\\\\", 20000),
  };
  return all;
}

}  // namespace

TEST_CASE("hostile texts end in a ScenarioError with a place") {
  for (const std::string& text : hostile_texts()) {
    INFO(text.substr(0, 60));
    const std::vector<Diagnostic> all = diagnostics_of(text);
    CHECK_FALSE(all.empty());
    CHECK(format_diagnostics(all).find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a good scenario damaged anywhere is read or refused, never worse") {
  const std::string good = head +
                           "hardware: [{name: h, bf16: 1 PFLOP/s, source: \"x\"}]\n"
                           "supply:\n  sites:\n    - {name: s, pue: {value: 1.3, low: 1.1, high: 1.5}}\n"
                           "  tranches:\n    - name: t\n      site: s\n      device: h\n      units: 8 GPU\n"
                           "      in_service: 2026-01-01\n      slip: {dist: uniform, low: 0 d, high: 3 d}\n"
                           "policies:\n  p: {\"supply.sites[s].pue\": 1.2}\n";
  REQUIRE(diagnostics_of(good).empty());
  const std::string bytes = "[]{}:,-?&*!|>'\"%@`#\n\t ~<=.\\0a\xEA\xFF";
  std::mt19937_64 random(20260801);  // an engine's output is the same everywhere
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = good;
    for (std::uint64_t cuts = random() % 3 + 1; cuts > 0; --cuts) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, random() % 9 + 1);
          break;
        case 1:
          text.insert(at, 1, bytes[random() % bytes.size()]);
          break;
        case 2:
          text[at] = bytes[random() % bytes.size()];
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
    }
    INFO("round " << round << "\n" << text);
    const std::vector<Diagnostic> all = diagnostics_of(text);
    for (const Diagnostic& d : all) {
      REQUIRE(d.code.size() == 5);
      REQUIRE_FALSE(d.message.empty());
    }
    refused += all.empty() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("settings from a command line are damaged likewise") {
  const std::string good = head + "supply: {sites: [{name: s, pue: 1.3}]}\n";
  for (const std::string& set :
       {std::string(), std::string("="), std::string("a"), std::string("[=1"), std::string("]=1"),
        std::string("a[b=1"), std::string("supply.sites[s].pue=&a 1"), std::string("supply.sites[s].pue={"),
        std::string("title={en: a}"), std::string("supply.sites[s].pue=[1]"), std::string("seed=1\n2"),
        std::string("supply.sites[s].grid=[]"), std::string("supply.sites[s]=1"), std::string(100000, 'a'),
        "seed=" + std::string(70000, '1'), std::string("seed=\xFF"),
        std::string("supply.sites[s].pue={value: 1.2, value: 1.3}")}) {
    INFO(set.substr(0, 60));
    LoadOptions options;
    options.set = {set};
    CHECK_FALSE(diagnostics_of(good, options).empty());
  }
}
