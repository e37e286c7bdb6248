// SPDX-License-Identifier: Apache-2.0
// Blocks on machines in random scenarios: each GPU of each machine is at any time one's alone, and a block's
// GPUs are its own jobs'; and on machines of one GPU that do not fail the views agree in every number.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_scenario.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using simulation::JobKind;

namespace {

/// What runs of one scenario came to.
struct Inspection {
  std::string flaw;
  std::uint64_t instants = 0, blocks = 0, shrunk = 0, on_several = 0;
};

/// Looks at every GPU of every machine after each instant.
template <class Dispatcher>
class Inspected : public simulation::National<Dispatcher> {
 public:
  using simulation::National<Dispatcher>::National;

  bool keep_going(Instant now) {
    if (seen.flaw.empty()) {
      ++seen.instants;
      for (std::uint32_t p = 0; p < this->dispatch().pools() && seen.flaw.empty(); ++p) inspect(p);
    }
    return simulation::National<Dispatcher>::keep_going(now);
  }

  Inspection seen;

 private:
  struct Held {
    std::vector<std::int64_t> milli = std::vector<std::int64_t>(scheduling::most_gpus_per_node);
    std::int64_t cpu = 0, memory = 0;
  };

  void fail(const std::string& flaw) {
    if (seen.flaw.empty()) seen.flaw = flaw;
  }
  void inspect(std::uint32_t p) {
    auto& dispatch = this->dispatch();
    const auto& machines = dispatch.dispatcher();
    std::vector<Held> held(machines.pool(p).size());
    std::map<std::uint32_t, std::int64_t> units;  // of jobs inside
    std::int64_t allocated = 0, reserved = 0;
    for (std::uint32_t slot = 0; slot < dispatch.job_slots(); ++slot) {
      const simulation::Job& j = dispatch.job(slot);
      if (!j.in_use || j.state != simulation::JobState::running || j.pool != p) continue;
      if (j.kind != JobKind::project) allocated += j.parts;
      if (j.kind == JobKind::block_job) {
        units.try_emplace(slot, 0);
        continue;
      }
      for (const scheduling::Hold& h : machines.holds(slot)) {
        for (std::size_t g = 0; g < held[h.node].milli.size(); ++g)
          if ((h.gpus >> g & 1) != 0) held[h.node].milli[g] += h.gpu_milli;
        held[h.node].cpu += h.cpu_milli;
        held[h.node].memory += h.memory_mib;
      }
      if (j.kind == JobKind::project) reserved += dispatch.parts_per_gpu() * inspect_block(slot, units);
    }
    for (const auto& [slot, count] : units)
      if (count != dispatch.job(slot).gpus)
        fail(fmt::format("job {} inside has {} GPUs, of {}", dispatch.job(slot).id, count,
                         dispatch.job(slot).gpus));
    std::int64_t free = 0;
    for (std::uint32_t m = 0; m < held.size(); ++m) free += inspect_machine(p, m, held[m]);
    const simulation::PoolLevels& levels = dispatch.levels(p);
    if (levels.allocated.value() != allocated) fail("allocated is not what running jobs hold");
    if (levels.reserved.value() != reserved) fail("reserved is not what idles in blocks");
    if (levels.idle.value() * scheduling::whole_gpu_milli != free * dispatch.parts_per_gpu())
      fail("idle is not what machines have free");
  }
  /// @returns its idle GPUs
  std::int64_t inspect_block(std::uint32_t slot, std::map<std::uint32_t, std::int64_t>& units) {
    const simulation::Job& block = this->dispatch().job(slot);
    const auto& line = this->projects()->units_of(block.service).line();
    std::vector<scheduling::GpuPlace> places;
    std::int64_t idle = 0;
    for (const simulation::BlockUnits::Unit& u : line) {
      places.push_back(u.place);
      if (u.holder == simulation::no_index) {
        ++idle;
        continue;
      }
      const simulation::Job& j = this->dispatch().job(u.holder);
      if (!j.in_use || j.state != simulation::JobState::running || j.kind != JobKind::block_job ||
          j.service != block.service)
        fail("a GPU of a block is held by somebody else");
      ++units[u.holder];
    }
    if (places != this->dispatch().dispatcher().places_of(slot) || std::ssize(places) != block.gpus)
      fail("the GPUs of a block are not those that it holds");
    note(block, places);
    return idle;
  }
  /// @returns thousandths that are free
  std::int64_t inspect_machine(std::uint32_t p, std::uint32_t m, const Held& held) {
    const scheduling::Node& node = this->dispatch().dispatcher().pool(p).node(m);
    for (int g = 0; g < scheduling::most_gpus_per_node; ++g) {
      const auto at = static_cast<std::size_t>(g);
      const std::int64_t there = g < node.gpus ? scheduling::whole_gpu_milli : 0;
      if (node.free_milli[at] + held.milli[at] != there)
        fail(fmt::format("GPU {} of machine {} of pool {} has {} free and {} held", g, m, p,
                         node.free_milli[at], held.milli[at]));
    }
    if (node.cpu_milli < 0) return held.cpu == 0 && held.memory == 0 ? 0 : -1;  // it is away
    const std::pair whole{node.cpu_milli + held.cpu, node.memory_mib + held.memory};
    if (whole_.try_emplace(p, whole).first->second != whole) fail("cores or memory are not conserved");
    return node.total_free_milli();
  }
  void note(const simulation::Job& block, const std::vector<scheduling::GpuPlace>& places) {
    const auto [known, is_new] = sizes_.try_emplace(block.id, block.gpus);
    seen.blocks += is_new;
    seen.shrunk += known->second > block.gpus;
    known->second = block.gpus;
    seen.on_several += is_new && places.front().node != places.back().node;
  }

