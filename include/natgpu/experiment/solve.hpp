// SPDX-License-Identifier: Apache-2.0
// Inverse questions: which value of a lever meets a bar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

/// What is to be met: "jobs.wait.mean:sector=labs <= 600 s".
struct Goal {
  Question question;
  std::string expect;  ///< "<= 600 s"
};
/// @returns findings E0501, E0502, E0503, E0504
std::vector<Finding> read_goal(const std::string& text, Goal& goal);

/// One value of the lever that was tried, by its number on the grid.
struct Tried {
  std::size_t point = 0;
  Estimate estimate;
  double p_met = 1;     ///< one-sided, of "the mean meets the bar"; 1 where replications lack a value
  double p_missed = 1;  ///< one-sided, of "the mean misses the bar"
};

struct Solution {
  enum class Outcome : std::uint8_t { found, met_everywhere, met_nowhere, not_monotone, interrupted };
  Outcome outcome = Outcome::interrupted;
  bool smallest = true;  ///< met from the answer upwards; else the answer is the largest value that meets it
  std::size_t answer =
      0;  ///< the last point, coming from the side that meets the bar, that does so with confidence
  std::size_t estimate = 0;  ///< the same by the mean alone
  std::optional<std::size_t>
      excluded;              ///< the first point beyond that misses the bar with the same confidence
  std::vector<Tried> tried;  ///< by point
  std::size_t against = 0;   ///< not_monotone: the response turns between this point and the next tried
};

struct SolveOptions {
  double confidence = 0.95;  ///< one-sided
  std::size_t probes = 3;    ///< inner points tried for turns of the response, beside those of the search
};

/// Searches `points` values, on which the response is thought to rise or to fall throughout. Each is tried
/// with the same replications. Both ends and the probes come first; a step between neighbours that goes the
/// other way beyond chance (5 %, Holm) ends the search: where the response turns there is no single answer.
/// The values are judged as in a fixed sequence from the end that meets the bar, which needs no adjustment
/// for their number.
/// @param expect  a bar that read_goal() has accepted
/// @param evaluate  the estimate at a point, all with the same replications; null after an interrupt
Solution solve(std::size_t points, const std::string& expect,
               const std::function<std::optional<Estimate>(std::size_t)>& evaluate,
               const SolveOptions& options);

}  // namespace natgpu::experiment
