// SPDX-License-Identifier: Apache-2.0
// The CSV reader, seen through a map with every kind of column.
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/trace.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "gzip.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using workload::ColumnMap;
using workload::JobLog;
using workload::LogField;

namespace {

const std::string header = "job,at,took,gpus,who\n";

ColumnMap small_map() {
  ColumnMap map;
  map.name = "small";
  map.columns = {{LogField::id, "job", "name", false, "", true},
                 {LogField::submit, "at", "s", false, "", true},
                 {LogField::run, "took", "s", false, "", true},
                 {LogField::gpus, "gpus", "gpus", false, "", true},
                 {LogField::user, "who", "name", false, "", true}};
  return map;
}

JobLog read_text(const std::string& text, const workload::ReadOptions& options = {}) {
  const Folder folder;
  return workload::read_csv_log(write_bytes(folder.path("log.csv"), text), small_map(), options);
}

std::vector<Diagnostic> mistakes(const std::string& text) {
  try {
    read_text(text);
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

void check_place(const std::string& text, const std::string& code, int line, int column) {
  INFO(text);
  const std::vector<Diagnostic> found = mistakes(text);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == code);
  CHECK(found[0].place.line == line);
  CHECK(found[0].place.column == column);
}

std::vector<std::string> ids_of(const JobLog& log) {
  std::vector<std::string> ids;
  for (const workload::LogJob& j : log.jobs) ids.push_back(log.id_of(j));
  return ids;
}

}  // namespace

TEST_CASE("a CSV row gives id, times, GPUs and user") {
  const JobLog log = read_text(header + "a,10,60,4,kim\nb,20,30.0,1.0,lee\nc,20,5,1,kim\n");
  REQUIRE(log.jobs.size() == 3);
  CHECK(ids_of(log) == std::vector<std::string>{"a", "b", "c"});
  CHECK(log.jobs[0].submit_s == 10);
  CHECK(log.jobs[0].run_s == 60);
  CHECK(log.jobs[0].requested_s == 60);
  CHECK(log.jobs[0].gpus == 4);
  CHECK(log.jobs[0].gpu_milli == 1000);
  CHECK(log.jobs[1].run_s == 30);
  CHECK(log.jobs[1].gpus == 1);
  CHECK(log.jobs[0].user == 0);
  CHECK(log.jobs[1].user == 1);
  CHECK(log.jobs[2].user == 0);
  REQUIRE(log.users.size() == 2);
  CHECK(log.users[0] == "kim");
  CHECK(log.users[1] == "lee");
  CHECK(log.format == "small");
  CHECK(log.without_request == 3);
  CHECK(log.lines == 4);
  CHECK(log.unix_start_time == 0);
}

TEST_CASE("columns come in any order, and others are passed over") {
  const JobLog log = read_text("x,gpus,who,at,y,took,job\n,2,kim,5,\"what, ever\",7,j1\n");
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].gpus == 2);
  CHECK(log.jobs[0].submit_s == 5);
  CHECK(log.jobs[0].run_s == 7);
  CHECK(log.id_of(log.jobs[0]) == "j1");
}

TEST_CASE("quoted fields hold commas, doubled quotes and line breaks") {
  const JobLog log =
      read_text(header + "\"a,1\",0,1,1,\"kim \"\"K\"\" soo\"\n\"b\n2\",\"1\",\"2\",\"3\",\"\"\nc,2,2,2,x\n");
  REQUIRE(log.jobs.size() == 3);
  CHECK(ids_of(log) == std::vector<std::string>{"a,1", "b\n2", "c"});
  CHECK(log.users[0] == "kim \"K\" soo");
  CHECK(log.jobs[1].user == -1);
  CHECK(log.jobs[1].gpus == 3);
  CHECK(log.lines == 5);
}

TEST_CASE("CR LF, a byte order mark, empty lines and a missing last line break change nothing") {
  const std::string rows = "a,10,60,4,kim\nb,20,30,1,lee\n";
  const JobLog plain = read_text(header + rows);
  std::string crlf;
  for (const char c : header + rows) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const std::string& text :
       {crlf, "\xEF\xBB\xBF" + header + rows, "\n" + header + "\n\r\n" + rows + "\n\n",
        (header + rows).substr(0, (header + rows).size() - 1), crlf.substr(0, crlf.size() - 1),
        crlf.substr(0, crlf.size() - 2)}) {
    INFO(text);
    const JobLog log = read_text(text);
    CHECK(log.jobs == plain.jobs);
    CHECK(log.ids == plain.ids);
    CHECK(log.users == plain.users);
  }
}

