// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/share_list.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::workload;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;

namespace {

constexpr AccountLevels both{true, true}, users{false, true}, groups{true, false};

/// "line:column code message" of each mistake.
std::vector<std::string> mistakes(const std::string& text, const AccountLevels& levels) {
  const Folder folder;
  std::vector<std::string> all;
  try {
    read_share_list(write_bytes(folder.path("shares.csv"), text), levels);
  } catch (const ScenarioError& e) {
    for (const Diagnostic& d : e.diagnostics())
      all.push_back(std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.code + " " +
                    d.message);
  }
  return all;
}

}  // namespace

TEST_CASE("shares of groups and of their users are read, columns in any order") {
  const Folder folder;
  const ShareList list = read_share_list(
      write_bytes(folder.path("shares.csv"), "share,group,user\n60,science,\n2,science,ana\n"), both);
  CHECK(list.rows == std::vector<ShareRow>{{"science", "", 60}, {"science", "ana", 2}});
  const ShareList flat =
      read_share_list(write_bytes(folder.path("u.csv"), "user,share\n\"7\", 0.5\n"), users);
  CHECK(flat.rows == std::vector<ShareRow>{{"", "7", 0.5}});
}

TEST_CASE("a mistake in a list of shares has its line, its column and what is wrong") {
  CHECK(mistakes("", users) == std::vector<std::string>{"1:1 E0420 an empty list of shares"});
  CHECK(mistakes("user,shares\n", users).at(0) == "1:6 E0420 not a column of a list of shares");
  CHECK(mistakes("user,group,share\n", users) ==
        std::vector<std::string>{"1:6 E0420 the log's accounts have no groups"});
  CHECK(mistakes("user,share\n", both).at(0).find("E0420 a list of shares needs the column `group`") !=
        std::string::npos);
  CHECK(mistakes("user,share\na,0\nb,x\nc,-1\nd,1e300\n,2\na,1\na,3\n", users) ==
        std::vector<std::string>{"2:3 E0420 no share", "3:3 E0420 no share", "4:3 E0420 no share",
                                 "5:3 E0420 no share", "6:1 E0420 no user",
                                 "8:1 E0420 an account stated twice"});
  CHECK(mistakes("group,share\nx,1,2\n", groups).at(0).find("E0403 3 fields where the first line has 2") != std::string::npos);
  CHECK(mistakes("group,user,share\n,ana,2\n", both) == std::vector<std::string>{"2:1 E0420 no group"});
}

TEST_CASE("a log's accounts are its users under its groups, as far as it names them") {
  JobLog log;
  log.jobs.push_back({1, 0, 1, 1, 1});
  CHECK_FALSE(levels_of(log, false).any());
  log.jobs[0].user = 3;
  CHECK((levels_of(log, false).users && !levels_of(log, false).groups));
  log.jobs[0].group = 0;
  CHECK((levels_of(log, false).users && levels_of(log, false).groups));
  CHECK((!levels_of(log, true).users && levels_of(log, true).groups));
}
