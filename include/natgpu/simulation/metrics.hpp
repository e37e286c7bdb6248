// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <natgpu/measures/metric.hpp>

namespace natgpu::simulation {

/// Rows of the measures that arise where rooms meet: use of GPUs, jobs, shares, adoption.
const std::vector<measures::MetricRow>& own_metric_rows();

}  // namespace natgpu::simulation
