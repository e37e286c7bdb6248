// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/experiment/summary.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

namespace natgpu::report {

/// Of the sentences of report.md and of the scenario's own texts. Names of metrics are always English.
enum class Language : std::uint8_t { en, ko, both };

/// Everything a result folder is written from.
struct RunResult {
  const scenario::Scenario* scenario = nullptr;
  std::uint64_t seed = 0;
  std::uint32_t replications_asked = 0;
  bool interrupted = false;
  bool quick = false;    ///< `--quick`: said in every output, also where nothing had to be scaled
  bool central = false;  ///< `--central`: uncertain values as the file states them
  std::vector<std::string> settings;  ///< `--set path=value`, as given, for the reproduce command
  Language language = Language::en;
  bool sqlite = false;  ///< `--with sqlite`: results.sqlite beside the other files
  std::vector<simulation::RunRecord> records;
  experiment::Summary summary;
};

/// What differs from run to run and so stays out of the result files.
struct RunFacts {
  std::string command_line;
  std::string started, finished;  ///< UTC, ISO 8601
  double wall_seconds = 0;
  unsigned threads = 1;
  std::int64_t peak_memory_bytes = 0;
};

/// Writes summary.json, metrics.csv, timeseries.csv, report.md, of runs over futures draws.csv, where asked
/// for results.sqlite, and manifest.json, each whole or not at all (temporary file, fsync, rename). Equal
/// results give equal bytes in all but manifest.json.
/// @returns the path of report.md
/// @throws RunError naming the path, if the folder or a file cannot be written
std::string write_results(const std::string& folder, const RunResult& result, const RunFacts& facts);

/// The short text, in English, that `natgpu run` prints: headline figures, each with unit, spread and sample.
std::string summary_text(const RunResult& result);

}  // namespace natgpu::report
