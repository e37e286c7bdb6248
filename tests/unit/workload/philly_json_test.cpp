// SPDX-License-Identifier: Apache-2.0
// Philly's cluster_job_log, in the form that its owners describe, and in every odd one.
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "gzip.hpp"
#include "traces.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using workload::JobLog;
using workload::LogJob;
using workload::LogStatus;

namespace {

/// The example entry of the owners' page, less most of its GPUs' names.
const std::string published = R"([
  {
    "status": "Pass",
    "vc": "ee9e8c",
    "jobid": "application_1506638472019_14199",
    "attempts": [
      {"start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:13:23",
       "detail": [{"ip": "m47", "gpus": ["gpu0", "gpu1", "gpu2", "gpu3", "gpu4", "gpu5", "gpu6", "gpu7"]}]},
      {"start_time": "2017-10-07 01:13:30", "end_time": "2017-10-09 06:53:12",
       "detail": [{"ip": "m412", "gpus": ["gpu0", "gpu1", "gpu2", "gpu3", "gpu4", "gpu5", "gpu6", "gpu7"]}]}
    ],
    "submitted_time": "2017-10-07 01:11:39",
    "user": "ce2f4c"
  },
  {
    "status": "Killed", "vc": "ee9e8c", "jobid": "b", "user": "ce2f4c",
    "attempts": [
      {"start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:12:19",
       "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}, {"ip": "m2", "gpus": ["gpu4", "gpu5"]}]}],
    "submitted_time": "2017-10-07 01:11:40"
  }
]
)";

JobLog read_text(const std::string& text, const workload::ReadOptions& options = {}) {
  const Folder folder;
  return workload::read_log(write_bytes(folder.path("cluster_job_log"), text), options);
}

std::vector<Diagnostic> mistakes(const std::string& text) {
  try {
    read_text(text, {"philly-json"});
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

std::string attempt(const std::string& start, const std::string& end, const std::string& gpus = R"(["g"])") {
  return fmt::format(R"({{"start_time": {}, "end_time": {}, "detail": [{{"ip": "m", "gpus": {}}}]}})", start,
                     end, gpus);
}
std::string at(int second) {
  return fmt::format("\"2017-10-07 00:00:{:02}\"", second);
}
std::string job(const std::string& attempts, const std::string& submitted = at(0)) {
  return fmt::format(
      R"({{"status": "Pass", "vc": "v", "jobid": "j", "attempts": [{}], "submitted_time": {}, "user": "u"}})",
      attempts, submitted);
}

/// The log of these jobs.
std::string log_of(const std::string& jobs) {
  return fmt::format("[{}]", jobs);
}

/// Why the only job of this log cannot be used; empty where it can.
std::string reason(const std::string& one_job, const workload::ReadOptions& options = {}) {
  const JobLog log = read_text(log_of(one_job), options);
  REQUIRE(log.jobs.size() + log.unusable.size() == 1);
  return log.unusable.empty() ? "" : log.unusable[0].reason;
}

}  // namespace

TEST_CASE("Philly's JSON is told by its bracket, and gives names, times, GPUs, machines and ends") {
  const JobLog log = read_text(published);
  CHECK(log.format == "philly-json");
  REQUIRE(log.jobs.size() == 2);
  const LogJob& first = log.jobs[0];
  CHECK(log.id_of(first) == "application_1506638472019_14199");
  CHECK(first.submit_s == 0);
  CHECK(log.unix_start_time == 1507338699);  // 2017-10-07 01:11:39 as UTC
  CHECK(first.run_s == 74 + 193182);         // 01:12:09 to 01:13:23, and 2 days, 5 h, 39 min and 42 s
  CHECK(first.requested_s == first.run_s);
  CHECK(first.gpus == 8);
  CHECK(first.nodes == 1);
  CHECK(first.status == LogStatus::completed);
  CHECK(log.users[static_cast<std::size_t>(first.user)] == "ce2f4c");
  CHECK(log.groups[static_cast<std::size_t>(first.group)] == "ee9e8c");
  CHECK(first.queue == -1);
  CHECK(log.retried == 1);
  CHECK(log.resized == 0);
  CHECK(log.without_request == 2);
  const LogJob& second = log.jobs[1];
  CHECK(second.submit_s == 1);
  CHECK(second.run_s == 10);
  CHECK(second.gpus == 4);
  CHECK(second.nodes == 2);
  CHECK(second.status == LogStatus::cancelled);
  CHECK(log.lines == 23);
  CHECK(log.bytes == published.size());
}

TEST_CASE("the same log compressed, on one line, or with keys that it does not have is the same") {
  const JobLog plain = read_text(published);
  const Folder folder;
  CHECK(workload::read_log(natgpu::testing::write_gzip(folder.path("log.gz"), published)).jobs == plain.jobs);
  std::string one_line;
  for (const char c : published)
    if (c != '\n') one_line += c;
  CHECK(read_text(one_line).jobs == plain.jobs);
  std::string more = published;
  const std::string key = "\"status\": \"Pass\",";
  more.insert(more.find(key), R"("more": {"attempts": [1, {"detail": []}], "jobid": "no"}, "n": [[]], )");
  CHECK(read_text(more).jobs == plain.jobs);
}

TEST_CASE("a job of Philly is used if all its attempts have both times and it held GPUs") {
  const std::string none = "null", word = "\"None\"", empty = "\"\"";
  CHECK(reason(job(attempt(at(1), at(2)))) == "");
  CHECK(reason(job("")) == "never started");
  for (const std::string& missing : {none, word, empty}) {
    INFO(missing);
    CHECK(reason(job(attempt(at(1), at(2)), missing)) == "no submit time");
    CHECK(reason(job(attempt(missing, missing))) == "never started");
    CHECK(reason(job(attempt(missing, at(2)))) == "never started");
    CHECK(reason(job(attempt(at(1), missing))) == "no end time");
    CHECK(reason(job(attempt(at(1), at(2)) + "," + attempt(at(3), missing))) == "no end time");
    CHECK(reason(job(attempt(at(1), missing) + "," + attempt(at(3), at(4)))) ==
          "an attempt without its start or end");
    CHECK(reason(job(attempt(missing, at(2)) + "," + attempt(at(3), at(4)))) ==
          "an attempt without its start or end");
  }
  CHECK(reason(job(attempt(at(1), at(1)))) == "run time below 1 s");
  CHECK(reason(job(attempt(at(1), at(9)) + "," + attempt(at(4), at(3)))) ==
        "an attempt ends before it starts");
  CHECK(reason(job(attempt(at(1), at(2), "[]"))) == "no GPUs");
  CHECK(reason(job(attempt(at(1), at(2), "null"))) == "no GPUs");
  CHECK(reason(job(R"({"start_time": null, "end_time": null, "detail": null})")) == "no GPUs");
  CHECK(reason(R"({"submitted_time": "2017-10-07 00:00:00", "attempts": null})") == "never started");
  const std::string four = job(attempt(at(1), at(2), R"(["a", "b", "c", "d"])"));
  CHECK(reason(four, {"", 3}) == "more GPUs than the machine has");
  CHECK(reason(four, {"", 4}) == "");
  workload::ReadOptions all;
  all.keep_all_requests = true;
  CHECK(reason(job(attempt(at(1), none)), all) == "");
  CHECK(reason(job(""), all) == "never started");
}

TEST_CASE("attempts are added up, and the GPUs and machines of the first one count") {
  const std::string shrinks =
      fmt::format("{}, {}", attempt(at(1), at(4), R"(["a", "b"])"), attempt(at(10), at(30), R"(["a"])"));
  const std::string again = fmt::format("{}, {}", attempt(at(1), at(4)), attempt(at(5), at(6)));
  const std::string uneven = R"({"start_time": "2017-10-07 00:00:01", "end_time": "2017-10-07 00:00:02.5",
      "detail": [{"ip": "m", "gpus": ["a", "b", "c"]}, {"ip": "n", "gpus": ["a"]}]})";
  const JobLog log = read_text(log_of(fmt::format("{}, {}, {}", job(shrinks), job(again), job(uneven))));
  REQUIRE(log.jobs.size() == 3);
  CHECK(log.jobs[0].run_s == 3 + 20);
  CHECK(log.jobs[0].gpus == 2);
  CHECK(log.jobs[1].run_s == 3 + 1);
  CHECK(log.jobs[2].run_s == 1);
  CHECK(log.jobs[2].gpus == 4);
  CHECK(log.jobs[2].nodes == -1);  // three on one machine and one on another
  CHECK(log.retried == 2);
  CHECK(log.resized == 1);
  CHECK(log.fractions_dropped == 1);
}

