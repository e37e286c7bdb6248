// SPDX-License-Identifier: Apache-2.0
// What the benches that print figures share: a clock, medians of interleaved repetitions, one table.
#pragma once

#include <time.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace natgpu::bench {

inline double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
/// Time this thread had a core, in seconds: on a shared machine it says more than wall time.
inline double cpu_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}
inline double wall_seconds() {
  return seconds_of(CLOCK_MONOTONIC);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// Runs each in turn, `repetitions` rounds, so that what disturbs one disturbs its rivals.
/// @returns the seconds of every round, one list a contender
inline std::vector<std::vector<double>> interleaved(int repetitions,
                                                    const std::vector<std::function<void()>>& contenders) {
  std::vector<std::vector<double>> seconds(contenders.size());
  for (int r = 0; r < repetitions; ++r)
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const double began = cpu_seconds();
      contenders[i]();
      seconds[i].push_back(cpu_seconds() - began);
    }
  return seconds;
}

/// The median over rounds of a / b, each round's own: a slow spell cancels out.
inline double ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return median(std::move(ratios));
}

/// A line of the table that bench/run prints. `of_target`: what share of the target is used; above 1 it is
/// missed; 0: no target.
inline void print_row(const std::string& figure, const std::string& target, const std::string& measured,
                      double of_target = 0) {
  const char* verdict = of_target == 0 ? "" : of_target <= 1 ? "met" : "MISSED";
  const std::string share = of_target == 0 ? "" : fmt::format("{:.2f}", of_target);
  fmt::print("| {:<58} | {:>16} | {:>16} | {:>9} | {:<6} |\n", figure, target, measured, share, verdict);
  std::fflush(stdout);
}
inline void at_most(const std::string& figure, double target, double measured, const char* unit) {
  print_row(figure, fmt::format("<= {:.4g} {}", target, unit), fmt::format("{:.4g} {}", measured, unit),
            measured / target);
}
inline void at_least(const std::string& figure, double target, double measured, const char* unit) {
  print_row(figure, fmt::format(">= {:.4g} {}", target, unit), fmt::format("{:.4g} {}", measured, unit),
            target / measured);
}
inline void for_information(const std::string& figure, double measured, const char* unit) {
  print_row(figure, "", fmt::format("{:.4g} {}", measured, unit));
}

}  // namespace natgpu::bench
