// SPDX-License-Identifier: Apache-2.0
// Scenarios written by the test itself, and numbers looked up in what a run leaves behind.
#pragma once

#include <stdexcept>
#include <string>

#include <natgpu/measures/metric.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/record.hpp>

#include "bytes.hpp"
#include "folder.hpp"

namespace natgpu::testing {

/// Reads a text as the scenario file it would be.
inline scenario::Scenario scenario_of(const std::string& yaml, const scenario::LoadOptions& options = {}) {
  const Folder folder;
  return scenario::load_scenario(write_bytes(folder.path("scenario.yaml"), yaml), options);
}

/// @param labels  in canonical form, "period=2026;sector=users"
/// @throws std::runtime_error if there is no such number
inline double value_of(const simulation::RunRecord& record, const std::string& metric,
                       const std::string& labels) {
  for (const measures::Measurement& m : record.measurements)
    if (m.metric == metric && measures::to_string(m.labels) == labels) return m.value;
  throw std::runtime_error("no " + metric + " {" + labels + "}");
}

}  // namespace natgpu::testing
