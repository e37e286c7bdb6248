// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/swf.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "gzip.hpp"
#include "traces.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;
using natgpu::testing::write_gzip;
using workload::JobLog;
using workload::read_swf;

namespace {

JobLog read_text(const std::string& text, std::int64_t gpus = 0) {
  const Folder folder;
  return read_swf(write_bytes(folder.path("log.swf"), text), gpus);
}

std::vector<Diagnostic> mistakes(const std::string& text) {
  const Folder folder;
  try {
    read_swf(write_bytes(folder.path("log.swf"), text));
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

/// A row with what matters; the rest is -1.
std::string row(const std::string& job, const std::string& submit, const std::string& run,
                const std::string& allocated, const std::string& asked, const std::string& limit) {
  return job + " " + submit + " -1 " + run + " " + allocated + " -1 -1 " + asked + " " + limit +
         " -1 1 7 8 -1 9 -1 -1 -1\n";
}

}  // namespace

TEST_CASE("a row gives number, times, processors, user, group and queue") {
  const JobLog log =
      read_text("; MaxProcs: 64\n; UnixStartTime: 843480031\n" + row("17", "100", "60", "8", "16", "3600"));
  REQUIRE(log.jobs.size() == 1);
  const workload::LogJob& j = log.jobs[0];
  CHECK(j.id == 17);
  CHECK(j.submit_s == 100);
  CHECK(j.run_s == 60);
  CHECK(j.requested_s == 3600);
  CHECK(j.gpus == 16);
  CHECK(j.user == 7);
  CHECK(j.group == 8);
  CHECK(j.queue == 9);
  CHECK(log.max_procs == 64);
  CHECK(log.unix_start_time == 843480031);
  CHECK(log.lines == 3);
}

TEST_CASE("allocated processors and the run time stand in for what was not requested") {
  const JobLog log = read_text(row("1", "0", "60", "8", "-1", "-1") + row("2", "0", "60", "8", "0", "0"));
  REQUIRE(log.jobs.size() == 2);
  for (const workload::LogJob& j : log.jobs) {
    CHECK(j.gpus == 8);
    CHECK(j.requested_s == 60);
  }
}

TEST_CASE("MaxNodes counts where MaxProcs is not stated, and the caller's number before both") {
  const std::string rows = row("1", "0", "60", "8", "-1", "-1");
  CHECK(read_text("; MaxNodes: 7\n" + rows).max_procs == 7);
  CHECK(read_text("; MaxNodes: 7\n" + rows).jobs.empty());
  CHECK(read_text("; MaxNodes: 7\n; MaxProcs: 9\n" + rows).jobs.size() == 1);
  CHECK(read_text("; MaxProcs: 9\n; MaxNodes: 7\n" + rows).jobs.size() == 1);
  CHECK(read_text("; MaxProcs: -1\n; MaxNodes: 7\n" + rows).max_procs == 7);
  CHECK(read_text("; MaxProcs: 9\n" + rows, 7).jobs.empty());
  CHECK(read_text("; MaxProcs: 7\n" + rows, 8).jobs.size() == 1);
}

TEST_CASE("unusable rows are counted by reason and named by line") {
  std::string text = "; MaxProcs: 64\n";
  for (int i = 0; i < 7; ++i) text += row("1", "0", "-1", "8", "8", "60");
  text += row("2", "0", "0", "8", "8", "60");
  text += row("3", "0", "5", "-1", "-1", "60");
  text += row("4", "0", "5", "65", "-1", "60");
  text += row("5", "-1", "5", "64", "64", "60");
  text += row("6", "0", "1", "64", "64", "60");
  const JobLog log = read_text(text);
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].id == 6);
  REQUIRE(log.unusable.size() == 4);
  CHECK(log.unusable[0].reason == "run time below 1 s");
  CHECK(log.unusable[0].rows == 8);
  CHECK(log.unusable[0].first_lines == std::vector<std::uint64_t>{2, 3, 4, 5, 6});
  CHECK(log.unusable[1].reason == "no processors");
  CHECK(log.unusable[1].first_lines == std::vector<std::uint64_t>{10});
  CHECK(log.unusable[2].reason == "more processors than the machine has");
  CHECK(log.unusable[2].first_lines == std::vector<std::uint64_t>{11});
  CHECK(log.unusable[3].reason == "negative submit time");
  CHECK(log.unusable[3].first_lines == std::vector<std::uint64_t>{12});
}

