// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <natgpu/measures/metric.hpp>

namespace natgpu::supply {

/// The measures of capacity, readings, energy, failures and repairs.
const std::vector<measures::MetricRow>& metric_rows();

}  // namespace natgpu::supply
