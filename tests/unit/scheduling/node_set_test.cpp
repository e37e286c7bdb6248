// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/node_set.hpp>

#include "catch.hpp"

using namespace natgpu;

TEST_CASE("a set of nodes knows its k-th smallest and how many are below, as a sorted set does") {
  const Stream stream(3);
  scheduling::NodeSet nodes;
  std::set<std::uint32_t> sorted;
  for (std::uint64_t i = 0; i < 12'000; ++i) {
    const Block dice = stream.block(i, 0);
    const auto node = static_cast<std::uint32_t>(pick(5'000, dice.unit(0)));
    const bool grows = i / 2'000 % 2 == 0;  // beyond the sorted list and back
    if (sorted.count(node) == 0 && grows) {
      nodes.insert(node);
      sorted.insert(node);
    } else if (!grows && !sorted.empty()) {
      const auto gone = *sorted.begin();
      nodes.erase(gone);
      sorted.erase(gone);
    }
    REQUIRE(nodes.size() == sorted.size());
    if (sorted.empty()) continue;
    const std::size_t k = pick(sorted.size(), dice.unit(1));
    REQUIRE(nodes[k] == *std::next(sorted.begin(), static_cast<std::ptrdiff_t>(k)));
    REQUIRE(nodes.below(node) ==
            static_cast<std::size_t>(std::distance(sorted.begin(), sorted.lower_bound(node))));
  }
}
