// SPDX-License-Identifier: Apache-2.0
// Target shares of the time on one type of GPU, found by halving, and whose next round is due when
// (docs/model.md, 6.10), by plain loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu::testing {

class PlainTargets {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  /// What is known of a job at a round. Times are ticks.
  struct Job {
    bool present = false;  ///< it waits or runs
    bool may = false;      ///< the machines could hold it
    double gpus = 1;
    double weight = 1;
    std::int64_t submitted = 0, received = 0, left = 0;
  };

  PlainTargets(bool finish_time_fair, std::int64_t round) : ftf_(finish_time_fair), round_(round) {}

  /// @returns when each job's round is due; never: it has no share
  std::vector<std::int64_t> dues(const std::vector<Job>& jobs, double gpus, std::int64_t now) {
    marks_.resize(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].present) settle(marks_[i], jobs[i]);
    share(jobs, gpus, now);
    align(jobs);
    std::vector<std::int64_t> dues(jobs.size(), never);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].present && marks_[i].share > 0) dues[i] = due(marks_[i]);
    return dues;
  }
  double share_of(std::size_t i) const { return std::ldexp(static_cast<double>(marks_[i].share), -20); }

 private:
  struct Mark {
    bool seen = false;
    bool joins = true;       ///< it had no share at the last round
    std::int64_t share = 0;  ///< in 2^-20
    std::int64_t at = 0, counted = 0, left = 0;
    double isolated = 0, fair = 1;
  };

  static std::int64_t way(std::int64_t ticks, std::int64_t share) {
    return static_cast<std::int64_t>((static_cast<Area>(ticks) << 20) / share);
  }
  std::int64_t due(const Mark& m) const { return m.at + way(round_, m.share) / 2; }
  static void settle(Mark& m, const Job& j) {
    const std::int64_t left = std::max<std::int64_t>(j.left, 1);
    if (m.seen) m.isolated = std::max(m.isolated + static_cast<double>(m.left - left) / m.fair, 0.0);
    m.seen = true;
    m.left = left;
    if (m.share > 0) m.at += way(j.received - m.counted, m.share);
    m.counted = j.received;
  }

  static bool shares(const Job& j, double gpus) { return j.present && j.may && j.gpus <= gpus; }
  /// Of a job where all have come to this level of GPUs over weight, or are to be done by 1 / level times
  /// what they would take by themselves.
  double share_at(double level, const Job& j, const Mark& m, std::int64_t now) const {
    if (!ftf_) return std::min(1.0, level * j.weight / j.gpus);
    const double work = static_cast<double>(m.left);
    const double rest = m.isolated + work / m.fair - level * static_cast<double>(now - j.submitted);
    return rest > level * work ? level * work / rest : 1.0;
  }
  void share(const std::vector<Job>& jobs, double gpus, std::int64_t now) {
    double asked = 0, weights = 0;
    for (const Job& j : jobs)
      if (shares(j, gpus)) asked += j.gpus, weights += j.weight;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (shares(jobs[i], gpus))
        marks_[i].fair = std::min(1.0, gpus * (jobs[i].weight / weights) / jobs[i].gpus);
    const auto used = [&](double level) {
      double sum = 0;
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (shares(jobs[i], gpus)) sum += jobs[i].gpus * share_at(level, jobs[i], marks_[i], now);
      return sum;
    };
    double level = 0;
    for (double step = std::ldexp(1.0, 40); level + step > level && asked > gpus; step /= 2)
      if (used(level + step) <= gpus) level += step;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!jobs[i].present) continue;
      Mark& m = marks_[i];
      m.joins = m.joins || m.share == 0;
      m.share = 0;
      if (!shares(jobs[i], gpus)) continue;
      const double x = asked <= gpus ? 1.0 : share_at(level, jobs[i], m, now);
      m.share = static_cast<std::int64_t>(std::max(std::floor(std::ldexp(x, 20) + 0.5), 1.0));
    }
  }
  void align(const std::vector<Job>& jobs) {
    std::int64_t first = never, furthest = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!jobs[i].present || marks_[i].share == 0) continue;
      furthest = std::max(furthest, way(2 * round_, marks_[i].share));
      if (!marks_[i].joins) first = std::min(first, due(marks_[i]));
    }
    if (first == never) first = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Mark& m = marks_[i];
      if (!jobs[i].present || m.share == 0) continue;
      m.at = std::min(m.joins ? first : m.at, first + furthest);
      m.joins = false;
    }
  }

  bool ftf_;
  std::int64_t round_;
  std::vector<Mark> marks_;
};

}  // namespace natgpu::testing