  std::map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> whole_;  ///< cores and memory, by pool
  std::map<std::uint64_t, std::int64_t> sizes_;                           ///< of blocks, by job
};

template <class Make>
Inspection inspect_under(const scenario::Scenario& scenario, Make&& make) {
  return run_model<Inspected>(
      scenario, static_cast<std::uint64_t>(scenario.seed), nullptr,
      [&](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return make(simulation::machine_settings(s, fleet, groups), Streams(1, 0).open("nodes", "placement"),
                    s);
      },
      [](auto& model, std::int64_t) { return model.seen; });
}
template <Backfill B>
Inspection inspect_with(const scenario::Scenario& scenario) {
  return inspect_under(scenario, [](const auto& settings, const Stream& chance, const auto&) {
    return scheduling::MachineDispatcher<B>(settings, chance);
  });
}
Inspection inspect(const scenario::Scenario& scenario) {
  switch (scenario.scheduling.backfill) {
    case Backfill::none:
      return inspect_with<Backfill::none>(scenario);
    case Backfill::fit:
      return inspect_with<Backfill::fit>(scenario);
    case Backfill::easy:
      return inspect_with<Backfill::easy>(scenario);
    case Backfill::easy_sjbf:
      return inspect_with<Backfill::easy_sjbf>(scenario);
    default:
      return inspect_under(scenario, [](const auto& settings, const Stream& chance, const auto& s) {
        return scheduling::ConservativeMachines(settings, chance, s.scheduling.reservations);
      });
  }
}

std::uint32_t bit(Feature f) {
  return 1U << static_cast<unsigned>(f);
}

/// All numbers of a run that do not tell of machines.
std::vector<std::tuple<std::string, std::string, double>> numbers(const std::string& yaml) {
  std::vector<std::tuple<std::string, std::string, double>> all;
  const auto record = simulation::simulate(scenario_of(yaml), {});
  for (const auto& m : record.measurements)
    if (m.metric.rfind("fragmentation.", 0) != 0 && m.metric != "jobs.spread.count")
      all.emplace_back(m.metric, measures::to_string(m.labels), m.value);
  return all;
}

}  // namespace

TEST_CASE("in random scenarios each GPU of each machine is one's alone, in a block its owner's") {
  Inspection all;
  int runs = 0;
  for (std::uint64_t seed = 1; runs < 120; ++seed) {
    Recipe recipe = recipe_of(seed);
    recipe.with |= bit(Feature::projects) | bit(Feature::machines);
    recipe.with &= ~(bit(Feature::ranks_anew) | bit(Feature::sharing) | bit(Feature::pass_per_event));
    const std::string yaml = yaml_of(recipe);
    if (yaml.find("view: node") == std::string::npos) continue;
    ++runs;
    const Inspection one = inspect(scenario_of(yaml));
    if (!one.flaw.empty()) FAIL("seed " << seed << ": " << one.flaw << "\n" << yaml);
    all.instants += one.instants;
    all.blocks += one.blocks;
    all.shrunk += one.shrunk;
    all.on_several += one.on_several;
  }
  CAPTURE(all.instants, all.blocks, all.shrunk, all.on_several);
  CHECK(all.instants > 20'000);
  CHECK(all.blocks > 200);
  CHECK(all.shrunk > 200);
  CHECK(all.on_several > 50);
}

TEST_CASE("on machines of one GPU that stay the views of a random scenario agree in every number") {
  double granted = 0, inside = 0, replicas = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Recipe recipe = recipe_of(seed);
    recipe.with |= bit(Feature::projects) | bit(Feature::services);
    for (const Feature f :
         {Feature::ranks_anew, Feature::sharing, Feature::machines, Feature::failures, Feature::maintenance,
          Feature::grid, Feature::retirement, Feature::second_device, Feature::second_site,
          Feature::shared_gpus, Feature::node_limits, Feature::pass_per_event})
      recipe.with &= ~bit(f);
    std::string yaml = yaml_of(recipe);
    const std::size_t per_node = yaml.find("per_node: ") + 10;
    yaml[per_node] = '1';
    yaml.resize(yaml.find("scheduling: {"));
    const char* const backfill = seed % 2 == 0 ? "none" : "fit";
    const auto in_view = [&](const char* view) {
      return numbers(yaml + fmt::format("scheduling: {{view: {}, backfill: {}}}\n", view, backfill));
    };
    const auto counted = in_view("pool"), machines = in_view("node");
    INFO("seed " << seed << "\n" << yaml);
    REQUIRE(counted.size() == machines.size());
    for (std::size_t i = 0; i < counted.size(); ++i) REQUIRE(machines[i] == counted[i]);
    for (const auto& [metric, labels, value] : counted) {
      if (labels != "period=all") continue;
      granted += metric == "projects.granted.count" ? value : 0;
      inside += metric == "jobs.finished.count" ? value : 0;
      replicas += metric == "services.entries.count" ? value : 0;
    }
  }
  CHECK(granted > 100);
  CHECK(inside > 1000);
  CHECK(replicas > 100);
}
