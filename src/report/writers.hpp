// SPDX-License-Identifier: Apache-2.0
// The text of each result file, as pure functions of the results.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/measures/metric.hpp>
#include <natgpu/report/files.hpp>

namespace natgpu::report {

/// Digest over the fingerprints of all replications, in their order.
std::string combined_fingerprint(const RunResult& result);
std::string combined_fingerprint(const std::vector<simulation::RunRecord>& records);

std::string summary_json(const RunResult& result);
/// The policy of every row. A row may be read far from its report: that its run was quick goes with it.
std::string policy_column(const RunResult& result);
std::string metrics_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows);
std::string timeseries_csv(const RunResult& result, const std::vector<measures::MetricRow>& rows);
std::string report_markdown(const RunResult& result);

/// @param digests  name and SHA-256 of each result file
std::string manifest_json(const RunResult& result, const RunFacts& facts,
                          const std::vector<std::pair<std::string, std::string>>& digests);

/// write_results() with the table of metrics given.
std::string write_results_with(const std::string& folder, const RunResult& result, const RunFacts& facts,
                               const std::vector<measures::MetricRow>& rows);

/// Warnings of all replications with the number of replications in which each came, in order of first
/// appearance.
std::vector<std::pair<std::string, std::size_t>> counted_warnings(const RunResult& result);

/// The command that gives these results again; a scenario outside the current folder is named by its file
/// name only.
std::string reproduce_command(const RunResult& result);

/// The words behind `natgpu run` that give these results again, the language of report.md among them.
std::vector<std::string> run_arguments(const RunResult& result);

/// The scenario's file as result files may name it: never an absolute path, which would tell who ran it.
std::string public_file_name(const std::string& file);

}  // namespace natgpu::report
