// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>

namespace natgpu::experiment {

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// Interval of a share of which `hits` of `n` were seen; covers with at least `level`, whatever the share.
/// Source: Clopper & Pearson, Biometrika 26, 1934. @pre 0 < n, hits <= n
Interval clopper_pearson(std::size_t hits, std::size_t n, double level);

}  // namespace natgpu::experiment
