// SPDX-License-Identifier: Apache-2.0
// When machines leave, by hand.
#include "../../../src/simulation/departures.hpp"

#include "catch.hpp"

using namespace natgpu;
using simulation::CapacityStep;
using simulation::stays;
using simulation::SupplyNode;

namespace {

/// Five nodes of 8 in one tranche, and one of 4 behind them in another.
std::vector<SupplyNode> six_nodes() {
  std::vector<SupplyNode> nodes;
  for (std::uint32_t i = 0; i < 5; ++i) nodes.push_back({0, i, 0, 8});
  nodes.push_back({1, 0, 0, 4});
  return nodes;
}

}  // namespace

TEST_CASE("a window takes whole nodes from the end, and a later larger one those before them") {
  const std::vector<SupplyNode> nodes = six_nodes();
  CHECK(simulation::leave_with({{100, 12}}, nodes) ==
        std::vector<std::int64_t>{stays, stays, stays, stays, 100, 100});
  CHECK(simulation::leave_with({{100, 11}}, nodes) ==
        std::vector<std::int64_t>{stays, stays, stays, stays, stays, 100});
  CHECK(simulation::leave_with({{100, 12}, {200, 28}}, nodes) ==
        std::vector<std::int64_t>{stays, stays, 200, 200, 100, 100});
  CHECK(simulation::leave_with({}, nodes) == std::vector<std::int64_t>(6, stays));
}

TEST_CASE("announced losses take a tranche's nodes from the end, unless gains come before them") {
  const std::vector<SupplyNode> nodes = six_nodes();
  const auto leave = [&](const std::vector<CapacityStep>& steps) {
    std::vector<std::int64_t> at(6, stays);
    simulation::leave_with_tranche(steps, nodes, 0, 5, at);
    return at;
  };
  CHECK(leave({{50, -16}}) == std::vector<std::int64_t>{stays, stays, stays, 50, 50, stays});
  CHECK(leave({{90, -24}, {50, -16}}) == std::vector<std::int64_t>{90, 90, 90, 50, 50, stays});
  CHECK(leave({{50, -16}, {40, 16}}) == std::vector<std::int64_t>(6, stays));
  CHECK(leave({{50, -16}, {50, 8}}) == std::vector<std::int64_t>{stays, stays, stays, stays, 50, stays});
  CHECK(leave({{50, -4}}) == std::vector<std::int64_t>{stays, stays, stays, stays, 50, stays});
  std::vector<std::int64_t> at = {10, stays, stays, stays, stays, stays};
  simulation::leave_with_tranche({{50, -40}}, nodes, 0, 5, at);
  CHECK(at == std::vector<std::int64_t>{10, 50, 50, 50, 50, stays});
}

TEST_CASE("the instants that come first are told apart, the others taken for the earliest of them") {
  const auto levels = simulation::levels_of({stays, 10, 40, 20, 30, 20});
  CHECK(levels.leave_at == scheduling::Departures{30, 20, 10});
  CHECK(levels.of == std::vector<std::uint8_t>{0, 3, 1, 2, 1, 2});
  const auto one = simulation::levels_of({70, stays});
  CHECK(one.leave_at == scheduling::Departures{stays, stays, 70});
  CHECK(one.of == std::vector<std::uint8_t>{3, 0});
}
