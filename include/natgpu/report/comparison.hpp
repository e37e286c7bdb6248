// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/experiment/compare.hpp>
#include <natgpu/experiment/flips.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::report {

/// One policy of a comparison.
struct ComparedPolicy {
  std::string name;  ///< "base" for the scenario as it stands
  const scenario::Scenario* scenario = nullptr;
  const std::vector<simulation::RunRecord>* records = nullptr;
};

/// Everything that the files of a comparison are written from.
struct ComparisonResult {
  std::vector<ComparedPolicy> policies;
  std::size_t base = 0;
  std::uint64_t seed = 0;
  std::uint32_t replications_asked = 0;
  std::uint32_t second_stage = 0;  ///< replications of a declared second stage; 0: none was declared
  bool second_stage_run = false;
  bool interrupted = false;
  std::vector<std::string> settings;   ///< `--set path=value`, as given
  std::vector<std::string> questions;  ///< `--metrics`, as given; empty: the usual ones
  double margin = 0;                   ///< `--margin`, a share
  bool quick = false;
  bool central = false;  ///< `--central`: nothing uncertain is drawn
  experiment::Comparison comparison;
  std::uint32_t shaken = 0;              ///< `--shake`: futures, and replications as stated; 0: not asked
  std::vector<experiment::Flips> flips;  ///< by question
};

/// What `natgpu compare` prints: every comparison with its interval and verdict.
std::string comparison_text(const ComparisonResult& result);

/// Writes compare.json, compare.csv, compare.md and, of futures, draws.csv, each whole or not at all. Equal
/// results give equal bytes.
/// @returns the path of compare.md
/// @throws RunError naming the path
std::string write_comparison(const std::string& folder, const ComparisonResult& result);

}  // namespace natgpu::report
