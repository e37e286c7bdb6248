// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/node_outages.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;
using workload::NodeOutage;

namespace {

workload::NodeList machines() {
  workload::NodeList list = workload::equal_nodes("3x8").value();
  for (const char* name : {"a", "b", "0"}) list.names.add(name);
  return list;
}
std::vector<NodeOutage> read_text(const std::string& text) {
  const Folder folder;
  return workload::read_node_outages(write_bytes(folder.path("out.csv"), text), machines());
}
/// "2:1 E0412" for each mistake.
std::string mistakes_in(const std::string& text) {
  std::string all;
  try {
    read_text(text);
  } catch (const ScenarioError& e) {
    for (const Diagnostic& d : e.diagnostics())
      all += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.code + " ";
  }
  return all;
}

}  // namespace

TEST_CASE("an outage names a machine, by its name or else its number from 0, and two seconds") {
  CHECK(read_text("node,from,until\nb,0,5\n1, 7 ,9\n0,3,4\n") ==
        std::vector<NodeOutage>{{1, 0, 5}, {1, 7, 9}, {2, 3, 4}});
  CHECK(read_text("node,from,until\n").empty());
}

TEST_CASE("an outage may be announced, by the second from which it is known") {
  const std::vector<NodeOutage> outages =
      read_text("node,from,until,announced\nb,10,15,0\n1,7,9,\n2,3,4, 2 \n");
  REQUIRE(outages.size() == 3);
  CHECK(outages[0] == NodeOutage{1, 10, 15, 0});
  CHECK(outages[1] == NodeOutage{1, 7, 9});
  CHECK(outages[2] == NodeOutage{2, 3, 4, 2});
  CHECK(outages[0].is_announced());
  CHECK_FALSE(outages[1].is_announced());
  CHECK(mistakes_in("node,from,until,known\n") == "1:1 E0409 ");
  CHECK(mistakes_in("node,from,until,announced\na,5,9,5\na,5,9,x\na,5,9\na,5,4,1\na,5,9,-1\n") ==
        "2:7 E0405 3:7 E0402 4:6 E0403 5:5 E0405 6:7 E0405 ");
}

TEST_CASE("outages with mistakes are refused, each with its place") {
  CHECK(mistakes_in("machine,from,until\n") == "1:1 E0409 ");
  CHECK(mistakes_in("") == "1:1 E0409 ");
  CHECK(mistakes_in("node,from,until\nc,0,5\n3,0,5\na,0\na,x,5\na,-1,5\na,1.5,3\na,5,5\n") ==
        "2:1 E0412 3:1 E0412 4:4 E0403 5:3 E0402 6:3 E0405 7:3 E0402 8:5 E0405 ");
}

TEST_CASE("so many machines of so many GPUs are read, and what is no cluster is refused") {
  const workload::NodeList list = workload::equal_nodes("813x8").value();
  CHECK(list.nodes.size() == 813);
  CHECK(list.nodes[812].gpus == 8);
  CHECK_FALSE(list.states_cores);
  CHECK(list.name_of(812) == "812");
  CHECK_FALSE(workload::equal_nodes("nodes.csv").has_value());
  CHECK_FALSE(workload::equal_nodes("8x8.csv").has_value());
  CHECK_FALSE(workload::equal_nodes("x8").has_value());
  for (const char* wrong : {"0x8", "8x0", "8x17", "99999999999999999999x8"})
    CHECK_THROWS_AS(workload::equal_nodes(wrong), ScenarioError);
}
