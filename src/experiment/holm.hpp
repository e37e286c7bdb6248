// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace natgpu::experiment {

/// p-values adjusted for their number, in the order given: at most alpha of all families of true hypotheses
/// have any adjusted p of alpha or less. NaN stays NaN and is not counted.
/// Source: Holm, Scandinavian Journal of Statistics 6, 1979.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace natgpu::experiment
