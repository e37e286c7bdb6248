// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/report/files.hpp>

namespace natgpu::report {

/// results.sqlite of a run: what metrics.csv and timeseries.csv hold, and means with intervals, as the tables
/// of docs/sweeps.md without points. @throws RunError naming the path
void write_run_database(const std::string& path, const RunResult& result,
                        const std::vector<measures::MetricRow>& rows);

}  // namespace natgpu::report
