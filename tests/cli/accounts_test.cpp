// SPDX-License-Identifier: Apache-2.0
// What a command line says of accounts and classes.
#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "traces.hpp"

using namespace natgpu::testing;

namespace {

std::string row(const std::string& id, const std::string& user, const std::string& group,
                const std::string& queue) {
  return id + " 0 -1 10 1 -1 -1 1 10 -1 1 " + user + " " + group + " -1 " + queue + " -1 -1 -1\n";
}
/// One GPU; four jobs of 10 s, all submitted at 0.
std::string small_log() {
  return "; MaxProcs: 1\n" + row("1", "5", "2", "8") + row("2", "6", "2", "8") + row("3", "7", "1", "9") +
         row("4", "7", "1", "9");
}

class Replay {
 public:
  Replay() { write_bytes(folder_.path("log.swf"), small_log()); }
  Outcome operator()(std::vector<std::string> options) {
    options.insert(options.begin(), {"replay", "log.swf", "--jobs-csv", "jobs.csv"});
    return natgpu_says(options, folder_.path(""));
  }
  void write(const std::string& name, const std::string& text) { write_bytes(folder_.path(name), text); }
  /// Starts of the four jobs, in log order.
  std::string starts() const {
    std::string all;
    const std::string csv = read_bytes(folder_.path("jobs.csv"));
    for (std::size_t line = csv.find('\n'); line + 1 < csv.size(); line = csv.find('\n', line + 1)) {
      const std::size_t submit = csv.find(',', line + 1), start = csv.find(',', submit + 1) + 1;
      all += (all.empty() ? "" : " ") + csv.substr(start, csv.find(',', start) - start);
    }
    return all;
  }

 private:
  Folder folder_;
};

}  // namespace

TEST_CASE("a replay ranks the accounts of the log, by the shares of a file") {
  Replay replay;
  const std::vector<std::string> fair{"--policy", "fairtree", "--half-life", "off", "--recalc", "pass"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), fair.begin(), fair.end());
    return replay(more);
  };
  REQUIRE(with({}).code == 0);
  CHECK(replay.starts() == "10 30 0 20");  // group 1 and 2 in turn
  replay.write("shares.csv", "group,user,share\n2,,9\n2,6,2\n3,,1\n");
  const Outcome outcome = with({"--shares", "shares.csv"});
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "policy fairtree, recalc pass, half-life off, shares shares.csv, view counted"));
  CHECK(has(outcome.err, "note: 1 account of shares.csv has no job in the log: 3\n"));
  CHECK(replay.starts() == "10 20 0 30");
  replay.write("groups.csv", "group,share\n2,9\n");
  REQUIRE(with({"--accounts", "group", "--shares", "groups.csv"}).code == 0);
  CHECK(replay.starts() == "10 20 0 30");
  replay.write("shares.csv", "group,user,share\n2,,none\n");
  const Outcome wrong = with({"--shares", "shares.csv"});
  CHECK(wrong.code == 3);
  CHECK(has(wrong.err, "shares.csv:2:4: error[E0420]: no share"));
}

TEST_CASE("classes are queues of the log, and a misspelt one is refused") {
  Replay replay;
  REQUIRE(replay({"--policy", "priority"}).code == 0);
  CHECK(replay.starts() == "0 10 20 30");
  REQUIRE(replay({"--policy", "priority", "--classes", "9,8"}).code == 0);
  CHECK(replay.starts() == "20 30 0 10");
  const Outcome outcome = replay({"--policy", "priority", "--classes", "9,7"});
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "error[E0421]: the log has no queue `7` to rank as a class"));
}

