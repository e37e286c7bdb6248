// SPDX-License-Identifier: Apache-2.0
// How long broken nodes wait for a crew, as the supply process books it, against the queue worked out by hand
// from when they broke.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include <natgpu/engine/run_loop.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/simulation/supply_process.hpp"
#include "catch.hpp"
#include "scenario_text.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// Eight nodes of one GPU that break every 20 h each; a repair takes four.
std::string yaml(int crews) {
  return fmt::format(
      "schema: natgpu/1\nname: repairs\nhorizon: {{start: 2026-01-01, end: 2026-03-01}}\n"
      "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: 1}}]\n"
      "supply:\n  sites: [{{name: room}}]\n"
      "  tranches: [{{name: all, site: room, device: gpu, units: 8 GPU, in_service: 2026-01-01}}]\n"
      "  failures: {{crews: {}, causes: [{{name: any, mtbf: 20 h, repair: 4 h}}]}}\n"
      "demand:\n  sectors: [{{name: users, organisations: 0}}]\n",
      crews);
}

/// All that the supply process asks of those who book capacity: GPUs that nobody wants.
class IdleNodes {
 public:
  static constexpr supply::AnnouncedBy grain = supply::AnnouncedBy::pool;

  explicit IdleNodes(const simulation::World& world) : world_(world) {}
  void node_comes(const simulation::SupplyNode&) {}
  void node_leaves(const simulation::SupplyNode&, std::int64_t) {}
  std::int64_t node_breaks(const simulation::SupplyNode& n, double, supply::Victim) {
    broke.push_back(world_.now);
    return n.units;
  }
  void node_repaired(const simulation::SupplyNode&, std::int64_t) {}
  void announce(const supply::AnnouncedChange&) {}
  void announcement_lapses(const supply::AnnouncedChange&) {}
  std::size_t windows() const { return 0; }
  supply::MaintenanceWindow window(std::size_t) const { return {}; }
  void fleet_changed(std::uint32_t) {}
  void window_begins(std::size_t) {}
  void window_ends(std::size_t) {}
  std::vector<std::int64_t> broke;  ///< ticks, in order

 private:
  const simulation::World& world_;
};

/// The supply process alone under the engine.
class Nodes {
 public:
  using Payload = simulation::Payload;

  explicit Nodes(const scenario::Scenario& scenario)
      : world_(scenario),
        streams_(1, 0),
        fleet_(scenario.hardware, scenario.supply),
        nodes_(world_),
        supply_(world_, nodes_, fleet_, streams_) {
    supply_.begin();
    engine::RunLoop<Nodes> loop(*this, {});
    loop.run(world_.end);
  }
  simulation::RepairCounts repairs() { return supply_.books().repairs.at(0); }
  const std::vector<std::int64_t>& broke() const { return nodes_.broke; }
  std::int64_t end() const { return simulation::ticks(world_.end); }

  // --- what the engine asks of a model

  simulation::Events& events() { return world_.events; }
  Instant next_arrival() const { return never; }
  engine::Rank arrive(Instant) { return {}; }
  void decide(Instant) {}
  bool keep_going(Instant now) {
    world_.now = simulation::ticks(now);
    return true;
  }
  void handle(const engine::Event<Payload>& e) {
    if (e.phase() == engine::Phase::release) return supply_.strike(e.payload.subject, e.payload.detail);
    if (e.kind() == simulation::kind::repair) return supply_.repaired(e.payload.subject, e.payload.detail);
    if (e.kind() == simulation::kind::supply_event) supply_.supply_event(e.payload.subject);
  }

 private:
  simulation::World world_;
  Streams streams_;
  supply::Fleet fleet_;
  IdleNodes nodes_;
  simulation::SupplyProcess<IdleNodes> supply_;
};

/// One crew, four hours each, first come, first served.
simulation::RepairCounts by_hand(const std::vector<std::int64_t>& broke, std::int64_t end) {
  simulation::RepairCounts all;
  std::int64_t free = 0;
  for (const std::int64_t at : broke) {
    const std::int64_t begin = std::max(at, free);
    if (begin >= end) break;
    ++all.begun;
    all.waited += begin - at;
    free = begin + Duration(std::chrono::hours(4)).count();
  }
  return all;
}

}  // namespace

TEST_CASE("with one crew broken nodes wait until those before them are repaired") {
  Nodes nodes(scenario_of(yaml(1)));
  const simulation::RepairCounts expected = by_hand(nodes.broke(), nodes.end());
  REQUIRE(expected.begun > 100);
  CHECK(expected.begun < nodes.broke().size());  // some still wait at the horizon
  CHECK(nodes.repairs().begun == expected.begun);
  CHECK(nodes.repairs().waited == expected.waited);
  CHECK(expected.waited > 0);
}

TEST_CASE("the mean wait for a crew is that of the books, and none where crews are as many as needed") {
  const auto record = simulation::simulate(scenario_of(yaml(1)), {});
  simulation::RepairCounts expected = Nodes(scenario_of(yaml(1))).repairs();
  const double seconds = static_cast<double>(expected.waited) / 1e6 / static_cast<double>(expected.begun);
  CHECK(value_of(record, "repairs.wait.mean", "period=all") == Approx(seconds));
  CHECK(value_of(record, "repairs.wait.mean", "period=2026") == Approx(seconds));
  CHECK(value_of(simulation::simulate(scenario_of(yaml(0)), {}), "repairs.wait.mean", "period=all") == 0);
}
