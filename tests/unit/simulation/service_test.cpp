// SPDX-License-Identifier: Apache-2.0
// Services by hand: one replica as a floor, two more from 9 to 12 h and one until 17 h (script.hpp).
#include "script.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using simulation::JobKind;
using simulation::Use;

TEST_CASE("replicas follow the curve above a floor that is held to the contract's end") {
  Script<> s(4);
  s.service(2, 30);
  s.run(60);
  REQUIRE(s.jobs().size() == 3);
  CHECK(s.ran(0) == "2-32");
  CHECK(s.jobs()[0].kind == JobKind::service_floor);
  for (const std::size_t replica : {1U, 2U}) CHECK(s.jobs()[replica].kind == JobKind::replica);
  CHECK(s.ran(1) == "9-17");
  CHECK(s.ran(2) == "9-12");  // the newest goes first
  CHECK(s.replicas().entries == 2);
  CHECK(s.replicas().lapsed == 0);
  CHECK(s.unserved() == 0);
  CHECK(s.time(Use::useful) == 30 + 8 + 3);
  CHECK(s.counts().submitted == 1);  // a service is one job; its replicas are none
  CHECK(s.counts().finished == 1);
}

TEST_CASE("replicas end with the contract") {
  Script<> s(4);
  s.service(2, 9);
  s.run(60);
  CHECK(s.ran(0) == "2-11");
  CHECK(s.ran(1) == "9-11");
  CHECK(s.ran(2) == "9-11");
  CHECK(s.time(Use::useful) == 9 + 2 * 2);
}

TEST_CASE("a replica that finds no GPU lapses at the next change of the curve, its hours unserved") {
  Script<> s(2);
  s.service(2, 30);
  s.run(60);
  CHECK(s.ran(1) == "9-17");
  CHECK(s.ran(2).empty());
  CHECK(s.replicas().entries == 2);
  CHECK(s.replicas().started == 1);
  CHECK(s.replicas().lapsed == 1);
  CHECK(s.unserved() == 3);
}

TEST_CASE("a replica waits its turn behind earlier jobs and is unserved until then") {
  Script<> s(2);
  s.service(0, 24);
  s.job(1, {1, 10});
  s.run(60);
  CHECK(s.ran(1) == "1-11");
  CHECK(s.ran(2) == "11-17");
  CHECK(s.ran(3).empty());
  CHECK(s.unserved() == 2 + 3);
}

TEST_CASE("a failure takes the newest replica, which is asked for again") {
  Script<> s(3);
  s.service(0, 24);
  s.broken(10, 11, 1, 0, supply::Victim::last_started);
  s.run(60);
  REQUIRE(s.jobs().size() == 4);
  CHECK(s.ran(0) == "0-24");
  CHECK(s.ran(1) == "9-17");
  CHECK(s.ran(2) == "9-10");
  CHECK(s.ran(3) == "11-12");
  CHECK(s.replicas().entries == 3);
  CHECK(s.unserved() == 1);
  CHECK(s.time(Use::useful) == 24 + 8 + 1 + 1);  // what was served was of use
}

TEST_CASE("a failure of the floor stops its replicas, and the service goes on when the floor is back") {
  Script<> s(3);
  s.service(0, 24);
  s.broken(10, 11, 3, 0, supply::Victim::uniform);
  s.run(60);
  CHECK(s.ran(0) == "0-10 11-24");                                             // the contract's end stands
  CHECK(s.time(Use::useful) == Approx(23 + 2 * 1 + 2 * 1 + 5).epsilon(1e-9));  // an instant later
  CHECK(s.counts().restarts == 1);
  CHECK(s.counts().finished == 1);
}

TEST_CASE("a service whose contract ends while its floor waits is over, its hours served kept") {
  Script<> s(1);
  s.service(0, 24);
  s.broken(10, 30, 1, 0, supply::Victim::uniform);
  s.job(31, {1, 2});
  s.run(60);
  CHECK(s.ran(0) == "0-10");
  CHECK(s.ran(s.jobs().size() - 1) == "31-33");
  CHECK(s.time(Use::useful) == 10 + 2);
  CHECK(s.counts().finished == 2);
  CHECK(s.counts().queued == 0);
}

TEST_CASE("a service whose floor is out of patience never opens") {
  Script<> s(1);
  s.job(0, {1, 9});
  s.service(1, 24, 3);
  s.run(40);
  CHECK(s.counts().gave_up == 1);
  CHECK(s.replicas().entries == 0);
  CHECK(s.time(Use::useful) == 9);
}

TEST_CASE("a service whose replica lies on more machines than it needs lasts no longer for that") {
  MachineScript<> s(2, 4, "", "placement: first, locality: 1.5",
                    "[{name: web, floor: 1, peak: 1, gpus_per_replica: 4 GPU, duration: 1 d}]");
  s.job(0, {2, 3});
  s.job(0, {2, 30});
  s.job(0, {2, 30});  // on machine 1
  s.service(4, 12);   // two of each
  s.run(60);
  CHECK(s.ran(3) == "4-16");
  CHECK(s.counts().spread == 1);
  CHECK(s.time(Use::useful) == 2 * 3 + 2 * 30 + 2 * 30 + 4 * 12);
}
