// SPDX-License-Identifier: Apache-2.0
// What the program says to those who use it wrongly, and with which code it ends.
#include <nlohmann/json.hpp>

#include <natgpu/scheduling/spec.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "run_program.hpp"

using natgpu::testing::has;
using natgpu::testing::natgpu_says;
using natgpu::testing::Outcome;

TEST_CASE("without arguments the program shows examples on stderr and ends with 2") {
  const Outcome outcome = natgpu_says({});
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(has(outcome.err, "Examples"));
}

TEST_CASE("help is a result: on stdout, with code 0, for the program and each command") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"-h"},
                                             {"help"},
                                             {"help", "run"},
                                             {"run", "--help"},
                                             {"replay", "x", "-h"},
                                             {"validate", "--help"}}) {
    const Outcome outcome = natgpu_says(words);
    INFO(words.back());
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "Usage: natgpu "));
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("the help lists the exit codes that the program ends with, and no other") {
  const Outcome outcome = natgpu_says({"--help"});
  CHECK(has(outcome.out, "Exit codes: 0 done, 1 a check failed, 2 usage, 3 scenario"));
  CHECK(has(outcome.out, "5 inconclusive"));
}

TEST_CASE("a misspelt command or option gets a suggestion and code 2") {
  Outcome outcome = natgpu_says({"rnu"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "unknown command `rnu`"));
  outcome = natgpu_says({"replya", "x"});
  CHECK(has(outcome.err, "did you mean `replay`?"));
  outcome = natgpu_says({"run", "x.yaml", "--polcy", "easy"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "unknown option `--polcy`, did you mean `--policy`?"));
  outcome = natgpu_says({"run", "x.yaml", "--zzzzzz=3"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "unknown option `--zzzzzz`"));
  CHECK_FALSE(has(outcome.err, "did you mean"));
}

TEST_CASE("a misspelt action gets a suggestion and the list of all, and one without its file says so") {
  Outcome outcome = natgpu_says({"trace", "convrt", "a", "b"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "trace: unknown action `convrt`, did you mean `convert`?"));
  CHECK(has(outcome.err, "one of: convert, formats"));
  outcome = natgpu_says({"policy", "lst"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "policy: unknown action `lst`, did you mean `list`?"));
  outcome = natgpu_says({"scenario", "sohw", "x"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "one of: show, diff, list"));
  outcome = natgpu_says({"sweep", "plan"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "sweep plan needs a file"));
}

