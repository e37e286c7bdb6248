// SPDX-License-Identifier: Apache-2.0
// Blocks on machines by hand, and against the pool view where both must agree.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "node_cases.hpp"
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using simulation::JobKind;
using simulation::PoolAreas;
using simulation::Use;

namespace {

const std::string classes =
    "  project:\n    - {name: kept, duration: 1 d, jobs: {mix: [{name: plain}]}}\n"
    "    - {name: open, duration: 1 d, jobs: {mix: [{name: plain}]}, overflow: true}\n"
    "    - {name: reclaimed, duration: 1 d, jobs: {mix: [{name: plain}]}, reclaim_after: 3 h}\n";
constexpr std::uint32_t reclaimed_class = 2;

// --- both views

/// The number of a machine's GPU among units by running jobs in start order, then idle, as the pool view
/// counts them. @pre first come, first served, on machines of one GPU
template <class Script>
std::int64_t unit_of(Script& s, std::uint32_t machine) {
  const auto& d = s.dispatch();
  std::vector<std::uint32_t> running;
  for (std::uint32_t slot = 0; slot < d.job_slots(); ++slot) {
    const simulation::Job& j = d.job(slot);
    if (j.in_use && j.state == simulation::JobState::running && j.kind != JobKind::block_job)
      running.push_back(slot);
  }
  std::sort(running.begin(), running.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(d.job(a).started, d.job(a).id) < std::pair(d.job(b).started, d.job(b).id);
  });
  std::int64_t unit = 0;
  for (const std::uint32_t slot : running) {
    std::int64_t place = 0;
    for (const scheduling::GpuPlace& p : d.places_of(slot)) {
      if (p.node == machine) return unit + (d.job(slot).kind == JobKind::project ? place : 0);
      ++place;
    }
    unit += d.job(slot).gpus;
  }
  return unit;
}

struct Tally {
  std::int64_t restarts = 0, left_over = 0, blocks = 0, inside = 0, replicas = 0, gave_up = 0;
};

template <Backfill B>
void compare_views(std::uint64_t seed, Tally& tally) {
  Dice dice(seed);
  const std::int64_t gpus = 4 + dice.below(9);
  const std::string placement = "placement: " + std::string(dice.below(2) == 0 ? "first" : "consolidated") +
                                (dice.below(2) == 0 ? ", locality: 1.5" : "");
  MachineScript<B> machines(gpus, 1, classes, placement);
  Script<B> counted(gpus, classes);
  const auto on_both = [&](auto&& act) {
    act(machines);
    act(counted);
  };
  std::size_t projects = 0;
  const char* const job_classes[] = {"plain", "saved", "slow"};
  for (int i = 0; i < 60; ++i) {
    const double at = in_hours(dice.below(5000)), length = in_hours(1 + dice.below(500));
    const double request = length * (0.75 + 0.25 * static_cast<double>(dice.below(4)));
    const double patience = dice.below(4) == 0 ? in_hours(dice.below(500)) : -1;
    const std::string job_class = job_classes[dice.below(3)];
    const auto size = static_cast<std::int32_t>(1 + dice.below(dice.below(3) == 0 ? gpus + 1 : 4));
    const std::int64_t kind = dice.below(12);
    if (kind < 2) {
      const auto project_class = static_cast<std::uint32_t>(dice.below(3));
      const double months = in_hours(400 + dice.below(3000));
      on_both([&](auto& s) { s.project(at / 2, {size + 1, months, patience, project_class}); });
      ++projects;
    } else if (kind < 3) {
      on_both([&](auto& s) { s.service(at, 4 * length + 3); });
    } else if (kind < 9 && projects > 0) {
      const auto block = static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(projects)));
      on_both([&](auto& s) { s.inside(at, block, {size, length, request, patience, job_class}); });
    } else {
      on_both([&](auto& s) { s.job(at, {size, length, request, patience, job_class}); });
    }
  }
  struct Outage {
    double from, until;
    std::uint32_t machine;
  };
  std::vector<Outage> outages;
  for (std::uint32_t m = 0; m < 3; ++m) {
    const std::int64_t from = 10 + dice.below(4000);
    outages.push_back({in_hours(from), in_hours(from + 1 + dice.below(900)), m});
    machines.machine_broken(outages.back().from, outages.back().until, m);
  }
  std::map<std::uint32_t, double> fraction;  // where the pool view is to break a unit
  machines.before_break([&](std::uint32_t m) {
    const auto up = static_cast<double>(machines.dispatch().dispatcher().capacity(0));
    fraction[m] = (static_cast<double>(unit_of(machines, m)) + 0.5) / up;
  });
  machines.run(200);
  for (const Outage& o : outages)
    counted.broken(o.from, o.until, 1, fraction.at(o.machine), supply::Victim::uniform);
  counted.run(200);

  CAPTURE(seed, gpus, placement);
  REQUIRE(machines.jobs().size() == counted.jobs().size());
  for (std::size_t i = 0; i < counted.jobs().size(); ++i) {
    CAPTURE(i);
    REQUIRE(machines.jobs()[i].kind == counted.jobs()[i].kind);
    REQUIRE(machines.ran(i) == counted.ran(i));
    REQUIRE(machines.jobs()[i].gone == counted.jobs()[i].gone);
    tally.blocks += counted.jobs()[i].kind == JobKind::project && !counted.ran(i).empty();
    tally.inside += counted.jobs()[i].kind == JobKind::block_job && !counted.ran(i).empty();
  }
  const simulation::JobCounts &a = machines.counts(), &b = counted.counts();
  for (const auto what :
       {&simulation::JobCounts::submitted, &simulation::JobCounts::finished, &simulation::JobCounts::killed,
        &simulation::JobCounts::rejected, &simulation::JobCounts::gave_up, &simulation::JobCounts::left_over,
        &simulation::JobCounts::running, &simulation::JobCounts::queued, &simulation::JobCounts::restarts,
        &simulation::JobCounts::spread, &simulation::JobCounts::censored})
    CHECK(a.*what == b.*what);
  CHECK(a.waited == b.waited);
  CHECK(a.turnaround == b.turnaround);
  for (const auto area : {&PoolAreas::in_service, &PoolAreas::down, &PoolAreas::idle, &PoolAreas::reserved,
                          &PoolAreas::allocated})
    CHECK(machines.area(area) == counted.area(area));
  for (const Use use : {Use::useful, Use::stalled, Use::lost_failure, Use::lost_limit, Use::unfinished})
    CHECK(machines.time(use) == counted.time(use));
  CHECK(machines.replicas().started == counted.replicas().started);
  CHECK(machines.unserved() == counted.unserved());
  tally.restarts += static_cast<std::int64_t>(b.restarts);
  tally.left_over += static_cast<std::int64_t>(b.left_over);
  tally.gave_up += static_cast<std::int64_t>(b.gave_up);
  tally.replicas += static_cast<std::int64_t>(counted.replicas().started);
}

}  // namespace

