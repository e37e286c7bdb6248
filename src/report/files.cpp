// SPDX-License-Identifier: Apache-2.0
#include <natgpu/report/files.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "writers.hpp"

namespace natgpu::report {

std::string write_results(const std::string& folder, const RunResult& result, const RunFacts& facts) {
  return write_results_with(folder, result, facts, simulation::metric_rows());
}

}  // namespace natgpu::report
