// SPDX-License-Identifier: Apache-2.0
// A scenario's one GPU, shared by all who are there.
#include <string>

#include "queue.hpp"

using namespace natgpu;
using namespace natgpu::testing;

TEST_CASE("in a scenario too, time in the system is a job's length over the part of the time that is idle") {
  // M/G/1-PS (Kleinrock 1967): x / (1 - load) for a job of length x, whatever the law of the others.
  Queue q;
  q.scheduling = "{sharing: ps}";
  q.days = 30;
  q.streams = {{"short", 0.5, constant(0.4)},
               {"long", 0.2, constant(1.5)},
               {"any", 0.2, exponential(0.5)}};  // load 0.2 + 0.3 + 0.1
  const Runs runs(yaml_of(q));
  const auto in_system = [&](const std::string& sector) {
    return runs.of([&](const simulation::RunRecord& r) {
      return value_of(r, "jobs.turnaround.mean", measured_of(sector)) / unit_s;
    });
  };
  const auto answer = [](double x) { return [x](double k) { return k * x / (1 - k * 0.6); }; };
  check_exact("short", in_system("short"), answer(0.4));
  check_exact("long", in_system("long"), answer(1.5));
  check_exact("any", in_system("any"), answer(0.5));
}