TEST_CASE("on machines of one GPU blocks, services and jobs fare as in the pool view, whatever fails") {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    compare_views<Backfill::none>(seed, tally);
    compare_views<Backfill::fit>(seed + 1000, tally);
  }
  CHECK(tally.blocks > 1000);
  CHECK(tally.inside > 1000);
  CHECK(tally.restarts > 300);
  CHECK(tally.left_over > 300);
  CHECK(tally.gave_up > 300);
  CHECK(tally.replicas > 300);
}

TEST_CASE("a block is a gang on machines, and gives back the very GPUs that it loses or does not use") {
  MachineScript<> s(3, 4, classes);
  s.job(0, {2, 5});                                                      // on machine 0
  const std::size_t block = s.project(0, {6, 24, -1, reclaimed_class});  // 1, and half of 0: a rest of two
  s.inside(1, block, {4, 8});                                            // on 1; the two on 0 return at 3
  s.job(1, {2, 1});                                                      // on 2
  s.job(2, {4, 1});                                                      // waits for a whole machine until 2
  s.job(4, {4, 1});                                                      // on 2
  s.job(4, {2, 1});                                                      // on 0, on what came back
  s.machine_broken(6, 7, 1);                                             // the block has nothing left
  s.run(60);
  CHECK(s.ran(0) == "0-5");
  CHECK(s.ran(1) == "0-6");
  CHECK(s.ran(2) == "1-6");
  CHECK(s.ran(3) == "1-2");
  CHECK(s.ran(4) == "2-3");
  CHECK(s.ran(5) == "4-5");
  CHECK(s.ran(6) == "4-5");
  CHECK(s.counts().left_over == 1);
  CHECK(s.time(Use::lost_failure) == 4 * 5);
  CHECK(s.area(&PoolAreas::reserved) == 6 * 1 + 2 * 2);
}

TEST_CASE("a machine that fails takes what a block has on it, and only jobs with a GPU there stop") {
  MachineScript<> s(2, 4, classes);
  const std::size_t block = s.project(0, {8, 24});
  s.inside(1, block, {3, 9, -1, -1, "slow"});  // on machine 0
  s.inside(1, block, {4, 9, -1, -1, "slow"});  // on 1, which alone has four idle
  s.inside(1, block, {2, 1});                  // waits: the one idle GPU is on 0
  s.machine_broken(6, 8, 1);                   // the four of 1: 4 h are saved, 1 h is lost
  s.run(60);
  CHECK(s.ran(0) == "0-24");
  CHECK(s.ran(1) == "1-10");
  CHECK(s.ran(2) == "1-6 10-16");  // an hour to restart and five of work, on machine 0
  CHECK(s.ran(3) == "16-17");
  CHECK(s.time(Use::lost_failure) == 4 * 1);
  CHECK(s.area(&PoolAreas::down) == 4 * 2);
}