TEST_CASE("what is missing, double, or too much is named") {
  Outcome outcome = natgpu_says({"run"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "run needs SCENARIO..."));
  outcome = natgpu_says({"run", "x.yaml", "--seed"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--seed"));
  outcome = natgpu_says({"run", "x.yaml", "--seed", "1", "--seed", "2"});
  CHECK(outcome.code == 2);
  outcome = natgpu_says({"replay", "a.swf", "b.swf"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "unexpected argument `b.swf`"));
}

TEST_CASE("values that make no sense are refused with the range or the names allowed") {
  for (const char* wrong : {"0", "-1", "1.5", "1e3", "many", "010", "99999999999999999999", ""}) {
    INFO(wrong);
    const Outcome outcome = natgpu_says({"replay", "x.swf", "--gpus", wrong});
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, "--gpus"));
  }
  Outcome outcome = natgpu_says({"replay", "x.swf", "--policy", "eazy"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "did you mean `easy`?"));
  CHECK(has(outcome.err, "fcfs, fit, easy"));
  outcome = natgpu_says({"replay", "x.swf", "--ties", "arrival-first"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--pass event"));
  outcome = natgpu_says({"replay", "x.swf", "--backfill", "reservations"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--reservations N"));
  outcome = natgpu_says({"replay", "x.swf", "--policy", "conservative", "--reservations", "4"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--backfill reservations"));
}

TEST_CASE("policy list has a row with a source for every mode of preemption that a scenario may choose") {
  const std::string out = natgpu_says({"policy", "list"}).out;
  const std::size_t from = out.find("Preemption (--preemption, scheduling.preemption.mode)");
  REQUIRE(from != std::string::npos);
  const natgpu::FieldTable& table =
      fields_of(static_cast<const natgpu::scheduling::PreemptionSettings*>(nullptr));
  for (const std::string& mode : table.find("mode")->choices) {
    CAPTURE(mode);
    const std::size_t row = out.find("\n  " + mode + " ", from);
    REQUIRE(row != std::string::npos);
    const std::size_t second_line = out.find('\n', row + 1);
    CHECK(out.find("source: ", second_line) < out.find('\n', second_line + 1));
  }
}

TEST_CASE(
    "policy list names every policy, order and backfill with its source, and nothing else is an action") {
  const Outcome outcome = natgpu_says({"policy", "list"});
  REQUIRE(outcome.code == 0);
  for (const char* name :
       {"fcfs", "fit", "easy", "easy-sjbf", "conservative", "reservations", "sjf", "ljf", "saf", "lottery",
        "wfp", "unicef", "srtf", "srsf", "las", "las2d", "gavel-las", "gavel-ftf", "none"})
    CHECK(has(outcome.out, "\n  " + std::string(name) + " "));
  CHECK(has(outcome.out, "source: Lifka"));
  CHECK(has(outcome.out, "needs: requested times"));
  CHECK(has(outcome.out, "= order wfp, backfill easy"));
  const Outcome wrong = natgpu_says({"policy", "lsit"});
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "did you mean `list`?"));
}

TEST_CASE("options of a replay that contradict its policy are refused with the reason") {
  Outcome outcome = natgpu_says({"replay", "x.swf", "--order", "drf", "--backfill", "conservative"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "no order of reservations lasts"));
  outcome = natgpu_says({"replay", "x.swf", "--policy", "sjf", "--recalc", "60"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--recalc has no meaning for this order"));
  CHECK(has(outcome.err, "wfp, unicef, multifactor and fairtree"));
  const auto refused = [](std::vector<std::string> options, const char* why) {
    options.insert(options.begin(), {"replay", "x.swf"});
    const Outcome o = natgpu_says(options);
    INFO(o.err);
    CHECK(o.code == 2);
    CHECK(has(o.err, why));
  };
  refused({"--policy", "srtf", "--backfill", "easy"}, "keeps no reservations");
  refused({"--policy", "srtf", "--dialect", "pyss"}, "all that happened at an instant");
  refused({"--policy", "srtf", "--quantum", "1h"}, "choose `--policy las`");
  refused({"--policy", "las", "--quantum", "0s"}, "above zero");
  refused({"--policy", "las", "--quantum", "60"}, "has no unit");
  refused({"--policy", "las2d", "--thresholds", "10h,1h"}, "--thresholds rise");
  refused({"--policy", "gavel-las", "--rounds", "0s"}, "--rounds is above zero");
  refused({"--policy", "gavel-las", "--backfill", "conservative"}, "keeps no reservations");
  refused({"--policy", "las", "--weights", "1=2"}, "processor sharing, gavel-las and gavel-ftf");
  refused({"--policy", "fit", "--preemption", "by-class"}, "keys are classes");
  refused({"--policy", "srtf", "--preemption", "quota-reclaim"}, "settled at submission");
  refused({"--order", "drf", "--preemption", "quota-reclaim"}, "settled at submission");
  refused({"--policy", "easy", "--preemption", "quota-reclaim"}, "keeps no reservations");
  refused({"--preemption", "quota-reclaim", "--pass", "event"}, "at an instant");
  refused({"--preemption", "quota-reclaim", "--quantum", "1h"}, "no meaning for this order");
  refused({"--preemption", "quota-reclaim", "--half-life", "1 d"}, "no meaning for this order");
  refused({"--preemption", "quotas"}, "--preemption");
  refused({"--policy", "easy", "--shield", "2h"}, "leaves running jobs their GPUs");
}

TEST_CASE("no control character of an argument reaches the terminal") {
  const Outcome outcome = natgpu_says({"run", "x.yaml", "--\x1b[31mred"});
  CHECK(outcome.code == 2);
  CHECK_FALSE(has(outcome.err, "\x1b"));
}

TEST_CASE("the version is told, also as JSON") {
  CHECK(has(natgpu_says({"--version"}).out, "natgpu "));
  const Outcome outcome = natgpu_says({"version", "--json"});
  CHECK(outcome.code == 0);
  CHECK(nlohmann::json::parse(outcome.out)["tool"] == "natgpu");
}

TEST_CASE("explain tells more about a code, and lists all without one") {
  Outcome outcome = natgpu_says({"explain", "E0402"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "E0402: a value that cannot be read"));
  CHECK(natgpu_says({"explain", "e0213"}).code == 0);
  outcome = natgpu_says({"explain"});
  for (const char* code : {"E0213", "E0406", "E0504"}) CHECK(has(outcome.out, code));
  outcome = natgpu_says({"explain", "E9999"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "`natgpu explain` lists them all"));
}
