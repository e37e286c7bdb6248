// SPDX-License-Identifier: Apache-2.0
// Limits of time, by hand: patience before a start, requested time after it.
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::Use;

TEST_CASE("without patience a job starts at once or never") {
  Script<> s(2);
  s.job(0, {1, 4, -1, 0});
  s.job(0, {1, 4, -1, 0});
  s.job(1, {1, 4, -1, 0});
  s.job(4, {1, 4, -1, 0});  // as the first two end
  s.run(10);
  CHECK(s.counts().started == 3);
  CHECK(s.counts().gave_up == 1);
  CHECK(s.counts().waited == 0);
  CHECK(s.ran(2) == "4-8");  // the one that gave up was gone before anybody could look
}

TEST_CASE("a job whose patience ends as GPUs come free starts, a tick less and it is gone") {
  const double tick = 1.0 / static_cast<double>(hour_ticks(1));
  for (const bool in_time : {true, false}) {
    Script<> s(1);
    s.job(0, {1, 5});
    s.job(0, {1, 2, -1, in_time ? 5 : 5 - tick});
    s.run(10);
    CHECK(s.counts().gave_up == (in_time ? 0U : 1U));
    CHECK(s.ran(1) == (in_time ? "5-7" : ""));
  }
}

TEST_CASE("when the head of the queue gives up, those behind it start in the same instant") {
  Script<> s(4);
  s.job(0, {2, 9});
  s.job(1, {4, 1, -1, 3});
  s.job(2, {2, 1});
  s.run(12);
  CHECK(s.ran(0) == "0-9");
  CHECK(s.ran(1).empty());
  CHECK(s.ran(2) == "4-5");
  CHECK(s.counts().gave_up == 1);
}

TEST_CASE("patience ends at the first start: a victim of a failure waits as long as it takes") {
  Script<> s(1);
  s.job(0, {1, 4, -1, 1});
  s.broken(2, 9, 1, 0, supply::Victim::uniform);
  s.run(20);
  CHECK(s.ran(0) == "0-2 9-13");
  CHECK(s.counts().gave_up == 0);
}

TEST_CASE("a job is killed at its requested time, and one that ends with it is finished") {
  Script<> s(2);
  s.job(0, {1, 5, 3});
  s.job(0, {1, 3, 3});
  s.run(10);
  CHECK(s.ran(0) == "0-3");
  CHECK(s.ran(1) == "0-3");
  CHECK(s.counts().killed == 1);
  CHECK(s.counts().finished == 1);
  CHECK(s.time(Use::lost_limit) == 3);
  CHECK(s.time(Use::useful) == 3);
}

TEST_CASE("a job that no pool can ever hold is rejected when it comes, a smaller one waits") {
  Script<> s(4);
  s.job(0, {5, 1});
  s.job(0, {4, 1});
  s.run(3);
  CHECK(s.counts().rejected == 1);
  CHECK(s.counts().finished == 1);
}

TEST_CASE("what waits at the end is counted with the time it has waited so far") {
  Script<> s(1);
  s.job(0, {1, 9});
  s.job(2, {1, 1});
  s.run(6);
  CHECK(s.counts().censored == 1);
  CHECK(s.counts().queued == 1);
  CHECK(s.counts().running == 1);
  CHECK(s.counts().censored_wait == hour_ticks(4));
}
