// SPDX-License-Identifier: Apache-2.0
// Projects by hand: blocks that are asked for, granted, used, broken, taken back and over (script.hpp).
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::JobKind;
using simulation::PoolAreas;
using simulation::Use;

namespace {

const std::string classes =
    "  project:\n    - {name: kept, duration: 1 d, jobs: {mix: [{name: plain}]}}\n"
    "    - {name: open, duration: 1 d, jobs: {mix: [{name: plain}]}, overflow: true}\n"
    "    - {name: reclaimed, duration: 1 d, jobs: {mix: [{name: plain}]}, reclaim_after: 3 h}\n";
constexpr std::uint32_t open_class = 1, reclaimed_class = 2;

}  // namespace

TEST_CASE("a block queues like a job, and its owner's jobs run inside, first come first served") {
  Script<> s(4, classes);
  s.job(0, {4, 2});
  const std::size_t block = s.project(0.5, {3, 20});
  s.inside(3, block, {2, 4});
  s.inside(3.5, block, {2, 1});
  s.inside(4, block, {1, 1});  // would fit, and stands behind
  s.job(5, {2, 1});            // the common pool has one GPU left
  s.run(60);
  REQUIRE(s.jobs().size() == 6);
  CHECK(s.ran(1) == "2-22");
  CHECK(s.jobs()[1].kind == JobKind::project);
  CHECK(s.ran(2) == "3-7");
  CHECK(s.ran(3) == "7-8");
  CHECK(s.ran(4) == "7-8");
  CHECK(s.ran(5) == "22-23");
  CHECK(s.time(Use::useful) == 8 + 2 * 4 + 2 + 1 + 2);
  CHECK(s.area(&PoolAreas::reserved) == 3 * 20 - (2 * 4 + 2 + 1));
  CHECK(s.area(&PoolAreas::allocated) == 8 + 2 * 4 + 2 + 1 + 2);
  CHECK(s.counts().finished == 6);
}

TEST_CASE("a job that cannot end in its block blocks nobody and is left over, one that just can runs") {
  Script<> s(4, classes);
  const std::size_t block = s.project(0, {2, 10});
  s.inside(1, block, {1, 9});
  s.inside(2, block, {1, 8, 8.5});  // by its request
  s.inside(3, block, {3, 1});       // larger than the block
  s.inside(4, block, {1, 6});
  s.inside(5, block, {5, 1});  // larger than any pool will ever be
  s.run(60);
  CHECK(s.ran(0) == "0-10");
  CHECK(s.ran(1) == "1-10");
  CHECK(s.ran(2).empty());
  CHECK(s.ran(3).empty());
  CHECK(s.ran(4) == "4-10");
  CHECK(s.counts().rejected == 1);
  CHECK(s.counts().left_over == 2);
  CHECK(s.counts().finished == 3);
}

TEST_CASE("a job that waits too long behind others to end in its block is left over at the block's end") {
  Script<> s(2, classes);
  const std::size_t block = s.project(0, {2, 10});
  s.inside(1, block, {2, 5});
  s.inside(2, block, {2, 5});  // could have started until 5
  s.inside(3, block, {2, 4});  // starts at once when that one stands aside
  s.run(60);
  CHECK(s.ran(1) == "1-6");
  CHECK(s.ran(2).empty());
  CHECK(s.jobs()[2].gone == hour_ticks(10));
  CHECK(s.ran(3) == "6-10");
  CHECK(s.counts().left_over == 1);
}

TEST_CASE("with overflow, what the block cannot hold goes to the common pool as any other job") {
  Script<> s(4, classes);
  const std::size_t block = s.project(0, {2, 10, -1, open_class});
  s.inside(1, block, {1, 20});  // cannot end in the block
  s.inside(2, block, {3, 2});   // larger than the block, and than what the pool has left
  s.inside(3, block, {2, 4});
  s.inside(4, block, {2, 5});  // could have started until 5: told so at 7
  s.job(6, {1, 1});            // stands behind the one of three
  s.run(80);
  CHECK(s.ran(0) == "0-10");
  CHECK(s.ran(1) == "1-21");
  CHECK(s.ran(2) == "10-12");
  CHECK(s.ran(3) == "3-7");
  CHECK(s.ran(4) == "12-17");  // keeps its place by submission
  CHECK(s.ran(5) == "12-13");
  for (const std::size_t out : {1U, 2U, 4U}) CHECK(s.jobs()[out].kind == JobKind::batch);
  CHECK(s.counts().left_over == 0);
  CHECK(s.counts().finished == 6);
}

