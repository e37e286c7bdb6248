// SPDX-License-Identifier: Apache-2.0
// `natgpu policy new`: what it writes is built, tested and run by the very commands that it prints.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

/// The commands among what the program says: its indented lines.
std::vector<std::string> commands_in(const std::string& said) {
  std::vector<std::string> commands;
  std::istringstream in(said);
  for (std::string line; std::getline(in, line);)
    if (line.rfind("  ", 0) == 0) commands.push_back(line.substr(2));
  return commands;
}

/// Runs a command in a folder. @returns its exit code and output
Outcome plain_shell(const Folder& folder, const std::string& command) {
  const std::string out = folder.path("said");
  const std::string line = "cd '" + folder.path("") + "' && { " + command + "; } >'" + out + "' 2>&1";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(out), ""};
}
/// The same with the program under test first on the path.
Outcome shell(const Folder& folder, const std::string& command) {
  const std::string program = NATGPU_PROGRAM;
  return plain_shell(folder, "PATH='" + program.substr(0, program.rfind('/')) + "':\"$PATH\"; " + command);
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a new policy of each level and language is built, tested and run as printed, in under 50 lines") {
  for (const char* level : {"1", "2"})
    for (const char* language : {"c", "c++"}) {
      INFO("level " << level << ", language " << language);
      const Folder folder;
      const Outcome made =
          natgpu_says({"policy", "new", "my-rule", "--level", level, "--lang", language}, folder.path(""));
      REQUIRE(made.code == 0);
      const std::vector<std::string> commands = commands_in(made.out);
      REQUIRE(commands.size() == 2);
      for (const std::string& command : commands) {
        const Outcome outcome = plain_shell(folder, command);
        INFO(command << "\n" << outcome.out);
        CHECK(outcome.code == 0);
        CHECK(has(outcome.out, "policy my-rule.so (sha256 "));
        CHECK_FALSE(has(outcome.out, "warning"));
      }
      const std::string suffix = std::string(language) == "c" ? ".c" : ".cpp";
      CHECK(lines_in(read_bytes(folder.path("my-rule/my-rule" + suffix))) < 50);
      for (const std::string header : {"natgpu/policy.h", "natgpu/policy.hpp"})
        if (suffix == ".cpp" || header == "natgpu/policy.h")
          CHECK(read_bytes(folder.path("my-rule/" + header)) ==
                read_bytes(NATGPU_SOURCE_DIR "/include/" + header));
    }
}

TEST_CASE("a program on the path is called by its name in what a new policy prints") {
  const Folder folder;
  const Outcome made = shell(folder, "natgpu policy new my-rule");
  REQUIRE(made.code == 0);
  CHECK(commands_in(made.out) ==
        std::vector<std::string>{"make -C my-rule test",
                                 "natgpu replay my-rule/log.swf --policy my-rule/my-rule.so"});
}

TEST_CASE("the test of a new policy fails once its rule is broken") {
  struct Break {
    const char *level, *language, *file, *from, *to;
  };
  for (const Break& b : {Break{"1", "c", "mine/mine.c", "job->gpus", "-job->gpus"},
                         Break{"2", "c", "mine/mine.c", "head = -1", "head = 0"},
                         Break{"1", "c++", "mine/mine.cpp", "* job.gpus", "* -job.gpus"},
                         Break{"2", "c++", "mine/mine.cpp", "head = -1", "head = 0"}}) {
    INFO("level " << b.level << ", language " << b.language);
    const Folder folder;
    REQUIRE(natgpu_says({"policy", "new", "mine", "--level", b.level, "--lang", b.language}, folder.path(""))
                .code == 0);
    CHECK(shell(folder, "make -C mine test").code == 0);
    std::string source = read_bytes(folder.path(b.file));
    const std::size_t at = source.find(b.from);
    REQUIRE(at != std::string::npos);
    write_bytes(folder.path(b.file), source.replace(at, std::string(b.from).size(), b.to));
    CHECK(shell(folder, "make -C mine test").code != 0);
  }
}

TEST_CASE("a new policy's fcfs gives the jobs of fcfs on a log that it has not seen") {
  const Folder folder;
  REQUIRE(natgpu_says({"policy", "new", "mine", "--level", "2"}, folder.path("")).code == 0);
  const std::string log = NATGPU_SOURCE_DIR "/scenarios/data/replay-log.swf";
  const Outcome outcome = shell(folder, "make -C mine && natgpu replay '" + log +
                                            "' --policy mine/mine.so --jobs-csv a.csv && natgpu replay '" +
                                            log + "' --policy fcfs --jobs-csv b.csv && cmp a.csv b.csv");
  INFO(outcome.out);
  CHECK(outcome.code == 0);
}

TEST_CASE("a name that is none, or is taken, is refused and nothing is written") {
  const Folder folder;
  for (const char* name : {"", "Mine", "a/b", "../a", "a b", "1a", "-"}) {
    const Outcome outcome = natgpu_says({"policy", "new", "--", name}, folder.path(""));
    INFO(name << ": " << outcome.err);
    CHECK(outcome.code == 2);
  }
  write_bytes(folder.path("mine"), "");
  const Outcome outcome = natgpu_says({"policy", "new", "mine"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "mine is there already"));
  CHECK(folder.entries() == 1);
  CHECK(natgpu_says({"policy", "new"}, folder.path("")).code == 2);
  CHECK(natgpu_says({"policy", "new", "a", "b"}, folder.path("")).code == 2);
  CHECK(natgpu_says({"policy", "new", "a", "--level", "3"}, folder.path("")).code == 2);
  CHECK(natgpu_says({"policy", "new", "a", "--lang", "rust"}, folder.path("")).code == 2);
}
