// SPDX-License-Identifier: Apache-2.0
// Runs declared a steady state: MSER-5 finds the start-up from empty and leaves it out.
#include <natgpu/core/diagnostic.hpp>

#include "queue.hpp"

using namespace natgpu::testing;

namespace {

const std::string steady = "report: {warmup: mser-5}\n";

/// Jobs that take 20 days on average: a pool that takes months to fill. @param end  first day that is not
/// simulated
std::string slow_queue(int servers, double load, const char* end) {
  const double mean = 20 * units_per_day;
  std::string text = yaml_of({servers, {{"users", load / mean, exponential(mean)}}});
  const std::string from = "start: 2025-12-31, end: ";
  return text.replace(text.find(from) + from.size(), 10, end);
}

}  // namespace

TEST_CASE("a pool that takes months to fill has the closed answer once its start-up is left out") {
  // 500 days at load 280: from empty, 20 / 500 of the GPU-time is missing at the start.
  const std::string queue = slow_queue(320, 280, "2027-05-15");
  const Runs cut(queue + steady);
  check_exact("share allocated", cut.of("gpu.allocated.share", "period=all"), proportional(280.0 / 320));
  const Sample days = cut.of("warmup.cut.days", "period=all");
  INFO("days left out: " << days.mean);
  CHECK(days.mean > 20);   // after one mean run time 63 % of the pool is full
  CHECK(days.mean < 150);  // after 7.5 of them all but 0.05 %

  const Sample all = Runs(queue).of("gpu.allocated.share", "period=all");
  INFO("nothing left out: " << all.mean);
  CHECK_FALSE(agrees(all, 280.0 / 320));
  CHECK(agrees(all, 280.0 / 320 * (1 - 20.0 / 500)));
}

TEST_CASE("waits of a steady state are those of Erlang C") {
  std::string queue = yaml_of({10, {{"users", 7}}});
  const std::string end = "end: 2026-01-08";
  const Runs runs(queue.replace(queue.find(end), end.size(), "end: 2026-03-01") + steady);
  check_exact("mean wait", mean_wait(runs, "period=all"), [](double k) { return erlang_c_wait(10, k * 7); });
}

TEST_CASE("a run that has not settled in its first half is refused and not averaged") {
  natgpu::experiment::ReplicateOptions options;
  options.replications = 3;
  // The same pool for 60 days: three mean run times.
  const auto brief = scenario_of(slow_queue(320, 280, "2026-03-01") + steady);
  CHECK_THROWS_AS(natgpu::experiment::replicate(brief, options), natgpu::RunError);
  // More is asked for than there is: the queue grows for ever.
  const auto growing = scenario_of(slow_queue(200, 280, "2027-05-15") + steady);
  CHECK_THROWS_AS(natgpu::experiment::replicate(growing, options), natgpu::RunError);
}

TEST_CASE("all replications have one cut, whatever the number of threads, alone or beside another scenario") {
  const auto scenario = scenario_of(slow_queue(320, 280, "2027-05-15") + steady);
  const auto other = scenario_of(slow_queue(320, 280, "2026-03-01"));
  natgpu::experiment::ReplicateOptions options;
  options.replications = 4;
  const auto alone = natgpu::experiment::replicate(scenario, options);
  options.threads = 2;
  const auto both = natgpu::experiment::replicate_all({&other, &scenario}, options);
  REQUIRE(alone.records.size() == 4);
  REQUIRE(both[1].records.size() == 4);
  const double days = value_of(alone.records[0], "warmup.cut.days", "period=all");
  CHECK(days > 0);
  for (std::size_t r = 0; r < 4; ++r) {
    CHECK(value_of(alone.records[r], "warmup.cut.days", "period=all") == days);
    CHECK(value_of(alone.records[r], "gpu.hours", "period=all;state=in_service") ==
          Approx((500 - days) * 320 * 24));
    REQUIRE(alone.records[r].measurements.size() == both[1].records[r].measurements.size());
    for (std::size_t m = 0; m < alone.records[r].measurements.size(); ++m)
      REQUIRE(alone.records[r].measurements[m].value == both[1].records[r].measurements[m].value);
  }
  CHECK_THROWS(value_of(both[0].records[0], "warmup.cut.days", "period=all"));
}