TEST_CASE("jobs that cannot be used are named by the line on which they begin") {
  const JobLog log =
      read_text("[\n" + job(attempt(at(1), at(2))) + ",\n\n" + job("") + ",\n" + job("") + "\n]");
  CHECK(log.jobs.size() == 1);
  REQUIRE(log.unusable.size() == 1);
  CHECK(log.unusable[0].rows == 2);
  CHECK(log.unusable[0].first_lines == std::vector<std::uint64_t>{4, 5});
}

TEST_CASE("a job without a name has its number, and one without a user or cluster none") {
  const JobLog log = read_text(fmt::format(
      R"([{0}, {{"submitted_time": {1}, "attempts": [{2}]}}, {{"jobid": 12, "user": null, "vc": "None", )"
      R"("submitted_time": {1}, "attempts": [{2}]}}])",
      job(""), at(5), attempt(at(6), at(7))));
  REQUIRE(log.jobs.size() == 2);
  CHECK(log.id_of(log.jobs[0]) == "2");
  CHECK(log.id_of(log.jobs[1]) == "12");
  CHECK(log.jobs[1].user == -1);
  CHECK(log.jobs[1].group == -1);
  CHECK(log.jobs[0].status == LogStatus::unknown);
}

TEST_CASE("what is no log of Philly is refused with code and line") {
  struct Wrong {
    std::string text;
    const char* code;
    int line;
    const char* part;
  };
  const std::string good = job(attempt(at(1), at(2)));
  for (const Wrong& w :
       {Wrong{"[\n" + good + ",\n", "E0413", 3, "unexpected end of input"},
        Wrong{"[\n" + good + "\n" + good + "]", "E0413", 3, "unexpected '{'"},
        Wrong{"", "E0413", 1, "unexpected end of input"},
        Wrong{"{\"jobs\": []}", "E0413", 1, "the file: an array is expected"},
        Wrong{"7", "E0413", 1, "the file: an array is expected"},
        Wrong{"[\n\n[]]", "E0413", 3, "the log: an object is expected"},
        Wrong{"[\n3]", "E0413", 2, "the log: an object is expected"},
        Wrong{"[{\n\"attempts\": {}}]", "E0413", 2, "`attempts`: an array is expected"},
        Wrong{"[{\n\"attempts\": 5}]", "E0413", 2, "`attempts`: an array is expected"},
        Wrong{"[{\n\"attempts\": [5]}]", "E0413", 2, "`attempts`: an object is expected"},
        Wrong{"[{\n\"jobid\": []}]", "E0413", 2, "`jobid`: a text is expected"},
        Wrong{log_of(job(attempt(at(1), "[]"))), "E0413", 1, "`end_time`: a text"},
        Wrong{log_of(job(attempt(at(1), at(2), "4"))), "E0413", 1, "`gpus`: an array"},
        Wrong{"[\n" + job("", "\"yesterday\"") + "]", "E0402", 2, "`yesterday` is no date"},
        Wrong{log_of(job(attempt(at(1), "\"2017-13-07 00:00:00\""))), "E0405", 1, "is out of range"},
        Wrong{log_of(job(attempt(at(1), "17"))), "E0402", 1, "`17` is no date"},
        Wrong{"[\n{\"attempts\": []}]", "E0409", 2, "no `submitted_time`"},
        Wrong{"[{\"submitted_time\": " + at(1) + "}]", "E0409", 1, "no `attempts`"},
        Wrong{log_of(good) + "]", "E0413", 1, "unexpected ']'"},
        Wrong{"[\"\x01\"]", "E0413", 1, "control character"}}) {
    INFO(w.text);
    const std::vector<Diagnostic> found = mistakes(w.text);
    REQUIRE(found.size() == 1);
    INFO(found[0].message);
    CHECK(found[0].code == w.code);
    CHECK(found[0].place.line == w.line);
    CHECK(has(found[0].message, w.part));
    CHECK_FALSE(found[0].help.empty());
  }
}

TEST_CASE("the published log of Philly has the 117,325 jobs that its owners count") {
  NATGPU_TRACE_OR_SKIP(path, "cluster_job_log");
  const JobLog log = workload::read_log(path);
  std::uint64_t all = log.jobs.size();
  for (const workload::Unusable& u : log.unusable) all += u.rows;
  CHECK(all == 117325);
}

TEST_CASE("a file of a thousand wrong jobs is given up at the twentieth") {
  std::string text = "[";
  for (int i = 0; i < 1000; ++i) text += fmt::format("{}{}", i > 0 ? ",\n" : "", job("", "\"never\""));
  CHECK(mistakes(text + "]").size() == 20);
}

TEST_CASE("neither a text without an end nor brackets without an end take memory without an end") {
  std::vector<Diagnostic> found = mistakes("[\"" + std::string(3 << 20, 'a'));
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0404");
  found = mistakes("[{\"x\": " + std::string(1 << 20, '['));
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0413");
  CHECK(has(found[0].message, "structures"));
}
