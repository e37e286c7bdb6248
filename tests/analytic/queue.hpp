// SPDX-License-Identifier: Apache-2.0
// One pool, Poisson requests: the queues of textbooks as scenarios. Times are in mean run times.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "acceptance.hpp"

namespace natgpu::testing {

/// Seconds of one unit of time of the formulas. A day holds 72 of them.
inline constexpr double unit_s = 1200;
inline constexpr double units_per_day = 86400 / unit_s;

/// Laws with mean `mean` units, as a scenario states them.
inline std::string constant(double mean) {
  return fmt::format("{} s", mean * unit_s);
}
inline std::string exponential(double mean) {
  return fmt::format("{{dist: exponential, mean: {} s}}", mean * unit_s);
}

/// Those who ask: one organisation with one class of jobs.
struct Stream {
  std::string name;
  double rate = 1;  ///< jobs per unit of time
  std::string run_time = exponential(1);
  std::string gpus = "1 GPU";
  std::string patience = "endless";
};

struct Queue {
  int servers = 1;
  std::vector<Stream> streams;
  int days = 7;  ///< measured, after one day of warm-up; at most 73
  std::string scheduling = "{order: fcfs, backfill: none}";
};

inline std::string yaml_of(const Queue& q) {
  const Date first = Date::of(2026, 1, 1);
  const Date end{first.day + std::chrono::days(days_measured(q.days)), false};
  std::string text = fmt::format(
      "schema: natgpu/1\nname: queue\nhorizon: {{start: 2025-12-31, end: {}}}\n"
      "hardware: [{{name: gpu, bf16: 989.4 TFLOP/s, per_node: 1, speed: 1}}]\n"
      "supply:\n  sites: [{{name: room, pue: 1}}]\n"
      "  tranches: [{{name: servers, site: room, device: gpu, units: {} GPU, in_service: 2025-12-31, "
      "service_life: endless}}]\n",
      to_string(end), q.servers);
  text += "demand:\n  sectors:\n";
  for (const Stream& s : q.streams)
    text += fmt::format(
        "    - {{name: {0}, organisations: 1, adoption: {{initial: 1}}, onboarding: {{initial: 1}}, "
        "request_rate: {1} /s, mix: [{{name: {0}, share: 1}}]}}\n",
        s.name, s.rate / unit_s);
  text += "  batch:\n";
  for (const Stream& s : q.streams)
    text += fmt::format("    - {{name: {}, gpus: {}, run_time: {}, overestimate: 1000, patience: {}}}\n",
                        s.name, s.gpus, s.run_time, s.patience);
  return text + "scheduling: " + q.scheduling + "\n";
}

/// Mean wait in mean run times (Erlang 1917). @param load  in GPUs
inline double erlang_c_wait(int servers, double load) {
  double blocked = 1;  // Erlang B
  for (int k = 1; k <= servers; ++k) blocked = load * blocked / (k + load * blocked);
  const double waits = blocked / (1 - load / servers * (1 - blocked));
  return waits / (servers - load);
}

/// Labels of what is measured after the warm-up.
inline const std::string measured = "period=2026";
inline std::string measured_of(const std::string& sector) {
  return measured + ";sector=" + sector;
}

/// In units of time.
inline Sample mean_wait(const Runs& runs, const std::string& labels = measured) {
  return runs.of(
      [&](const simulation::RunRecord& r) { return value_of(r, "jobs.wait.mean", labels) / unit_s; });
}

}  // namespace natgpu::testing
