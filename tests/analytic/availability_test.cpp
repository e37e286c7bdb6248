// SPDX-License-Identifier: Apache-2.0
// Machines that break: how many are up, with and without enough crews, and how long jobs take that lose their
// work.
#include <algorithm>
#include <cmath>

#include "chain.hpp"
#include "queue.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// @param failures  the block `supply.failures`, in flow form
std::string yaml(int nodes, const std::string& start, const std::string& end, const std::string& failures,
                 const std::string& demand = "") {
  return fmt::format(
      "schema: natgpu/1\nname: failing\nhorizon: {{start: {0}, end: {1}}}\n"
      "hardware: [{{name: gpu, bf16: 989.4 TFLOP/s, per_node: 1, speed: 1}}]\n"
      "supply:\n  sites: [{{name: room, pue: 1}}]\n"
      "  tranches: [{{name: servers, site: room, device: gpu, units: {2} GPU, in_service: {0}, "
      "service_life: endless}}]\n"
      "  failures: {3}\n{4}",
      start, end, nodes, failures, demand);
}

Sample share_down(const Runs& runs) {
  return runs.of([](const simulation::RunRecord& r) {
    return value_of(r, "gpu.hours", measured + ";state=down") /
           value_of(r, "gpu.hours", measured + ";state=in_service");
  });
}

}  // namespace

TEST_CASE("nodes with two causes of failure are down for the share that their means say") {
  const Runs runs(yaml(50, "2025-12-15", fmt::format("2026-{:02}-01", 1 + days_measured(1)),
                       "{causes: [{name: often, mtbf: 100 h, repair: {dist: exponential, mean: 1 h}}, "
                       "{name: long, mtbf: 200 h, repair: {dist: uniform, low: 1 h, high: 5 h}}]}"));
  check_exact("share down", share_down(runs), [](double k) {
    const double down_per_up = k * (1.0 / 100 + 3.0 / 200);
    return down_per_up / (1 + down_per_up);
  });
}

TEST_CASE("too few crews leave machines down as the chain of machine repair says") {
  // 10 machines, each breaks once in 100, a repair takes 8, one crew; 1 = 6 min
  constexpr int machines = 10;
  for (const int crews : {1, 2}) {
    INFO(crews << " crews");
    const auto law = [crews](double k) {
      std::vector<double> breaking, repaired;
      for (int down = 0; down < machines; ++down) {
        breaking.push_back(k * (machines - down) / 100.0);
        repaired.push_back(std::min(down + 1, crews) / 8.0);
      }
      return stationary(birth_and_death(breaking, repaired));
    };
    const auto mean_down = [&](double k) { return mean_of(law(k), [](double n) { return n; }); };
    if (crews == 1) {
      REQUIRE(mean_down(1) == Approx(1.524392776).epsilon(1e-9));
      REQUIRE(law(1)(0) == Approx(0.321951422).epsilon(1e-8));
    }
    const Runs runs(
        yaml(machines, "2025-12-25", fmt::format("2026-{:02}-15", 1 + days_measured(1)),
             fmt::format("{{crews: {}, causes: [{{name: any, mtbf: 10 h, repair: {{dist: exponential, "
                         "mean: 48 min}}}}]}}",
                         crews)));
    check_exact("share down", share_down(runs), [&](double k) { return mean_down(k) / machines; });
  }
}

namespace {

/// Mean time that a job of 10 h takes where each GPU breaks once in 10 h and is back at once.
/// Of the jobs of the last days of March; April lets them end.
Sample time_of_ten_hours(const std::string& more) {
  const Date april = Date::of(2026, 4, 1);
  const Date start{april.day - std::chrono::days(days_measured(6)), false};
  const Runs runs(yaml(
      24, to_string(start), "2026-04-20", "{causes: [{name: any, mtbf: 10 h, repair: 0 s}]}",
      "demand:\n  sectors: [{name: users, organisations: 1, adoption: {initial: 1}, onboarding: {initial: "
      "1}, request_rate: 0.5 /h, mix: [{name: job, share: 1}]}]\n"
      "  batch: [{name: job, gpus: 1 GPU, run_time: 10 h, overestimate: 1000" +
          more + "}]\n"));
  return runs.of([](const simulation::RunRecord& r) {
    return value_of(r, "jobs.turnaround.mean", "period=2026Q1") / 3600;
  });
}

}  // namespace

TEST_CASE("a job that starts again from scratch after each failure takes (exp(lw) - 1) / l") {
  check_exact("hours", time_of_ten_hours(""), [](double k) { return (std::exp(k) - 1) / 0.1; });
}

TEST_CASE("a job with checkpoints and a restart cost takes as long as Daly says") {
  // Five segments of 2 h, half an hour to restart, in which it may fail too.
  check_exact("hours", time_of_ten_hours(", checkpoint_every: 2 h, restart_cost: 30 min"),
              [](double k) { return 5 * (std::exp(0.1 * 2 * k) - 1) * std::exp(0.1 * 0.5) / 0.1; });
}