TEST_CASE("a block loses units that fail for good, and their jobs go on from the last checkpoint") {
  Script<> s(4, classes);
  const std::size_t block = s.project(0, {4, 24});
  s.inside(1, block, {2, 9, -1, -1, "slow"});       // on the units 0 and 1
  s.inside(1, block, {1, 9});                       // on 2
  s.broken(6, 8, 1, 0.3, supply::Victim::uniform);  // unit 1 of 4
  s.job(9, {1, 3});
  s.job(9, {1, 1});
  s.run(60);
  // Four hours are saved, one is lost, one is for the restart: 6 h on the units 0 and 2 of the three left.
  CHECK(s.ran(1) == "1-6 6-12");
  CHECK(s.ran(2) == "1-10");
  CHECK(s.ran(3) == "9-12");  // on the repaired unit
  CHECK(s.ran(4) == "12-13");
  CHECK(s.time(Use::lost_failure) == 2 * 1);
  CHECK(s.time(Use::stalled) == 2 * 1);
  CHECK(s.time(Use::useful) == 2 * 9 + 9 + 3 + 1);
  CHECK(s.area(&PoolAreas::reserved) == 4 * 6 + 3 * 18 - 2 * 11 - 9);
  CHECK(s.counts().restarts == 1);
  CHECK(s.counts().finished == 5);
}

TEST_CASE("units that go are idle ones first, then the last of the block that started last") {
  Script<> s(4, classes);
  const std::size_t block = s.project(0, {3, 24});
  s.inside(1, block, {1, 9});
  s.inside(1, block, {2, 5});
  s.leave(3, 2);  // the pool's idle unit and unit 2 of the block
  s.run(60);
  CHECK(s.ran(0) == "0-24");
  CHECK(s.ran(1) == "1-10");
  CHECK(s.ran(2) == "1-3 10-15");  // two units again
  CHECK(s.area(&PoolAreas::reserved) == 3 * 3 + 2 * 21 - 9 - 2 * 2 - 2 * 5);
}

TEST_CASE("a block that has lost all of its units is over") {
  Script<> s(2, classes);
  const std::size_t block = s.project(0, {2, 24});
  s.inside(1, block, {1, 9});
  s.broken(3, 4, 2, 0, supply::Victim::uniform);
  s.job(3.5, {1, 2});
  s.run(60);
  CHECK(s.ran(0) == "0-3");
  CHECK(s.ran(1) == "1-3");
  CHECK(s.ran(2) == "4-6");
  CHECK(s.counts().left_over == 1);
  CHECK(s.counts().finished == 2);  // the block and the other job
  CHECK(s.time(Use::lost_failure) == 2);
}

TEST_CASE("units that were idle for long enough return for good, and running jobs keep theirs") {
  Script<> s(4, classes);
  const std::size_t block = s.project(0, {4, 24, -1, reclaimed_class});
  s.inside(2, block, {2, 6});     // on the units 0 and 1; 2 and 3 return at 3
  s.inside(9, block, {1, 2});     // on 0, which has been idle since 8; 1 returns at 11
  s.inside(10.5, block, {2, 1});  // waits for two, and at 11 there is one
  s.inside(11, block, {1, 1});    // on 0; which returns at 15
  s.job(1, {2, 5});
  s.job(4, {2, 1});
  s.job(8.5, {1, 4});
  s.run(60);
  CHECK(s.ran(0) == "0-15");
  CHECK(s.ran(1) == "3-8");  // submitted at 1
  CHECK(s.ran(2) == "2-8");
  CHECK(s.ran(3) == "8-9");
  CHECK(s.ran(4) == "9-13");
  CHECK(s.ran(5) == "9-11");
  CHECK(s.ran(6).empty());
  CHECK(s.ran(7) == "11-12");
  CHECK(s.area(&PoolAreas::reserved) == 4 * 2 + 2 * 1 + 2 * 1 + 1 * 2 + 1 * 3);
  CHECK(s.counts().left_over == 1);
}

TEST_CASE("projects and jobs that wait inside have their own patience") {
  Script<> s(2, classes);
  s.job(0, {2, 5});
  s.project(1, {2, 4, 2});
  const std::size_t block = s.project(1, {2, 10, 9});
  s.inside(6, block, {2, 3, -1, 0});    // starts at once
  s.inside(7, block, {1, 1, -1, 1});    // gives up at 8
  s.inside(7.5, block, {1, 1, -1, 0});  // at once
  s.run(60);
  CHECK(s.ran(1).empty());
  CHECK(s.ran(2) == "5-15");
  CHECK(s.ran(3) == "6-9");
  CHECK(s.jobs()[4].gone == hour_ticks(8));
  CHECK(s.counts().gave_up == 3);
  CHECK(s.counts().left_over == 0);
}

TEST_CASE("at the horizon a block still holds its GPUs, and its jobs run and wait") {
  Script<> s(2, classes);
  const std::size_t block = s.project(0, {2, 24});
  s.project(1, {2, 24});
  s.inside(1, block, {2, 9});
  s.inside(2, block, {1, 1});
  s.run(4);
  CHECK(s.counts().running == 2);
  CHECK(s.counts().queued == 2);
  CHECK(s.counts().censored == 2);
  CHECK(s.time(Use::unfinished) == 2 * 3);
  CHECK(s.area(&PoolAreas::reserved) == 2 * 1);
  CHECK(s.area(&PoolAreas::idle) == 0);
}