TEST_CASE("a CSV log across many chunks is read like a short one, plain and gzip alike") {
  std::string text = header;
  const int rows = 60000;  // about 3 MB; quoted line breaks straddle chunks as well
  for (int i = 1; i <= rows; ++i)
    text += "\"job\n" + std::to_string(i) + "\"," + std::to_string(10 * i) + "," + std::to_string(i) + "," +
            std::to_string(i % 99 + 1) + ",\"user \"\"" + std::to_string(i % 1000) + "\"\"\"\r\n";
  const Folder folder;
  const JobLog plain = workload::read_csv_log(write_bytes(folder.path("log.csv"), text), small_map());
  const JobLog packed = workload::read_csv_log(write_gzip(folder.path("log.csv.gz"), text), small_map());
  REQUIRE(plain.jobs.size() == rows);
  CHECK(plain.jobs == packed.jobs);
  CHECK(plain.ids == packed.ids);
  CHECK(plain.users.size() == 1000);
  CHECK(plain.bytes == text.size());
  CHECK(packed.bytes == text.size());
  CHECK(plain.lines == 2 * rows + 1);
  for (int i = 1; i <= rows; ++i) {
    const workload::LogJob& j = plain.jobs[static_cast<std::size_t>(i - 1)];
    const bool same =
        j.submit_s == 10 * i && j.run_s == i && j.gpus == i % 99 + 1 &&
        plain.id_of(j) == "job\n" + std::to_string(i) &&
        plain.users[static_cast<std::size_t>(j.user)] == "user \"" + std::to_string(i % 1000) + "\"";
    if (!same) FAIL("row " << i);
  }
}

TEST_CASE("rows of a CSV log that cannot be used are counted by reason and named by line") {
  const JobLog log =
      read_text(header + "a,,60,1,k\nb,-1,60,1,k\nc,0,60,9,k\nd,0,60,0,k\ne,0,,1,k\nf,0,0.5,1,k\n" +
                    "g,0,60,,k\nh,0,60,8,k\n",
                {"", 8});
  CHECK(ids_of(log) == std::vector<std::string>{"h"});
  std::vector<std::string> reasons;
  for (const workload::Unusable& u : log.unusable) reasons.push_back(u.reason);
  CHECK(reasons == std::vector<std::string>{"no submit time", "negative submit time",
                                            "more GPUs than the machine has", "no GPUs", "no run time",
                                            "run time below 1 s"});
  CHECK(log.unusable[3].rows == 2);
  CHECK(log.unusable[3].first_lines == std::vector<std::uint64_t>{5, 8});
  CHECK(log.unusable[5].first_lines == std::vector<std::uint64_t>{7});
}

TEST_CASE("all requests are kept where they are asked for") {
  const JobLog log = read_text(header + "a,0,60,0,k\nb,0,,1,k\nc,,1,1,k\n", {"", 0, true});
  REQUIRE(ids_of(log) == std::vector<std::string>{"a", "b"});
  CHECK(log.jobs[0].gpus == 0);
  CHECK(log.jobs[1].run_s == 0);
  CHECK(log.jobs[1].requested_s == 0);
}

TEST_CASE("every way to write nothing is a missing value") {
  for (const char* nothing : {"", "None", "NaN", "nan", "NaT", "NULL", "null", "\\N", "\"\"", " "}) {
    INFO(nothing);
    const JobLog log = read_text(header + "a,0," + nothing + ",1," + nothing + "\nb,0,1,1,x\n");
    REQUIRE(log.jobs.size() == 1);
    REQUIRE(log.unusable.size() == 1);
    CHECK(log.unusable[0].reason == "no run time");
  }
}

TEST_CASE("fractions of a second are cut off and counted, shares of a GPU are kept") {
  const JobLog log = read_text(header + "a,0.9,1.5,0.25,k\nb,1.000,2,2.5,k\n");
  REQUIRE(log.jobs.size() == 2);
  CHECK(log.jobs[0].submit_s == 0);
  CHECK(log.jobs[0].run_s == 1);
  CHECK(log.fractions_dropped == 2);
  CHECK(log.jobs[0].gpus == 1);
  CHECK(log.jobs[0].gpu_milli == 250);
  CHECK(log.jobs[1].gpus == 3);
  CHECK(log.jobs[1].gpu_milli == 1000);
  CHECK(log.shared_gpus == 1);
}

TEST_CASE("an amount below zero is unknown, as in SWF") {
  ColumnMap map = small_map();
  map.columns[4] = {LogField::cpu, "who", "cores", false, "", true};
  const Folder folder;
  const JobLog log =
      workload::read_csv_log(write_bytes(folder.path("log.csv"), header + "a,0,1,1,-1\nb,0,1,-1,4\n"), map);
  REQUIRE(log.jobs.size() == 1);
  CHECK(log.jobs[0].cpu_milli == -1);
  CHECK(log.unusable.at(0).reason == "no GPUs");
}

TEST_CASE("a value that is no number is an error with line and column") {
  check_place(header + "a,0,1,1,k\nb,0,soon,1,k\n", "E0402", 3, 5);
  check_place(header + "b,1e3,1,1,k\n", "E0402", 2, 3);
  check_place(header + "b,+1,1,1,k\n", "E0402", 2, 3);
  check_place(header + "b,1.,1,1,k\n", "E0402", 2, 3);
  check_place(header + "\xED\x95\x9C,-,1,1,k\n", "E0402", 2, 3);  // columns count characters, not bytes
  check_place(header + "\"x\ny\",0,?,1,k\n", "E0402", 3, 6);      // the record begins a line before
}

