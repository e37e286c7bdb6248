// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/node_list.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "traces.hpp"

using namespace natgpu;
using natgpu::testing::Folder;
using natgpu::testing::write_bytes;
using workload::NodeList;

namespace {

NodeList read_text(const std::string& text) {
  const Folder folder;
  return workload::read_node_list(write_bytes(folder.path("nodes.csv"), text));
}

/// GPUs by type; "" stands for machines without a type.
std::map<std::string, int> gpus_by_type(const NodeList& list) {
  std::map<std::string, int> gpus;
  for (const workload::LogNode& n : list.nodes)
    gpus[n.gpu_type < 0 ? "" : std::string(list.gpu_types[static_cast<std::size_t>(n.gpu_type)])] += n.gpus;
  return gpus;
}

}  // namespace

TEST_CASE("a machine of openb has cores, memory, GPUs and a model") {
  const NodeList list =
      read_text("sn,cpu_milli,memory_mib,gpu,model\nn0,32000,262144,0,\nn1,96000,393216,8,G2\n");
  CHECK(list.format == "openb-nodes");
  REQUIRE(list.nodes.size() == 2);
  CHECK(list.names[1] == "n1");
  CHECK(list.nodes[0].gpus == 0);
  CHECK(list.nodes[0].gpu_type == -1);
  CHECK(list.nodes[1].cpu_milli == 96000);
  CHECK(list.nodes[1].memory_mib == 393216);
  CHECK(list.nodes[1].gpus == 8);
  CHECK(list.gpu_types[0] == "G2");
}

TEST_CASE("a machine of PAI counts cores and GB, and CPU is no GPU type") {
  const NodeList list =
      read_text("machine,gpu_type,cap_cpu,cap_mem,cap_gpu\na,CPU,96,512,0\nb,T4,64.0,128,2\n");
  CHECK(list.format == "pai-machines");
  REQUIRE(list.nodes.size() == 2);
  CHECK(list.nodes[0].gpu_type == -1);
  CHECK(list.nodes[1].cpu_milli == 64000);
  CHECK(list.nodes[1].memory_mib == 131072);
  CHECK(gpus_by_type(list) == std::map<std::string, int>{{"", 0}, {"T4", 2}});
}

TEST_CASE("a list of machines with a mistake is refused with its place, and a job log as a whole") {
  try {
    read_text("sn,cpu_milli,memory_mib,gpu,model\nn0,many,262144,0,\n");
    FAIL("accepted");
  } catch (const ScenarioError& e) {
    REQUIRE(e.diagnostics().size() == 1);
    CHECK(e.diagnostics()[0].code == "E0402");
    CHECK(e.diagnostics()[0].place.line == 2);
    CHECK(e.diagnostics()[0].place.column == 4);
  }
  try {
    read_text("timestamp,duration,num_gpus,gpu_time,cluster\n");
    FAIL("accepted");
  } catch (const ScenarioError& e) {
    CHECK(e.diagnostics()[0].code == "E0409");
  }
}

TEST_CASE("openb has 1,523 machines with 6,212 GPUs, PAI 1,897 with 6,742") {
  NATGPU_TRACE_OR_SKIP(openb, "openb_node_list_all_node.csv.gz");
  NATGPU_TRACE_OR_SKIP(pai, "pai_machine_spec.csv.gz");
  const NodeList first = workload::read_node_list(openb), second = workload::read_node_list(pai);
  CHECK(first.nodes.size() == 1523);
  int gpus = 0, without = 0;
  for (const workload::LogNode& n : first.nodes) {
    gpus += n.gpus;
    without += n.gpus == 0 ? 1 : 0;
  }
  CHECK(gpus == 6212);
  CHECK(without == 310);
  CHECK(second.nodes.size() == 1897);
  CHECK(gpus_by_type(second) ==
        std::map<std::string, int>{
            {"", 0}, {"MISC", 2240}, {"P100", 1596}, {"T4", 994}, {"V100", 832}, {"V100M32", 1080}});
}