TEST_CASE("decimals: zeros say nothing, fractions of a second are cut off and counted") {
  const JobLog log =
      read_text(row("1.0", "10.00", "59.99", "8.0", "8.00", "60.5") + row("2", "0", "0.9", "8", "8", "60"));
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].submit_s == 10);
  CHECK(log.jobs[0].run_s == 59);
  CHECK(log.jobs[0].requested_s == 60);
  CHECK(log.jobs[0].gpus == 8);
  CHECK(log.fractions_dropped == 3);
  REQUIRE(log.unusable.size() == 1);  // 0.9 s is below one second
}

TEST_CASE("fields that are not used may hold any decimal, of any length") {
  const JobLog log = read_text("1 0 3.25 60 8 12.75 99999999999999999999999 8 60 -0.5 1 1 1 -1 1 -1 -1 -1\n");
  CHECK(log.jobs.size() == 1);
  CHECK(log.fractions_dropped == 0);
}

TEST_CASE("CR LF, tabs, empty lines and a missing last line break are accepted") {
  const std::string one = "1\t0 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 -1 -1 -1";
  const JobLog log = read_text("; MaxProcs: 64\r\n\r\n\n  \n" + one + "\r\n" + one + "  ");
  CHECK(log.jobs.size() == 2);
  CHECK(log.max_procs == 64);
  CHECK(log.lines == 6);
}

TEST_CASE("an empty log is an empty log") {
  CHECK(read_text("").jobs.empty());
  CHECK(read_text("").lines == 0);
  CHECK(read_text("; only a header").jobs.empty());
}

TEST_CASE("a field that is no number is named by line, column and field") {
  for (const std::string wrong : {"x", "1e5", "+5", "5.", ".5", "0x1", "-", "--5", "5-", "1,000", "4.5"}) {
    const std::vector<Diagnostic> found = mistakes("; header\n" + row("1", "0", "60", "8", wrong, "60"));
    INFO(wrong);
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "E0402");
    CHECK(found[0].place.line == 2);
    CHECK(found[0].place.column == 19);
    CHECK(found[0].message.find("field 8 (requested processors)") != std::string::npos);
    CHECK(found[0].caret_width == static_cast<int>(wrong.size()));
  }
}