TEST_CASE("CSV values beyond what a run can hold are out of range, never wrapped") {
  check_place(header + "b,99999999999999999999,1,1,k\n", "E0405", 2, 3);
  check_place(header + "b,10000000001,1,1,k\n", "E0405", 2, 3);
  check_place(header + "b,0,-10000000001,1,k\n", "E0405", 2, 5);
  check_place(header + "b,0,1,4294967297,k\n", "E0405", 2, 7);
}

TEST_CASE("a CSV row with too few or too many fields is an error with its line") {
  check_place(header + "b,0,1,1\n", "E0403", 2, 8);
  check_place(header + "b,0,1,1,k,z\n", "E0403", 2, 11);
}

TEST_CASE("broken quotes are errors where they stand") {
  check_place(header + "b,\"0\"x,1,1,k\n", "E0408", 2, 6);
  check_place(header + "b,0\",1,1,k\n", "E0408", 2, 4);
  check_place(header + "a,0,1,1,k\nb,0,1,1,\"k\nc,0,1,1,k\n", "E0408", 3, 9);
  // A quote that stays open for longer than a record may be, wherever the chunks end.
  check_place(header + "b,0,1,1,\"k\n" + std::string(3 << 20, 'x') + "\n", "E0408", 2, 9);
}

TEST_CASE("a CSV log goes on behind a mistake, and stops at the twentieth") {
  std::string text = header;
  for (int i = 0; i < 5; ++i) text += "a,0,1,1,k\nb,0,1\"\",1,k\n";
  const std::vector<Diagnostic> found = mistakes(text);
  REQUIRE(found.size() == 5);
  CHECK(found[0].place.line == 3);
  CHECK(found[4].place.line == 11);
  for (int i = 0; i < 100; ++i) text += "oops\n";
  CHECK(mistakes(text).size() == 20);
}

TEST_CASE("what is no CSV text is refused") {
  check_place(header + std::string("a,0,\0 1,1,k\n", 12), "E0404", 2, 5);
  check_place(header + std::string("\"a\0b\",0,1,1,k\n", 14), "E0404", 2, 3);
  check_place(header + "a,0,1\r,1,k\n", "E0402", 2, 6);
  for (const std::string& text :
       {header + std::string(70000, 'x') + "\n", header + std::string(3 << 20, 'x')}) {
    const std::vector<Diagnostic> found = mistakes(text);
    REQUIRE(!found.empty());
    CHECK(found.back().code == "E0404");
    CHECK(found.back().place.line == 2);
  }
}

TEST_CASE("a header without a column of the map is an error that names the column and the nearest one") {
  const std::vector<Diagnostic> found = mistakes("job,at,tok,gpus,who\na,0,1,1,k\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0409");
  CHECK(found[0].place.line == 1);
  CHECK(found[0].message.find("`took`") != std::string::npos);
  CHECK(found[0].help.find("`tok`") != std::string::npos);
}

TEST_CASE("a header with a column of the map twice is an error") {
  check_place("job,at,took,gpus,who,at\na,0,1,1,k,0\n", "E0409", 1, 5);
}

TEST_CASE("dates become seconds since the first submission") {
  ColumnMap map = small_map();
  map.columns[1].unit = "datetime";
  const Folder folder;
  const auto read = [&](const std::string& rows) {
    return workload::read_csv_log(write_bytes(folder.path("log.csv"), header + rows), map);
  };
  const JobLog log = read(
      "a,2017-09-04 10:30:41,60,1,k\nb,2017-09-05T10:30:41Z,60,1,k\nc,2017-09-04 19:30:40+09:00,60,1,k\n"
      "d,2017-09-04 10:30:42.75,60,1,k\ne,2016-02-29 00:00:00-0130,0,1,k\n");
  REQUIRE(log.jobs.size() == 4);
  CHECK(log.unix_start_time == 1504521040);  // date -u -d '2017-09-04 10:30:40' +%s
  CHECK(log.jobs[0].submit_s == 1);
  CHECK(log.jobs[1].submit_s == 86401);
  CHECK(log.jobs[2].submit_s == 0);
  CHECK(log.jobs[3].submit_s == 2);
  CHECK(log.fractions_dropped == 1);
  for (const auto& [text, code] : {std::pair{"2017-02-29 00:00:00", "E0405"},
                                   {"2017-01-01 24:00:00", "E0405"},
                                   {"2017-01-01", "E0402"},
                                   {"01/02/2017 00:00:00", "E0402"},
                                   {"2017-01-01 00:00:00 KST", "E0402"},
                                   {"20170101T000000", "E0402"}}) {
    INFO(text);
    try {
      read(std::string("a,") + text + ",60,1,k\n");
      FAIL("accepted");
    } catch (const ScenarioError& e) {
      CHECK(e.diagnostics()[0].code == code);
      CHECK(e.diagnostics()[0].place.column == 3);
    }
  }
}