TEST_CASE("a replay keeps the quotas of the log's accounts, by the shares of a file") {
  Replay replay;
  const std::vector<std::string> quotas{"--preemption", "quota-reclaim"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), quotas.begin(), quotas.end());
    return replay(more);
  };
  replay.write("log.swf",
               "; MaxProcs: 2\n1 0 -1 100 1 -1 -1 1 100 -1 1 5 2 -1 8 -1 -1 -1\n"
               "2 0 -1 100 1 -1 -1 1 100 -1 1 5 2 -1 8 -1 -1 -1\n"
               "3 9 -1 10 1 -1 -1 1 10 -1 1 6 1 -1 8 -1 -1 -1\n"
               "4 9 -1 10 1 -1 -1 1 10 -1 1 6 1 -1 8 -1 -1 -1\n");
  REQUIRE(with({}).code == 0);
  CHECK(replay.starts() == "0 0 100 100");  // inside the shield of two hours
  Outcome outcome = with({"--shield", "0s"});
  REQUIRE(outcome.code == 0);
  CHECK(replay.starts() == "0 0 9 19");
  CHECK(has(outcome.out,
            "policy fit, preemption quota-reclaim, shield 0 s, work kept, restart cost 0 s, shares equal"));
  CHECK(has(outcome.out, "preemptions            1"));
  replay.write("shares.csv", "group,user,share\n1,,9\n");
  outcome = with({"--shield", "0s", "--shares", "shares.csv"});
  REQUIRE(outcome.code == 0);
  CHECK(replay.starts() == "0 0 9 19");  // 1.8 GPUs are one
  CHECK(has(outcome.out, ", shares shares.csv,"));
  replay.write("shares.csv", "group,share\n1,0.0000001\n");
  outcome = with({"--accounts", "group", "--shares", "shares.csv"});
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "error[E0420]: quotas cannot be counted: a share of 1e-07, less than a millionth"));
  replay.write("log.swf", "; MaxProcs: 2\n1 0 -1 9 1 -1 -1 1 9 -1 1 -1 -1 -1 8 -1 -1 -1\n");
  outcome = with({});
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "error[E0421]: the log names no users or groups, and quotas are those of accounts"));
}

TEST_CASE("options of accounts that have no meaning for the order are refused, and say what they go with") {
  Replay replay;
  const std::vector<std::vector<std::string>> wrong{{"--shares", "x.csv"},    {"--accounts", "group"},
                                                    {"--classes", "a"},       {"--factor-weights", "age=1"},
                                                    {"--half-life", "7 d"},   {"--max-age", "7 d"},
                                                    {"--fair-share", "tree"}, {"--cpus", "4"},
                                                    {"--memory", "4 GB"},     {"--recalc", "pass"}};
  for (const std::vector<std::string>& options : wrong) {
    const Outcome outcome = replay(options);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, options[0] + " has no meaning for this order"));
    CHECK(has(outcome.err, "it goes with "));
  }
}

TEST_CASE("values of account options that cannot be read are refused with an example") {
  Replay replay;
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--factor-weights", "age"}, "`age` is no weight"},
      {{"--factor-weights", "agee=1"}, "unknown factor `agee`"},
      {{"--factor-weights", "age=-1"}, "`age=-1` is no weight"},
      {{"--half-life", "7"}, "`7` is no length of time"},
      {{"--max-age", "0 s"}, "`0 s` is no length of time"},
      {{"--classes", "a,,b"}, "a class without a name"},
      {{"--classes", "a,b,a"}, "`a` stands twice"},
      {{"--recalc", "0"}, "--recalc"},
      {{"--fair-share", "classical"}, "--fair-share"}};
  for (const auto& [options, message] : wrong) {
    std::vector<std::string> all = options;
    all.insert(all.begin(), {"--policy", "multifactor"});
    const Outcome outcome = replay(all);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.err, message));
  }
  CHECK(replay({"--policy", "drf", "--memory", "lots"}).code == 2);
  CHECK(replay({"--policy", "drf", "--backfill", "easy-sjbf"}).code == 2);
  CHECK(replay({"--policy", "drf", "--backfill", "conservative"}).code == 2);
  CHECK(replay({"--policy", "maxmin", "--backfill", "easy", "--spare", "not"}).code == 2);
  CHECK(replay({"--policy", "drf", "--cpus", "64"}).code == 3);  // the log states no CPUs
}

TEST_CASE("every policy by account and class replays the shared logs") {
  NATGPU_TRACE_OR_SKIP(swf, "KTH-SP2-1996-2-filtered.swf.gz");
  NATGPU_TRACE_OR_SKIP(philly, "philly_three_vcs.csv.gz");
  const Folder folder;
  for (const char* policy : {"priority", "multifactor", "fairtree", "drf", "maxmin"}) {
    INFO(policy);
    CHECK(natgpu_says({"replay", swf, "--policy", policy}, folder.path("")).code == 0);
    CHECK(natgpu_says({"replay", philly, "--gpus", "200", "--policy", policy}, folder.path("")).code == 0);
  }
}
