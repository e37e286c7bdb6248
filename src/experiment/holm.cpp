// SPDX-License-Identifier: Apache-2.0
#include "holm.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace natgpu::experiment {

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted = p;
  double so_far = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    so_far = std::max(so_far, static_cast<double>(order.size() - rank) * p[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, so_far);
  }
  return adjusted;
}

}  // namespace natgpu::experiment
