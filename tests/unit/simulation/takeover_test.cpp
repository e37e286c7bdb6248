// SPDX-License-Identifier: Apache-2.0
// Jobs of a scenario that lose their GPUs to others, by hand: when they run, what is lost, what is stalled.
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/preemptive.hpp>

#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::PoolAreas;
using simulation::Use;
using supply::Victim;

namespace {

/// A dispatcher that takes GPUs back, under what the scenario states.
template <class Dispatcher>
class Takeover : public ScriptUnder<Dispatcher> {
 public:
  Takeover(std::int64_t gpus, const std::string& scheduling)
      : ScriptUnder<Dispatcher>(gpus, scheduling,
                                [](const scheduling::Scheduling& s, const simulation::JobGroups& groups) {
                                  return Dispatcher(simulation::preemptive_rule(s), 1, groups.specs);
                                }) {}
};
using ByClass = Takeover<scheduling::ClassPreemption>;
using ByRank = Takeover<scheduling::PreemptiveDispatcher>;

/// Jobs of the class saved are spot jobs.
std::string spot(const std::string& more) {
  return "{order: fcfs, backfill: fit, preemption: {mode: spot-first, spot: [saved, slow]" + more + "}}";
}
/// Four GPUs for 6 h from the start; two for 1 h from the third hour on.
void spot_and_firm(ByClass& s, double firm_comes = 3, const char* job_class = "saved") {
  s.job(0, {4, 6, 20, -1, job_class});
  s.job(firm_comes, {2, 1});
}

}  // namespace

TEST_CASE("a spot job loses its GPUs to any other and goes on from its checkpoint") {
  ByClass s(4, spot(", shield: 0 s"));
  spot_and_firm(s);
  s.run(10);
  CHECK(s.ran(0) == "0-3 4-8");
  CHECK(s.ran(1) == "3-4");
  CHECK(s.time(Use::lost_preemption) == 4);
  CHECK(s.time(Use::useful) == 26);
  CHECK(s.area(&PoolAreas::idle) == 2 + 8);
  CHECK(s.counts().preemptions == 1);
  CHECK(s.counts().restarts == 0);
}

TEST_CASE("nobody takes the GPUs of a job within two hours of its start") {
  ByClass s(4, spot(""));
  spot_and_firm(s, 1);
  s.run(10);
  CHECK(s.ran(0) == "0-2 3-7");
  CHECK(s.ran(1) == "2-3");
  CHECK(s.time(Use::lost_preemption) == 0);
}

TEST_CASE("GPUs come free after the notice, in which they are stalled") {
  ByClass s(4, spot(", shield: 0 s, notice: 30 min"));
  spot_and_firm(s);
  s.run(10);
  CHECK(s.ran(0) == "0-3 3-3.5 4.5-8.5");  // at work until 3
  CHECK(s.ran(1) == "3.5-4.5");
  CHECK(s.time(Use::lost_preemption) == 4);
  CHECK(s.time(Use::stalled) == 2);
  CHECK(s.time(Use::useful) == 26);
}

TEST_CASE("a job that lost its GPUs pays the restart of its class") {
  ByClass s(4, spot(", shield: 0 s"));
  spot_and_firm(s, 3, "slow");
  s.run(10);
  CHECK(s.ran(0) == "0-3 4-9");
  CHECK(s.time(Use::stalled) == 4);
  CHECK(s.time(Use::useful) == 26);
}

TEST_CASE("a failure within the notice frees the GPUs at once") {
  ByClass s(4, spot(", shield: 0 s, notice: 30 min"));
  spot_and_firm(s);
  s.broken(3.25, 5, 4, 0, Victim::last_started);
  s.run(12);
  CHECK(s.ran(0) == "0-3 3-3.25 6-10");
  CHECK(s.ran(1) == "5-6");
  CHECK(s.time(Use::stalled) == 1);
  CHECK(s.time(Use::lost_preemption) == 4);
  CHECK(s.time(Use::lost_failure) == 0);
  CHECK(s.counts().restarts == 0);
}

TEST_CASE("GPUs under notice at the end of the run were stalled, and the job still runs") {
  ByClass s(4, spot(", shield: 0 s, notice: 30 min"));
  spot_and_firm(s);
  s.run(3.25);
  CHECK(s.time(Use::stalled) == 1);
  CHECK(s.time(Use::useful) == 8);
  CHECK(s.time(Use::lost_preemption) == 4);
  CHECK(s.counts().running == 1);
  CHECK(s.counts().queued == 1);
}

TEST_CASE("a higher class takes GPUs, a lower one waits") {
  ByClass s(4,
            "{order: priority, backfill: fit, classes: [plain, saved], "
            "preemption: {mode: by-class, shield: 0 s}}");
  spot_and_firm(s);
  s.job(3, {4, 1, -1, -1, "slow"});  // not named: the lowest
  s.run(12);
  CHECK(s.ran(0) == "0-3 4-8");
  CHECK(s.ran(1) == "3-4");
  CHECK(s.ran(2) == "8-9");
}

TEST_CASE("a shorter job takes the GPU of a longer one, at rounds where there are any") {
  for (const bool rounds : {false, true}) {
    ByRank s(
        1, std::string("{order: srtf, backfill: fit") + (rounds ? ", preemption: {rounds: 1 h}" : "") + "}");
    s.job(0, {1, 10, -1, -1, "saved"});
    s.job(3.25, {1, 1});
    s.run(20);
    CHECK(s.ran(0) == (rounds ? "0-4 5-11" : "0-3.25 4.25-12.25"));
    CHECK(s.ran(1) == (rounds ? "4-5" : "3.25-4.25"));
    CHECK(s.time(Use::lost_preemption) == (rounds ? 0 : 1.25));
  }
}

TEST_CASE("a service keeps its GPUs from everybody") {
  ByRank s(1, "{order: srtf, backfill: fit}");
  s.service(0, 20);
  s.job(1, {1, 1});
  s.run(24);
  CHECK(s.ran(1) == "20-21");
  CHECK(s.counts().preemptions == 0);
}

TEST_CASE("a job whose patience is over before it gets GPUs leaves a queue that takes GPUs back") {
  ByRank s(1, "{order: srtf, backfill: fit}");
  s.job(0, {1, 1});
  s.job(0, {1, 4, -1, 0.5});
  s.run(3);
  CHECK(s.ran(1).empty());
  CHECK(s.counts().gave_up == 1);
}
