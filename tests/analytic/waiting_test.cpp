// SPDX-License-Identifier: Apache-2.0
// Waits in queues with closed answers: Erlang's and Pollaczek and Khinchine's.
#include "queue.hpp"

using namespace natgpu::testing;

TEST_CASE("exponential jobs wait as Erlang C says") {
  REQUIRE(erlang_c_wait(10, 8) == Approx(0.204590075).epsilon(1e-8));
  struct Case {
    int servers;
    double load;
    int days;
  };
  for (const Case c : {Case{2, 1.2, 16}, Case{10, 7, 16}}) {
    INFO(c.servers << " GPUs at load " << c.load);
    const Runs runs(yaml_of({c.servers, {{"users", c.load}}, c.days}));
    check_exact("mean wait", mean_wait(runs), [c](double k) { return erlang_c_wait(c.servers, k * c.load); });
    check_exact("share allocated", runs.of("gpu.allocated.share", measured),
                proportional(c.load / c.servers));
    check_exact("jobs", runs.of("jobs.submitted.count", measured),
                proportional(c.load * units_per_day * days_measured(c.days)));
  }
}

TEST_CASE("one server too few is noticed") {
  // R-POWER of the rules: nine GPUs for ten at load 7.
  const Runs runs(yaml_of({9, {{"users", 7}}, 8}));
  CHECK_FALSE(agrees(mean_wait(runs), erlang_c_wait(10, 7)));
}

TEST_CASE("one GPU makes jobs wait as Pollaczek and Khinchine say, whatever the law of their run times") {
  struct Case {
    const char* law;
    double load, squared;  // E[S^2] with E[S] = 1
    std::string run_time;
    int days;
  };
  const Case cases[] = {
      {"constant", 0.7, 1.0, constant(1), 18},
      {"uniform", 0.6, 4.0 / 3, "{dist: uniform, low: 0 s, high: 2400 s}", 18},
      {"erlang of 4 stages", 0.6, 1.25, "{dist: erlang, stages: 4, mean: 1200 s}", 18},
      {"exponential", 0.5, 2.0, exponential(1), 36},
  };
  for (const Case& c : cases) {
    const Runs runs(yaml_of({1, {{"users", c.load, c.run_time}}, c.days}));
    check_exact(c.law, mean_wait(runs),
                [&c](double k) { return k * c.load * c.squared / (2 * (1 - k * c.load)); });
  }
}
