// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/fragmentation.hpp>
#include <natgpu/scheduling/placement.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scheduling;

namespace {

Node node(std::int32_t cores, std::vector<std::int16_t> free_milli, std::int8_t type = 0) {
  Node n;
  n.cpu_milli = cores * 1000;
  n.memory_mib = 100'000;
  n.gpus = static_cast<std::int16_t>(free_milli.size());
  n.type = n.gpus > 0 ? type : std::int8_t{-1};
  for (std::size_t g = 0; g < free_milli.size(); ++g) n.free_milli[g] = free_milli[g];
  return n;
}
TaskShape share(std::int32_t milli, std::int32_t cores = 1) {
  return {cores * 1000, 1'000, 1, milli, 0};
}
TaskShape whole(std::int32_t gpus, std::int32_t cores = 1) {
  return {cores * 1000, 1'000, gpus, whole_gpu_milli, 0};
}
NodePlacer placer(Placement rule, std::vector<Node> nodes, std::vector<TaskShape> kinds) {
  TaskMix mix;
  for (const TaskShape& k : kinds) mix.kinds.push_back({k, 1});
  return {rule, std::move(nodes), std::move(mix), Stream(7)};
}

}  // namespace

TEST_CASE("a task fits where cores, memory, type and enough GPUs with room are on one node") {
  const Node n = node(4, {1000, 500, 1000});
  CHECK(n.fits(whole(2)));
  CHECK_FALSE(n.fits(whole(3)));
  CHECK(n.fits(share(500, 4)));
  CHECK_FALSE(n.fits(share(500, 5)));
  TaskShape pinned = whole(1);
  pinned.types = 0b10;
  CHECK_FALSE(n.fits(pinned));
  pinned.types = 0b11;
  CHECK(n.fits(pinned));
  CHECK_FALSE(node(4, {}).fits(share(1)));
  CHECK(node(4, {}).fits({4000, 1'000, 0, 0, 0}));
}

TEST_CASE("a share is taken from its GPU, whole GPUs from the idle ones of lowest number") {
  Node n = node(8, {700, 1000, 1000, 1000});
  n.take(share(300), 0);
  n.take(whole(2, 3), 0);
  CHECK(n.free_milli[0] == 400);
  CHECK(n.free_milli[1] == 0);
  CHECK(n.free_milli[2] == 0);
  CHECK(n.free_milli[3] == 1000);
  CHECK(n.cpu_milli == 4000);
}

TEST_CASE("what a task cannot use of a node is all where it cannot run, else the GPUs with too little left") {
  const Node n = node(4, {1000, 600, 200});
  CHECK(fragmented_milli(n, share(500)) == 200);
  CHECK(fragmented_milli(n, share(700)) == 800);
  CHECK(fragmented_milli(n, whole(1)) == 800);
  CHECK(fragmented_milli(n, whole(2)) == 1800);       // too few idle GPUs
  CHECK(fragmented_milli(n, share(100, 5)) == 1800);  // too few cores
  CHECK(fragmented_milli(n, TaskShape{1000, 0, 0, 0, 0}) == 1800);
  TaskMix mix;
  mix.kinds = {{share(500), 3}, {whole(2), 1}};
  CHECK(fragmented_milli(n, mix) == 3 * 200 + 1800);
}

TEST_CASE("best fit takes the node with least left, worst fit the one with most, first fit the first") {
  const std::vector<Node> nodes{node(8, {1000, 1000}), node(8, {1000, 100}), node(4, {1000})};
  CHECK(placer(Placement::first, nodes, {share(500)}).place(0, 0)->node == 0);
  CHECK(placer(Placement::worst, nodes, {share(500)}).place(0, 0)->node == 0);
  CHECK(placer(Placement::best, nodes, {share(500)}).place(0, 0)->node == 2);
}

TEST_CASE("on the node, best fit shares the GPU with least left and worst fit the one with most") {
  const std::vector<Node> nodes{node(8, {600, 1000, 500, 900})};
  CHECK(placer(Placement::best, nodes, {share(500)}).place(0, 0)->gpu == 2);
  CHECK(placer(Placement::worst, nodes, {share(500)}).place(0, 0)->gpu == 1);
  CHECK(placer(Placement::first, nodes, {share(500)}).place(0, 0)->gpu == 0);
}

TEST_CASE("fragmentation descent fills a broken GPU rather than breaking a whole one") {
  const std::vector<Node> nodes{node(64, {1000, 1000}), node(64, {500, 0})};
  NodePlacer fgd = placer(Placement::fgd, nodes, {share(500), whole(1)});
  const auto spot = fgd.place(0, 0);
  REQUIRE(spot);
  CHECK(spot->node == 1);
  CHECK(spot->gpu == 0);
  CHECK(fgd.fragmented_share() == 0);
}

TEST_CASE("a verdict on a node is worked out anew once the node has changed") {
  for (const PlacementRule& rule : placement_rules()) {
    CAPTURE(rule.name);
    NodePlacer p = placer(rule.placement, {node(64, {1000}), node(64, {1000})}, {share(600), share(400)});
    REQUIRE(p.place(0, 0));
    REQUIRE(p.place(0, 1));
    CHECK_FALSE(p.place(0, 2));
    REQUIRE(p.place(1, 3));
    REQUIRE(p.place(1, 4));
    CHECK_FALSE(p.place(1, 5));
    for (const Node& n : p.nodes()) CHECK(n.total_free_milli() == 0);
  }
}

TEST_CASE("random placement takes every node and GPU with room about equally often") {
  std::vector<int> taken(4);
  const int runs = 4'000;
  for (std::uint64_t n = 0; n < runs; ++n) {
    const auto spot = placer(Placement::random,
                             {node(8, {1000, 1000}), node(8, {1000, 1000}), node(8, {100, 0})}, {share(500)})
                          .place(0, n);
    REQUIRE(spot);
    REQUIRE(spot->node < 2);
    ++taken[spot->node * 2 + static_cast<std::size_t>(spot->gpu)];
  }
  // Binomial(4000, 1/4): a standard deviation of 27.
  for (const int t : taken) CHECK(std::abs(t - runs / 4) < 5 * 27);
}