TEST_CASE("columns count characters, not bytes, and the line shown holds no control characters") {
  const std::vector<Diagnostic> found = mistakes("1 0 가나 60\x1b[31m\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].place.column == 5);
  CHECK(found[0].source_line == "1 0 ?? 60?[31m");
}

TEST_CASE("missing and extra fields are errors with their line") {
  std::vector<Diagnostic> found = mistakes("1 0 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 -1 -1\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0403");
  CHECK(found[0].message.find("17 fields") != std::string::npos);
  CHECK(found[0].message.find("think time") != std::string::npos);
  found = mistakes("\n1 0 -1 60 8 -1 -1 8 60 -1 1 1 1 -1 1 -1 -1 -1 44\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0403");
  CHECK(found[0].place.line == 2);
  CHECK(found[0].place.column == 47);
}

TEST_CASE("all mistakes of a log come in one go, at most twenty") {
  std::string text;
  for (int i = 0; i < 5; ++i) text += row("1", "0", "60", "8", "8", "60") + "oops\n";
  std::vector<Diagnostic> found = mistakes(text);
  REQUIRE(found.size() == 5);
  CHECK(found[0].place.line == 2);
  CHECK(found[4].place.line == 10);
  for (int i = 0; i < 100; ++i) text += "oops\n";
  CHECK(mistakes(text).size() == 20);
}

TEST_CASE("a file of another kind gets one sentence, not one for each of its lines") {
  const std::vector<Diagnostic> found = mistakes("schema: natgpu/1\nname: small\nhorizon: {}\nseed: 1\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0404");
  CHECK(found[0].help.find("--format") != std::string::npos);
  CHECK(mistakes("one\ntwo\n").size() == 2);  // too few to tell
}

TEST_CASE("what is no text is refused") {
  std::vector<Diagnostic> found = mistakes(std::string("1 0 \0 60", 8) + "\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0404");
  found = mistakes(std::string("; MaxProcs: 4\0\n", 15));
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0404");
  CHECK(found[0].place.line == 1);
  CHECK(found[0].place.column == 14);
}

TEST_CASE("a line may have 64 KiB and no more, wherever it stands") {
  const std::string good = row("1", "0", "60", "8", "8", "60");
  const std::string at_limit = std::string(65536 - good.size() + 1, ' ') + good;
  CHECK(read_text(at_limit + at_limit).jobs.size() == 2);
  CHECK(read_text(";" + std::string(65535, 'x') + "\n" + good).jobs.size() == 1);
  for (const std::string& text : {good + " " + at_limit, good + ";" + std::string(65536, 'x') + "\n",
                                  good + std::string(70000, 'x') + "\n", good + std::string(3 << 20, ' ')}) {
    const std::vector<Diagnostic> found = mistakes(text);
    REQUIRE(!found.empty());
    CHECK(found.back().code == "E0404");
    CHECK(found.back().place.line == 2);
  }
}

TEST_CASE("numbers beyond what a run can hold are out of range, never wrapped") {
  for (const std::string& text :
       {row("99999999999999999999", "0", "60", "8", "8", "60"), row("1", "10000000001", "60", "8", "8", "60"),
        row("1", "0", "-10000000001", "8", "8", "60"), row("1", "0", "60", "8", "4294967297", "60"),
        row("1", "0", "60", "8", "8", "18446744073709551617")}) {
    const std::vector<Diagnostic> found = mistakes(text);
    INFO(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "E0405");
    CHECK(found[0].place.line == 1);
  }
}

TEST_CASE("a log across many chunks is read like a short one, plain and gzip alike") {
  std::string text = "; MaxProcs: 1000\n";
  const int rows = 40000;  // about 2 MB, so that rows straddle chunks
  for (int i = 1; i <= rows; ++i)
    text += row(std::to_string(i), std::to_string(10 * i), std::to_string(i), "-1",
                std::to_string(i % 999 + 1), "-1");
  const Folder folder;
  write_gzip(folder.path("log.swf.gz"), text);
  const JobLog plain = read_swf(write_bytes(folder.path("log.swf"), text));
  const JobLog packed = read_swf(folder.path("log.swf.gz"));
  REQUIRE(plain.jobs.size() == rows);
  REQUIRE(packed.jobs.size() == rows);
  CHECK(packed.bytes == text.size());
  CHECK(plain.bytes == text.size());
  for (int i = 1; i <= rows; ++i) {
    const auto at = static_cast<std::size_t>(i - 1);
    const bool same = plain.jobs[at].id == i && plain.jobs[at].submit_s == 10 * i &&
                      plain.jobs[at].run_s == i && plain.jobs[at].gpus == i % 999 + 1 &&
                      packed.jobs[at].id == i && packed.jobs[at].run_s == i;
    if (!same) FAIL("row " << i);
  }
}

TEST_CASE("damaged and cut gzip data is an error, not a short log") {
  std::string text;
  for (int i = 1; i <= 5000; ++i) text += row(std::to_string(i), std::to_string(i * i), "7", "-1", "3", "-1");
  const Folder folder;
  write_gzip(folder.path("whole.gz"), text);
  const std::string whole = natgpu::testing::read_bytes(folder.path("whole.gz"));
  std::string flipped = whole;
  flipped[whole.size() - 5] = static_cast<char>(flipped[whole.size() - 5] ^ 1);  // the checksum
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 4), flipped}) {
    try {
      read_swf(write_bytes(folder.path("broken.gz"), bytes));
      FAIL("accepted");
    } catch (const ScenarioError& e) {
      CHECK(e.diagnostics().back().code == "E0406");
    }
  }
}

TEST_CASE("what is no file is refused") {
  const Folder folder;
  for (const std::string& path : {folder.path("none.swf"), folder.path(""), std::string("/dev/zero")}) {
    INFO(path);
    try {
      read_swf(path);
      FAIL("accepted");
    } catch (const ScenarioError& e) {
      REQUIRE(e.diagnostics().size() == 1);
      CHECK(e.diagnostics()[0].code == "E0401");
      CHECK(e.diagnostics()[0].place.file == path);
    }
  }
}

TEST_CASE("the KTH log holds 28,481 usable jobs of a 100-processor machine") {
  NATGPU_TRACE_OR_SKIP(path, "KTH-SP2-1996-2-filtered.swf.gz");
  const JobLog log = read_swf(path);
  CHECK(log.jobs.size() == 28481);
  CHECK(log.unusable.empty());
  CHECK(log.max_procs == 100);
  CHECK(log.unix_start_time == 843480031);
  CHECK(log.fractions_dropped == 0);
  CHECK(log.jobs.front().run_s == 97225);
  for (const workload::LogJob& j : log.jobs)
    if (j.run_s > j.requested_s) FAIL("job " << j.id << " runs longer than it asked for");
}

TEST_CASE("the SDSC log holds 4,606 usable jobs and 355 that never ran") {
  NATGPU_TRACE_OR_SKIP(path, "SDSC-SP2-1998-first4961.swf.gz");
  const JobLog log = read_swf(path);
  CHECK(log.jobs.size() == 4606);
  CHECK(log.max_procs == 128);
  REQUIRE(log.unusable.size() == 1);
  CHECK(log.unusable[0].reason == "run time below 1 s");
  CHECK(log.unusable[0].rows == 355);
  int longer = 0;
  for (const workload::LogJob& j : log.jobs) longer += j.run_s > j.requested_s ? 1 : 0;
  CHECK(longer == 309);
}
