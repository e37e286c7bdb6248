// SPDX-License-Identifier: Apache-2.0
// What is said of a scenario with mistakes: all of them, each with its line and a caret under what is wrong.
#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// The report of one mistake: place, code, message, then the line and a caret of the given width below it.
std::string shown(int line, int column, const std::string& message, const std::string& text,
                  std::size_t width) {
  const std::string number = std::to_string(line);
  const std::string margin(number.size() + 1, ' ');
  return "bad.yaml:" + number + ":" + std::to_string(column) + ": error[" + message + "\n " + number + " | " +
         text + "\n" + margin + " | " + std::string(static_cast<std::size_t>(column - 1), ' ') +
         std::string(width, '^') + "\n";
}

Outcome validated(const std::string& text) {
  const Folder folder;
  write_bytes(folder.path("bad.yaml"), text);
  return natgpu_says({"validate", "bad.yaml"}, folder.path(""));
}

const std::string head =
    "schema: natgpu/1\nname: bad\nhardware: [{name: h100, bf16: 989.4 TFLOP/s, power: 700 W}]\n";

}  // namespace

TEST_CASE("five different mistakes of a file are all named, by line, with a caret under each") {
  const Outcome outcome = validated(head +
                                    "supply:\n"                                      // line 4
                                    "  sites: [{name: here, pue: 1.2, pue: 1.3}]\n"  // twice
                                    "  tranches:\n"                                  //
                                    "    - name: 첫째\n"                             // no name for paths
                                    "      site: there\n"                            // no such site
                                    "      device: h100\n"                           //
                                    "      units: 8\n"                               // no unit
                                    "      in_servce: 2024-12-01\n"                  // misspelt
                                    "targets:\n"                                     // line 12
                                    "  - name: goal\n"                               //
                                    "    metric: gpu.alocated.share\n"               // no such metric
                                    "    where: {period: 2028}\n"                    // a map
                                    "    expect: \">= 0.65\"\n");
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(outcome.out.empty());
  CHECK(has(outcome.err, shown(5, 34, "E0211]: key `pue` is given twice",
                               "  sites: [{name: here, pue: 1.2, pue: 1.3}]", 3)));
  CHECK(has(outcome.err, "bad.yaml:7:13: error["));
  CHECK(has(outcome.err,
            " 7 |     - name: 첫째\n   |             ^^^^\n"));  // a wide character takes two cells
  CHECK(has(outcome.err, "bad.yaml:8:13: error["));
  CHECK(has(outcome.err, " 8 |       site: there\n   |             ^^^^^\n"));
  CHECK(has(outcome.err, "bad.yaml:10:14: error[E0107]: "));
  CHECK(has(outcome.err, " 10 |       units: 8\n    |              ^\n"));
  CHECK(has(outcome.err, "bad.yaml:11:7: error[E0213]: "));
  CHECK(has(outcome.err, "did you mean `in_service`?"));
  CHECK(has(outcome.err, "bad.yaml:15:13: error["));
  CHECK(has(outcome.err, "errors, nothing was run."));
}

TEST_CASE("mistakes of targets come with their lines, together with those of the rest of the file") {
  const Outcome outcome = validated(head +
                                    "seeed: 4\n"
                                    "targets:\n"
                                    "  - {name: a, metric: gpu.alocated.share, expect: \">= 0.65\"}\n"
                                    "  - name: b\n"
                                    "    metric: gpu.allocated.share\n"
                                    "    where: \"perod=2028\"\n"
                                    "    expect: \">= 3 GPU\"\n");
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "bad.yaml:4:1: error[E0213]: "));
  CHECK(has(outcome.err, shown(6, 23, "E0502]: targets[a].metric: unknown metric `gpu.alocated.share`",
                               "  - {name: a, metric: gpu.alocated.share, expect: \">= 0.65\"}", 18)));
  CHECK(has(outcome.err, "did you mean `gpu.allocated.share`?"));
  CHECK(has(outcome.err, shown(9, 12, "E0504]: targets[b].where: gpu.allocated.share has no label `perod`",
                               "    where: \"perod=2028\"", 12)));
  CHECK(has(outcome.err,
            shown(10, 13, "E0503]: targets[b].expect: unit `GPU`, but gpu.allocated.share is in share",
                  "    expect: \">= 3 GPU\"", 10)));
  CHECK(has(outcome.err, "4 errors, nothing was run."));
}

TEST_CASE("a file that is no YAML still tells of every tab, and of what was wrong before the break") {
  Outcome outcome = validated("schema: natgpu/1\nname: x\nsupply:\n\tsites: []\n\ttranches: []\n");
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "bad.yaml:4:1: error["));
  CHECK(has(outcome.err, "bad.yaml:5:1: error["));
  outcome = validated("schema: natgpu/1\nname: x\nname: y\nsupply: {sites: []\ndemand: {}\n");
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "bad.yaml:3:1: error["));
  CHECK(has(outcome.err, "key `name` is given twice"));
  CHECK(has(outcome.err, "2 errors, nothing was run."));
}

TEST_CASE("a part that this version does not read is refused, not ignored") {
  const Outcome outcome = validated(head + "economy: {currency: KRW}\n");
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err,
            shown(4, 1, "E0234]: this version does not read `economy` yet", "economy: {currency: KRW}", 7)));
}