TEST_CASE("a gang that no machine of its block could hold stands aside, or is spread where it may be") {
  for (const bool may_spread : {false, true}) {
    MachineScript<> s(2, 4, classes, may_spread ? "placement: first, locality: 1.5" : "placement: first");
    const std::size_t block = s.project(0, {8, 24, -1, reclaimed_class});
    s.inside(1, block, {3, 10});  // on machine 0
    s.inside(1, block, {3, 10});  // on 1; at 3 one GPU of each returns
    s.inside(12, block, {4, 2});
    s.inside(12, block, {3, 1});
    s.run(60);
    CAPTURE(may_spread);
    // At 14 what has been idle since 11 returns: of machine 1 two, or all three where nobody is spread.
    CHECK(s.ran(0) == (may_spread ? "0-19" : "0-16"));
    CHECK(s.ran(3) == (may_spread ? "12-15" : ""));
    CHECK(s.ran(4) == (may_spread ? "15-16" : "12-13"));
    CHECK(s.counts().left_over == (may_spread ? 0 : 1));
  }
}

TEST_CASE("a gang inside that finds its GPUs on more machines than it needs takes longer by `locality`") {
  for (const bool may_spread : {false, true}) {
    MachineScript<> s(2, 4, classes, may_spread ? "placement: first, locality: 1.5" : "placement: first");
    const std::size_t block = s.project(0, {8, 24});
    s.inside(1, block, {3, 10});  // on machine 0
    s.inside(1, block, {3, 8});   // on 1
    s.inside(2, block, {2, 4});   // one on each
    s.run(60);
    CHECK(s.ran(1) == "1-11");
    CHECK(s.ran(2) == "1-9");
    CHECK(s.ran(3) == (may_spread ? "2-8" : "9-13"));
    CHECK(s.counts().spread == (may_spread ? 1 : 0));
  }
}

TEST_CASE("a block takes the machines that the rule of placement finds, and what is left is the others'") {
  MachineScript<Backfill::fit> s(3, 4, classes);
  s.job(0, {1, 50});
  s.project(1, {5, 24});  // the whole of machine 1, and one of 0
  s.job(2, {4, 1});       // 2
  s.job(2, {3, 1});       // no machine has three
  s.job(2, {2, 1});       // 0
  s.run(60);
  CHECK(s.ran(1) == "1-25");
  CHECK(s.ran(2) == "2-3");
  CHECK(s.ran(3) == "3-4");
  CHECK(s.ran(4) == "2-3");
}

TEST_CASE("a block that is spread over more machines lasts no longer, and its jobs have what they need") {
  MachineScript<> s(2, 4, classes, "placement: first, locality: 1.5");
  s.job(0, {2, 3});
  s.job(0, {2, 30});
  s.job(0, {2, 30});                                // on machine 1
  const std::size_t block = s.project(4, {4, 12});  // two of each
  s.inside(5, block, {4, 2});
  s.inside(8, block, {2, 4});
  s.run(60);
  CHECK(s.ran(3) == "4-16");
  CHECK(s.ran(4) == "5-8");  // half as long again
  CHECK(s.ran(5) == "8-12");
}

TEST_CASE("beside each GPU a block holds the most cores and memory that a class of its jobs asks for") {
  const scenario::Scenario s = scenario_of(
      "schema: natgpu/1\nname: cores\nhorizon: {start: 2026-01-01, end: 2026-01-11}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 4, node_cores: 16, node_memory: 100 GB}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 8 GPU, in_service: 2026-01-01}]\n"
      "demand:\n  sectors: [{name: users, organisations: 1}]\n"
      "  batch:\n    - {name: wide, cores_per_gpu: 8, memory_per_gpu: 2 GB}\n"
      "    - {name: large, cores_per_gpu: 2, memory_per_gpu: 40 GB}\n"
      "    - {name: other, cores_per_gpu: 16, memory_per_gpu: 90 GB}\n"
      "  project: [{name: block, duration: 1 d, jobs: {mix: [{name: wide}, {name: large}]}}]\n"
      "scheduling: {view: node}\n");
  const simulation::JobGroups groups =
      simulation::make_job_groups(s, supply::Fleet(s.hardware, s.supply), nullptr);
  const auto need_of = [&](std::size_t job_class) {
    return groups.needs[groups.specs[groups.of_class[job_class]].need];
  };
  CHECK(need_of(3).cpu_milli == 8000);
  CHECK(need_of(3).memory_mib == need_of(1).memory_mib);
  CHECK(need_of(3).gpu_milli == scheduling::whole_gpu_milli);
  CHECK(groups.ever_fits(groups.of_class[3], 4));  // two of each machine, by cores and by memory
  CHECK_FALSE(groups.ever_fits(groups.of_class[3], 5));
  CHECK(groups.fewest_machines(groups.of_class[3], 0, 4) == 2);
}
