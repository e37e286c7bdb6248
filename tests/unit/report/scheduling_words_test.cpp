// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "../../../src/report/scheduling_words.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::report;
using scheduling::Order;
using scheduling::Scheduling;
using Mode = scheduling::PreemptionSettings::Mode;

TEST_CASE("a report names the rule of placement, locality, and how MIG cuts which devices") {
  scenario::Scenario s;
  CHECK(view_in_words(s) == "pool");
  s.scheduling.view = scheduling::View::node;
  s.scheduling.placement = scheduling::Placement::consolidated;
  CHECK(view_in_words(s) == "node (placement consolidated)");
  s.scheduling.locality = 1.2;
  s.hardware.resize(3);
  s.hardware[0].name = "a100";
  s.hardware[0].mig = "A100-80GB";
  s.hardware[2].name = "h200";
  s.hardware[2].mig = "H200-141GB";
  CHECK(view_in_words(s) ==
        "node (placement consolidated, locality 1.2, MIG a100=A100-80GB, h200=H200-141GB, positions "
        "most-left)");
}

TEST_CASE("a report names who takes GPUs back, and within what limits") {
  Scheduling s;
  CHECK(preemption_in_words(s).empty());
  s.preemption.mode = Mode::quota_reclaim;
  s.preemption.notice = seconds(60);
  CHECK(preemption_in_words(s) == "quota-reclaim (shield 7200 s, notice 60 s)");
  s.preemption = {};
  s.order = Order::srtf;
  CHECK(preemption_in_words(s) == "by order");
  s.order = Order::las;
  CHECK(preemption_in_words(s) == "by order (quantum 3600 s)");
  s.order = Order::las2d;
  s.preemption.promote = 3;
  CHECK(preemption_in_words(s) == "by order (thresholds 1 and 10 GPU.h, promotion 3)");
  s.order = Order::gavel_las;
  s.preemption = {};
  CHECK(preemption_in_words(s) == "by order (rounds 360 s)");
}

TEST_CASE("a report names how GPUs are shared in time") {
  Scheduling s;
  s.sharing = scheduling::Sharing::ps;
  CHECK(sharing_in_words(s) == "ps");
  s.weights = {{"train", 2}, {"chat", 0.5}};
  CHECK(sharing_in_words(s) == "ps (weights train 2, chat 0.5)");
  s.weights.clear();
  s.sharing = scheduling::Sharing::gang;
  s.quantum = seconds(600);
  CHECK(sharing_in_words(s) == "gang (quantum 600 s)");
}
