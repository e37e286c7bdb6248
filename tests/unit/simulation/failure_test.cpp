// SPDX-License-Identifier: Apache-2.0
// Losses of capacity by hand: who is hit, what is lost, where and when the victim goes on (ORACLES.md S9 and
// around).
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::PoolAreas;
using simulation::Use;
using supply::Victim;

namespace {

/// Two jobs of 4 GPUs and 6 h on 8 GPUs, of which 4 are away from 3 to 8 h. Not movable, hence by reference.
void two_jobs(Script<>& s, const char* job_class) {
  for (int i = 0; i < 2; ++i) s.job(0, {4, 6, 7, -1, job_class});
}
double nominal(const Script<>& s) {
  return s.time(Use::useful) + s.lost() + s.time(Use::stalled) + s.area(&PoolAreas::idle) +
         s.area(&PoolAreas::down);
}

}  // namespace

TEST_CASE("the job that started last loses its GPUs, keeps its place and starts again from scratch") {
  Script<> s(8);
  two_jobs(s, "plain");
  s.broken(3, 8, 4, 0, Victim::last_started);
  s.run(12);
  CHECK(s.ran(0) == "0-6");
  CHECK(s.ran(1) == "0-3 6-12");
  CHECK(s.time(Use::useful) == 24);  // the run stops before it sees the second one end at 12
  CHECK(s.time(Use::lost_failure) == 12);
  CHECK(s.time(Use::unfinished) == 24);
  CHECK(s.area(&PoolAreas::idle) == 16);
  CHECK(s.area(&PoolAreas::down) == 20);
  CHECK(s.counts().restarts == 1);
}

TEST_CASE("an unannounced loss of half the pool costs twelve GPU-hours without checkpoints and four with") {
  Script<> scratch(8), saved(8);
  two_jobs(scratch, "plain");
  two_jobs(saved, "saved");
  for (Script<>* s : {&scratch, &saved}) {
    s->broken(3, 8, 4, 0, Victim::last_started);
    s->run(13);
    CHECK(s->counts().finished == 2);
    CHECK(s->time(Use::useful) == 48);
    CHECK(s->area(&PoolAreas::down) == 20);
    CHECK(nominal(*s) == 8 * 13);
  }
  CHECK(scratch.ran(1) == "0-3 6-12");
  CHECK(scratch.time(Use::lost_failure) == 12);
  CHECK(saved.ran(1) == "0-3 6-10");
  CHECK(saved.time(Use::lost_failure) == 4);
}

TEST_CASE("units that leave service take idle ones first, then the job that started last") {
  Script<> s(8);
  s.job(0, {2, 9});
  s.job(1, {4, 6});
  s.leave(2, 2);  // the two idle ones
  s.leave(3, 1);
  s.come(5, 3);
  s.run(20);
  CHECK(s.ran(0) == "0-9");
  CHECK(s.ran(1) == "1-3 5-11");
  CHECK(s.area(&PoolAreas::down) == 0);
  CHECK(s.area(&PoolAreas::in_service) == 8 * 20 - 2 * 3 - 1 * 2);
}

TEST_CASE("a uniform failure hits whoever holds its units, numbered by start and then idle") {
  struct Case {
    double fraction;
    std::string first, second;
  };
  // Units 0-2 and 3-5 are held, 6 and 7 idle; two units in a row break: 0 is the lowest of seven places.
  const Case cases[] = {{0.0, "0-1 1-5", "0-4"},
                        {2.5 / 7, "0-1 1-5", "0-1 1-5"},
                        {3.5 / 7, "0-4", "0-1 1-5"},
                        {6.5 / 7, "0-4", "0-4"}};
  for (const Case& c : cases) {
    INFO(c.fraction);
    Script<> s(8);
    s.job(0, {3, 4});
    s.job(0, {3, 4});
    s.broken(1, 4, 2, c.fraction, Victim::uniform);
    s.run(10);
    CHECK(s.ran(0) == c.first);
    CHECK(s.ran(1) == c.second);
    CHECK(s.area(&PoolAreas::down) == 6);
  }
}

TEST_CASE("a job due at the instant of a failure is finished, not failed") {
  Script<> s(4);
  s.job(0, {4, 3});
  s.broken(3, 5, 4, 0, Victim::uniform);
  s.run(9);
  CHECK(s.ran(0) == "0-3");
  CHECK(s.counts().finished == 1);
  CHECK(s.counts().restarts == 0);
}

TEST_CASE("GPUs repaired at an instant serve the pass of that instant") {
  Script<> s(2);
  s.job(0, {2, 3});
  s.broken(1, 2, 1, 0, Victim::uniform);
  s.job(2, {1, 5});  // comes as the unit is back; the victim stands before it
  s.run(12);
  CHECK(s.ran(0) == "0-1 2-5");
  CHECK(s.ran(1) == "5-10");
}

TEST_CASE("a victim keeps its place before jobs that came later") {
  Script<> s(4);
  s.job(0, {4, 4});
  s.job(1, {4, 2});
  s.broken(3, 5, 4, 0, Victim::uniform);
  s.run(20);
  CHECK(s.ran(0) == "0-3 5-9");
  CHECK(s.ran(1) == "9-11");
}

TEST_CASE("a restart costs its time, which is stalled, and extends the limit by itself") {
  Script<> s(4);
  s.job(0, {4, 6, 6, -1, "slow"});  // asks for no more than it needs
  s.broken(3, 4, 4, 0, Victim::uniform);
  s.run(20);
  CHECK(s.ran(0) == "0-3 4-9");  // an hour to restart, then the four hours that are left
  CHECK(s.counts().finished == 1);
  CHECK(s.counts().killed == 0);
  CHECK(s.time(Use::stalled) == 4);
  CHECK(s.time(Use::useful) == 24);
  CHECK(s.time(Use::lost_failure) == 4);
}

TEST_CASE("a second failure before the next checkpoint loses only what came since the last") {
  Script<> s(1);
  s.job(0, {1, 6, 6, -1, "saved"});
  s.broken(3, 4, 1, 0, Victim::uniform);    // behind it 2 h
  s.broken(5.5, 6, 1, 0, Victim::uniform);  // 1.5 h more: no checkpoint
  s.broken(8, 10, 1, 0, Victim::uniform);   // 2 h more: one
  s.run(20);
  CHECK(s.ran(0) == "0-3 4-5.5 6-8 10-12");
  CHECK(s.time(Use::useful) == 6);
  CHECK(s.time(Use::lost_failure) == 2.5);
  CHECK(s.counts().restarts == 3);
}

TEST_CASE("a job that is killed at its limit has lost its checkpoints too") {
  Script<> s(1);
  s.job(0, {1, 9, 5, -1, "saved"});
  s.broken(3, 4, 1, 0, Victim::uniform);
  s.run(20);
  CHECK(s.ran(0) == "0-3 4-7");
  CHECK(s.counts().killed == 1);
  CHECK(s.time(Use::useful) == 0);
  CHECK(s.time(Use::lost_limit) == 5);
  CHECK(s.time(Use::lost_failure) == 1);
}

TEST_CASE("at the horizon saved work is useful and the rest unfinished") {
  Script<> s(2);
  s.job(0, {1, 9, -1, -1, "saved"});
  s.job(0, {1, 9});
  s.run(5);
  CHECK(s.time(Use::useful) == 4);
  CHECK(s.time(Use::unfinished) == 1 + 5);
  CHECK(s.counts().running == 2);
}
