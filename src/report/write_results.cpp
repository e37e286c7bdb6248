// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/file.hpp>
#include <natgpu/core/hash.hpp>

#include <natgpu/scenario/futures.hpp>

#include "futures.hpp"
#include "run_database.hpp"
#include "writers.hpp"

namespace natgpu::report {

std::string write_results_with(const std::string& folder, const RunResult& result, const RunFacts& facts,
                               const std::vector<measures::MetricRow>& rows) {
  prepare_folder(folder);
  std::vector<std::pair<std::string, std::string>> digests;
  const auto write = [&](const std::string& name, const std::string& bytes) {
    write_file_whole(folder + "/" + name, bytes);
    digests.emplace_back(name, sha256_hex(bytes));
  };
  write("summary.json", summary_json(result));
  write("metrics.csv", metrics_csv(result, rows));
  write("timeseries.csv", timeseries_csv(result, rows));
  if (scenario::has_futures(*result.scenario))
    write("draws.csv", draws_head() + draws_rows(policy_column(result), *result.scenario, result.records));
  write("report.md", report_markdown(result));
  if (result.sqlite) {
    const std::string path = folder + "/results.sqlite";
    write_run_database(path, result, rows);
    digests.emplace_back("results.sqlite", sha256_file_hex(path));
  }
  // Last, so that a folder with a manifest is a folder with all results.
  write_file_whole(folder + "/manifest.json", manifest_json(result, facts, digests));
  return folder + "/report.md";
}

}  // namespace natgpu::report
