// SPDX-License-Identifier: Apache-2.0
// Demand that follows the hours of the day, on more GPUs than are ever asked for: the number busy at an
// instant is Poisson (Eick, Massey & Whitt 1993).
#include <algorithm>
#include <array>
#include <cmath>

#include "queue.hpp"

using namespace natgpu::testing;

namespace {

constexpr int hours_per_day = 24;
using Day = std::array<double, hours_per_day>;

/// Weights 1 + sin / 2 by hour, so turned that midnight falls at `hour` of the wave.
Day wave(int hour) {
  Day day;
  for (int h = 0; h < hours_per_day; ++h)
    day[static_cast<std::size_t>(h)] =
        1 + 0.5 * std::sin(2 * 3.14159265358979 * (h + hour + 0.5) / hours_per_day);
  return day;
}

/// @param rate  requests an hour, in the mean over the day
std::string yaml(const Day& day, double rate, const std::string& run_time, int days) {
  std::string hours;
  for (const double w : day) hours += fmt::format("{}{}", hours.empty() ? "" : ", ", w);
  std::string text = yaml_of({2000, {{"users", rate * unit_s / 3600, run_time}}, days});
  const std::string from = "horizon: {start: 2025-12-31, ", to = "horizon: {start: 2026-01-01, ";
  text.replace(text.find(from), from.size(), to);
  const std::string next = "scheduling:";
  return text.insert(text.find(next), "  calendar: {hours: [" + hours + "]}\n");
}

/// Mean number busy t hours after an empty start: the rate of each past hour times the time its jobs stay.
/// @param stay  stay(a) = integral from 0 to a of P(S > u) du, in hours
template <class Stay>
double busy_at(const Day& day, double rate, int t, Stay&& stay) {
  double m = 0;
  for (int h = 0; h < t; ++h)
    m += rate * day[static_cast<std::size_t>(h % hours_per_day)] * (stay(t - h) - stay(t - h - 1));
  return m;
}

/// Jobs running at midnight, so many days after the start.
double running_at(const natgpu::simulation::RunRecord& record, int day) {
  for (const natgpu::simulation::SeriesPoint& p : record.series)
    if (p.metric == "jobs.running.count" && day-- == 0) return p.value;
  throw std::runtime_error("no such midnight");
}

/// 99 degrees of freedom, two-sided 2e-4, by the Wilson-Hilferty approximation.
void check_poisson(const Sample& s) {
  INFO("variance " << s.variance << ", mean " << s.mean);
  CHECK(s.variance / s.mean > 0.55);
  CHECK(s.variance / s.mean < 1.63);
}

}  // namespace

TEST_CASE("from an empty start the number busy a day later is Poisson with the mean of Mt/G/infinity") {
  // Mean run time 12 h, 18 requests an hour.
  const Day day = wave(0);
  const Runs runs(yaml(day, 18, "{dist: exponential, mean: 12 h}", 2));
  const Sample busy = runs.of([](const auto& r) { return running_at(r, 1); });
  check_exact("busy", busy,
              proportional(busy_at(day, 18, 24, [](double a) { return 12 * (1 - std::exp(-a / 12)); })));
  check_poisson(busy);
}

TEST_CASE("in the daily rhythm the number busy at an hour has the mean of Mt/D/infinity") {
  // Run time 6 h, 18 requests an hour; midnight 3 h after the wave's peak.
  const Day day = wave(9);
  const Runs runs(yaml(day, 18, "6 h", 4));
  const double exact = busy_at(day, 18, 48, [](double a) { return std::min(a, 6.0); });
  const Sample busy = runs.of([](const auto& r) { return (running_at(r, 2) + running_at(r, 3)) / 2; });
  check_exact("busy", busy, proportional(exact));
  check_poisson(runs.of([](const auto& r) { return running_at(r, 2); }));
}
